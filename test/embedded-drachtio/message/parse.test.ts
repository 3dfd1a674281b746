import t from 'tap'
import {
  defaultLimits,
  headerValue,
  parseMessage,
  SipParseError,
  stampVia,
} from '../../../src/embedded-drachtio/message/index.ts'
import { crlf, invite, sdp } from './samples.ts'

function fault(bytes: Buffer, limits = defaultLimits): SipParseError {
  try {
    parseMessage(bytes, limits)
  } catch (error) {
    if (error instanceof SipParseError) return error
    throw error
  }
  throw new Error(`accepted: ${bytes}`)
}

t.test('a request is read', async (t) => {
  const message = parseMessage(invite({ 'Content-Type': 'application/sdp' }, sdp))
  t.match(message, {
    kind: 'request',
    method: 'INVITE',
    uri: 'sip:+441632960123@sip.example.com',
    callId: 'a84b4c76e66710@192.0.2.10',
    cseq: 314159,
    fromTag: '1928301774',
    toTag: '',
    via: { transport: 'UDP', host: '192.0.2.10', port: 5060, rport: 0, branch: 'z9hG4bK776asdhds' },
  })
  t.equal(message.body?.toString(), sdp)
  t.same(message.headers[0], {
    key: 'via',
    name: 'Via',
    value: 'SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bK776asdhds',
  })
})

t.test('a response is read', async (t) => {
  const bytes = invite({ To: '<sip:b@c.com>;tag=7' }, '', 'SIP/2.0 183 Session Progress')
  t.match(parseMessage(bytes), {
    kind: 'response',
    status: 183,
    reason: 'Session Progress',
    method: 'INVITE',
    toTag: '7',
    body: undefined,
  })
  t.match(parseMessage(invite({}, '', 'SIP/2.0 200')), { status: 200, reason: '' })
})

t.test('names in any case and compact form, folded values and blank lines in front', async (t) => {
  const message = parseMessage(
    Buffer.from(
      crlf(
        '',
        '',
        'OPTIONS sip:example.com SIP/2.0',
        'v : SIP/2.0/UDP',
        '   192.0.2.1;branch=z9hG4bK1',
        'f: <sip:a@b.com>',
        '\t;tag=1',
        'T:<sip:c@d.com>',
        'i:x',
        'cSEQ:\t1',
        ' OPTIONS',
        'k: timer , 100rel',
        'x-Custom-NAME:  a  b  ',
        'L: 0',
        '',
        '',
      ),
    ),
  )
  t.same(
    message.headers.map(({ key, name, value }) => [key, name, value]),
    [
      ['via', 'Via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1'],
      ['from', 'From', '<sip:a@b.com> ;tag=1'],
      ['to', 'To', '<sip:c@d.com>'],
      ['call-id', 'Call-ID', 'x'],
      ['cseq', 'CSeq', '1 OPTIONS'],
      ['supported', 'Supported', 'timer , 100rel'],
      ['x-custom-name', 'x-Custom-NAME', 'a  b'],
      ['content-length', 'Content-Length', '0'],
    ],
  )
  t.match(message, { fromTag: '1', cseq: 1, via: { branch: 'z9hG4bK1' } })
})

t.test('the tag is the parameter, not what looks like it', async (t) => {
  const cases: [string, string][] = [
    ['"x;tag=no" <sip:a@b.com;tag=no>;x=1;tag=yes;tag=late', 'yes'],
    ['sip:a@b.com;TAG=yes', 'yes'],
    ['<sip:a@b.com>;tagged=no;x="tag=no";tag=yes@host:1', 'yes@host:1'],
    ['<sip:a@b.com;tag=no>', ''],
  ]
  for (const [From, tag] of cases) t.equal(parseMessage(invite({ From })).fromTag, tag, From)
})

