import { z } from 'zod'
import { duration, flag, integer, leafFacts, matching, oneOf, path, secret, text } from '../leaf.ts'
import { Rejection } from '../rejection.ts'
import { INBOUND_PLACEHOLDERS, parseTemplate } from '../templates.ts'

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

const switchable = () => oneOf(['ENABLED', 'DISABLED'])
const carried = (what: string) =>
  z.unknown().optional().describe(`${what} Carried but not managed yet: draws a warning.`)

const callingSchema = z.strictObject({
  status: switchable().optional().describe('Whether the number takes calls at all.'),
  srtp_key_exchange_protocol: oneOf(['DTLS', 'SDES'])
    .optional()
    .describe(
      'How WhatsApp’s media keys are exchanged; WhatsApp’s own default is DTLS. Without a media relay it has to be SDES.',
    ),
  sip: z
    .strictObject({
      status: switchable().optional().describe('Whether calls come over SIP instead of webhooks.'),
      port: integer(1, 65_535)
        .optional()
        .describe('Port WhatsApp dials. Default: the port of `sip.listen.whatsapp`.'),
      request_uri_user_params: z
        .record(z.string().min(1).max(128), z.string().max(128))
        .register(leafFacts, { expected: 'a mapping of short strings such as { tgrp: support }' })
        .optional()
        .meta({ examples: [{ tgrp: 'support' }] })
        .describe(
          'Parameters WhatsApp puts into the user part of the request URI (RFC 4904 style).',
        ),
      webhook_delivery: switchable()
        .optional()
        .describe('Whether call webhooks go on while SIP is enabled.'),
    })
    .optional()
    .describe('SIP settings; `servers` is derived from `sip.domain` and `port`.'),
  audio: z
    .strictObject({
      additional_codecs: z
        .array(oneOf(['PCMA', 'PCMU']))
        .optional()
        .meta({ examples: [['PCMA', 'PCMU']] })
        .describe('Codecs besides Opus; an empty list is none.'),
    })
    .optional()
    .describe('Audio settings.'),
  call_icon_visibility: carried('Whether the call button shows.'),
  call_icons: carried('Countries the call button is restricted to.'),
  call_hours: carried('Weekly opening hours and holidays.'),
  callback_permission_status: carried('Whether a caller grants permission to be called back.'),
  voicemail: carried('Voicemail of the number.'),
  restrictions: carried('Restrictions WhatsApp put on the number.'),
  video: carried('Video calling.'),
})

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
})
