import type { CausewayPorts } from './causeway.ts'

/** The business number of the peer tests. */
export const NUMBER = '+441632960123'

/** Its SIP password, where no Graph API hands it out. */
export const PASSWORD = 's3cretS3cretS3cretS3cretS3cret12'

/** Causeway's own name in the peer tests. */
export const DOMAIN = 'sip.example.com'

/** What differs between the tests. */
export interface ConfigurationOptions {
  ports: CausewayPorts
  /** UDP port of the PBX. */
  pbxPort: number
  /** TLS port that stands for wa.meta.vc. */
  whatsappPort: number
  /** PEM files: Causeway's certificate for {@link DOMAIN}, and WhatsApp's authority. */
  tls: { cert: string; key: string; ca: string }
  /** User part towards the PBX. */
  to?: string
  /** Fields of the number that are added or replaced. */
  number?: object
  /** Fields of `whatsapp` that are added. */
  whatsapp?: object
}

/** TLS towards WhatsApp with its challenge, UDP towards the PBX, SDES from end to end. */
export function configuration(options: ConfigurationOptions): object {
  const { ports, pbxPort, whatsappPort, tls } = options
  return {
    sip: {
      domain: DOMAIN,
      external_address: '127.0.0.1',
      listen: {
        whatsapp: `tls://127.0.0.1:${ports.whatsapp}`,
        pbx: [`udp://127.0.0.1:${ports.pbx}`],
      },
      tls: { cert: tls.cert, key: tls.key },
    },
    media: { relay: 'none' },
    whatsapp: {
      sip_proxy: `sip:127.0.0.1:${whatsappPort};transport=tls`,
      ca: tls.ca,
      sources: ['127.0.0.0/8'],
      ...options.whatsapp,
    },
    numbers: [
      {
        name: 'support',
        phone_number: NUMBER,
        phone_number_id: '106540352242922',
        inbound: { trunk: 'pbx', to: options.to ?? '{business}', ring_timeout: '5s' },
        ...options.number,
      },
    ],
    trunks: [
      {
        name: 'pbx',
        targets: [`sip:127.0.0.1:${pbxPort};transport=udp`],
        accept: { from: ['127.0.0.0/8'] },
        media: { srtp: 'sdes', codecs: ['opus', 'PCMA', 'PCMU'] },
        outbound: { number: 'support' },
      },
    ],
    http: { listen: `127.0.0.1:${ports.http}` },
    log: { level: 'warn' },
  }
}
