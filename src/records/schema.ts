import { z } from 'zod'
import { RECORD_VERSION } from '../calls/index.ts'
import { mediaReport } from './schema-media.ts'

const ms = (what: string) => z.int().nonnegative().describe(`${what}, milliseconds since 1970.`)
const text = (what: string) => z.string().optional().describe(what)
const side = z.enum(['whatsapp', 'pbx'])
const sides = (what: string) =>
  z.object({
    whatsapp: z.string().describe(`${what} towards WhatsApp.`),
    pbx: z.string().describe(`${what} towards the PBX.`),
  })

const whatsapp = z
  .object({
    wacid: text('WhatsApp’s id of the call.'),
    displayName: text('Profile name of the user.'),
    userId: text('Business-scoped user id.'),
    parentUserId: text('Business-scoped user id of the portfolio.'),
    username: text('WhatsApp user name.'),
    country: text('ISO country of the user.'),
    phoneNumberId: text('Id of the business number in the Graph API.'),
    ctaPayload: text('Payload of the call button.'),
    deeplinkPayload: text('Payload of the call link.'),
    callDuration: z.number().optional().describe('Seconds, as told by WhatsApp’s BYE.'),
  })
  .describe('What WhatsApp’s SIP headers said.')

const whatsappReport = z
  .object({
    createdAt: ms('Attempt of the call').optional(),
    ringingAt: ms('Ringing at the consumer').optional(),
    acceptedAt: ms('Answer by the consumer').optional(),
    rejectedAt: ms('Refusal by the consumer').optional(),
    status: text('`COMPLETED`, `FAILED` or another word, once the call is over.'),
    startedAt: ms('Answer as WhatsApp saw it').optional(),
    endedAt: ms('End as WhatsApp saw it').optional(),
    duration: z.number().optional().describe('Seconds, of a call that was picked up.'),
    errors: z
      .array(
        z.object({
          code: z.number().optional().describe('Code of WhatsApp, such as 138021.'),
          title: text('Its title.'),
          details: text('More about it.'),
        }),
      )
      .describe('Errors WhatsApp names.'),
    voicemail: text('Id of the audio in WhatsApp’s Media API, when one was left.'),
  })
  .optional()
  .describe('What WhatsApp’s webhooks said; absent until one came, which may be after the end.')

const verdict = z.object({
  code: z.string().describe('Error code, such as `MEDIA_SILENT_PBX`.'),
  side: side.describe('The side it was found on.'),
  owner: z.string().describe('Who has to act.'),
  detail: z.string().describe('What was seen.'),
  fix: z.string().describe('What to do.'),
  since: ms('When it was found'),
  clearedAt: ms('When it was over; absent while it stood').optional(),
})

const cause = z
  .object({
    code: z.string().describe('`NORMAL` for a hang-up, else an error code of Causeway.'),
    result: z
      .enum(['completed', 'cancelled', 'busy', 'declined', 'unanswered', 'refused', 'failed'])
      .describe('Class of the end.'),
    owner: z
      .enum(['causeway', 'pbx', 'whatsapp', 'user'])
      .describe('Who has to act; of a hang-up the side it came from. `user` runs Causeway.'),
    sip: z.int().describe('SIP status that goes with it; 200 for a hang-up.'),
    q850: z.int().describe('Q.850 cause.'),
    text: z.string().describe('In words.'),
  })
  .optional()
  .describe('Why the call ended; absent while it has not.')

const step = z.object({
  t: z.int().describe('Milliseconds since the start.'),
  leg: side.describe('The leg of the message.'),
  dir: z.enum(['in', 'out']).describe('As seen from Causeway.'),
  what: z.string().describe('Method, or status and reason.'),
  note: text('More about it.'),
})

/** A record of a call. */
export const recordSchema = z
  .object({
    version: z.literal(RECORD_VERSION).describe('Version of this schema.'),
    id: z.string().describe('Causeway’s id of the call.'),
    direction: z
      .enum(['user-initiated', 'business-initiated'])
      .describe('Who dialled: the WhatsApp user, or the business through its PBX.'),
    state: z
      .enum(['preparing', 'calling', 'ringing', 'answered', 'ended'])
      .describe('Where the call is in its life; `ended` of every call in the history.'),
    number: z.string().describe('Name of the business number in the configuration.'),
    business: z.string().describe('The business number, E.164 with a plus.'),
    consumer: z.string().describe('The WhatsApp user: E.164 with a plus, or a user id.'),
    trunk: z.string().describe('Name of the trunk, the last one tried.'),
    target: text('SIP URI of the trunk’s target, the last one tried; of a user-initiated call.'),
    route: text('Name of the routing rule that chose the trunk.'),
    callIds: z
      .object({
        whatsapp: text('Towards WhatsApp.'),
        pbx: text('Towards the PBX: the last target tried, or the new leg after a transfer.'),
      })
      .describe('Call-IDs of the SIP dialogs.'),
    country: text('ISO country of the consumer, where WhatsApp or the user id tells it.'),
    permission: z
      .object({
        status: z
          .enum(['no_permission', 'temporary', 'permanent'])
          .optional()
          .describe('As WhatsApp had it; absent when it did not answer in time.'),
        expiresAt: ms('End of a temporary permission').optional(),
      })
      .optional()
      .describe('The consumer’s permission when the call was to leave, where the trunk checks it.'),
    whatsapp,
    whatsappReport,
    media: z
      .object({ codec: sides('Codec'), srtp: sides('`none`, an SDES suite or `DTLS-SRTP`') })
      .optional()
      .describe('What was agreed on media; absent when nothing was.'),
    verdicts: z.array(verdict).describe('What was found to be wrong with the media.'),
    startedAt: ms('The INVITE, once it was admitted'),
    ringingAt: ms('First ringing').optional(),
    answeredAt: ms('Answer').optional(),
    endedAt: ms('End').optional(),
    talkSeconds: z.int().nonnegative().describe('Whole seconds from answer to end, or to now.'),
    talkMs: z
      .number()
      .nonnegative()
      .optional()
      .describe('The same in milliseconds, once answered.'),
    billing: z
      .object({
        pulses: z
          .int()
          .nonnegative()
          .describe('Pulses of 6 seconds WhatsApp bills; 0 of calls that are free or unanswered.'),
        seconds: z.number().nonnegative().describe('The length they are of.'),
        basis: z
          .enum(['webhook', 'bye', 'causeway'])
          .describe('Whose length: WhatsApp’s webhook, its BYE, or ours until it tells.'),
      })
      .describe('What WhatsApp bills, as far as the length tells.'),
    cause,
    endedBy: z
      .enum(['caller', 'callee', 'pbx', 'whatsapp', 'causeway'])
      .optional()
      .describe('Who ended it: a person, or a system that refused or failed.'),
    report: mediaReport
      .optional()
      .describe('Last figures of the media; absent without a relay that sees packets.'),
    ladder: z.array(step).describe('The SIP messages in order, 64 at most.'),
    ladderDropped: z.int().nonnegative().describe('Messages that were not kept.'),
  })
  .meta({ title: `Causeway record of a call, version ${RECORD_VERSION}` })

/** The JSON Schema (draft 2020-12) of a record, open for fields to come. */
export function recordJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(recordSchema, { io: 'input' }) as Record<string, unknown>
}
