import t from 'tap'
import { brief, edit, issuesOf, VALID } from '../support/config-file.ts'

const SECOND_NUMBER = `  - name: sales
    phone_number: "+441632960124"
    phone_number_id: "2"
    access_token: b
    calling: { srtp_key_exchange_protocol: SDES }
    inbound: { trunk: main }
trunks:
`
const SECOND_TRUNK = `    outbound: { number: support }
  - name: backup
    targets: ["sip:10.0.0.10"]
    media: { srtp: sdes }
`

/** A contradiction: what is changed in a valid file, and the one error that follows. */
const contradictions: [name: string, text: string, is: string, nearest?: string][] = [
  [
    'a TLS listener without certificate',
    edit(['  tls: { cert: tls/cert.pem, key: tls/key.pem }\n', '']),
    'CONFIG_TLS_MISSING 4:15 sip.listen.whatsapp',
  ],
  [
    'a trunk that does not exist',
    edit(['trunk: main', 'trunk: mian']),
    'CONFIG_UNKNOWN_TRUNK 18:14 numbers[0].inbound.trunk',
    'main',
  ],
  [
    'an overflow trunk that does not exist',
    edit(['trunk: main', 'trunk: main\n      overflow: backup']),
    'CONFIG_UNKNOWN_TRUNK 19:17 numbers[0].inbound.overflow',
  ],
  [
    'overflow to the trunk itself',
    edit(['trunk: main', 'trunk: main\n      overflow: main']),
    'CONFIG_OVERFLOW_SAME 19:17 numbers[0].inbound.overflow',
  ],
  [
    'an outbound number that does not exist',
    edit(['number: support', 'number: suport']),
    'CONFIG_UNKNOWN_NUMBER 23:25 trunks[0].outbound.number',
    'support',
  ],
  [
    'two numbers of one name',
    edit(['trunks:\n', SECOND_NUMBER.replace('sales', 'support')]),
    'CONFIG_DUPLICATE_NAME 19:11 numbers[1].name',
  ],
  [
    'a number named by its phone number',
    edit(['name: support', 'name: "441632960123"'], ['number: support', 'number: "441632960123"']),
    'CONFIG_NAME_IS_NUMBER 10:11 numbers[0].name',
  ],
  [
    'a trunk named by a number as it is dialled at home',
    edit(['name: main', 'name: pbx-01632960123'], ['trunk: main', 'trunk: pbx-01632960123']),
    'CONFIG_NAME_IS_NUMBER 20:11 trunks[0].name',
  ],
  [
    'a route named by a phone number',
    edit([
      'trunk: main\n',
      'trunk: main\n      routes: [{ name: to-441632960123, match: { country: [FR] } }]\n',
    ]),
    'CONFIG_NAME_IS_NUMBER 19:24 numbers[0].inbound.routes[0].name',
  ],
  [
    'two entries of one phone number',
    edit(['trunks:\n', SECOND_NUMBER.replace('960124', '960123')]),
    'CONFIG_DUPLICATE_NAME 20:19 numbers[1].phone_number',
  ],
  [
    'two entries of one phone number ID',
    edit(['trunks:\n', SECOND_NUMBER.replace('"2"', '"106540352242922"')]),
    'CONFIG_DUPLICATE_NAME 21:22 numbers[1].phone_number_id',
  ],
  [
    'two trunks of one name',
    edit(['    outbound: { number: support }\n', SECOND_TRUNK.replace('backup', 'main')]),
    'CONFIG_DUPLICATE_NAME 24:11 trunks[1].name',
  ],
  [
    'rtpengine without address',
    edit(['relay: none', 'relay: rtpengine']),
    'CONFIG_RTPENGINE_MISSING 8:10 media.relay',
  ],
  [
    'register without registrar',
    edit(['{ srtp: sdes }', '{ srtp: sdes }\n    register: { username: a, password: b }']),
    'CONFIG_MISSING_KEY 23:5 trunks[0].register.registrar',
  ],
  [
    'accept.username without password',
    edit(['{ srtp: sdes }', '{ srtp: sdes }\n    accept: { username: a }']),
    'CONFIG_CREDENTIALS_HALF 23:5 trunks[0].accept',
  ],
  [
    'accept.password without username',
    edit(['{ srtp: sdes }', '{ srtp: sdes }\n    accept: { password: a }']),
    'CONFIG_CREDENTIALS_HALF 23:5 trunks[0].accept',
  ],
  [
    'credentials without password',
    edit(['{ srtp: sdes }', '{ srtp: sdes }\n    credentials: { username: a }']),
    'CONFIG_CREDENTIALS_HALF 23:5 trunks[0].credentials',
  ],
  [
    'a trunk without targets and registrations',
    edit(['    targets: ["sip:10.0.0.9:5060"]\n', '']),
    'CONFIG_TRUNK_UNREACHABLE 20:5 trunks[0]',
  ],
  [
    'a managed number without token',
    edit(['access_token: token-of-support', 'manage: verify']),
    'CONFIG_TOKEN_MISSING 10:5 numbers[0]',
  ],
  [
    'two listeners on one address',
    edit(['[udp://10.0.0.5:5060]', '[udp://10.0.0.5:5060, tcp://10.0.0.5:5060, udp://10.0.0.5]']),
    'CONFIG_LISTENER_TWICE 5:53 sip.listen.pbx[2]',
  ],
  [
    'a TLS and a TCP listener on one port, one of them on every address',
    edit(
      ['[udp://10.0.0.5:5060]', '[tcp://10.0.0.5:5061]'],
      ['sip:10.0.0.9:5060', 'sip:pbx.example.com'],
    ),
    'CONFIG_LISTENER_TWICE 5:11 sip.listen.pbx[0]',
  ],
  [
    'HTTP on the port of a TCP listener',
    `${edit(['[udp://10.0.0.5:5060]', '[tcp://127.0.0.1:5060]'], ['sip:10.0.0.9:5060', 'sip:pbx.example.com'])}http: { listen: 127.0.0.1:5060 }\n`,
    'CONFIG_LISTENER_TWICE 24:17 http.listen',
  ],
]

