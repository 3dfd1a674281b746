/** The messages of RFC 4475: one file each in test/fixtures/sip/torture, expectations below. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import {
  headerValue,
  headerValues,
  parseMessage,
  parseNameAddr,
  parseNameAddrList,
  parseSipUri,
  type SipMessage,
  SipParseError,
  serializeMessage,
} from '../../../src/embedded-drachtio/message/index.ts'

const folder = 'test/fixtures/sip/torture'
const bytesOf = (name: string): Buffer => readFileSync(`${folder}/${name}.dat`)

function message(name: string): SipMessage {
  return parseMessage(bytesOf(name))
}

/** Well-formed for a parser, whatever an application makes of them: method and body length. */
const accepted: Record<string, [method: string, body: number]> = {
  // §3.1.1, valid
  wsinv: ['INVITE', 150],
  intmeth: ["!interesting-Method0123456789_*+`.%indeed'~", 0],
  esc01: ['INVITE', 150],
  escnull: ['REGISTER', 0],
  esc02: ['RE%47IST%45R', 0],
  lwsdisp: ['OPTIONS', 0],
  longreq: ['INVITE', 150],
  dblreq: ['REGISTER', 0],
  semiuri: ['OPTIONS', 0],
  transports: ['OPTIONS', 0],
  mpart01: ['MESSAGE', 553],
  unreason: ['INVITE', 154],
  noreason: ['INVITE', 0],
  // §3.1.2.12: refused only by those who need the Date
  baddate: ['INVITE', 150],
  // §3.2 to §3.4, for the layers above to judge
  badbranch: ['OPTIONS', 0],
  unkscm: ['OPTIONS', 0],
  novelsc: ['OPTIONS', 0],
  unksm2: ['REGISTER', 0],
  bext01: ['OPTIONS', 0],
  invut: ['INVITE', 40],
  regaut01: ['REGISTER', 0],
  bcast: ['INVITE', 154],
  zeromf: ['OPTIONS', 0],
  cparam01: ['REGISTER', 0],
  cparam02: ['REGISTER', 0],
  regescrt: ['REGISTER', 0],
  sdp01: ['INVITE', 150],
  inv2543: ['INVITE', 105],
}

/** Refused: status, fault, and whether an answer can be built. */
const refused: Record<string, [status: number, reason: RegExp, answerable: boolean]> = {
  // §3.1.2, invalid
  badinv01: [400, /Contact|Via/, true],
  clerr: [400, /shorter than Content-Length/, true],
  ncl: [400, /Content-Length/, true],
  scalar02: [400, /Max-Forwards|CSeq/, true],
  scalarlg: [400, /CSeq/, false],
  quotbal: [400, /To/, true],
  ltgtruri: [400, /Request-URI/, true],
  lwsruri: [400, /request line/, true],
  lwsstart: [400, /request line/, true],
  trws: [400, /request line/, true],
  escruri: [400, /headers in the Request-URI/, true],
  regbadct: [400, /Contact/, true],
  badaspec: [400, /To/, true],
  baddn: [400, /From/, true],
  badvers: [505, /version/, true],
  mismatch01: [400, /CSeq/, true],
  mismatch02: [400, /CSeq/, true],
  bigcode: [400, /status line/, false],
  // §3.3
  insuf: [400, /missing/, false],
  multi01: [400, /more than one/, true],
  mcl01: [400, /contradicting Content-Length/, true],
}

t.test('every file has an expectation and every expectation a file', async (t) => {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.dat'))
    .map((file) => file.slice(0, -4))
  t.same(files.sort(), [...Object.keys(accepted), ...Object.keys(refused)].sort())
})

t.test('well-formed messages are read and survive being written', async (t) => {
  for (const [name, [method, body]] of Object.entries(accepted)) {
    const read = message(name)
    t.equal(read.method, method, name)
    t.equal(read.body?.length ?? 0, body, name)
    const again = parseMessage(serializeMessage(read))
    const part = ({ headers, ...rest }: SipMessage) => ({
      ...rest,
      headers: headers.filter(({ key }) => key !== 'content-length'),
    })
    t.same(part(again), part(read), `${name} round trip`)
  }
})

t.test('malformed messages are refused', async (t) => {
  for (const [name, [status, reason, answerable]] of Object.entries(refused)) {
    try {
      message(name)
      t.fail(`${name} was accepted`)
    } catch (error) {
      if (!(error instanceof SipParseError)) throw error
      t.equal(error.status, status, name)
      t.match(error.message, reason, name)
      t.equal(error.partial !== undefined, answerable, `${name} answerable`)
    }
  }
})

