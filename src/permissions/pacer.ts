import type { Clock } from '../shared/clock.ts'
import { CausewayError } from '../shared/errors/index.ts'

/** Queries of a second: the lower of the two figures WhatsApp's pages give (5 and 100). */
export const QUERIES_PER_SECOND = 5
/** Longest wait in line, milliseconds: a caller's patience is not longer than that. */
const LONGEST_LINE = 2000
/** First pause after a 613, milliseconds; doubled by each that follows. */
const FIRST_HOLD = 1000
const LONGEST_HOLD = 60_000

/** Spaces queries: a burst of one second's worth, then one at a time; none for a while after a 613. */
export class Pacer {
  readonly #clock: Clock
  readonly #interval: number
  readonly #burst: number
  /** When the line would be empty, monotonic milliseconds. */
  #booked = 0
  #hold = FIRST_HOLD
  #heldUntil = 0

  constructor(clock: Clock, perSecond = QUERIES_PER_SECOND) {
    this.#clock = clock
    this.#interval = 1000 / perSecond
    this.#burst = 1000 - this.#interval
  }

  /**
   * Books a place and gives the milliseconds to wait for it.
   *
   * @throws PERMISSION_QUERIES_LIMITED when the line is too long to be worth standing in
   */
  book(): number {
    const now = this.#clock.monotonic()
    const booked = Math.max(this.#booked, now)
    const wait = Math.max(booked - this.#burst - now, this.#heldUntil - now, 0)
    if (wait > LONGEST_LINE) throw new CausewayError('PERMISSION_QUERIES_LIMITED')
    this.#booked = booked + this.#interval
    return wait
  }

  /** WhatsApp said 613: nothing goes out for a while, or for as long as it asked. */
  throttled(retryAfter: number | undefined): void {
    const pause = Math.max(this.#hold, retryAfter ?? 0)
    this.#heldUntil = this.#clock.monotonic() + Math.min(pause, LONGEST_HOLD)
    this.#hold = Math.min(this.#hold * 2, LONGEST_HOLD)
  }

  /** A query went well: the next 613 starts with a short pause again. */
  succeeded(): void {
    this.#hold = FIRST_HOLD
  }
}
