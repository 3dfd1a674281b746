import t from 'tap'
import {
  formatVia,
  headerValues,
  parseMessage,
  parseVia,
  stampVia,
  type Via,
} from '../../../src/embedded-drachtio/message/index.ts'
import { invite } from './samples.ts'

const base: Via = {
  transport: 'UDP',
  host: '192.0.2.1',
  port: undefined,
  branch: 'z9hG4bK1',
  rport: undefined,
  received: undefined,
}

const valid: [string, Partial<Via>][] = [
  ['SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1', {}],
  ['sip/2.0/udp 192.0.2.1;BRANCH=z9hG4bK1', {}],
  ['SIP / 2.0 / UDP   192.0.2.1 : 5070 ; branch = z9hG4bK1', { port: 5070 }],
  [
    'SIP/2.0/TLS Host.Example.com:5061;rport;branch=z9hG4bK1;alias',
    {
      transport: 'TLS',
      host: 'host.example.com',
      port: 5061,
      rport: 0,
    },
  ],
  [
    'SIP/2.0/UDP [2001:DB8::9:1];received=[2001:db8::9:255];branch=z9hG4bK1',
    {
      host: '2001:db8::9:1',
      received: '2001:db8::9:255',
    },
  ],
  [
    'SIP/2.0/UDP 192.0.2.1;received=2001:db8::9:255;rport=63057;branch=z9hG4bK1',
    {
      received: '2001:db8::9:255',
      rport: 63057,
    },
  ],
  ['SIP/2.0/UDP iftgw.example.com', { host: 'iftgw.example.com', branch: '' }],
  ['SIP/2.0/UNKNOWN 192.0.2.1;x="a;b,c";branch=z9hG4bK1', { transport: 'UNKNOWN' }],
  ['SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1, SIP/2.0/TCP 192.0.2.2;branch=z9hG4bK2', {}],
]

t.test('the first Via value is taken apart', async (t) => {
  for (const [text, parts] of valid) t.same(parseVia(text), { ...base, ...parts }, text)
})

t.test('a Via survives writing and parsing', async (t) => {
  for (const [text] of valid) {
    const via = parseVia(text)!
    t.same(parseVia(formatVia(via)), via, text)
  }
  t.equal(
    formatVia({ ...base, transport: 'TLS', host: '2001:db8::1', port: 5061, rport: 0 }),
    'SIP/2.0/TLS [2001:db8::1]:5061;rport;branch=z9hG4bK1',
  )
})

t.test('malformed values give undefined', async (t) => {
  for (const text of [
    '',
    'SIP/2.0/UDP',
    'SIP/2.0/UDP ',
    'SIP/2.0 192.0.2.1',
    'SIP/7.0/UDP 192.0.2.1',
    'HTTP/2.0/UDP 192.0.2.1',
    'SIP/2.0/UDP 192.0.2.1:99999',
    'SIP/2.0/UDP 192.0.2.1:',
    'SIP/2.0/UDP [2001:db8::1',
    'SIP/2.0/UDP 192.0.2.1;',
    'SIP/2.0/UDP 192.0.2.1;;branch=z9hG4bK1',
    'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1,',
    'SIP/2.0/UDP 192.0.2.1 x',
    'SIP/2.0/UDP 192.0.2.1;branch="z9hG4bK1',
  ]) {
    t.equal(parseVia(text), undefined, text)
  }
})

t.test('a refused request is answered by what its Via still says', async (t) => {
  t.match(parseVia('SIP/2.0/UDP 192.0.2.15;;,;,,', true), { host: '192.0.2.15', branch: '' })
  t.match(parseVia('SIP/7.0/UDP c.example.com;branch=z9hG4bK1', true), { host: 'c.example.com' })
  t.equal(parseVia('SIP/2.0/UDP', true), undefined)
})

t.test('the source address is noted as RFC 3261 §18.2.1 and RFC 3581 §4 say', async (t) => {
  const stamped: [string, string][] = [
    ['SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1', 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1'],
    [
      'SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK1;alias',
      'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;alias;rport=40000;received=192.0.2.1',
    ],
    [
      'SIP/2.0/UDP pbx.example.com;branch=z9hG4bK1',
      'SIP/2.0/UDP pbx.example.com;branch=z9hG4bK1;received=192.0.2.1',
    ],
    [
      'SIP/2.0/UDP 192.0.2.1;received=10.0.0.1;rport=9;branch=z9hG4bK1, SIP/2.0/TCP b;rport',
      'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;rport=40000;received=192.0.2.1, SIP/2.0/TCP b;rport',
    ],
    ['SIP/2.0/UDP a.com , SIP/2.0/TCP b', 'SIP/2.0/UDP a.com;received=192.0.2.1, SIP/2.0/TCP b'],
  ]
  for (const [before, after] of stamped) {
    const message = parseMessage(invite({ Via: before }))
    stampVia(message, '192.0.2.1', 40000)
    t.equal(message.headers[0]!.value, after)
    t.same(parseVia(after), message.via, before)
    t.equal(headerValues(message.headers, 'via').length, before.split(',').length)
  }
})
