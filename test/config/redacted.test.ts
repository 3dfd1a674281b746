import t from 'tap'
import { parse } from 'yaml'
import { formatConfig, redactedConfig } from '../../src/config/index.ts'
import { configOf, edit, VALID } from '../support/config-file.ts'

const FULL = `${edit(
  [
    '  listen:',
    '  external_address: 203.0.113.1\n  server: "drachtio://:hidden@[::1]:9022"\n  listen:',
  ],
  ['relay: none', 'relay: rtpengine\n  rtpengine: [udp://127.0.0.1:22222]\n  listen: 10.0.0.5'],
  [
    'trunk: main',
    'trunk: main\n      overflow: spare\n      ring_timeout: 90s\n      to: "{caller:digits}"',
  ],
  [
    '    media: { srtp: sdes }',
    '    register: { registrar: "sip:10.0.0.9", username: a, password: hidden }\n    credentials: { username: a, password: hidden }\n    accept: { from: [10.0.0.0/24], username: a, password: hidden, registrations: true }\n    options: 30s\n    media: { srtp: dtls, codecs: [PCMA], dtmf: info }',
  ],
  [
    '    outbound: { number: support }\n',
    '    outbound: { number: support, to: "+{dialed}" }\n  - name: spare\n    targets: [{ uri: "sip:b;transport=tls", weight: 3 }]\n',
  ],
)}whatsapp:
  ca: lab.pem
  sources: [192.0.2.0/24]
  webhooks: { verify_token: hidden, app_secret: hidden }
limits: { calls: 5 }
events:
  webhooks:
    - { url: "https://crm.example.com/calls?key=hidden", secret: hidden, events: [call.ended] }
http: { listen: "[::1]:8080", token: hidden }
log: { level: debug, numbers: masked }
trace: { messages: calls, keep: 40, memory: 1536KiB, hep: { target: "udp://[::1]:9060", id: 7, password: hidden } }
telemetry: { endpoint: "https://otel.example.com", token: hidden, header: x-api-key, sample: 0.5 }
`

for (const [name, text] of Object.entries({ VALID, FULL })) {
  t.test(`what is printed of ${name} reads back as the same configuration`, async (t) => {
    const config = configOf(text)
    const printed = formatConfig(config)
    t.notMatch(printed, /hidden|token-of-support/)
    t.match(printed, /\[redacted\]/)
    const again = configOf(printed)
    t.same(redactedConfig(again), redactedConfig(config))
    t.same(again.trunks, config.trunks)
    t.same(again.sip, config.sip)
  })
}

t.test('it uses the notations of the file', async (t) => {
  t.match(parse(formatConfig(configOf(FULL))), {
    sip: {
      listen: { whatsapp: 'tls://0.0.0.0:5061' },
      server: 'drachtio://:[redacted]@[::1]:9022',
    },
    media: { relay: 'rtpengine' },
    whatsapp: { sources: ['192.0.2.0/24'] },
    numbers: [{ inbound: { ring_timeout: '90s' }, access_token: '[redacted]' }],
    trunks: [{ options: '30s', register: { expires: '5m' } }, { options: 0 }],
    http: { listen: '[::1]:8080' },
    trace: { memory: '1536KiB', hep: { target: 'udp://[::1]:9060', password: '[redacted]' } },
    telemetry: { service_name: 'causeway', sample: 0.5, token: '[redacted]' },
  })
  t.equal(parse(formatConfig(configOf(VALID))).whatsapp.sources, 'meta')
})
