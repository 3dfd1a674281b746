import { z } from 'zod'
import type { EventType } from '../config/types.ts'

/** Version of the events. Fields may be added within it; none is taken away or changes its meaning. */
export const EVENT_VERSION = 1

const ms = (what: string) =>
  z.int().nonnegative().describe(`${what}, milliseconds since 1970-01-01T00:00:00Z.`)

const number = z
  .object({
    name: z.string().describe('Its name in the configuration.'),
    phoneNumber: z.string().describe('E.164 with a plus.'),
    phoneNumberId: z.string().describe('Its id in the Graph API.'),
  })
  .describe('The business number it is about.')

const call = {
  id: z.string().describe('Causeway’s id of the call, as in the HTTP interface.'),
  wacid: z.string().optional().describe('WhatsApp’s id of the call, once known.'),
  direction: z
    .enum(['user-initiated', 'business-initiated'])
    .describe('Who dialled: the WhatsApp user, or the business through its PBX.'),
  state: z
    .enum(['preparing', 'calling', 'ringing', 'answered', 'ended'])
    .describe('Where the call was in its life.'),
  consumer: z
    .string()
    .describe('The WhatsApp user: E.164 with a plus, or a business-scoped user id.'),
  business: z.string().describe('The business number: E.164 with a plus.'),
  trunk: z.string().describe('Name of the trunk, the last one tried.'),
  displayName: z.string().optional().describe('Profile name of the user.'),
  userId: z.string().optional().describe('Business-scoped user id.'),
  parentUserId: z.string().optional().describe('Business-scoped user id of the portfolio.'),
  username: z.string().optional().describe('WhatsApp user name.'),
  country: z.string().optional().describe('ISO country of the user.'),
  ctaPayload: z.string().optional().describe('Payload of the call button.'),
  deeplinkPayload: z.string().optional().describe('Payload of the call link.'),
  startedAt: ms('Start of the call'),
  ringingAt: ms('First ringing').optional(),
  answeredAt: ms('Answer').optional(),
  endedAt: ms('End').optional(),
}

const cause = z
  .object({
    code: z.string().describe('`NORMAL` for a hang-up, else an error code of Causeway.'),
    result: z
      .enum(['completed', 'cancelled', 'busy', 'declined', 'unanswered', 'refused', 'failed'])
      .describe('Class of the end.'),
    owner: z
      .enum(['causeway', 'pbx', 'whatsapp', 'user'])
      .describe('Who ended the call or has to act; `user` is who runs Causeway.'),
    sip: z.int().describe('SIP status that goes with it.'),
    q850: z.int().describe('Q.850 cause.'),
    text: z.string().describe('In words.'),
  })
  .describe('Why the call ended.')

const mos = z
  .number()
  .optional()
  .describe('Listening quality (E-model, 1 to 4.5) of what came from there.')

const media = z
  .object({
    verdict: z
      .enum(['good', 'one-way', 'bad', 'none'])
      .optional()
      .describe('What the relay made of the media; absent without a relay that sees it.'),
    verdicts: z
      .array(
        z.object({
          code: z.string().describe('Error code, such as `MEDIA_SILENT_PBX`.'),
          side: z.enum(['whatsapp', 'pbx']).describe('The side it was found on.'),
        }),
      )
      .describe('What was wrong with the media in the course of the call.'),
    mos: z.object({ whatsapp: mos, pbx: mos }).optional().describe('Listening quality by side.'),
  })
  .describe('What the media came to be.')

const report = z
  .object({
    status: z
      .string()
      .optional()
      .describe('`COMPLETED` or `FAILED`; unanswered calls are completed.'),
    startedAt: ms('Answer as WhatsApp saw it').optional(),
    endedAt: ms('End as WhatsApp saw it').optional(),
    duration: z.number().optional().describe('Seconds, of a call that was picked up.'),
    errors: z
      .array(
        z.object({
          code: z.number().optional().describe('Code of WhatsApp, such as 138021.'),
          title: z.string().optional().describe('Its title.'),
          details: z.string().optional().describe('More about it.'),
        }),
      )
      .describe('Errors WhatsApp names.'),
  })
  .describe('WhatsApp’s own account of the call.')

const text = (what: string) => z.string().optional().describe(what)

