/** The parties of the demo: numbers that regulators reserve for fiction, a documentation domain. */
export const DEMO = {
  business: '+441632960123',
  consumer: '+33199001234',
  phoneNumberId: '106540352242922',
  accessToken: 'simulated-access-token',
  appId: '634974688087057',
  domain: 'sip.example.com',
} as const

/** What the configuration of the demo points at. */
export interface DemoPlaces {
  graphUrl: string
  /** `sip:127.0.0.1:40123;transport=tls` */
  sipProxy: string
  /** PEM files. */
  ca: string
  certificate: { cert: string; key: string }
  /** SIP URI of the PBX, by UDP. */
  pbx: string
}

/** The YAML file of the demo: an ordinary configuration whose WhatsApp is the simulator. */
export function demoConfiguration(places: DemoPlaces): string {
  const { graphUrl, sipProxy, ca, certificate, pbx } = places
  const quoted = JSON.stringify
  return `# Written by causeway demo. Port 0 lets the system choose.
sip:
  domain: ${DEMO.domain}
  listen:
    whatsapp: tls://127.0.0.1:0
    pbx: [udp://127.0.0.1:0]
  tls: { cert: ${quoted(certificate.cert)}, key: ${quoted(certificate.key)} }

media:
  relay: none                       # SDES-SRTP passes between WhatsApp and the PBX

whatsapp:                           # everything here stands in for the real WhatsApp
  graph_url: ${quoted(graphUrl)}
  sip_proxy: ${quoted(sipProxy)}
  ca: ${quoted(ca)}
  sources: [127.0.0.1/32]

numbers:
  - name: support
    phone_number: ${quoted(DEMO.business)}
    phone_number_id: ${quoted(DEMO.phoneNumberId)}
    access_token: ${DEMO.accessToken}
    manage: apply                   # enables SIP on the number and fetches the credentials
    calling: { status: ENABLED, srtp_key_exchange_protocol: SDES }
    inbound: { trunk: main }

trunks:
  - name: main
    targets: [${quoted(pbx)}]
    media: { srtp: sdes, codecs: [opus] }
    outbound: { number: support }

http: { listen: 127.0.0.1:0 }
`
}
