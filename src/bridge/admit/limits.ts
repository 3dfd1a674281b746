import type { CallRegistry } from '../../calls/index.ts'
import type { LimitsConfig, NumberConfig } from '../../config/types.ts'
import type { Clock } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import { numberFull } from '../trunks/room.ts'

/** A token bucket of new calls: as many at once as one second allows. */
export class CallRate {
  readonly #clock: Clock
  #tokens: number
  #at: number

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock
    this.#tokens = Math.max(1, perSecond)
    this.#at = clock.monotonic()
  }

  /** Takes a token; false when there is none. */
  take(perSecond: number): boolean {
    const now = this.#clock.monotonic()
    const refill = ((now - this.#at) / 1000) * perSecond
    this.#tokens = Math.min(Math.max(1, perSecond), this.#tokens + refill)
    this.#at = now
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}

/** Refuses a new call when there is no room: the rate, all calls, the calls of the number. */
export function checkLimits(
  limits: LimitsConfig,
  calls: CallRegistry,
  number: NumberConfig,
  rate: CallRate,
): CausewayError | undefined {
  if (calls.size >= limits.calls) return new CausewayError('CALL_LIMIT')
  if (calls.activeOf(number.name) >= limits.callsPerNumber) {
    return new CausewayError('CALL_NUMBER_LIMIT', { place: `number ${number.name}` })
  }
  const full = numberFull(number, calls)
  if (full) return full
  if (!rate.take(limits.invitesPerSecond)) return new CausewayError('CALL_RATE_LIMIT')
  return undefined
}
