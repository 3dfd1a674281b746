import { z } from 'zod'
import { parseCidr } from '../addresses.ts'
import { flag, oneOf, secret, text } from '../leaf.ts'
import { Rejection } from '../rejection.ts'
import { nameLeaf } from './numbers.ts'
import { outboundSchema } from './outbound.ts'
import { username } from './peers.ts'
import { permissionsLeaf } from './permissions.ts'
import { presentationSchema } from './presentation.ts'
import { registerSchema } from './register.ts'
import {
  callLimitSchema,
  failoverSchema,
  optionsSchema,
  redirectsSchema,
  targetSchema,
  trunkTlsSchema,
} from './targets.ts'

const CODECS: Record<string, string> = {
  opus: 'opus',
  pcma: 'PCMA',
  alaw: 'PCMA',
  pcmu: 'PCMU',
  ulaw: 'PCMU',
  g722: 'G722',
}

function parseCodec(value: string): string | Rejection {
  return CODECS[value.toLowerCase()] ?? new Rejection('this codec is not supported')
}

/** One entry of `trunks:` */
export const trunkSchema = z.strictObject({
  name: nameLeaf()
    .meta({ examples: ['main'] })
    .describe('Name in logs, metrics and `inbound`.'),
  targets: z
    .array(targetSchema)
    .prefault([])
    .meta({ examples: [['sip:10.0.0.9:5060;transport=udp', 'sip:10.0.0.10:5060']] })
    .describe(
      'Addresses of the PBX in order of priority: SIP URIs without a user part, `transport` udp (default), tcp or tls; or `{ uri, weight, priority }`.',
    ),
  register: registerSchema,
  credentials: z
    .strictObject({
      username: username().describe('User name.'),
      ...secret('password', 'Password.'),
    })
    .optional()
    .describe(
      'Answers the PBX’s digest challenge of Causeway’s INVITEs. Default: the account of `register`.',
    ),
  accept: z
    .strictObject({
      from: z
        .array(text({ expected: 'a network such as 10.0.0.0/24' }, parseCidr))
        .optional()
        .meta({ examples: [['10.0.0.0/24']] })
        .describe(
          'Networks that may call without a digest challenge. Default: the IP addresses in `targets`, unless `username` is set.',
        ),
      username: username()
        .optional()
        .describe('With `password`: who calls from elsewhere is challenged for them.'),
      ...secret('password', 'Password that goes with `username`.'),
      registrations: flag()
        .prefault(false)
        .describe(
          'Whether the PBX may register here, with `username` and `password`. Its contacts are called before `targets`, and calls from where it registered are taken.',
        ),
    })
    .prefault({})
    .describe('Which calls are taken for this trunk’s.'),
  media: z
    .strictObject({
      srtp: oneOf(['none', 'sdes', 'dtls'])
        .prefault('none')
        .describe(
          'Least protection of the PBX leg: plain RTP, SDES-SRTP, or DTLS-SRTP (with ICE, unless rtpengine relays).',
        ),
      codecs: z
        .array(text({ expected: 'one of opus, PCMA, PCMU, G722' }, parseCodec))
        .min(1)
        .prefault(['opus', 'PCMA', 'PCMU'])
        .describe('Codecs the PBX leg may use, in order of preference.'),
      dtmf: oneOf(['rfc4733', 'info'])
        .prefault('rfc4733')
        .describe(
          'How keypresses travel: in the audio stream, or towards the PBX as INFO with `application/dtmf-relay`.',
        ),
    })
    .prefault({})
    .describe('Media of the PBX leg.'),
  tls: trunkTlsSchema,
  options: optionsSchema,
  failover: failoverSchema,
  redirects: redirectsSchema,
  limits: callLimitSchema.describe(
    'Limit of the trunk’s calls. A full trunk hands a call from WhatsApp on to the overflow trunk.',
  ),
  outbound: outboundSchema.prefault({}).describe('Calls from the PBX to WhatsApp users.'),
  presentation: presentationSchema
    .prefault({})
    .describe('How callers and numbers are written towards this PBX, and read from it.'),
  permissions: permissionsLeaf,
})
