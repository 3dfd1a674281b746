import type { Clock } from '../shared/clock.ts'
import { detach } from '../shared/detach.ts'
import type { EndCause } from './cause.ts'
import { Ladder, type LadderEntry } from './ladder.ts'
import { type CallState, isLegal } from './state.ts'

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
  /** Codec name as in rtpmap. */
  codec: string
  /** SRTP protection towards each side. */
  srtp: { whatsapp: string; pbx: string }
}

/** What is known of a call when it begins. */
export interface CallOptions {
  id: string
  direction: CallDirection
  number: string
  business: string
  consumer: string
  trunk: string
  whatsapp?: WhatsAppFacts
}

/** Told of every change of a call's state, after it happened. */
export type StateListener = (call: Call, from: CallState) => void

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
  readonly whatsapp: WhatsAppFacts
  /** What the media came to be, once agreed. */
  media: MediaFacts | undefined
  readonly startedAt: number
  readonly ladder = new Ladder()
  readonly #clock: Clock
  readonly #began: number
  readonly #listener: StateListener
  #state: CallState = 'preparing'
  #ringingAt: number | undefined
  #answeredAt: number | undefined
  #endedAt: number | undefined
  #cause: EndCause | undefined

  constructor(options: CallOptions, clock: Clock, listener: StateListener) {
    this.id = options.id
    this.direction = options.direction
    this.number = options.number
    this.business = options.business
    this.consumer = options.consumer
    this.trunk = options.trunk
    this.whatsapp = options.whatsapp ?? {}
    this.startedAt = clock.now()
    this.#began = clock.monotonic()
    this.#clock = clock
    this.#listener = listener
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
    this.#listener(this, from)
  }
}
