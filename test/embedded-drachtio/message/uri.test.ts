import t from 'tap'
import {
  formatSipUri,
  parseSipUri,
  type SipUri,
  sameSipUri,
} from '../../../src/embedded-drachtio/message/index.ts'

const base: SipUri = {
  scheme: 'sip',
  user: undefined,
  password: undefined,
  host: 'example.com',
  port: undefined,
  params: {},
  headers: undefined,
}

const valid: [string, Partial<SipUri>][] = [
  ['sip:example.com', {}],
  ['SIP:EXAMPLE.com', {}],
  ['sips:alice@example.com', { scheme: 'sips', user: 'alice' }],
  ['sip:alice:secret@example.com:5070', { user: 'alice', password: 'secret', port: 5070 }],
  ['sip:alice:@example.com', { user: 'alice', password: '' }],
  [
    'sip:+441632960123@example.com;transport=TLS;lr',
    { user: '+441632960123', params: { transport: 'TLS', lr: '' } },
  ],
  [
    'sip:+441632960123;tgrp=wacall;trunk-context=byoc.example.com@example.com;transport=tls',
    {
      user: '+441632960123;tgrp=wacall;trunk-context=byoc.example.com',
      params: { transport: 'tls' },
    },
  ],
  ['sip:user;par=u%40example.net@example.com', { user: 'user;par=u%40example.net' }],
  ['sip:null-%00-null@example.com', { user: 'null-%00-null' }],
  ['sip:*21#@example.com', { user: '*21#' }],
  ['sip:FR.13491208655302741918@example.com', { user: 'FR.13491208655302741918' }],
  ['sip:[2001:DB8::1]:5061', { host: '2001:db8::1', port: 5061 }],
  ['sip:a@[2001:db8::1];lr', { user: 'a', host: '2001:db8::1', params: { lr: '' } }],
  ['sip:192.0.2.1', { host: '192.0.2.1' }],
  ['sip:example.com.', { host: 'example.com.' }],
  ['sip:user_host.example.com', { host: 'user_host.example.com' }],
  ['sip:a@example.com?Subject=x&Priority=y', { user: 'a', headers: 'Subject=x&Priority=y' }],
  ['sip:a@example.com;x=1;X=2;__proto__=3', { user: 'a', params: { x: '1' } }],
]

t.test('well-formed URIs are taken apart', async (t) => {
  for (const [text, parts] of valid) t.same(parseSipUri(text), { ...base, ...parts }, text)
  t.equal(({} as Record<string, unknown>)['3'], undefined)
})

t.test('a URI survives parsing and writing', async (t) => {
  for (const [text] of valid) {
    const uri = parseSipUri(text)!
    t.same(parseSipUri(formatSipUri(uri)), uri, text)
  }
  const same = 'sip:+441632960123;tgrp=a:pw@[2001:db8::1]:5061;transport=tls;lr?X-A=b'
  t.equal(formatSipUri(parseSipUri(same)!), same)
})

t.test('other schemes and malformed URIs give undefined', async (t) => {
  for (const text of [
    '',
    'sip',
    'sip:',
    'sip:@example.com',
    'sip::pw@example.com',
    'sip:alice@',
    'sip:alice@example.com:',
    'sip:alice@example.com:0x10',
    'sip:alice@example.com:65536',
    'sip:alice@exam ple.com',
    'sip:al ice@example.com',
    'sip:alice@example.com;',
    'sip:alice@example.com;;lr',
    'sip:alice@example.com; lr',
    'sip:alice@b@example.com',
    'sip:[2001:db8::1',
    'sip:[example.com]',
    'sip:[2001:db8::1]x',
    'sip:-example.com',
    'sip:a@example.com?x= y',
    'sip:a\r\nX: y@example.com',
    '<sip:alice@example.com>',
    'tel:+441632960123',
    'urn:service:sos',
  ]) {
    t.equal(parseSipUri(text), undefined, JSON.stringify(text))
  }
})

t.test('equality follows RFC 3261 §19.1.4', async (t) => {
  const equal: [string, string][] = [
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtlanTa.CoM;Transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;newparam=5'],
    ['sip:a@b.com?Subject=x&Priority=y', 'sip:a@b.com?Priority=y&Subject=x'],
  ]
  const different: [string, string][] = [
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
    ['sip:bob@biloxi.com', 'sips:bob@biloxi.com'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
    ['sip:carol@chicago.com', 'sip:chicago.com'],
  ]
  for (const [a, b] of equal) t.ok(sameSipUri(parseSipUri(a)!, parseSipUri(b)!), `${a} = ${b}`)
  for (const [a, b] of different) {
    t.notOk(sameSipUri(parseSipUri(a)!, parseSipUri(b)!), `${a} ≠ ${b}`)
  }
})
