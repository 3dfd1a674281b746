import { z } from 'zod'
import { duration, leafFacts, matching, secret } from '../leaf.ts'
import { sipUri, username } from './peers.ts'

const registrar = z
  .union([sipUri().transform((uri) => [uri]), z.array(sipUri()).min(1)])
  .register(leafFacts, {
    expected: 'a SIP URI such as sip:10.0.0.9;transport=tcp, or a list of them',
  })

/** `register:` of a trunk. */
export const registerSchema = z
  .strictObject({
    registrar: registrar
      .meta({ examples: ['sip:10.0.0.9'] })
      .describe('SIP URI of the registrar; or a list of them, tried in order.'),
    username: username().describe('User of the registration: user part of its address of record.'),
    auth_username: username()
      .optional()
      .describe('User name of the digest, where it differs from `username`.'),
    ...secret('password', 'Password of the registration.'),
    expires: duration()
      .prefault('300s')
      .describe('Lifetime asked for, 10s to 24h. What the registrar grants counts.'),
    contact: matching(/^[A-Za-z0-9\-_.!~*'()&=+$,;?/%]{1,64}$/, {
      expected: 'the user part of a SIP URI',
      why: 'this is not the user part of a SIP URI',
      quotable: true,
    })
      .optional()
      .describe('User part of the Contact. Default: `username`.'),
  })
  .optional()
  .describe(
    'Register with the PBX, which then calls Causeway by that registration. Without `targets` the trunk’s calls go to the registrar.',
  )