t.test('wsinv: white space, folding and escapes', async (t) => {
  const read = message('wsinv')
  const { headers } = read
  t.match(read, { cseq: 9, fromTag: '98asjd8', toTag: '1918181833n' })
  t.same(read.via, {
    transport: 'UDP',
    host: '192.0.2.2',
    port: undefined,
    branch: '390skdjuw',
    rport: undefined,
    received: undefined,
  })
  t.equal(headerValues(headers, 'via').length, 3)
  t.equal(parseNameAddr(headerValue(headers, 'from')!)?.display, 'J Rosenberg \\"')
  t.equal(headerValue(headers, 'subject'), '')
  t.equal(headerValue(headers, 'unknownheaderwithunusualvalue'), ';;,,;;,;')
  t.equal(headerValue(headers, 'newfangledheader'), 'newfangled value continued newfangled value')
  t.match(parseNameAddr(headerValue(headers, 'contact')!), {
    display: 'Quoted string ""',
    params: { newparam: 'newvalue', secondparam: '', q: '0.33' },
  })
})

t.test('intmeth: the full range of characters', async (t) => {
  const read = message('intmeth')
  t.equal(read.fromTag, "_token~1'+`*%!-.")
  t.equal(parseNameAddr(headerValue(read.headers, 'to')!)?.display, 'BEL:\x07 NUL:\0 DEL:\x7f')
  t.equal(
    parseNameAddr(headerValue(read.headers, 'from')!)?.params["fromparam''~+*_!.-%"],
    '"работающий"',
  )
  t.equal(headerValue(read.headers, "extensionheader-!.%*+_`'~"), '\ufeff大停電')
  t.match(read.kind === 'request' && parseSipUri(read.uri), {
    user: "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
    password: "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)",
    host: 'example.com',
  })
})

t.test('escapes are kept as written and mean what they should', async (t) => {
  t.match(parseSipUri(parseNameAddr(headerValue(message('esc01').headers, 'contact')!)!.uri), {
    user: 'cal%6Cer',
    params: { '%6c%72': '', 'n%61me': 'v%61lue%25%34%31' },
  })
  t.equal(headerValues(message('esc02').headers, 'contact').length, 2)
  const nulls = headerValues(message('escnull').headers, 'contact')
  t.same(
    nulls.map((value) => parseSipUri(parseNameAddr(value)!.uri)?.user),
    ['%00', '%00%00'],
  )
  const semi = message('semiuri')
  t.equal(semi.kind === 'request' && parseSipUri(semi.uri)?.user, 'user;par=u%40example.net')
})

t.test('where parameters belong', async (t) => {
  const contact = (name: string) => parseNameAddr(headerValue(message(name).headers, 'contact')!)
  t.match(contact('cparam01'), {
    uri: 'sip:+19725552222@gw1.example.net',
    params: { unknownparam: '' },
  })
  t.match(contact('cparam02'), {
    uri: 'sip:+19725552222@gw1.example.net;unknownparam',
    params: {},
  })
  t.equal(contact('regescrt')?.uri, 'sip:user@example.com?Route=%3Csip:sip.example.com%3E')
})

t.test('reason phrases in UTF-8 and without text', async (t) => {
  t.match(message('unreason'), {
    status: 200,
    reason: '= 2**3 * 5**2 но сто девяносто девять - простое',
  })
  t.match(message('noreason'), { status: 100, reason: '' })
})

t.test('long values, many Vias and the transports of others', async (t) => {
  const long = message('longreq')
  t.equal(headerValues(long.headers, 'via').length, 34)
  t.equal(long.fromTag.length, 155)
  t.same(
    headerValues(message('transports').headers, 'via').map((via) => via.split(/[/ ]/)[2]),
    ['UDP', 'SCTP', 'TLS', 'UNKNOWN', 'TCP'],
  )
})

t.test('RFC 2543: no branch, no tag, no Max-Forwards', async (t) => {
  const read = message('inv2543')
  t.match(read, { fromTag: '', toTag: '', via: { branch: '', host: 'iftgw.example.com' } })
  t.equal(
    parseNameAddrList(headerValue(read.headers, 'record-route')!)?.[0]?.uri,
    'sip:UserB@example.com;maddr=ss1.example.com',
  )
})
