import type { CallMediaReport } from '../media/index.ts'
import type { Call, CallDirection, CallVerdict, MediaFacts, WhatsAppFacts } from './call.ts'
import type { EndCause } from './cause.ts'
import type { LadderEntry } from './ladder.ts'
import type { CallState } from './state.ts'
import type { WhatsAppReport } from './whatsapp-report.ts'

/** A call as plain data: what the API shows, and the one record an ended call leaves. */
export interface CallRecord {
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
  readonly cause: EndCause | undefined
  readonly ladder: readonly LadderEntry[]
  /** Ladder arrows beyond the limit. */
  readonly ladderDropped: number
}

/** The call as it stands at `now` (milliseconds since the Unix epoch). */
export function recordOf(call: Call, now: number): CallRecord {
  const { id, direction, state, number, business, consumer, trunk, whatsapp, media } = call
  const { startedAt, ringingAt, answeredAt, endedAt, cause } = call
  const until = endedAt ?? now
  return {
    id,
    direction,
    state,
    number,
    business,
    consumer,
    trunk,
    route: call.route,
    whatsapp,
    whatsappReport: call.whatsappReport,
    media,
    verdicts: call.verdicts,
    report: call.report,
    startedAt,
    ringingAt,
    answeredAt,
    endedAt,
    talkSeconds: answeredAt === undefined ? 0 : Math.round((until - answeredAt) / 1000),
    cause,
    ladder: call.ladder.entries,
    ladderDropped: call.ladder.dropped,
  }
}
