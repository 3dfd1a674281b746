/** What is thought of a target. `probing`: one call finds out whether it works again. */
export type Condition = 'unknown' | 'up' | 'down' | 'busy' | 'probing'

/** How long a target that a call did not reach is tried last, the first time; milliseconds. */
export const AVOIDED_FOR = 30_000
/** The longest of the growing times. */
export const AVOIDED_AT_MOST = 300_000
/** How long a 503 without Retry-After is respected, milliseconds. */
export const BUSY_FOR = 10_000
/** Longest Retry-After that is respected, milliseconds. */
export const BUSY_AT_MOST = 300_000
/** How long the one call that tries may take before another one may; its own end comes sooner. */
const PROBE_FOR = 35_000

/** Hysteresis of pings: how many in a row change what is thought. */
export interface Hysteresis {
  downAfter: number
  upAfter: number
}

/**
 * The circuit breaker of one target. Calls that do not reach it open it for growing times, a 503 for
 * as long as it asks; then one call tries it, and closes or opens it again. Pings that fail open it
 * until they, or a call, succeed. Times are monotonic, milliseconds.
 */
export class TargetState {
  condition: Condition = 'unknown'
  /** Why; '' when there is nothing to say. */
  reason = ''
  /** Whether pings took it down: then only an answer brings it back. */
  byPing = false
  /** Round trip of the last ping that was answered. */
  roundTrip: number | undefined
  #until = 0
  /** Times in a row it was opened by calls. */
  #openings = 0
  #pingFailures = 0
  #pingAnswers = 0

  /** Whether a call may be sent there before others are tried. */
  available(now: number): boolean {
    if (this.condition === 'up' || this.condition === 'unknown') return true
    return !this.byPing && now >= this.#until
  }

  /** A call is about to be sent: the one that tries, when the time is over. */
  take(now: number): void {
    if (this.condition === 'up' || this.condition === 'unknown' || !this.available(now)) return
    this.condition = 'probing'
    this.#until = now + PROBE_FOR
  }

  /** It answered a call. */
  worked(): void {
    this.#close()
  }

  /** A call did not reach it. */
  failed(now: number, reason: string): void {
    // Calls that were under way when it opened are no further news.
    if (this.condition === 'down' && !this.available(now)) return
    const time = Math.min(AVOIDED_AT_MOST, AVOIDED_FOR * 2 ** this.#openings)
    this.#openings++
    this.#open('down', reason, now + time)
  }

  /** It has no room: 503, with the milliseconds of its Retry-After. */
  busy(now: number, reason: string, retryAfter: number | undefined): void {
    const time = retryAfter === undefined ? BUSY_FOR : Math.max(1000, retryAfter)
    this.byPing = false
    this.#pingFailures = 0
    this.#open('busy', reason, now + Math.min(BUSY_AT_MOST, time))
  }

  /** A ping was answered. A busy target keeps its time: it asked for it. */
  pingAnswered(now: number, roundTrip: number, { upAfter }: Hysteresis): void {
    this.roundTrip = roundTrip
    this.#pingFailures = 0
    this.#pingAnswers++
    if (this.condition === 'busy' && !this.available(now)) return
    if (this.condition === 'unknown' || this.#pingAnswers >= upAfter) this.#close()
  }

  /** A ping was not answered, or by 408 or 503. */
  pingFailed(reason: string, { downAfter }: Hysteresis): void {
    this.#pingAnswers = 0
    this.#pingFailures++
    if (this.#pingFailures < downAfter) return
    if (this.condition !== 'down') this.reason = reason
    this.condition = 'down'
    this.byPing = true
  }

  /** It is pinged no more: a call may find out. */
  unpinged(now: number): void {
    if (this.byPing) this.#until = now
    this.byPing = false
    this.roundTrip = undefined
    this.#pingFailures = 0
    this.#pingAnswers = 0
  }

  /** Whether it does not work as far as is known, or the last ping makes one doubt that it does. */
  get doubt(): 'none' | 'doubtful' | 'down' {
    if (this.condition === 'down' || this.condition === 'probing') return 'down'
    return this.#pingFailures > 0 ? 'doubtful' : 'none'
  }

  #open(condition: 'down' | 'busy', reason: string, until: number): void {
    this.condition = condition
    this.reason = reason
    this.#until = until
    this.#pingAnswers = 0
  }

  #close(): void {
    this.condition = 'up'
    this.reason = ''
    this.byPing = false
    this.#openings = 0
    this.#pingFailures = 0
  }
}
