import t from 'tap'
import { readInvite } from '../../../src/cli/route/pasted-invite.ts'

const INVITE = [
  'INVITE sip:+441632960123;tgrp=sales@sip.example.com;transport=tls SIP/2.0',
  'Via: SIP/2.0/TLS 198.51.100.7:57363;rport;branch=z9hG4bK1',
  'Via: SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bK2',
  'f: "Zoé" <sip:+33199001234@wa.meta.vc>',
  ' ;tag=8a',
  'i: outgoing:wacid.1',
  'x-wa-meta-country-code: FR',
  '',
  'v=0',
]

t.test('an INVITE as it stands in a log or capture', async (t) => {
  const texts = [
    INVITE.join('\r\n'),
    INVITE.join('\n'),
    ['recv 1024 bytes from tls/[198.51.100.7]:57363', ...INVITE].join('\n'),
    INVITE.map((line) => `  | ${line}`.trimEnd()).join('\n'),
    INVITE.map((line) => `\t${line}`).join('\n'),
  ]
  for (const text of texts) {
    const invite = readInvite(text)
    t.equal(invite.uri, 'sip:+441632960123;tgrp=sales@sip.example.com;transport=tls')
    t.equal(invite.callId, 'outgoing:wacid.1')
    t.equal(invite.header('From'), '"Zoé" <sip:+33199001234@wa.meta.vc> ;tag=8a')
    t.equal(invite.header('X-WA-Meta-Country-Code'), 'FR')
    t.equal(invite.header('v'), undefined, 'the body is none of the headers')
    t.equal(invite.source, '198.51.100.7')
  }
})

t.test('the address it came from', async (t) => {
  const rows: [via: string | undefined, source: string | undefined][] = [
    ['SIP/2.0/UDP 10.0.0.9:5060;branch=x', '10.0.0.9'],
    ['SIP/2.0/UDP pbx.example.com;received=10.0.0.9;branch=x', '10.0.0.9'],
    ['SIP/2.0/UDP [2001:db8::9]:5060;branch=x', '2001:db8::9'],
    ['SIP/2.0/UDP 10.0.0.9;received=[2001:db8::9]', '2001:db8::9'],
    ['nonsense', undefined],
    [undefined, undefined],
  ]
  for (const [via, source] of rows) {
    const lines = ['INVITE sip:1@h SIP/2.0', ...(via === undefined ? [] : [`Via: ${via}`])]
    t.equal(readInvite(lines.join('\n')).source, source, via ?? 'no Via')
  }
})

t.test('text without an INVITE', async (t) => {
  for (const text of ['', 'SIP/2.0 200 OK', 'INVITE sip:1@h', 'BYE sip:1@h SIP/2.0']) {
    t.throws(() => readInvite(text), { name: 'UsageError', message: /no INVITE/ }, text)
  }
})
