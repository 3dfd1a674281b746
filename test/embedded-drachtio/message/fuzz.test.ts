/** Seeded mutations of valid messages: the parser returns or throws SipParseError, nothing else. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import {
  defaultLimits,
  formatNameAddr,
  formatSipUri,
  headerValues,
  makeResponse,
  parseMessage,
  parseNameAddr,
  parseNameAddrList,
  parseSipUri,
  parseVia,
  type SipMessage,
  SipParseError,
  StreamFramer,
  serializeMessage,
  stampVia,
} from '../../../src/embedded-drachtio/message/index.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import { invite, sdp } from './samples.ts'

const folder = 'test/fixtures/sip/torture'
const corpus = [
  invite({ 'Content-Type': 'application/sdp' }, sdp),
  ...readdirSync(folder)
    .filter((file) => file.endsWith('.dat'))
    .map((file) => readFileSync(`${folder}/${file}`)),
]
const splinters = [
  '\r\n',
  '\r',
  '\n',
  '\0',
  ':',
  ';',
  ',',
  '"',
  '<',
  '>',
  '\\',
  ' ',
  '\t',
  '=',
  '@',
]
const pieces = [
  ...splinters,
  '[',
  ']',
  '%',
  '\r\n ',
  '\r\n\r\n',
  'é',
  'SIP/2.0',
  '9999999999',
  '-1',
]

function mutate(bytes: Buffer, random: FakeRandom): Buffer {
  let result = bytes
  for (let n = random.int(1, 3); n > 0; n--) {
    const at = random.int(0, result.length + 1)
    const to = Math.min(result.length, at + random.int(0, 20))
    const head = result.subarray(0, at)
    const tail = result.subarray(to)
    switch (random.int(0, 5)) {
      case 0:
        result = Buffer.concat([head, tail])
        break
      case 1:
        result = Buffer.concat([head, Buffer.from(pieces[random.int(0, pieces.length)]!), tail])
        break
      case 2:
        result = Buffer.concat([head, random.bytes(random.int(1, 5)), tail])
        break
      case 3:
        result = Buffer.concat([head, result.subarray(at, to), result.subarray(at)])
        break
      case 4:
        result = head
        break
    }
  }
  return result
}

/** Walks everything the layers above would read of a message. */
function use(message: SipMessage): void {
  for (const name of ['via', 'contact', 'route', 'record-route', 'from', 'to', 'allow']) {
    for (const value of headerValues(message.headers, name)) {
      const address = parseNameAddr(value)
      if (address) {
        formatNameAddr(address)
        const uri = parseSipUri(address.uri)
        if (uri) formatSipUri(uri)
      }
      parseNameAddrList(value)
      parseVia(value)
    }
  }
  if (message.kind === 'request') {
    stampVia(message, '192.0.2.200', 40000)
    makeResponse(message, 200, undefined, { toTag: 'x' })
  }
}

function parse(bytes: Buffer): SipMessage | undefined {
  try {
    return parseMessage(bytes)
  } catch (error) {
    if (!(error instanceof SipParseError)) throw error
    if (![400, 413, 414, 505, 513].includes(error.status)) throw error
    if (error.partial?.kind === 'request') {
      serializeMessage(makeResponse(error.partial, error.status, undefined, { toTag: 'x' }))
    }
    return undefined
  }
}

t.test('mutated messages are read or refused, and stay the same when written', async (t) => {
  const random = new FakeRandom(4475)
  let read = 0
  for (let i = 0; i < 25_000; i++) {
    const bytes = mutate(corpus[i % corpus.length]!, random)
    const message = parse(bytes)
    if (!message) continue
    read++
    if (message.headers.length > defaultLimits.headerCount) t.fail('header limit')
    if (message.cseq > 2 ** 31 - 1 || message.cseq < 0) t.fail('CSeq out of range')
    if (message.headers.some(({ value }) => /[\r\n]/.test(value))) t.fail('line break in a value')
    const again = parse(serializeMessage(message))
    if (
      again?.callId !== message.callId ||
      again.fromTag !== message.fromTag ||
      again.toTag !== message.toTag ||
      again.via.branch !== message.via.branch ||
      again.cseq !== message.cseq ||
      again.method !== message.method ||
      (again.body?.length ?? 0) !== (message.body?.length ?? 0)
    ) {
      t.same(again, message, `${bytes}`)
    }
    use(message)
  }
  t.ok(read > 3000, `${read} were still well-formed`)
})

t.test('mutated streams end in messages or one error', async (t) => {
  const random = new FakeRandom(5626)
  for (let i = 0; i < 1500; i++) {
    let errors = 0
    const framer = new StreamFramer({
      message(bytes) {
        if (errors > 0) t.fail('message after an error')
        parse(bytes)
      },
      ping() {},
      error: () => void errors++,
    })
    const bytes = mutate(Buffer.concat([corpus[0]!, corpus[i % corpus.length]!]), random)
    for (let at = 0; at < bytes.length; ) {
      const to = at + random.int(1, 400)
      framer.push(bytes.subarray(at, to))
      at = to
    }
    if (errors > 1) t.fail('more than one error')
    if (framer.pending > defaultLimits.messageBytes + 400) t.fail('memory')
  }
  t.pass('all streams were followed or given up')
})
