import type { Clock } from '../shared/clock.ts'

/** Unanswered calls in a row after which WhatsApp asks the consumer, and revokes the permission. */
export const NUDGE_AT = 2
export const REVOKE_AT = 4
/** Consumers whose streak is remembered; of more the oldest are forgotten. */
const CONSUMERS = 20_000

/** Below this share of answered calls a number's quality is at risk. */
export const PICKUP_LOW = 0.2
/** A share of fewer calls says nothing: three unlucky calls are no pattern. */
export const PICKUP_CALLS = 20
/** Calls older than this do not count: WhatsApp's own counters run over a day. */
export const PICKUP_WINDOW = 86_400_000
/** Calls of a number that are looked at, so that memory stays bounded. */
const PICKUP_KEPT = 500
/** Numbers looked after; those of the configuration are far fewer. */
const NUMBERS = 1000

/** What an unanswered call has brought about: `nudged` at 2, `last` before the revocation, `revoked` at 4. */
export type StreakStage = 'none' | 'nudged' | 'last' | 'revoked'

/** Answered calls of a number. */
export interface Pickup {
  calls: number
  answered: number
  /** Whether there are enough calls and too few of them were answered. */
  low: boolean
}

/** Counts business-initiated calls that nobody answered: in a row by consumer, and by number. */
export class Streaks {
  readonly #clock: Clock
  // Insertion order is age: the one touched last is at the end.
  readonly #missed = new Map<string, number>()
  readonly #calls = new Map<string, { at: number; answered: boolean }[]>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Consumers with a streak, for the metrics. */
  get size(): number {
    return this.#missed.size
  }

  /** A call of the number was answered, or not. For the pickup rate. */
  count(number: string, answered: boolean): void {
    const calls = this.#calls.get(number) ?? []
    calls.push({ at: this.#clock.now(), answered })
    if (calls.length > PICKUP_KEPT) calls.shift()
    if (this.#calls.size < NUMBERS || this.#calls.has(number)) this.#calls.set(number, calls)
  }

  /** A business-initiated call was missed. */
  missed(pair: string): { inARow: number; stage: StreakStage } {
    const inARow = (this.#missed.get(pair) ?? 0) + 1
    this.#missed.delete(pair)
    // WhatsApp starts anew with the next permission.
    if (inARow >= REVOKE_AT) return { inARow, stage: 'revoked' }
    this.#missed.set(pair, inARow)
    if (this.#missed.size > CONSUMERS) this.#missed.delete(this.#missed.keys().next().value!)
    if (inARow === REVOKE_AT - 1) return { inARow, stage: 'last' }
    return { inARow, stage: inARow === NUDGE_AT ? 'nudged' : 'none' }
  }

  /** Any connected call, or a new permission, ends the streak. */
  reset(pair: string): void {
    this.#missed.delete(pair)
  }

  /** The pickup rate of a number over the last {@link PICKUP_WINDOW}. */
  pickup(number: string): Pickup {
    const calls = this.#calls.get(number) ?? []
    const since = this.#clock.now() - PICKUP_WINDOW
    while (calls[0] && calls[0].at <= since) calls.shift()
    if (calls.length === 0) this.#calls.delete(number)
    const answered = calls.filter((call) => call.answered).length
    const low = calls.length >= PICKUP_CALLS && answered < calls.length * PICKUP_LOW
    return { calls: calls.length, answered, low }
  }
}
