import t from 'tap'
import {
  assertHeaderSafe,
  canonicalName,
  expandCompact,
  type HeaderLine,
  headerLine,
  headerValue,
  headerValues,
  removeHeaders,
  setHeader,
  splitList,
} from '../../../src/embedded-drachtio/message/index.ts'

const list = (): HeaderLine[] => [
  headerLine('v', 'SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b;branch=2'),
  headerLine('via', 'SIP/2.0/UDP c'),
  headerLine('date', 'Sat, 13 Nov 2010 23:29:00 GMT'),
  headerLine('WWW-Authenticate', 'Digest realm="a", nonce="b"'),
  headerLine('www-authenticate', 'Digest realm="c", nonce="d"'),
  headerLine('X-Note', 'a, b'),
  headerLine('m', '"a, b" <sip:a@b.com;x=1,2>, <sip:c@d.com>'),
]

t.test('list headers are split, others are not', async (t) => {
  const headers = list()
  t.same(headerValues(headers, 'via'), [
    'SIP/2.0/UDP a;branch=1',
    'SIP/2.0/UDP b;branch=2',
    'SIP/2.0/UDP c',
  ])
  t.same(headerValues(headers, 'contact'), ['"a, b" <sip:a@b.com;x=1,2>', '<sip:c@d.com>'])
  t.same(headerValues(headers, 'date'), ['Sat, 13 Nov 2010 23:29:00 GMT'])
  t.same(headerValues(headers, 'www-authenticate'), [
    'Digest realm="a", nonce="b"',
    'Digest realm="c", nonce="d"',
  ])
  t.same(headerValues(headers, 'x-note'), ['a, b'])
  t.same(headerValues(headers, 'route'), [])
  t.equal(headerValue(headers, 'via'), 'SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b;branch=2')
  t.equal(headerValue(headers, 'route'), undefined)
})

t.test('splitting ignores commas in quotes, escapes and brackets, and empty items', async (t) => {
  const cases: [string, string[]][] = [
    ['', []],
    [',,', []],
    ['a,b , c', ['a', 'b', 'c']],
    ['"a\\",b",c', ['"a\\",b"', 'c']],
    ['<a,b>,c', ['<a,b>', 'c']],
    ['"open, a', ['"open, a']],
    ['<open, a', ['<open, a']],
  ]
  for (const [text, items] of cases) t.same(splitList(text), items, text)
})

t.test('setting replaces all lines of a name, removing leaves the rest in order', async (t) => {
  const headers = list()
  setHeader(headers, 'V', 'SIP/2.0/TCP x')
  setHeader(headers, 'subject', 'hello')
  t.same(
    headers.map((line) => line.name),
    ['Via', 'Date', 'WWW-Authenticate', 'WWW-Authenticate', 'X-Note', 'Contact', 'Subject'],
  )
  t.same(headerValues(headers, 'via'), ['SIP/2.0/TCP x'])
  removeHeaders(headers, 'www-authenticate')
  removeHeaders(headers, 'absent')
  t.same(
    headers.map((line) => line.key),
    ['via', 'date', 'x-note', 'contact', 'subject'],
  )
})

t.test('names get their canonical spelling', async (t) => {
  const cases: [string, string][] = [
    ['call-id', 'Call-ID'],
    ['i', 'Call-ID'],
    ['CSEQ', 'CSeq'],
    ['www-authenticate', 'WWW-Authenticate'],
    ['mime-version', 'MIME-Version'],
    ['rack', 'RAck'],
    ['p-asserted-identity', 'P-Asserted-Identity'],
    ['x-wa-Meta-id', 'x-wa-Meta-id'],
    ['X-FB-External-Domain', 'X-FB-External-Domain'],
    ['my-own-header', 'My-Own-Header'],
    ['MY-OWN', 'My-Own'],
  ]
  for (const [name, canonical] of cases) t.equal(canonicalName(name), canonical, name)
  t.equal(expandCompact('V'), 'via')
  t.equal(expandCompact('x'), 'session-expires')
  t.equal(expandCompact('X-Foo'), 'x-foo')
  t.equal(expandCompact('constructor'), 'constructor')
})

t.test('what would add headers is refused, without showing the value', async (t) => {
  t.doesNotThrow(() => assertHeaderSafe('X-Ok', 'Łódź, "quoted"\tand more'))
  t.doesNotThrow(() => assertHeaderSafe('X-Ok', ''))
  for (const [name, value] of [
    ['X-Bad', 'a\r\nVia: b'],
    ['X-Bad', 'a\nb'],
    ['X-Bad', 'a\rb'],
    ['X-Bad', 'a\0b'],
    ['X Bad', 'a'],
    ['X-Bad:', 'a'],
    ['X-Bad\r\nY', 'a'],
    ['', 'a'],
    ['Ünï', 'a'],
  ] as const) {
    t.throws(() => assertHeaderSafe(name, value), { code: 'SIP_HEADER_INJECTION' })
  }
  try {
    assertHeaderSafe('Authorization', 'hunter2\n')
  } catch (error) {
    t.notMatch(String(error), /hunter2/)
  }
})