for (const [name, text, is, nearest] of contradictions) {
  t.test(`${name} is an error`, async (t) => {
    const { errors } = issuesOf(text)
    t.same(errors.map(brief), [is])
    t.equal(errors[0]?.nearest, nearest)
  })
}

/** What is allowed but should be noticed. */
const warnings: [name: string, text: string, are: string[]][] = [
  [
    'a domain that is an address',
    edit(['sip.example.com', '203.0.113.9']),
    ['CONFIG_DOMAIN_IS_ADDRESS 2:11 sip.domain'],
  ],
  [
    'a WhatsApp listener without TLS',
    edit(['tls://0.0.0.0:5061', 'tcp://127.0.0.1:0']),
    ['CONFIG_WHATSAPP_NOT_TLS 4:15 sip.listen.whatsapp'],
  ],
  [
    'an API without token beyond loopback',
    `${VALID}http: { listen: 0.0.0.0:8080 }\n`,
    ['CONFIG_API_LOOPBACK_ONLY 24:17 http.listen'],
  ],
  ['the same with a token', `${VALID}http: { listen: 0.0.0.0:8080, token: t }\n`, []],
  ['the same on loopback', `${VALID}http: { listen: "[::1]:8080" }\n`, []],
  [
    'WhatsApp from anywhere, unchallenged',
    `${VALID}whatsapp: { sources: any, challenge: false }\n`,
    ['CONFIG_UNGUARDED 24:22 whatsapp.sources'],
  ],
  ['WhatsApp from anywhere, challenged', `${VALID}whatsapp: { sources: any }\n`, []],
  [
    'ringing longer than WhatsApp waits',
    edit(['trunk: main', 'trunk: main\n      ring_timeout: 90s']),
    ['CONFIG_RING_TIMEOUT_LONG 19:21 numbers[0].inbound.ring_timeout'],
  ],
  ['ringing a minute', edit(['trunk: main', 'trunk: main\n      ring_timeout: 1m']), []],
  [
    'a number without inbound',
    edit(['    inbound:\n      trunk: main\n', '']),
    ['CONFIG_NO_INBOUND 10:5 numbers[0].inbound'],
  ],
  [
    'neither token nor password, unmanaged',
    edit(['access_token: token-of-support', 'manage: off']),
    ['CONFIG_NO_CREDENTIALS 10:5 numbers[0]'],
  ],
  [
    'managing with a password alone',
    edit(['access_token: token-of-support', 'manage: apply\n    sip_password: a']),
    ['CONFIG_NOT_MANAGED 13:13 numbers[0].manage'],
  ],
  ['a password alone', edit(['access_token: token-of-support', 'sip_password: a']), []],
  [
    'a trunk open to the world',
    edit(['{ srtp: sdes }', '{ srtp: sdes }\n    accept: { from: [10.0.0.0/8, 0.0.0.0/0] }']),
    ['CONFIG_OPEN_TRUNK 23:34 trunks[0].accept.from[1]'],
  ],
  [
    'a trunk nobody can call from',
    edit(['sip:10.0.0.9:5060', 'sip:pbx.example.com']),
    ['CONFIG_NO_CALLERS 20:5 trunks[0].accept'],
  ],
  [
    'two trunks that accept the same network',
    edit([
      '    outbound: { number: support }\n',
      `    accept: { from: [10.0.0.0/24] }\n${SECOND_TRUNK}    accept: { from: [10.0.0.10] }\n`,
    ]),
    ['CONFIG_ACCEPT_OVERLAP 28:22 trunks[1].accept.from[0]'],
  ],
  [
    'plain RTP while the SDP is passed through',
    edit(['srtp: sdes', 'srtp: none']),
    ['CONFIG_SDES_NEEDED 22:20 trunks[0].media.srtp'],
  ],
  [
    'DTLS on WhatsApp’s leg while the SDP is passed through',
    edit(['      srtp_key_exchange_protocol: SDES\n', '']),
    ['CONFIG_WHATSAPP_DTLS 14:5 numbers[0].calling.srtp_key_exchange_protocol'],
  ],
  ['the embedded relay, by default', edit(['media:\n  relay: none\n', '']), []],
  ['the embedded relay, by name', edit(['relay: none', 'relay: embedded']), []],
  [
    'a relay that has no address of its own',
    edit(['relay: none', 'listen: 0.0.0.0']),
    ['CONFIG_MEDIA_ADDRESS 8:11 media.listen'],
  ],
  [
    'a wildcard behind NAT',
    edit(['relay: none', 'listen: 0.0.0.0\n  external_address: 203.0.113.10']),
    [],
  ],
  [
    'ports for ten calls, limits for a thousand',
    edit(['relay: none', 'ports: 20000-20039']),
    ['CONFIG_PORTS_FEW 8:10 media.ports'],
  ],
  [
    'DTLS towards the PBX with the embedded relay',
    edit(['relay: none', 'relay: embedded'], ['srtp: sdes', 'srtp: dtls']),
    ['CONFIG_DTLS_NEEDS_ICE 22:20 trunks[0].media.srtp'],
  ],
  [
    'G.722 without rtpengine',
    edit(['relay: none', 'relay: embedded'], ['srtp: sdes', 'srtp: sdes, codecs: [opus, G722]']),
    ['CONFIG_CODEC_NEEDS_RTPENGINE 22:41 trunks[0].media.codecs[1]'],
  ],
  [
    'keypresses as INFO with rtpengine',
    edit(
      ['relay: none', 'relay: rtpengine\n  rtpengine: [udp://127.0.0.1:1]'],
      ['srtp: sdes', 'srtp: sdes, dtmf: info'],
    ),
    ['CONFIG_DTMF_RTPENGINE 23:32 trunks[0].media.dtmf'],
  ],
  [
    'sockets of a relay that is not there',
    edit(['relay: none', 'relay: none\n  listen: 10.0.0.5\n  ports: 20000-20999']),
    ['CONFIG_NO_EFFECT 9:3 media.listen', 'CONFIG_NO_EFFECT 10:3 media.ports'],
  ],
  [
    'an rtpengine nobody asks',
    edit(['relay: none', 'relay: embedded\n  rtpengine: [udp://127.0.0.1:1]']),
    ['CONFIG_NO_EFFECT 9:3 media.rtpengine'],
  ],
  [
    'sounds without a relay to play them',
    edit(['trunk: main', 'trunk: main\n      early_media: true\n      announcement: a.wav']),
    [
      'CONFIG_NO_EFFECT 19:7 numbers[0].inbound.early_media',
      'CONFIG_NO_EFFECT 20:7 numbers[0].inbound.announcement',
    ],
  ],
]