const data = {
  'call.started': z.object(call),
  'call.ringing': z.object(call),
  'call.answered': z.object(call),
  'call.ended': z.object({
    ...call,
    talkSeconds: z.int().nonnegative().describe('Seconds from answer to end.'),
    cause,
    media,
  }),
  'call.reported': z.object({ ...call, report }),
  'call.voicemail': z.object({
    ...call,
    mediaId: text('Id of the audio in WhatsApp’s Media API.'),
  }),
  'permission.changed': z.object({
    consumer: text('The WhatsApp user: E.164 with a plus.'),
    userId: text('Business-scoped user id.'),
    response: z.enum(['accept', 'reject']).describe('Whether the business may call the user.'),
    permanent: z.boolean().describe('Whether the permission has no end.'),
    expiresAt: ms('End of a temporary permission').optional(),
    source: z
      .enum(['user_action', 'automatic'])
      .optional()
      .describe('The user’s doing, or WhatsApp’s own, such as a revocation after missed calls.'),
    contextId: text('Id of the request message (wamid) or call (wacid) that led to it.'),
  }),
  'settings.drift': z.object({
    differences: z
      .array(
        z.object({
          path: z.string().describe('The field, in WhatsApp’s names.'),
          actual: z
            .unknown()
            .optional()
            .describe('What the number has; absent when it is not reported.'),
          desired: z.unknown().optional().describe('What the configuration says.'),
        }),
      )
      .describe(
        'Settings that differ from the configuration; empty when all are as configured again.',
      ),
  }),
  'account.violation': z.object({
    accountId: text('Id of the WhatsApp Business Account.'),
    violation: z.string().describe('Such as `USER_INITIATED_CALLS_LOW_PICKUP_RATE`.'),
    remediation: text('What WhatsApp advises.'),
  }),
  'account.restriction': z.object({
    accountId: text('Id of the WhatsApp Business Account.'),
    restrictions: z
      .array(
        z.object({
          type: z.string().describe('Such as `RESTRICTED_BUSINESS_INITIATED_CALLING`.'),
          expiresAt: ms('End of the restriction').optional(),
          remediation: text('What WhatsApp advises.'),
        }),
      )
      .describe('What is restricted, and until when.'),
  }),
} satisfies Record<EventType, z.ZodType>

/** Data of an event by its type. */
export type EventData = { [T in EventType]: z.output<(typeof data)[T]> }

const MEANINGS: Record<EventType, string> = {
  'call.started': 'A call was admitted: WhatsApp’s from a user, or the PBX’s to one.',
  'call.ringing': 'The called side rings; once for each call.',
  'call.answered': 'The called side answered.',
  'call.ended': 'The call is over, with its cause and what its media came to be.',
  'call.reported': 'WhatsApp’s webhook told how the call went on its side.',
  'call.voicemail': 'The user left a voicemail.',
  'permission.changed': 'A user granted or refused to be called, or WhatsApp took it back.',
  'settings.drift': 'Settings of a number differ from the configuration, or do so no more.',
  'account.violation': 'WhatsApp found fault with the account’s calls.',
  'account.restriction': 'WhatsApp restricted calls of the account.',
}

function eventOf<T extends EventType>(type: T) {
  return z
    .object({
      version: z.literal(EVENT_VERSION).describe('Version of this schema.'),
      id: z.uuid().describe('The same for each attempt: an event with a known id is a repetition.'),
      type: z.literal(type).describe('What happened.'),
      time: z.iso.datetime().describe('When it happened.'),
      sequence: z
        .int()
        .positive()
        .optional()
        .describe('Position among the events of the call, from 1.'),
      number: number.optional(),
      data: data[type],
    })
    .meta({ title: type, description: MEANINGS[type] })
}

/** Every event there is. */
export const eventSchema = z.discriminatedUnion('type', [
  eventOf('call.started'),
  eventOf('call.ringing'),
  eventOf('call.answered'),
  eventOf('call.ended'),
  eventOf('call.reported'),
  eventOf('call.voicemail'),
  eventOf('permission.changed'),
  eventOf('settings.drift'),
  eventOf('account.violation'),
  eventOf('account.restriction'),
])

/** The JSON Schema (draft 2020-12) of an event, open for fields to come. */
export function eventJsonSchema(): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(eventSchema, { io: 'input' })
  return { $schema, title: `Causeway events, version ${EVENT_VERSION}`, ...rest }
}
