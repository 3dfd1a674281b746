import t from 'tap'
import { businessTalk, foreignToWhatsApp, metaBye, pbxBye, userTalk } from './support/calls.ts'
import { digestParams, verifyDigest } from './support/digest.ts'
import { BUSINESS, CONSUMER, NUMBER_ID, SECRETS, withLab } from './support/lab.ts'

/** Every section the contract names, with a relay of none. */
const FULL = (facts: { graphUrl: string; waPort: number; target: string }) => `
sip:
  domain: sip.example.com
  external_address: 127.0.0.1
  listen:
    whatsapp: tls://127.0.0.1:0
    pbx: [udp://127.0.0.1:0, tcp://127.0.0.1:0]
  tls: { cert: cert.pem, key: key.pem }
  server: embedded
media:
  relay: none
  rtpengine: [udp://127.0.0.1:22222]
  listen: 127.0.0.1
  external_address: 203.0.113.10
  ports: 20000-29999
whatsapp:
  provider: meta
  graph_url: ${facts.graphUrl}
  graph_version: v24.0
  sip_domain: wa.meta.vc
  sip_proxy: sip:127.0.0.1:${facts.waPort};transport=tls
  ca: ca.pem
  sources: [127.0.0.0/8]
  challenge: true
  webhooks: { path: /webhooks/whatsapp, verify_token: \${WA_VERIFY:-x}, app_secret: "${SECRETS.pbxOut}" }
numbers:
  - name: support
    phone_number: "${BUSINESS}"
    phone_number_id: "${NUMBER_ID}"
    access_token: \${WA_TOKEN}
    manage: apply
    calling:
      status: ENABLED
      srtp_key_exchange_protocol: SDES
      sip: { status: ENABLED, request_uri_user_params: { tgrp: support }, webhook_delivery: ENABLED }
      audio: { additional_codecs: [PCMA, PCMU] }
      call_hours: { status: DISABLED, timezone_id: Europe/London }
    inbound: { trunk: main, to: "{business}", from: "{caller}", ring_timeout: 45s, overflow: backup }
trunks:
  - name: main
    targets: ["${facts.target}", { uri: "${facts.target}", weight: 10 }]
    register: { registrar: "sip:127.0.0.1:9", username: causeway, password: ${SECRETS.pbxOut}, expires: 300s }
    credentials: { username: causeway, password: ${SECRETS.pbxOut} }
    accept: { from: [127.0.0.0/24], username: pbx, password: ${SECRETS.pbxIn}, registrations: true }
    media: { srtp: sdes, codecs: [opus, PCMA, PCMU], dtmf: rfc4733 }
    options: 30s
    outbound: { number: support, to: "{dialed}" }
  - name: backup
    targets: ["${facts.target}"]
limits: { calls: 1000, calls_per_number: 1000, invites_per_second: 100 }
http: { listen: 127.0.0.1:0, token: \${CAUSEWAY_TOKEN} }
records: { path: data/ }
log: { level: info, numbers: full }
`

t.test('the whole file: settings enabled, then a call each way', (t) =>
  withLab(
    t,
    {
      text: ({ graphUrl, waPort, pbx }) => FULL({ graphUrl, waPort, target: pbx.udpUri }),
      env: { WA_TOKEN: SECRETS.token, CAUSEWAY_TOKEN: SECRETS.api },
    },
    async (lab) => {
      const writes = lab.graph.seen.filter(({ method }) => method === 'POST')
      t.equal(writes.length, 1, 'one write')
      t.same(writes[0], {
        method: 'POST',
        path: `/v24.0/${NUMBER_ID}/settings`,
        authorization: `Bearer ${SECRETS.token}`,
        body: {
          calling: {
            status: 'ENABLED',
            srtp_key_exchange_protocol: 'SDES',
            sip: {
              status: 'ENABLED',
              webhook_delivery: 'ENABLED',
              servers: [
                {
                  hostname: 'sip.example.com',
                  port: lab.at.whatsapp,
                  request_uri_user_params: { tgrp: 'support' },
                },
              ],
            },
            audio: { additional_codecs: ['PCMA', 'PCMU'] },
          },
        },
      })
      const last = lab.graph.seen.at(-1)!
      t.equal(last.method, 'GET', 'the write is read again')
      t.match(last.path, /include_sip_credentials=true/)

      const inbound = await userTalk(lab, { uriParams: ';tgrp=support' })
      t.equal(
        digestParams(inbound.challenge.sip.get('Proxy-Authenticate'))['realm'],
        'sip.example.com',
      )
      await metaBye(lab, inbound, [['x-wa-meta-call-duration', '42']])

      const outbound = await businessTalk(lab)
      const value = outbound.arrived.get('Proxy-Authorization')
      t.ok(verifyDigest(value, 'INVITE', SECRETS.sip), 'credentials of the Graph API are used')
      t.equal(digestParams(value)['username'], BUSINESS.slice(1))
      await pbxBye(lab, outbound)
      t.same(foreignToWhatsApp(lab), [])

      const { calls } = (await (await lab.http('/api/v1/calls')).json()) as { calls: object[] }
      t.match(calls, [
        { direction: 'business-initiated', consumer: CONSUMER, cause: { code: 'NORMAL' } },
        { direction: 'user-initiated', consumer: CONSUMER, whatsapp: { callDuration: 42 } },
      ])
      t.equal(new Set(lab.wa.visits.map(({ alpn }) => alpn)).size, 1)
      for (const { alpn, servername, clientCertificate } of lab.wa.visits) {
        t.equal(alpn, '', 'no ALPN offered: WhatsApp would hang up')
        t.equal(servername, 'wa.meta.vc')
        t.notOk(clientCertificate)
      }
      t.notMatch(
        lab.up.visible(),
        new RegExp(Object.values(SECRETS).join('|')),
        'no secret in argv',
      )
    },
  ),
)

t.test('settings that are right already are not written', (t) =>
  withLab(
    t,
    {
      edit: (config, { graph }) => {
        config.numbers[0].manage = 'verify'
        graph.calling.set(NUMBER_ID, { status: 'ENABLED', sip: { status: 'ENABLED', servers: [] } })
      },
    },
    async (lab) => {
      t.same(
        lab.graph.seen.filter(({ method }) => method !== 'GET'),
        [],
        'verify never writes',
      )
      const { numbers } = (await (await lab.http('/api/v1/numbers')).json()) as {
        numbers: { status: string; drift: unknown[] }[]
      }
      t.equal(numbers[0]!.status, 'drift')
      t.ok(numbers[0]!.drift.length > 0)
    },
  ),
)
