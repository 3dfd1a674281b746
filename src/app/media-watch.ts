import type { CallRecord, CallRegistry } from '../calls/index.ts'
import type { HealthCheck, MetricFamily, Sample } from '../http/index.ts'
import type { AnchorStatus, LegReport, Side } from '../media/index.ts'
import type { Clock } from '../shared/clock.ts'
import { definitionOf, type ErrorCode } from '../shared/errors/index.ts'
import { counter, gauge, labelled, one } from './metrics/families.ts'

/** How long an ended call counts for the health report, milliseconds. */
const WINDOW = 600_000
/** Most ended calls looked at. */
const KEPT = 1000
/** Calls with the same verdict from which health warns. */
const REPEATED = 3
/** Share of the calls from which it does. */
const SHARE = 0.05

const SIDES = ['whatsapp', 'pbx'] as const

interface Finding {
  at: number
  codes: readonly ErrorCode[]
}

interface SideTotals {
  received: number
  sent: number
  lost: number
  silence: number
  mosSum: number
  mosCount: number
}

/** Sums up what the calls' media turned out to be: for the metrics, and for health when it repeats. */
export class MediaWatch {
  readonly #calls: CallRegistry
  readonly #clock: Clock
  readonly #recent: Finding[] = []
  readonly #verdicts = new Map<string, { code: ErrorCode; side: Side; count: number }>()
  readonly #results = new Map<string, number>()
  readonly #totals: Record<Side, SideTotals> = { whatsapp: nothing(), pbx: nothing() }
  readonly #unsubscribe: () => void

  constructor(calls: CallRegistry, clock: Clock) {
    this.#calls = calls
    this.#clock = clock
    this.#unsubscribe = calls.subscribe({
      ended: (record) => this.#onEnded(record),
      reported: (record) => this.#onReported(record),
    })
  }

  stop(): void {
    this.#unsubscribe()
  }

  /** One warning for each verdict that repeats across the calls of the last ten minutes. */
  checks(): HealthCheck[] {
    const now = this.#clock.now()
    while (this.#recent[0] && this.#recent[0].at < now - WINDOW) this.#recent.shift()
    const counts = new Map<ErrorCode, number>()
    let total = this.#recent.length
    const count = (code: ErrorCode): void => void counts.set(code, (counts.get(code) ?? 0) + 1)
    for (const { codes } of this.#recent) codes.forEach(count)
    for (const call of this.#calls.active()) {
      if (call.state !== 'answered') continue
      total++
      if (call.verdicts.length === 0) continue
      for (const code of new Set(call.verdicts.map((verdict) => verdict.code))) count(code)
    }
    return [...counts]
      .filter(([, found]) => found >= REPEATED && found >= total * SHARE)
      .map(([code, found]) => {
        const { summary, fix } = definitionOf(code)
        const output = `${code}: ${summary}, in ${found} of ${total} calls of the last 10 minutes; ${fix}`
        return { component: 'media', id: code, status: 'warn', output, ready: true }
      })
  }

  metrics(): MetricFamily[] {
    const bySide = (pick: (totals: SideTotals) => number): Sample[] =>
      SIDES.map((side) => ({ labels: { side }, value: pick(this.#totals[side]) }))
    return [
      counter(
        'media_verdicts',
        'Calls with a verdict on their media, by code and side.',
        [...this.#verdicts.values()].map(({ code, side, count }) => ({
          labels: { code, side },
          value: count,
        })),
      ),
      counter(
        'media_calls',
        'Answered calls that ended, by the verdict on their media.',
        [...this.#results].map(([verdict, value]) => ({ labels: { verdict }, value })),
      ),
      counter(
        'media_packets_received',
        'RTP packets received in ended calls.',
        bySide(({ received }) => received),
      ),
      counter(
        'media_packets_sent',
        'RTP packets sent in ended calls.',
        bySide(({ sent }) => sent),
      ),
      counter(
        'media_packets_lost',
        'RTP packets lost on the way to Causeway in ended calls.',
        bySide(({ lost }) => lost),
      ),
      counter(
        'media_silence_inserted',
        'Packets of silence made because the other side sent none, in ended calls.',
        bySide(({ silence }) => silence),
      ),
      counter(
        'media_mos_sum',
        'Sum of the E-model listening quality of what was received in ended calls.',
        bySide(({ mosSum }) => mosSum),
      ),
      counter(
        'media_mos_count',
        'Ended calls in causeway_media_mos_sum.',
        bySide(({ mosCount }) => mosCount),
      ),
    ]
  }

  #onEnded({ answeredAt, verdicts }: CallRecord): void {
    if (answeredAt === undefined) return
    const codes = [...new Set(verdicts.map((verdict) => verdict.code))]
    this.#recent.push({ at: this.#clock.now(), codes })
    if (this.#recent.length > KEPT) this.#recent.shift()
    for (const { code, side } of verdicts) {
      const key = `${code} ${side}`
      const entry = this.#verdicts.get(key)
      if (entry) entry.count++
      else this.#verdicts.set(key, { code, side, count: 1 })
    }
  }

  #onReported({ answeredAt, report }: CallRecord): void {
    if (!report || answeredAt === undefined) return
    this.#results.set(report.verdict, (this.#results.get(report.verdict) ?? 0) + 1)
    for (const side of SIDES) {
      const leg = report.legs[side]
      if (leg) add(this.#totals[side], leg)
    }
  }
}

/** Metrics of the relay itself. */
export function relayMetrics(status: AnchorStatus): MetricFamily[] {
  const { ports, transcoding } = status
  return [
    gauge('media_relay_calls', 'Calls the media relay holds.', one(status.calls)),
    gauge(
      'media_instance_up',
      'Whether a worker or rtpengine of the relay can take calls.',
      status.instances.map(({ name, available }) => ({
        labels: { instance: name },
        value: available ? 1 : 0,
      })),
    ),
    gauge(
      'media_instance_calls',
      'Calls on a worker or rtpengine.',
      status.instances.map(({ name, calls }) => ({ labels: { instance: name }, value: calls })),
    ),
    gauge(
      'media_ports',
      'UDP ports of the embedded relay.',
      ports
        ? labelled('state', { total: ports.total, used: ports.used, cooling: ports.cooling })
        : [],
    ),
    gauge(
      'media_transcoding_calls',
      'Calls that are converted between codecs.',
      transcoding ? one(transcoding.active) : [],
    ),
    gauge(
      'media_transcoding_limit',
      'Most calls that may be converted at a time.',
      transcoding ? one(transcoding.limit) : [],
    ),
    counter(
      'media_relay_events',
      'What the embedded relay counted since its start, by kind.',
      labelled('kind', status.totals),
    ),
  ]
}

function nothing(): SideTotals {
  return { received: 0, sent: 0, lost: 0, silence: 0, mosSum: 0, mosCount: 0 }
}

function add(totals: SideTotals, { received, sent, silenceInserted }: LegReport): void {
  totals.received += received.packets
  totals.sent += sent.packets
  totals.lost += received.lost
  totals.silence += silenceInserted
  if (received.mos === undefined) return
  totals.mosSum += received.mos
  totals.mosCount++
}