t.test('UTF-8 stays UTF-8, Latin-1 becomes readable', async (t) => {
  const text = '"Łódź 😀" <sip:a@b.com>;tag=1'
  t.equal(headerValue(parseMessage(invite({ From: text })).headers, 'from'), text)
  const latin = Buffer.from(invite({ From: '"Müller" <sip:a@b.com>;tag=1' }).toString(), 'latin1')
  t.equal(headerValue(parseMessage(latin).headers, 'from'), '"Müller" <sip:a@b.com>;tag=1')
})

t.test('the body of a datagram follows Content-Length (RFC 3261 §18.3)', async (t) => {
  t.equal(parseMessage(invite({}, 'abc')).body?.toString(), 'abc')
  t.equal(parseMessage(invite({ 'Content-Length': '2' }, 'abc')).body?.toString(), 'ab')
  t.equal(parseMessage(invite({ 'Content-Length': '0' }, 'abc')).body, undefined)
  t.equal(parseMessage(invite({ 'Content-Length': '3', l: '3' }, 'abc')).body?.length, 3)
  t.equal(fault(invite({ 'Content-Length': '4' }, 'abc')).status, 400)
  for (const value of ['-1', 'five', '', '3 4', '1e1', '99999999999999999999']) {
    t.equal(fault(invite({ 'Content-Length': value }, 'abc')).status, 400, value)
  }
})

t.test('a body does not keep a shared read buffer alive', async (t) => {
  const own = invite({}, sdp)
  const pooled = Buffer.alloc(65536)
  const slice = pooled.subarray(100, 100 + own.copy(pooled, 100))
  const body = parseMessage(slice).body!
  t.equal(body.buffer.byteLength, body.length)
  pooled.fill(0)
  t.equal(body.toString(), sdp)
})

t.test('malformed requests are refused with a status and can be answered', async (t) => {
  const cases: [string, Buffer, number][] = [
    ['version', invite({}, '', 'INVITE sip:a@b.com SIP/3.0'), 505],
    ['no version', invite({}, '', 'INVITE sip:a@b.com'), 400],
    ['other protocol', invite({}, '', 'INVITE sip:a@b.com HTTP/1.1'), 400],
    ['no URI', invite({}, '', 'INVITE  SIP/2.0'), 400],
    ['bare name', invite({}, '', 'INVITE alice SIP/2.0'), 400],
    ['bad port', invite({}, '', 'INVITE sip:a@b.com:x SIP/2.0'), 400],
    ['long URI', invite({}, '', `INVITE sip:${'a'.repeat(9000)}@b.com SIP/2.0`), 414],
    ['CSeq method', invite({ CSeq: '1 BYE' }), 400],
    ['CSeq text', invite({ CSeq: 'one INVITE' }), 400],
    ['CSeq number alone', invite({ CSeq: '1' }), 400],
    ['CSeq without blank', invite({ CSeq: '1INVITE' }), 400],
    ['CSeq at 2^31', invite({ CSeq: '2147483648 INVITE' }), 400],
    ['From', invite({ From: '"Alice <sip:a@b.com>;tag=1' }), 400],
    ['To', invite({ To: '<sip:a@b.com' }), 400],
    ['two To values', invite({ To: '<sip:a@b.com>, <sip:c@d.com>' }), 400],
    ['second To line', invite({ t: '<sip:a@b.com>' }), 400],
    ['second Max-Forwards', invite({ 'max-forwards': '3' }), 400],
    ['Max-Forwards', invite({ 'Max-Forwards': '256' }), 400],
    ['empty Call-ID', invite({ 'Call-ID': '' }), 400],
    ['Contact', invite({ Contact: '<sip:' }), 400],
    ['Route', invite({ Route: '<sip:a.com;lr>,' }), 400],
    ['Record-Route', invite({ 'Record-Route': 'x' }), 400],
    ['NUL', invite({ 'X-Note': 'a\0b' }), 400],
    ['line without colon', Buffer.from(`${invite()}`.replace('Contact:', 'Contact')), 400],
    ['blank in a name', invite({ 'X Note': 'a' }), 400],
    ['empty name', invite({ '': 'a' }), 400],
    ['LF alone', invite({ 'X-Note': 'a\nb: c' }), 400],
    ['CR alone', invite({ 'X-Note': 'a\rb: c' }), 400],
    ['LF in a folded line', invite({ 'X-Note': 'a\r\n b\nc' }), 400],
    ['no blank line', Buffer.from(`${invite()}`.trimEnd()), 400],
    ['Via', invite({ Via: 'SIP/2.0/UDP 192.0.2.1;;' }), 400],
  ]
  for (const [name, bytes, status] of cases) {
    const error = fault(bytes)
    t.equal(error.status, status, name)
    const partial = error.partial
    t.equal(partial?.kind, 'request', `${name} can be answered`)
    t.match(partial?.via.host, /^192\.0\.2\.10?$/, name)
  }
})

