import { z } from 'zod'
import { parseCidr, parseHost, parseSipUri } from '../addresses.ts'
import { duration, flag, leafFacts, matching, oneOf, path, secret, text } from '../leaf.ts'
import { Rejection } from '../rejection.ts'

function parseUrl(value: string): string | Rejection {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) return new Rejection('this is not an http(s) URL')
  if (url.username || url.password) return new Rejection('credentials do not belong into the URL')
  if (url.search || url.hash) return new Rejection('the URL ends with its path')
  return value.replace(/\/+$/, '')
}

function parseProxy(value: string): string | Rejection {
  const uri = parseSipUri(value)
  return uri instanceof Rejection ? uri : uri.uri
}

const cidr = text({ expected: 'a network such as 157.240.0.0/16' }, parseCidr)

/** `whatsapp:` */
export const whatsappSchema = z.strictObject({
  provider: oneOf(['meta', '360dialog'])
    .prefault('meta')
    .describe('Whose API holds the calling settings: Meta’s Graph API, or 360dialog’s.'),
  graph_url: text({ expected: 'a URL such as https://graph.facebook.com' }, parseUrl)
    .optional()
    .meta({ examples: ['https://graph.facebook.com'] })
    .describe(
      'Base URL of that API. Default: `https://graph.facebook.com`, for 360dialog `https://waba-v2.360dialog.io`.',
    ),
  graph_version: matching(/^v\d{1,3}\.\d$/, {
    expected: 'a version such as v24.0',
    why: 'this is not a Graph API version',
  })
    .prefault('v24.0')
    .describe('Version of the Graph API.'),
  sip_domain: text({ expected: 'a host name such as wa.meta.vc' }, parseHost)
    .prefault('wa.meta.vc')
    .describe(
      'Host of the request URI and To towards WhatsApp. WhatsApp’s TLS certificate must cover it, wherever `sip_proxy` points.',
    ),
  sip_proxy: text({ expected: 'a SIP URI such as sip:wa.meta.vc:5061;transport=tls' }, parseProxy)
    .optional()
    .meta({ examples: ['sip:wa.meta.vc:5061;transport=tls'] })
    .describe(
      'Where every request for `sip_domain` is sent; a lab puts its simulator here. Default: `sip:<sip_domain>:5061;transport=tls`.',
    ),
  ca: path()
    .optional()
    .meta({ examples: ['extra-ca.pem'] })
    .describe('PEM file with an additional trust anchor for Graph and SIP, for labs.'),
  sources: z
    .union([oneOf(['meta', 'any']), z.array(cidr).min(1)])
    .register(leafFacts, { expected: 'meta, any, or a list of networks such as [157.240.0.0/16]' })
    .prefault('meta')
    .meta({ examples: [['157.240.0.0/16', '2a03:2880::/32']] })
    .describe(
      'Networks whose requests are taken for WhatsApp’s: `meta` is the list shipped with Causeway (AS32934), `any` is every address, for labs.',
    ),
  challenge: flag()
    .prefault(true)
    .describe('Whether WhatsApp’s INVITEs are digest-challenged with the number’s SIP password.'),
  check_interval: duration()
    .prefault('15m')
    .describe(
      'How often the settings of each number are compared with the configuration (`numbers[].manage`), a tenth earlier or later. `0`: on start and reload only.',
    ),
  credentials_interval: duration()
    .prefault('12h')
    .describe(
      'How often the SIP password of each number is fetched again, a tenth earlier or later. `0`: only when WhatsApp refuses it.',
    ),
  webhooks: z
    .strictObject({
      path: matching(/^\/[\w\-./]*$/, {
        expected: 'a path such as /webhooks/whatsapp',
        why: 'this is not an absolute URL path',
      })
        .prefault('/webhooks/whatsapp')
        .describe('Path on the HTTP listener.'),
      ...secret('verify_token', 'Token of WhatsApp’s verification handshake.'),
      ...secret('app_secret', 'Secret of the app, which signs every event.'),
    })
    .optional()
    .describe('Endpoint of WhatsApp’s webhooks. Absent: there is none.'),
})
