import type { MetricFamily } from '../../http/index.ts'
import type { GraphMeter } from '../../settings/index.ts'
import { counter, histogram } from './families.ts'

/** Metrics of the requests to the Graph API. */
export function graphFamilies(meter: GraphMeter): MetricFamily[] {
  const counts = meter.counts()
  return [
    counter(
      'graph_requests',
      'Requests to the Graph API, each attempt, by operation and outcome.',
      counts.flatMap(({ operation, outcomes }) =>
        [...outcomes].map(([outcome, value]) => ({ labels: { operation, outcome }, value })),
      ),
    ),
    histogram(
      'graph_request_seconds',
      'From a request to the Graph API to its answer.',
      counts.map(({ operation, duration }) => ({ labels: { operation }, state: duration })),
    ),
    counter(
      'graph_waits',
      'Times a request to the Graph API waited for its turn, or to be sent again.',
      counts.map(({ operation, waits }) => ({ labels: { operation }, value: waits })),
    ),
    counter(
      'graph_waits_seconds',
      'Time those waits took.',
      counts.map(({ operation, waitedSeconds }) => ({
        labels: { operation },
        value: waitedSeconds,
      })),
    ),
  ]
}
