import t from 'tap'
import {
  formatNameAddr,
  type NameAddr,
  parseNameAddr,
  parseNameAddrList,
} from '../../../src/embedded-drachtio/message/index.ts'

const valid: [string, NameAddr][] = [
  ['<sip:a@b.com>', { display: '', uri: 'sip:a@b.com', params: {} }],
  ['sip:a@b.com', { display: '', uri: 'sip:a@b.com', params: {} }],
  [
    'sip:+16505552222@ss1.example.net;user=phone;tag=1',
    {
      display: '',
      uri: 'sip:+16505552222@ss1.example.net',
      params: { user: 'phone', tag: '1' },
    },
  ],
  [
    '<sip:a@b.com;user=phone>;TAG=1;lr',
    { display: '', uri: 'sip:a@b.com;user=phone', params: { tag: '1', lr: '' } },
  ],
  ['Alice <sip:a@b.com>', { display: 'Alice', uri: 'sip:a@b.com', params: {} }],
  [
    'caller<sip:a@b.com>;tag=323',
    { display: 'caller', uri: 'sip:a@b.com', params: { tag: '323' } },
  ],
  ['A.   B. C <sip:a@b.com>', { display: 'A. B. C', uri: 'sip:a@b.com', params: {} }],
  ['Łukasz @ home <sip:a@b.com>', { display: 'Łukasz @ home', uri: 'sip:a@b.com', params: {} }],
  [
    '"Quoted \\"x\\" \\\\ <sip:no@no>;tag=no, y" <sip:a@b.com> ; tag = 5',
    { display: 'Quoted "x" \\ <sip:no@no>;tag=no, y', uri: 'sip:a@b.com', params: { tag: '5' } },
  ],
  ['"" <sip:a@b.com>', { display: '', uri: 'sip:a@b.com', params: {} }],
  ['<tel:+441632960123>', { display: '', uri: 'tel:+441632960123', params: {} }],
  ['isbn:2983792873', { display: '', uri: 'isbn:2983792873', params: {} }],
  [
    '<sip:a@b.com?Route=%3Csip:c%3E>;expires=60',
    { display: '', uri: 'sip:a@b.com?Route=%3Csip:c%3E', params: { expires: '60' } },
  ],
  [
    '<sip:a@b.com>;+sip.instance="<urn:uuid:1;x,y>";reg-id=1',
    {
      display: '',
      uri: 'sip:a@b.com',
      params: { '+sip.instance': '"<urn:uuid:1;x,y>"', 'reg-id': '1' },
    },
  ],
]

t.test('addresses are taken apart', async (t) => {
  for (const [text, parts] of valid) t.same(parseNameAddr(text), parts, text)
})

t.test('an address survives writing and parsing', async (t) => {
  for (const [text, parts] of valid) t.same(parseNameAddr(formatNameAddr(parts)), parts, text)
  t.equal(
    formatNameAddr({ display: 'Bell, "A"', uri: 'sip:a@b.com', params: { tag: '1', lr: '' } }),
    '"Bell, \\"A\\"" <sip:a@b.com>;tag=1;lr',
  )
})

const malformed = [
  '',
  'Alice',
  'Alice <>',
  'Alice <sip:>',
  'Alice <sip:a@b.com',
  '"Alice <sip:a@b.com>',
  '"Alice" sip:a@b.com',
  '"Alice"',
  'Bell, Alexander <sip:a@b.com>',
  '< sip:a@b.com >',
  '<sip:a@b.com> x',
  '<sip:a@b.com>;',
  '<sip:a@b.com>;;tag=1',
  '<sip:a@b.com>;tag="1',
  '<sip:a@b.com>;t ag=1',
  'sip:a@b.com?Route=x',
  'sip:a b@b.com',
  '<sip:a@b.com>, <sip:c@d.com>',
]

t.test('malformed addresses give undefined', async (t) => {
  for (const text of malformed) t.equal(parseNameAddr(text), undefined, text)
})

t.test('lists are split outside quotes and brackets', async (t) => {
  const list = parseNameAddrList('"a, b" <sip:a,x@b.com;lr>;q=1 , sip:c@d.com;x=1,<sip:e@f.com>')
  t.same(
    list?.map((address) => address.uri),
    ['sip:a,x@b.com;lr', 'sip:c@d.com', 'sip:e@f.com'],
  )
  for (const text of ['', ',', '<sip:a@b.com>,', '<sip:a@b.com>,,<sip:c@d.com>', ',sip:a@b.com']) {
    t.equal(parseNameAddrList(text), undefined, text)
  }
})
