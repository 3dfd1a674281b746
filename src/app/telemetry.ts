import type { CallRegistry } from '../calls/index.ts'
import type { Config } from '../config/types.ts'
import type { MetricFamily } from '../http/index.ts'
import type { Clock } from '../shared/clock.ts'
import type { Logger } from '../shared/log.ts'
import type { SpanCounters } from '../telemetry/index.ts'
import { counter, labelled } from './metrics/families.ts'

/** The spans of a running instance. */
export interface Spans {
  readonly counters: SpanCounters
  stop(): Promise<void>
}

/** Starts the spans where they are configured; the libraries are loaded only then. */
export async function openSpans(
  config: Config,
  deps: { version: string; calls: CallRegistry; clock: Clock; log: Logger },
): Promise<Spans | undefined> {
  if (!config.telemetry) return undefined
  const { Telemetry } = await import('../telemetry/index.ts')
  const telemetry = new Telemetry({ config: config.telemetry, ...deps })
  const unsubscribe = deps.calls.subscribe({ ended: (record) => telemetry.ended(record) })
  return {
    counters: telemetry.counters,
    stop() {
      unsubscribe()
      return telemetry.stop()
    },
  }
}

/** Zero without spans, so that a dashboard finds the metric. */
export function spanMetrics(spans: Spans | undefined): MetricFamily[] {
  const { made, exported, failed } = spans?.counters ?? { made: 0, exported: 0, failed: 0 }
  return [
    counter(
      'telemetry_spans',
      'Spans made, and what became of them at the collector.',
      labelled('result', { made, exported, failed }),
    ),
  ]
}
