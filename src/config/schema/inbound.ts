import { z } from 'zod'
import { duration, flag, leafFacts, oneOf, path, text } from '../leaf.ts'
import { Rejection } from '../rejection.ts'
import { REFUSE_STATUSES } from '../route-types.ts'
import { INBOUND_PLACEHOLDERS, parseTemplate } from '../templates.ts'
import { countryLeaf } from './country.ts'
import { nameLeaf } from './names.ts'

/** Most routes of one number, and most trunks of one chain. */
const MAX_ROUTES = 100
const MAX_CHAIN = 10

const template = () =>
  text({ expected: 'a template such as "{business}" or "{caller:digits}"' }, (value) =>
    parseTemplate(value, INBOUND_PLACEHOLDERS),
  )

const trunk = () => nameLeaf().meta({ examples: ['main'] })

const to = () => template().describe('User part of the request URI and To towards the PBX.')
const from = () => template().describe('User part of From and of the identity headers.')
const ringTimeout = () =>
  duration().describe(
    'How long the PBX may ring before the call is taken back. WhatsApp itself gives up after 30 to 60 seconds.',
  )

const step = z.strictObject({
  trunk: trunk().describe('Trunk that is tried.'),
  to: to().optional(),
  from: from().optional(),
  ring_timeout: ringTimeout().optional(),
})

const overflow = () =>
  z
    .union([nameLeaf(), z.array(z.union([nameLeaf(), step])).max(MAX_CHAIN)])
    .register(leafFacts, {
      expected: 'the name of a trunk, or a list of names and { trunk: …, ring_timeout: … }',
    })
    .optional()
    .meta({ examples: ['backup', ['backup', { trunk: 'night', ring_timeout: '20s' }]] })

const earlyMedia = () =>
  flag().describe(
    'Whether the PBX’s early media (183 with SDP) reaches WhatsApp. WhatsApp may take the first packet for the answer.',
  )
const announcement = () =>
  path()
    .optional()
    .meta({ examples: ['sounds/all-busy.wav'] })
    .describe(
      'WAV or Ogg Opus file: the call is answered and hears it while an overflow trunk rings, and once when nobody answers.',
    )

const payload = () =>
  text(
    { expected: 'a payload such as order-* (* stands for anything)', quotable: true },
    (value) => (value === '' ? new Rejection('the payload is empty') : value),
  )

/** One value or a list of them. */
function oneOrMore(leaf: z.ZodType<string, string>, expected: string) {
  return z.union([leaf, z.array(leaf).min(1)]).register(leafFacts, { expected, quotable: true })
}

const match = z.strictObject({
  params: z
    .record(
      z.string().min(1).max(128),
      z
        .string()
        .max(128)
        .register(leafFacts, { expected: 'text of up to 128 characters', quotable: true }),
    )
    .register(leafFacts, { expected: 'a mapping of strings such as { tgrp: sales }' })
    .optional()
    .meta({ examples: [{ tgrp: 'sales' }] })
    .describe(
      'User parameters of the request URI WhatsApp dials (`calling.sip.request_uri_user_params`); all must be there. Case does not matter, `*` stands for anything.',
    ),
  country: oneOrMore(countryLeaf(), 'a country code such as FR, or a list of them')
    .optional()
    .meta({ examples: [['FR', 'BE']] })
    .describe(
      'Countries of the consumer: as WhatsApp says it, else by the user id, else by the calling code.',
    ),
  payload: oneOrMore(payload(), 'a payload such as order-*, or a list of them')
    .optional()
    .meta({ examples: ['order-*'] })
    .describe(
      'Payload of the call button or of the call link: the whole of it, `*` stands for anything.',
    ),
  hours: oneOf(['open', 'closed'])
    .optional()
    .describe(
      'Whether `calling.call_hours` of the number, with their holidays, are open or closed now. Their `status` does not matter.',
    ),
})

const route = z.strictObject({
  name: nameLeaf()
    .optional()
    .meta({ examples: ['sales-france'] })
    .describe('Name in the record of a call. Default: `route-1` for the first, and so on.'),
  match: match
    .prefault({})
    .describe('What a call must have, all of it. Without any key: every call.'),
  refuse: z
    .literal(REFUSE_STATUSES)
    .register(leafFacts, { expected: `one of ${REFUSE_STATUSES.join(', ')}` })
    .optional()
    .meta({ examples: [486] })
    .describe(
      `Answer WhatsApp with this status instead of calling anybody: ${REFUSE_STATUSES.join(', ')}.`,
    ),
  trunk: trunk().optional().describe('Trunk the call is sent to. Default: that of `inbound`.'),
  to: to().optional(),
  from: from().optional(),
  ring_timeout: ringTimeout().optional(),
  overflow: overflow().describe(
    'Trunks tried in turn. Default: those of `inbound`, unless the route names a trunk.',
  ),
  early_media: earlyMedia().optional(),
  announcement: announcement(),
})

/** `numbers[].inbound` */
export const inboundSchema = z.strictObject({
  trunk: trunk().describe('Trunk the call is sent to.'),
  to: to().prefault('{business}'),
  from: from().prefault('{caller}'),
  ring_timeout: ringTimeout().prefault('45s'),
  overflow: overflow().describe(
    'Trunk, or trunks in turn, tried when the first fails or does not answer. What an entry leaves out is as for the first.',
  ),
  early_media: earlyMedia().prefault(false),
  announcement: announcement(),
  routes: z
    .array(route)
    .max(MAX_ROUTES)
    .prefault([])
    .describe(
      'Exceptions to the rest of `inbound`: the first whose `match` a call fulfils decides. What a route leaves out is as in `inbound`. `causeway route test` explains the choice.',
    ),
})
