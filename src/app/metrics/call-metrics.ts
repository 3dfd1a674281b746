import type { Call, CallDirection, CallRecord, CallRegistry } from '../../calls/index.ts'
import type { Config } from '../../config/types.ts'
import type { MetricFamily, Sample } from '../../http/index.ts'
import { Histogram } from '../../shared/histogram.ts'
import { counter, gauge, histogram, one } from './families.ts'

const DIRECTIONS: readonly CallDirection[] = ['user-initiated', 'business-initiated']

/** Seconds. Networks and PBXs answer in fractions, people let it ring. */
const POST_DIAL = [0.1, 0.25, 0.5, 1, 2, 3, 4, 6, 8, 11, 15, 30]
const SETUP = [0.5, 1, 2, 4, 7, 10, 15, 20, 30, 45, 60, 90]
const DURATION = [5, 10, 30, 60, 120, 180, 300, 600, 1200, 1800, 3600, 7200]

/** Counts of one number in one direction. */
interface Totals {
  active: number
  started: number
  answered: number
  ended: Map<string, { result: string; code: string; owner: string; count: number }>
}

type ByDirection<T> = Record<CallDirection, T>

/**
 * Counts calls as they come and go, so that a scrape walks over numbers and codes and never over
 * calls. Lives as long as the instance.
 */
export class CallMetrics {
  readonly #config: () => Config
  readonly #numbers = new Map<string, ByDirection<Totals>>()
  readonly #postDial = histograms(POST_DIAL)
  readonly #setup = histograms(SETUP)
  readonly #duration = histograms(DURATION)
  readonly #unsubscribe: () => void

  constructor(calls: CallRegistry, config: () => Config) {
    this.#config = config
    this.#unsubscribe = calls.subscribe({
      started: (call) => this.#onStarted(call),
      changed: (call) => this.#onChanged(call),
      ended: (record) => this.#onEnded(record),
    })
  }

  stop(): void {
    this.#unsubscribe()
  }

  families(): MetricFamily[] {
    // A counter that begins with its first call would hide that call from rate().
    for (const { name } of this.#config().numbers) this.#of(name)
    const { limits } = this.#config()
    return [
      gauge(
        'calls_active',
        'Calls in progress.',
        this.#samples(({ active }) => active),
      ),
      counter(
        'calls_started',
        'Calls begun.',
        this.#samples(({ started }) => started),
      ),
      counter(
        'calls_answered',
        'Calls that were answered.',
        this.#samples(({ answered }) => answered),
      ),
      counter('calls_ended', 'Calls ended, by result class, code and owner.', this.#ended()),
      histogram(
        'call_post_dial_delay_seconds',
        'From the INVITE to the first ringing, or to the answer where nothing rang: session request delay of RFC 6076.',
        byDirection(this.#postDial),
      ),
      histogram(
        'call_setup_seconds',
        'From the INVITE to the answer, of answered calls.',
        byDirection(this.#setup),
      ),
      histogram(
        'call_duration_seconds',
        'From the answer to the end, of answered calls: session duration time of RFC 6076.',
        byDirection(this.#duration),
      ),
      gauge('calls_limit', 'Most calls at a time.', one(limits.calls)),
      gauge(
        'calls_per_number_limit',
        'Most calls of one number at a time.',
        one(limits.callsPerNumber),
      ),
    ]
  }

  #of(number: string): ByDirection<Totals> {
    let totals = this.#numbers.get(number)
    if (!totals) {
      totals = { 'user-initiated': nothing(), 'business-initiated': nothing() }
      this.#numbers.set(number, totals)
    }
    return totals
  }

  #samples(pick: (totals: Totals) => number): Sample[] {
    const samples: Sample[] = []
    for (const [number, totals] of this.#numbers) {
      for (const direction of DIRECTIONS) {
        samples.push({ labels: { direction, number }, value: pick(totals[direction]) })
      }
    }
    return samples
  }

  #ended(): Sample[] {
    const samples: Sample[] = []
    for (const [number, totals] of this.#numbers) {
      for (const direction of DIRECTIONS) {
        for (const { result, code, owner, count } of totals[direction].ended.values()) {
          samples.push({ labels: { direction, number, result, code, owner }, value: count })
        }
      }
    }
    return samples
  }

  #onStarted({ number, direction }: Call): void {
    const totals = this.#of(number)[direction]
    totals.started++
    totals.active++
  }

  #onChanged({ state, direction, number, startedAt, ringingAt, answeredAt }: Call): void {
    if (state !== 'answered') return
    this.#of(number)[direction].answered++
    this.#postDial[direction].observe(seconds(startedAt, ringingAt ?? answeredAt))
    this.#setup[direction].observe(seconds(startedAt, answeredAt))
  }

  #onEnded(record: CallRecord): void {
    const { number, direction, startedAt, ringingAt, answeredAt, endedAt, cause } = record
    const totals = this.#of(number)[direction]
    totals.active--
    const { result, code, owner } = cause!
    const key = `${code} ${result} ${owner}`
    const entry = totals.ended.get(key)
    if (entry) entry.count++
    else totals.ended.set(key, { result, code, owner, count: 1 })
    if (answeredAt !== undefined) {
      this.#duration[direction].observe(seconds(answeredAt, endedAt))
    } else if (ringingAt !== undefined) {
      // Here and not when it rings: the next target may ring again.
      this.#postDial[direction].observe(seconds(startedAt, ringingAt))
    }
  }
}

function nothing(): Totals {
  return { active: 0, started: 0, answered: 0, ended: new Map() }
}

function histograms(bounds: readonly number[]): ByDirection<Histogram> {
  return { 'user-initiated': new Histogram(bounds), 'business-initiated': new Histogram(bounds) }
}

function byDirection(histograms: ByDirection<Histogram>) {
  return DIRECTIONS.map((direction) => ({
    labels: { direction },
    state: histograms[direction].state(),
  }))
}

/** Between two times in milliseconds; a clock that was set back counts as none. */
function seconds(from: number, to: number | undefined): number {
  return to === undefined ? 0 : Math.max(0, to - from) / 1000
}
