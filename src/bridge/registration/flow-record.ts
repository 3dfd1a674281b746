import type { Random } from '../../shared/random.ts'
import type { EndedFlow } from '../ended-flow.ts'
import { pauseAfterFlow } from './timing.ts'

/** A connection that served so long was a good one: its failure is the first, milliseconds. */
const STABLE = 120_000

/** How the connections to one registrar have fared (RFC 5626 §4.5). Times are monotonic milliseconds. */
export class FlowRecord {
  /** In a row, each soon after the registration over it. */
  #failures = 0
  #since: number | undefined
  /** The end of the connection of a REGISTER that was told before the answer to it. */
  early: EndedFlow['why'] | undefined

  /** A REGISTER was answered: a connection serves. */
  served(now: number): void {
    this.#since ??= now
  }

  /** It has failed. Returns how many milliseconds to wait with the next. */
  failed(now: number, random: Random): number {
    const lived = now - (this.#since ?? now)
    this.#failures = lived >= STABLE ? 1 : this.#failures + 1
    this.#since = undefined
    return pauseAfterFlow(this.#failures, random)
  }

  /** What was there before counts no more. */
  reset(): void {
    this.#failures = 0
    this.#since = undefined
  }
}
