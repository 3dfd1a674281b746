import type { CallMediaReport, Verdict } from '../media/index.ts'
import type { Clock } from '../shared/clock.ts'
import { detach } from '../shared/detach.ts'
import type { EndCause } from './cause.ts'
import { Ladder, type LadderEntry } from './ladder.ts'
import { type CallState, isLegal } from './state.ts'
import type { WhatsAppReport } from './whatsapp-report.ts'

/** Who dialled: the WhatsApp user, or the business through its PBX. */
export type CallDirection = 'user-initiated' | 'business-initiated'

/** What WhatsApp says of a call in its own headers. */
export interface WhatsAppFacts {
  /** WhatsApp's id of the call. */
  wacid?: string
  /** Profile name shown by the From header. */
  displayName?: string
  /** Business-scoped user id, `FR.1349…`. */
  userId?: string
  parentUserId?: string
  username?: string
  /** ISO country of the consumer. */
  country?: string
  phoneNumberId?: string
  /** Payload of the call button. */
  ctaPayload?: string
  /** Payload of the call link. */
  deeplinkPayload?: string
  /** Seconds, as told by WhatsApp's BYE. */
  callDuration?: number
}

/** What the media of a call came to be. */
export interface MediaFacts {
  /** Codec name as in rtpmap on each leg. */
  codec: { whatsapp: string; pbx: string }
  /** Protection towards each side: `none`, an SDES suite or `DTLS-SRTP`. */
  srtp: { whatsapp: string; pbx: string }
}

/** Something that was found to be wrong with a call's media. */
export interface CallVerdict extends Verdict {
  /** Milliseconds since the Unix epoch; undefined while it stands. */
  clearedAt: number | undefined
}

/** What was known of the consumer's permission when a business-initiated call was to leave. */
export interface PermissionFacts {
  /** As WhatsApp had it; undefined when it was not asked for, or did not answer in time. */
  status: 'no_permission' | 'temporary' | 'permanent' | undefined
  /** End of a temporary permission, milliseconds since the Unix epoch. */
  expiresAt: number | undefined
}

/** Call-IDs of a call's SIP dialogs (RFC 3261 §8.1.1.4), for a search in traces and logs of either side. */
export interface CallIds {
  whatsapp?: string
  /** Of the present PBX leg: the last target tried, or what a transfer brought. */
  pbx?: string
}

/** What is known of a call when it begins. */
export interface CallOptions {
  id: string
  direction: CallDirection
  number: string
  business: string
  consumer: string
  trunk: string
  route?: string
  whatsapp?: WhatsAppFacts
  callIds?: CallIds
}

/** Told of what happens to a call, after it happened. */
export interface CallWatcher {
  /** Its state changed. */
  changed(call: Call, from: CallState): void
  /** The last figures of its media came, after its end. */
  reported(call: Call): void
  /** One of its legs has a dialog, or tries for one, of this Call-ID. */
  joined?(call: Call, leg: LadderEntry['leg'], callId: string): void
}

/** Verdicts kept of one call; a verdict that comes and goes is one. */
export const VERDICT_LIMIT = 16

/**
 * One call between WhatsApp and the PBX. Its state changes through {@link Call.moveTo} and
 * {@link Call.end} alone; it ends once, with a cause.
 */
export class Call {
  readonly id: string
  readonly direction: CallDirection
  readonly number: string
  readonly business: string
  readonly consumer: string
  /** Name of the trunk in use; changes when the overflow trunk is tried. */
  trunk: string
  /** SIP URI of the trunk's target in use, the last one tried; undefined while there is none. */
  target: string | undefined
  /**
   * What chose the way: name of a route of the number or `inbound`; of a call from the PBX what named
   * its number, such as `prefix 91`, `pai` or `trunk`.
   */
  readonly route: string | undefined
  readonly callIds: CallIds
  /** Undefined where no trunk checks permissions. */
  permission: PermissionFacts | undefined
  readonly whatsapp: WhatsAppFacts
  /** What WhatsApp's webhooks say of it; undefined until one came. */
  whatsappReport: WhatsAppReport | undefined
  /** What the media came to be, once agreed. */
  media: MediaFacts | undefined
  /** What was found to be wrong with the media, in the order of finding; one for each code and side. */
  readonly verdicts: CallVerdict[] = []
  readonly startedAt: number
  readonly ladder = new Ladder()
  /** Call-ID of each leg, the last one where there were several: other targets, a transfer. */
  readonly #clock: Clock
  readonly #began: number
  readonly #watcher: CallWatcher
  #state: CallState = 'preparing'
  #ringingAt: number | undefined
  #answeredAt: number | undefined
  #endedAt: number | undefined
  #cause: EndCause | undefined
  #report: CallMediaReport | undefined

