import type { CallMediaReport } from '../media/index.ts'
import { billingOf, type CallBilling } from './billing.ts'
import type {
  Call,
  CallDirection,
  CallIds,
  CallVerdict,
  MediaFacts,
  PermissionFacts,
  WhatsAppFacts,
} from './call.ts'
import type { EndCause } from './cause.ts'
import { type EndedBy, endedBy } from './ended-by.ts'
import type { LadderEntry } from './ladder.ts'
import type { CallState } from './state.ts'
import type { WhatsAppReport } from './whatsapp-report.ts'

/**
 * Version of the records. Fields may be added within it; none is taken away or changes its meaning. Described
 * in docs/reference/records.md.
 */
export const RECORD_VERSION = 1

/** A call as plain data: what the API shows, and the one record an ended call leaves. */
export interface CallRecord {
  readonly version: typeof RECORD_VERSION
  readonly id: string
  readonly direction: CallDirection
  readonly state: CallState
  /** Name of the number under `numbers`. */
  readonly number: string
  /** E.164 of the business. */
  readonly business: string
  /** E.164 or BSUID of the consumer. */
  readonly consumer: string
  /** Name of the trunk, the last one tried. */
  readonly trunk: string
  /** What chose the way: a route of the number, or what named the number of a call from the PBX. */
  readonly route: string | undefined
  /** SIP URI of the trunk's target, the last one tried. */
  readonly target: string | undefined
  readonly callIds: CallIds
  /** ISO country of the consumer, as WhatsApp or the business-scoped user id has it. */
  readonly country: string | undefined
  /** What was known of the consumer's permission, where a trunk checks it. */
  readonly permission: PermissionFacts | undefined
  readonly whatsapp: WhatsAppFacts
  /** What WhatsApp's webhooks say of it; undefined until one came, which may be after the end. */
  readonly whatsappReport: WhatsAppReport | undefined
  /** Codec and SRTP modes, once negotiated. */
  readonly media: MediaFacts | undefined
  /** What was found to be wrong with the media. */
  readonly verdicts: readonly CallVerdict[]
  /** The last figures of the media; an ended call gets them shortly after its end. */
  readonly report: CallMediaReport | undefined
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number
  readonly ringingAt: number | undefined
  readonly answeredAt: number | undefined
  readonly endedAt: number | undefined
  /** Seconds from answer to end, or to now. */
  readonly talkSeconds: number
  /** The same in milliseconds; undefined while it is not answered. */
  readonly talkMs: number | undefined
  readonly billing: CallBilling
  readonly cause: EndCause | undefined
  /** Who ended it; the cause's `owner` is who has to act. */
  readonly endedBy: EndedBy | undefined
  readonly ladder: readonly LadderEntry[]
  /** Ladder arrows beyond the limit. */
  readonly ladderDropped: number
}

/** The call as it stands at `now` (milliseconds since the Unix epoch). */
export function recordOf(call: Call, now: number): CallRecord {
  const { id, direction, state, number, business, consumer, trunk, whatsapp, media } = call
  const { startedAt, ringingAt, answeredAt, endedAt, cause } = call
  const { whatsappReport } = call
  const talkMs = answeredAt === undefined ? undefined : Math.max(0, (endedAt ?? now) - answeredAt)
  const lengths = { talkMs, bye: whatsapp.callDuration, webhook: whatsappReport?.duration }
  const asked = call.ladder.entries.some(({ leg }) => leg === 'whatsapp')
  return {
    version: RECORD_VERSION,
    id,
    direction,
    state,
    number,
    business,
    consumer,
    trunk,
    target: call.target,
    route: call.route,
    callIds: call.callIds,
    country: countryOf(consumer, whatsapp),
    permission: call.permission,
    whatsapp,
    whatsappReport,
    media,
    verdicts: call.verdicts,
    report: call.report,
    startedAt,
    ringingAt,
    answeredAt,
    endedAt,
    talkSeconds: Math.round((talkMs ?? 0) / 1000),
    talkMs,
    billing: billingOf({ direction, ...lengths }),
    cause,
    endedBy: cause && endedBy(direction, cause, asked),
    ladder: call.ladder.entries,
    ladderDropped: call.ladder.dropped,
  }
}

/** The record with another account of WhatsApp's, and what follows from it. */
export function withReport(record: CallRecord, whatsappReport: WhatsAppReport): CallRecord {
  const { direction, talkMs, whatsapp } = record
  const lengths = { talkMs, bye: whatsapp.callDuration, webhook: whatsappReport.duration }
  return { ...record, whatsappReport, billing: billingOf({ direction, ...lengths }) }
}

/** A business-scoped user id begins with the country of its user: `FR.1349…`. */
function countryOf(consumer: string, { country, userId }: WhatsAppFacts): string | undefined {
  if (country !== undefined) return country
  for (const id of [consumer, userId]) {
    const prefix = /^([A-Z]{2})\./.exec(id ?? '')?.[1]
    if (prefix !== undefined) return prefix
  }
  return undefined
}
