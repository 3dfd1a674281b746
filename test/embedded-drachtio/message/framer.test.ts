import t from 'tap'
import {
  type MessageLimits,
  parseMessage,
  type SipParseError,
  StreamFramer,
} from '../../../src/embedded-drachtio/message/index.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import { invite, sdp } from './samples.ts'

/** A framer that writes down what it reports. */
function recorder(limits?: MessageLimits) {
  const log: string[] = []
  const messages: Buffer[] = []
  const errors: SipParseError[] = []
  const framer = new StreamFramer(
    {
      message(bytes) {
        log.push('message')
        messages.push(bytes)
      },
      ping: () => void log.push('ping'),
      pong: () => void log.push('pong'),
      error(error) {
        log.push(`error ${error.status}`)
        errors.push(error)
      },
    },
    limits,
  )
  return { framer, log, messages, errors }
}

const plain = invite({ 'Content-Length': '0' })
const withBody = invite({ l: String(Buffer.byteLength(sdp)) }, sdp)
const folded = invite({ 'content-length ': '\r\n 3' }, 'abc')
const blankInBody = invite({ 'Content-Length': '10' }, 'a\r\n\r\nb\r\n\r\n')
const stream = Buffer.concat([plain, withBody, folded, blankInBody, plain])
const expected = [plain, withBody, folded, blankInBody, plain]

t.test('messages come whole however the stream is split', async (t) => {
  const random = new FakeRandom(7)
  for (const size of [1, 2, 3, 7, 100, 1000, stream.length, 0, 0, 0]) {
    const { framer, messages } = recorder()
    for (let at = 0; at < stream.length; ) {
      const to = at + (size || random.int(1, 300))
      // A copy each time, wiped afterwards, would show memory that is shared with the chunk.
      framer.push(Buffer.from(stream.subarray(at, to)))
      at = to
    }
    t.same(messages, expected, `chunks of ${size || 'random size'}`)
    t.equal(framer.pending, 0)
  }
})

t.test('reported messages are never written again', async (t) => {
  const { framer, messages } = recorder()
  for (const byte of stream) framer.push(Buffer.of(byte))
  t.same(messages, expected)
  for (const bytes of messages) t.equal(parseMessage(bytes).kind, 'request')
})

t.test('keepalives are told apart and cost nothing', async (t) => {
  const { framer, log, messages } = recorder()
  framer.push(Buffer.from('\r\n\r\n'))
  t.same(log.splice(0), ['ping'])
  framer.push(Buffer.from('\r\n'))
  t.same(log.splice(0), ['pong'])
  framer.push(Buffer.concat([plain, Buffer.from('\r\n\r\n'), plain]))
  t.match(log.splice(0).at(-1), 'message')
  t.equal(messages.length, 2)
  framer.push(Buffer.from('\r\n\r\n\r\n\r\n'))
  t.same(log.splice(0), ['ping', 'ping'])
  t.equal(framer.pending, 0)
})

t.test('the pongs of a connection that carries nothing else', async (t) => {
  const { framer, log } = recorder()
  for (let count = 0; count < 3; count++) {
    framer.pinged()
    framer.push(Buffer.from('\r\n'))
    t.same(log.splice(0), ['pong'], 'not the second half of a ping')
  }
})

t.test('a ping split anywhere is answered once', async (t) => {
  for (const parts of [
    ['\r', '\n\r\n'],
    ['\r\n', '\r\n'],
    ['\r\n\r', '\n'],
    ['\r', '\n', '\r', '\n'],
  ]) {
    const { framer, log } = recorder()
    for (const part of parts) framer.push(Buffer.from(part))
    t.equal(log.filter((entry) => entry === 'ping').length, 1, JSON.stringify(parts))
    framer.push(plain)
    t.equal(log.at(-1), 'message')
  }
})

t.test('a stream that cannot be followed ends with an answerable error', async (t) => {
  const cases: [string, Buffer, number, boolean][] = [
    ['no Content-Length', invite(), 400, true],
    ['negative', invite({ 'Content-Length': '-999' }), 400, true],
    ['no number', invite({ 'Content-Length': 'five' }), 400, true],
    ['contradicting', invite({ 'Content-Length': '13', l: '5' }), 400, true],
    ['announced too large', invite({ 'Content-Length': '70000' }), 513, true],
    ['endless head', Buffer.from(`INVITE sip:a SIP/2.0\r\nX: ${'a'.repeat(70000)}`), 513, false],
    ['TLS on a TCP port', Buffer.from([0x16, 3, 1, 2, 0]), 400, false],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 400, false],
  ]
  for (const [name, bytes, status, answerable] of cases) {
    for (const size of [1, 4096]) {
      const { framer, log, errors } = recorder()
      for (let at = 0; at < bytes.length; at += size) framer.push(bytes.subarray(at, at + size))
      framer.push(plain)
      t.same(log, [`error ${status}`], `${name}: once, and nothing after it`)
      t.equal(errors[0]?.partial !== undefined, answerable, name)
      t.equal(framer.pending, 0, 'memory is given back')
    }
  }
})

t.test('memory is bounded by the limit and a chunk', async (t) => {
  const limits = { messageBytes: 4096, headerBytes: 4096, headerCount: 64 }
  const { framer, errors } = recorder(limits)
  framer.push(Buffer.from('INVITE sip:a@b.com SIP/2.0\r\n'))
  let most = 0
  while (errors.length === 0) {
    framer.push(Buffer.from('X-Fill: aaaaaaaaaaaaaaaaaaaaaaaa\r\n'))
    most = Math.max(most, framer.pending)
  }
  t.ok(most <= 4096 + 64, `${most}`)
})

t.test('work is linear: a large head byte by byte', async (t) => {
  const { framer, messages } = recorder()
  const bytes = invite({ 'X-Large': 'a'.repeat(60000), 'Content-Length': '0' })
  const start = process.cpuUsage()
  for (let i = 0; i < bytes.length; i++) framer.push(bytes.subarray(i, i + 1))
  const spent = process.cpuUsage(start)
  t.equal(messages.length, 1)
  t.ok(spent.user + spent.system < 2_000_000, 'well under two seconds of CPU')
})
