import { z } from 'zod'
import { parseHost, parseSipUri } from '../addresses.ts'
import { duration, integer, leafFacts, oneOf, path, text } from '../leaf.ts'

const targetUri = () =>
  text({ expected: 'a SIP URI such as sip:10.0.0.9:5060;transport=udp' }, parseSipUri)

/** One entry of `trunks[].targets`: a URI, or a URI with its share and rank. */
export const targetSchema = z
  .union([
    targetUri().transform((uri) => ({ ...uri, weight: 1, priority: 0 })),
    z
      .strictObject({
        uri: targetUri().describe('The SIP URI.'),
        weight: integer(1, 1000)
          .prefault(1)
          .describe(
            'Share of the calls this target is tried first for, among those of its priority. Targets of equal weight are tried in order.',
          ),
        priority: integer(0, 65_535)
          .prefault(0)
          .describe(
            'Rank: the targets with the lowest number are tried first, the next ones when none of them takes the call (RFC 2782).',
          ),
      })
      .transform(({ uri, weight, priority }) => ({ ...uri, weight, priority })),
  ])
  .register(leafFacts, {
    expected:
      'a SIP URI such as sip:10.0.0.9:5060;transport=udp, or { uri: …, weight: 10, priority: 1 }',
  })

/** `trunks[].options`: an interval, or the ping with all its times. */
export const optionsSchema = z
  .union([
    duration(),
    z.strictObject({
      interval: duration()
        .meta({ examples: ['30s'] })
        .describe('Time between two pings of a target that answers; 0 is off.'),
      timeout: duration().prefault('4s').describe('How long an answer may take.'),
      down_after: integer(1, 10)
        .prefault(2)
        .describe('Pings in a row without an answer after which a target is down.'),
      up_after: integer(1, 10)
        .prefault(1)
        .describe('Answers in a row after which a target that was down is up.'),
    }),
  ])
  .prefault(0)
  .register(leafFacts, {
    expected:
      'a duration such as 30s, or { interval: 30s, timeout: 4s, down_after: 2, up_after: 1 }',
  })
  .describe(
    'OPTIONS ping of every target: its interval, or a mapping; 0 is off. A target that is down is left out until it answers again.',
  )

/** `trunks[].failover` */
export const failoverSchema = z
  .strictObject({
    timeout: duration()
      .prefault('5s')
      .describe(
        'How long a target may answer nothing, not even 100, before the next one is tried; less when `ring_timeout` is short. After a 100 it has its share of `ring_timeout`. 0 waits for as long as the call may ring.',
      ),
  })
  .prefault({})
  .describe('Going on to the next target within a call.')

/** `trunks[].redirects` */
export const redirectsSchema = oneOf(['own', 'any', 'off'])
  .prefault('own')
  .describe(
    'Where a 300, 301 or 302 of the PBX may send a call: `own` to the hosts of `targets`, the networks of `accept.from` and the registered contact that redirects, `any` to every host, `off` nowhere.',
  )

/** `trunks[].tls` */
export const trunkTlsSchema = z
  .strictObject({
    cert: path()
      .optional()
      .meta({ examples: ['tls/pbx-client.pem'] })
      .describe('PEM file of the client certificate, with its chain. Read again when it changes.'),
    key: path()
      .optional()
      .meta({ examples: ['tls/pbx-client.key'] })
      .describe('PEM file of its private key.'),
    ca: path()
      .optional()
      .meta({ examples: ['tls/pbx-ca.pem'] })
      .describe(
        'PEM file of the authorities the PBX’s certificate may come from; instead of the system’s.',
      ),
    server_name: text({ expected: 'a host name or an IP address' }, parseHost)
      .optional()
      .meta({ examples: ['pbx.example.com'] })
      .describe('Name the PBX’s certificate must have. Default: the host of the target.'),
  })
  .optional()
  .describe('TLS connections to the targets of this trunk. With the embedded SIP server.')

/** `limits` of a trunk or a number. */
export const callLimitSchema = z
  .strictObject({
    calls: integer(0, 1_000_000)
      .meta({ examples: [30] })
      .describe('Concurrent calls, both directions together.'),
    status: z
      .int()
      .meta({ enum: [503, 486] })
      .transform((value, context): 503 | 486 => {
        if (value === 503 || value === 486) return value
        const params = { expected: '503 or 486' }
        context.addIssue({ code: 'custom', message: 'this is neither', input: value, params })
        return z.NEVER
      })
      .prefault(503)
      .register(leafFacts, { expected: '503 or 486' })
      .describe('What a call above the limit is answered: 503 with Retry-After, or 486.'),
  })
  .optional()
