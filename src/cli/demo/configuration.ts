/** The parties of the demo: numbers that regulators reserve for fiction, a documentation domain. */
export const DEMO = {
  /** The number a user calls, and the one the PBX calls from: one for each way to exchange keys. */
  numbers: {
    support: { phoneNumber: '+441632960123', phoneNumberId: '106540352242922', srtp: 'SDES' },
    sales: { phoneNumber: '+441632960124', phoneNumberId: '106540352242923', srtp: 'DTLS' },
  },
  consumer: '+33199001234',
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
  relay: embedded                   # both legs end at Causeway, each with its own protection
  listen: 127.0.0.1

whatsapp:                           # everything here stands in for the real WhatsApp
  graph_url: ${quoted(graphUrl)}
  sip_proxy: ${quoted(sipProxy)}
  ca: ${quoted(ca)}
  sources: [127.0.0.1/32]

numbers:
${Object.entries(DEMO.numbers)
  .map(
    ([name, { phoneNumber, phoneNumberId, srtp }]) => `  - name: ${name}
    phone_number: ${quoted(phoneNumber)}
    phone_number_id: ${quoted(phoneNumberId)}
    access_token: ${DEMO.accessToken}
    manage: apply                   # enables SIP on the number and fetches the credentials
    calling: { status: ENABLED, srtp_key_exchange_protocol: ${srtp} }
    inbound: { trunk: main }
`,
  )
  .join('')}
trunks:
  - name: main
    targets: [${quoted(pbx)}]
    media: { srtp: none, codecs: [opus] }
    outbound: { number: sales }

http: { listen: 127.0.0.1:0 }
`
}
