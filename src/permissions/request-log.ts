import type { Clock } from '../shared/clock.ts'
import { CausewayError } from '../shared/errors/index.ts'
import { iso } from './policy.ts'

const DAY = 86_400_000
const WEEK = 7 * DAY
/** WhatsApp's rule for production numbers, used while the API gives no figures of its own. */
const PER_DAY = 1
const PER_WEEK = 2
/** Consumers remembered; of more the oldest go. */
const CONSUMERS = 20_000

/** When consumers were asked for permission, for when the API does not say. */
export class RequestLog {
  readonly #clock: Clock
  readonly #sent = new Map<string, number[]>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A request went out. */
  sent(pair: string): void {
    const times = [...this.#recent(pair), this.#clock.now()]
    this.#sent.delete(pair)
    this.#sent.set(pair, times)
    if (this.#sent.size > CONSUMERS) this.#sent.delete(this.#sent.keys().next().value!)
  }

  /** Any connected call resets the quota. */
  reset(pair: string): void {
    this.#sent.delete(pair)
  }

  /** Why another request may not go out now. */
  judge(pair: string): CausewayError | undefined {
    const times = this.#recent(pair)
    const today = times.filter((at) => at > this.#clock.now() - DAY)
    const ends = [
      today.length >= PER_DAY ? today[today.length - PER_DAY]! + DAY : 0,
      times.length >= PER_WEEK ? times[times.length - PER_WEEK]! + WEEK : 0,
    ]
    const until = Math.max(...ends)
    if (until === 0) return undefined
    const detail = `asked ${times.length === 1 ? 'once' : `${times.length} times`} in 7 days, free again at ${iso(until)}`
    return new CausewayError('CALL_PERMISSION_REQUEST_LIMIT', { detail })
  }

  #recent(pair: string): number[] {
    const since = this.#clock.now() - WEEK
    return (this.#sent.get(pair) ?? []).filter((at) => at > since)
  }
}