  constructor(options: CallOptions, clock: Clock, watcher: CallWatcher) {
    this.id = options.id
    this.direction = options.direction
    this.number = options.number
    this.business = options.business
    this.consumer = options.consumer
    this.trunk = options.trunk
    this.route = options.route
    this.callIds = options.callIds ?? {}
    this.whatsapp = options.whatsapp ?? {}
    this.startedAt = clock.now()
    this.#began = clock.monotonic()
    this.#clock = clock
    this.#watcher = watcher
  }

  get state(): CallState {
    return this.#state
  }

  /** First ringing, milliseconds since the Unix epoch. */
  get ringingAt(): number | undefined {
    return this.#ringingAt
  }

  get answeredAt(): number | undefined {
    return this.#answeredAt
  }

  get endedAt(): number | undefined {
    return this.#endedAt
  }

  /** Whether the call is over. A method, since the answer may change across an await. */
  hasEnded(): boolean {
    return this.#state === 'ended'
  }

  /** Why it ended; undefined while it has not. */
  get cause(): EndCause | undefined {
    return this.#cause
  }

  /**
   * The one setter of the state, for everything but the end.
   * @throws Error on a transition that is not legal: a fault of the caller
   */
  moveTo(state: Exclude<CallState, 'ended'>): void {
    if (state === this.#state) return
    this.#change(state)
  }

  /** Ends the call; false when it has ended before, with the first cause kept. */
  end(cause: EndCause): boolean {
    if (this.#state === 'ended') return false
    this.#cause = cause
    this.#change('ended')
    return true
  }

  /** The last figures of the media; undefined until they come, shortly after the end. */
  get report(): CallMediaReport | undefined {
    return this.#report
  }

  /** Takes the last figures of the media: once, after the end. */
  complete(report: CallMediaReport): void {
    if (this.#state !== 'ended' || this.#report) return
    this.#report = report
    this.#watcher.reported(this)
  }

  /**
   * Takes a verdict on the media, or that it does not hold any more.
   * @returns whether it is the first of its code and side
   */
  judge(verdict: Verdict, cleared: boolean): boolean {
    const { code, side } = verdict
    const known = this.verdicts.find((other) => other.code === code && other.side === side)
    if (known) {
      known.clearedAt = cleared ? this.#clock.now() : undefined
      return false
    }
    if (cleared || this.verdicts.length >= VERDICT_LIMIT) return false
    this.verdicts.push({ ...verdict, clearedAt: undefined })
    return true
  }

  /** Takes the Call-ID of a leg, before its first message where the leg is ours to begin. */
  join(leg: LadderEntry['leg'], callId: string): void {
    const id = detach(callId)
    this.callIds[leg] = id
    this.#watcher.joined?.(this, leg, id)
  }

  /** Adds an arrow to the ladder. */
  note(leg: LadderEntry['leg'], dir: LadderEntry['dir'], what: string, note?: string): void {
    const t = Math.round(this.#clock.monotonic() - this.#began)
    const text = detach(what)
    if (note === undefined) this.ladder.add({ t, leg, dir, what: text })
    else this.ladder.add({ t, leg, dir, what: text, note: detach(note) })
  }

  #change(to: CallState): void {
    const from = this.#state
    if (!isLegal(from, to)) throw new Error(`call ${this.id}: ${from} cannot become ${to}`)
    this.#state = to
    if (to === 'ringing') this.#ringingAt ??= this.#clock.now()
    else if (to === 'answered') this.#answeredAt = this.#clock.now()
    else if (to === 'ended') this.#endedAt = this.#clock.now()
    this.#watcher.changed(this, from)
  }
}
