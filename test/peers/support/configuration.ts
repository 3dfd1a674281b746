import type { CausewayPorts } from './causeway.ts'

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
  /** Base URL of the Graph API, when there is one. */
  graphUrl?: string
  /** Entries of `numbers`; the first is the one calls from the PBX leave from. */
  numbers: readonly { name: string }[]
}

/** A business number, as the simulator has it. */
export interface LabNumberRow {
  phoneNumber: string
  phoneNumberId: string
  accessToken: string
}

/** An entry of `numbers` whose settings Causeway writes. `listen` is its port for WhatsApp. */
export function managedNumber(
  name: string,
  { phoneNumber, phoneNumberId, accessToken }: LabNumberRow,
  { listen, inbound, calling }: { listen: number; inbound: object; calling?: object },
): { name: string } {
  const settings = {
    status: 'ENABLED',
    srtp_key_exchange_protocol: 'SDES',
    sip: { status: 'ENABLED', port: listen },
    ...calling,
  }
  const ids = { phone_number: phoneNumber, phone_number_id: phoneNumberId }
  return Object.assign({ name, ...ids, access_token: accessToken, calling: settings }, { inbound })
}

/** TLS towards WhatsApp with its challenge, UDP towards the PBX, SDES from end to end. */
export function configuration(options: ConfigurationOptions): object {
  const { ports, pbxPort, whatsappPort, tls, graphUrl, numbers } = options
  return {
    sip: {
      domain: DOMAIN,
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
      ...(graphUrl ? { graph_url: graphUrl } : {}),
    },
    numbers,
    trunks: [
      {
        name: 'pbx',
        targets: [`sip:127.0.0.1:${pbxPort};transport=udp`],
        accept: { from: ['127.0.0.0/8'] },
        media: { srtp: 'sdes', codecs: ['opus', 'PCMA', 'PCMU'] },
        outbound: { number: numbers[0]?.name },
      },
    ],
    http: { listen: `127.0.0.1:${ports.http}` },
    log: { level: 'warn' },
  }
}