for (const [name, text, are] of warnings) {
  t.test(`${name}: ${are.length > 0 ? 'a warning' : 'nothing to say'}`, async (t) => {
    const found = issuesOf(text)
    t.same(found.errors, [])
    t.same(found.warnings.map(brief), are)
  })
}

t.test('a section that is absent has no line to show', async (t) => {
  const text = edit(['media:\n  relay: none\n', 'limits: { calls: 5000 }\n'])
  const [ports] = issuesOf(text).warnings
  t.match(ports, { path: 'media.ports', excerpt: { text: '' } })
})

t.test('no numbers and no trunks are a warning each', async (t) => {
  const text = `${VALID.slice(0, VALID.indexOf('numbers:'))}numbers: []\n`
  const codes = issuesOf(text).warnings.map(({ code, path }) => `${code} ${path}`)
  t.same(codes, ['CONFIG_NOTHING_TO_CARRY trunks', 'CONFIG_NOTHING_TO_CARRY numbers'])
})

t.test('rules hold back where the ground is wrong already', async (t) => {
  const text = edit(
    ['  tls:', '  tsl:'],
    ['name: main', 'name: "a b"'],
    ['number: support', 'number: 5'],
  )
  t.same(
    issuesOf(text).errors.map(({ code }) => code),
    ['CONFIG_UNKNOWN_KEY', 'CONFIG_BAD_VALUE', 'CONFIG_NOT_QUOTED'],
  )
})

t.test('ports are free to repeat where nothing collides', async (t) => {
  const listen =
    '[udp://10.0.0.5:5060, tcp://10.0.0.5:5060, udp://10.0.0.6:5060, "udp://[::]:5060"]'
  t.same(issuesOf(edit(['[udp://10.0.0.5:5060]', listen])).errors, [])
  t.same(
    issuesOf(edit(['[udp://10.0.0.5:5060]', '[udp://127.0.0.1:0, udp://127.0.0.1:0]'])).errors,
    [],
  )
})
