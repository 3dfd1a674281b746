import { type SipMessage, serializeMessage } from '../../embedded-drachtio/message/index.ts'
import type { Clock } from '../../shared/clock.ts'
import { redactText } from '../../shared/redact.ts'
import type { MediaEndpoint, MediaVerdict } from '../media/index.ts'
import type { CallDirection } from '../store.ts'
import { Watchers } from '../watchers.ts'

/** Where a call is in its life. */
export type CallState = 'starting' | 'challenged' | 'inviting' | 'ringing' | 'answered' | 'ended'

/** How a call ended. */
export interface CallOutcome {
  /** Who ended it. */
  by: 'consumer' | 'business' | 'whatsapp'
  /** Final SIP status of a call that was not answered. */
  status?: number
  /** One line: a reason phrase, `hung up`, `no media for 20 s`. */
  reason: string
}

/** One message of the ladder. */
export interface LadderEntry {
  /** Milliseconds since the epoch. */
  at: number
  /** Seen from WhatsApp: `sent` goes to the business. */
  direction: 'sent' | 'received'
  /** `INVITE`, `200 OK (INVITE)`. */
  summary: string
  /** The whole message; keys and credentials redacted. */
  text: string
}

/** A broken rule of WhatsApp's, by the business. */
export interface Violation {
  /** Stable word: `re-invite`, `record-route`, `early-media`, `ssrc`. */
  rule: string
  detail: string
  /** Milliseconds since the epoch. */
  at: number
}

/** A call as the control API shows it. */
export interface CallView {
  id: string
  callId: string
  direction: CallDirection
  state: CallState
  /** `+` and digits as far as known. */
  business: string
  /** Digits or BSUID. */
  consumer: string
  startedAt: number
  answeredAt: number | undefined
  endedAt: number | undefined
  outcome: CallOutcome | undefined
  messages: LadderEntry[]
  violations: Violation[]
  media: MediaVerdict | undefined
}

const MAX_MESSAGES = 200
const MAX_VIOLATIONS = 100

/** What is known of one call, from its first INVITE to its end and after. */
export class CallRecord {
  readonly id: string
  readonly callId: string
  readonly direction: CallDirection
  readonly startedAt: number
  business: string
  consumer: string
  answeredAt: number | undefined
  endedAt: number | undefined
  outcome: CallOutcome | undefined
  media: MediaEndpoint | undefined
  readonly #clock: Clock
  readonly #messages: LadderEntry[] = []
  readonly #violations: Violation[] = []
  readonly #watchers = new Watchers()
  #state: CallState = 'starting'

  constructor(options: {
    id: string
    callId: string
    direction: CallDirection
    business: string
    consumer: string
    clock: Clock
  }) {
    this.id = options.id
    this.callId = options.callId
    this.direction = options.direction
    this.business = options.business
    this.consumer = options.consumer
    this.#clock = options.clock
    this.startedAt = options.clock.now()
  }

  get state(): CallState {
    return this.#state
  }

  /** Moves on; an ended call stays ended. */
  enter(state: Exclude<CallState, 'ended'>): void {
    if (this.#state === 'ended') return
    if (state === 'answered') this.answeredAt ??= this.#clock.now()
    this.#state = state
    this.#changed()
  }

  /** Ends the call; the first outcome counts. Returns false when it had ended already. */
  end(outcome: CallOutcome): boolean {
    if (this.#state === 'ended') return false
    this.#state = 'ended'
    this.outcome = outcome
    this.endedAt = this.#clock.now()
    this.#changed()
    return true
  }

  /** Seconds since the answer, rounded down; 0 before it. */
  get duration(): number {
    if (this.answeredAt === undefined) return 0
    return Math.floor(((this.endedAt ?? this.#clock.now()) - this.answeredAt) / 1000)
  }

  note(direction: LadderEntry['direction'], message: SipMessage): void {
    if (this.#messages.length >= MAX_MESSAGES) return
    const summary =
      message.kind === 'request'
        ? message.method
        : `${message.status} ${message.reason} (${message.method})`
    const text = redactText(serializeMessage(message).toString())
    this.#messages.push({ at: this.#clock.now(), direction, summary, text })
    this.#changed()
  }

  violate(rule: string, detail: string): void {
    if (this.#violations.length >= MAX_VIOLATIONS) return
    this.#violations.push({ rule, detail, at: this.#clock.now() })
    this.#changed()
  }

  get messages(): readonly LadderEntry[] {
    return this.#messages
  }

  /** Rules broken in signalling and, as far as heard by now, in media. */
  get violations(): Violation[] {
    return this.#violations
  }

  /** Resolves when `test` holds, now or after a change; also when the call ends. */
  async until(test: (call: CallRecord) => boolean): Promise<CallRecord> {
    await this.#watchers.until(() => test(this) || this.#state === 'ended')
    return this
  }

  view(): CallView {
    return {
      id: this.id,
      callId: this.callId,
      direction: this.direction,
      state: this.#state,
      business: this.business,
      consumer: this.consumer,
      startedAt: this.startedAt,
      answeredAt: this.answeredAt,
      endedAt: this.endedAt,
      outcome: this.outcome,
      messages: [...this.#messages],
      violations: [...this.#violations],
      media: this.media?.verdict(),
    }
  }

  #changed(): void {
    this.#watchers.notify()
  }
}

/** Calls by ID and Call-ID; the oldest ended ones go when there are too many. */
export class CallRegister {
  readonly #byId = new Map<string, CallRecord>()
  readonly #byCallId = new Map<string, CallRecord>()
  readonly #keep: number
  readonly #added = new Set<(call: CallRecord) => void>()

  constructor(keep = 1000) {
    this.#keep = keep
  }

  add(call: CallRecord): void {
    this.#byId.set(call.id, call)
    this.#byCallId.set(call.callId, call)
    if (this.#byId.size > this.#keep) this.#trim()
    for (const listener of this.#added) listener(call)
  }

  get(id: string): CallRecord | undefined {
    return this.#byId.get(id)
  }

  byCallId(callId: string): CallRecord | undefined {
    return this.#byCallId.get(callId)
  }

  /** Newest last. */
  all(): CallRecord[] {
    return [...this.#byId.values()]
  }

  /** Resolves with the next call that is added and passes `test`. */
  next(test: (call: CallRecord) => boolean = () => true): Promise<CallRecord> {
    return new Promise((resolve) => {
      const listener = (call: CallRecord): void => {
        if (!test(call)) return
        this.#added.delete(listener)
        resolve(call)
      }
      this.#added.add(listener)
    })
  }

  #trim(): void {
    for (const call of this.#byId.values()) {
      if (call.state !== 'ended') continue
      this.#byId.delete(call.id)
      this.#byCallId.delete(call.callId)
      return
    }
  }
}
