import { z } from 'zod'
import { duration, flag, matching, oneOf, path, secret, text } from '../leaf.ts'
import { Rejection } from '../rejection.ts'
import { INBOUND_PLACEHOLDERS, parseTemplate } from '../templates.ts'
import { callingSchema } from './calling.ts'
import { callLimitSchema } from './targets.ts'

const template = () =>
  text({ expected: 'a template such as "{business}" or "{caller:digits}"' }, (value) =>
    parseTemplate(value, INBOUND_PLACEHOLDERS),
  )

/** Name of a number or trunk. */
export const nameLeaf = () =>
  matching(/^[\w][\w.-]{0,63}$/, {
    expected: 'a name of letters, digits, - _ and .',
    why: 'this is not a name',
    quotable: true,
  })

function parsePhoneNumber(value: string): string | Rejection {
  if (/^\+[1-9]\d{6,14}$/.test(value)) return value
  const digits = value.replace(/^00|\D/g, '')
  const meant = /^[1-9]\d{6,14}$/.test(digits) ? `"+${digits}"` : undefined
  return new Rejection('this is not an E.164 number', { meant })
}

const inboundSchema = z.strictObject({
  trunk: nameLeaf()
    .meta({ examples: ['main'] })
    .describe('Trunk the call is sent to.'),
  to: template()
    .prefault('{business}')
    .describe('User part of the request URI and To towards the PBX.'),
  from: template().prefault('{caller}').describe('User part of From and P-Asserted-Identity.'),
  ring_timeout: duration()
    .prefault('45s')
    .describe(
      'How long the PBX may ring before the call is taken back. WhatsApp itself gives up after 30 to 60 seconds.',
    ),
  overflow: nameLeaf()
    .optional()
    .meta({ examples: ['backup'] })
    .describe('Trunk tried when the first fails or does not answer.'),
  early_media: flag()
    .prefault(false)
    .describe(
      'Whether the PBX’s early media (183 with SDP) reaches WhatsApp. WhatsApp may take the first packet for the answer.',
    ),
  announcement: path()
    .optional()
    .meta({ examples: ['sounds/all-busy.wav'] })
    .describe(
      'WAV or Ogg Opus file: the call is answered and hears it while the overflow trunk rings, and once when nobody answers.',
    ),
})

/** One entry of `numbers:` */
export const numberSchema = z.strictObject({
  name: nameLeaf()
    .meta({ examples: ['support'] })
    .describe('Name in logs, metrics and commands.'),
  phone_number: text(
    { expected: 'an E.164 number in quotes such as "+441632960123"', quotable: true },
    parsePhoneNumber,
  )
    .meta({ examples: ['+441632960123'] })
    .describe('The business number: a plus and digits, in quotes.'),
  phone_number_id: matching(/^\d{1,32}$/, {
    expected: 'the digits of a phone number ID, in quotes',
    why: 'this is not a phone number ID',
    quotable: true,
  })
    .meta({ examples: ['106540352242922'] })
    .describe('ID of the number in the Graph API, in quotes.'),
  ...secret(
    'access_token',
    'Token of the app that owns the SIP settings: Graph access token, or 360dialog API key.',
  ),
  manage: oneOf(['apply', 'verify', 'off'])
    .optional()
    .describe(
      'What Causeway does about `calling`: `apply` writes it on start and on change, `verify` reports drift only, `off` leaves it alone. Default: `apply` with an access token, else `off`.',
    ),
  ...secret('sip_password', 'SIP password of the number, only to bypass fetching it.'),
  calling: callingSchema
    .prefault({})
    .describe(
      'Desired calling settings, in WhatsApp’s own field names. Absent fields are left alone.',
    ),
  inbound: inboundSchema
    .optional()
    .describe('What happens to a call from a WhatsApp user to the number. Absent: it is refused.'),
  limits: callLimitSchema.describe(
    'Limit of the number’s calls, below `limits.calls_per_number`. WhatsApp allows 1000.',
  ),
})
