import { z } from 'zod'
import { Secret } from '../../shared/secret.ts'
import { parseHost, parseHostPort, parseIp, parseListen } from '../addresses.ts'
import { path, text } from '../leaf.ts'
import { Rejection } from '../rejection.ts'
import type { SipConfig } from '../types.ts'

const listener = () =>
  text({ expected: 'a listener such as udp://10.0.0.5:5060 or tls://0.0.0.0:5061' }, parseListen)

/** `embedded`, or `drachtio://:secret@host:port`; what stands between the colon and the last @ is the secret. */
function parseServer(value: string): SipConfig['server'] | Rejection {
  if (value === 'embedded') return { kind: 'embedded' }
  const match = /^drachtio:\/\/[^:@]*:(.*)@([^@]+)$/s.exec(value)
  if (!match) return new Rejection('this is neither embedded nor a drachtio address')
  if (match[1] === '') return new Rejection('the drachtio secret is empty')
  const address = parseHostPort(match[2]!)
  if (address instanceof Rejection) return address
  return { kind: 'drachtio', ...address, secret: new Secret(match[1]!) }
}

/** `sip:` */
export const sipSchema = z.strictObject({
  domain: text({ expected: 'a host name such as sip.example.com' }, parseHost)
    .meta({ examples: ['sip.example.com'] })
    .describe(
      'Name WhatsApp dials, and host of From towards it. The TLS certificate covers it. It is what Causeway registers as the SIP server of each number.',
    ),
  external_address: text({ expected: 'an IP address such as 203.0.113.10' }, parseIp)
    .optional()
    .meta({ examples: ['203.0.113.10'] })
    .describe('Public address of the SIP listeners when behind NAT. Default: the listen address.'),
  listen: z
    .strictObject({
      whatsapp: listener()
        .meta({ examples: ['tls://0.0.0.0:5061'] })
        .describe('Where WhatsApp reaches Causeway. Without a port 5061 for TLS.'),
      pbx: z
        .array(listener())
        .min(1)
        .meta({ examples: [['udp://10.0.0.5:5060', 'tcp://10.0.0.5:5060']] })
        .describe('Where the PBX reaches Causeway: udp, tcp or tls, as many as needed.'),
    })
    .describe(
      'Listeners. An address is an IP literal, IPv6 in brackets; port 0 lets the system choose.',
    ),
  tls: z
    .strictObject({
      cert: path()
        .meta({ examples: ['tls/fullchain.pem'] })
        .describe('PEM file: the certificate with its chain.'),
      key: path()
        .meta({ examples: ['tls/privkey.pem'] })
        .describe('PEM file: the private key.'),
    })
    .optional()
    .describe('Certificate of the TLS listeners. Needed as soon as one listener is `tls://`.'),
  server: text({ expected: 'embedded, or drachtio://:secret@host:port', secret: true }, parseServer)
    .prefault('embedded')
    .meta({ examples: [`drachtio://:\${DRACHTIO_SECRET}@127.0.0.1:9022`] })
    .describe('The SIP server: the embedded one, or a drachtio-server by its control address.'),
})