t.test('what cannot be answered has no partial message', async (t) => {
  for (const bytes of [
    ...['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((name) => invite({ [name]: undefined })),
    invite({ Via: 'nonsense' }),
    invite({}, '', 'SIP/2.0 099 No'),
    invite({}, '', 'SIP/2.0 700 No'),
    invite({}, '', 'SIP/2.0 2000 No'),
    invite({}, '', 'SIP/3.0 200 OK'),
    invite({ CSeq: '1' }, '', 'SIP/2.0 200 OK'),
    invite({}, '', 'nonsense'),
    Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    Buffer.from('\r\n\r\n'),
    Buffer.from([0x16, 3, 1, 0, 0xff, 0xfe]),
    Buffer.alloc(0),
  ]) {
    t.equal(fault(bytes).partial, undefined, `${bytes}`.slice(0, 60))
  }
})

t.test('limits hold', async (t) => {
  const limits = { messageBytes: 2000, headerBytes: 200, headerCount: 10 }
  const long = fault(invite({ 'X-Long': 'a'.repeat(200) }), limits)
  t.equal(long.status, 400)
  t.equal(long.partial?.headers.length, 7, 'the long line is left out')
  const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`X-${i}`, 'a']))
  t.equal(fault(invite(many), limits).status, 400)
  t.equal(fault(invite({}, 'a'.repeat(2000)), limits).status, 513)
  t.equal(fault(invite({}, 'a'.repeat(2000)), limits).partial?.method, 'INVITE')
  t.equal(parseMessage(invite({ 'X-Fits': 'a'.repeat(190) }), limits).kind, 'request')
})

t.test('work stays linear in hostile input', async (t) => {
  const limits = { messageBytes: 2e6, headerBytes: 2e6, headerCount: 100_000 }
  const blanks = ' '.repeat(100_000)
  const hostile: Record<string, string>[] = [
    { 'X-Note': `a${blanks}b` },
    { 'X-Note': `a\r\n ${blanks}\r\n b` },
    { 'X-Note': `a${'\r\n a'.repeat(50_000)}` },
    { Via: `SIP/2.0/UDP 192.0.2.1${';a=b'.repeat(30_000)};branch=z9hG4bK1` },
    { Via: `SIP/2.0/UDP 192.0.2.1${blanks};branch=z9hG4bK1` },
    { From: `${'a '.repeat(50_000)}<sip:a@b.com>;tag=1` },
    { From: `"${'\\"'.repeat(50_000)}" <sip:a@b.com>;tag=1` },
    { Contact: Array.from({ length: 10_000 }, () => '<sip:a@b.com>').join(',') },
    { Contact: `<sip:a@b.com>${';a'.repeat(50_000)}` },
    { Route: `${'<'.repeat(100_000)}` },
    Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`X-${i}`, 'a'])),
  ]
  for (const changes of hostile) {
    const bytes = invite(changes)
    const start = process.cpuUsage()
    try {
      stampVia(parseMessage(bytes, limits), '192.0.2.200', 1)
    } catch (error) {
      if (!(error instanceof SipParseError)) throw error
    }
    const { user, system } = process.cpuUsage(start)
    const [name, value] = Object.entries(changes)[0]!
    t.ok(user + system < 500_000, `${name}: ${value.slice(0, 20)} in ${user + system} µs`)
  }
})
