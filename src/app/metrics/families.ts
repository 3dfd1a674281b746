import type { MetricFamily, Sample } from '../../http/index.ts'
import type { HistogramState } from '../../shared/histogram.ts'

/** A gauge; the name carries no prefix. */
export function gauge(name: string, help: string, samples: Sample[]): MetricFamily {
  return { name, help, type: 'gauge', samples }
}

/** A counter; the name carries neither prefix nor `_total`. */
export function counter(name: string, help: string, samples: Sample[]): MetricFamily {
  return { name, help, type: 'counter', samples }
}

/** A histogram out of one state for each set of labels. */
export function histogram(
  name: string,
  help: string,
  states: readonly { labels: Record<string, string>; state: HistogramState }[],
): MetricFamily {
  const samples = states.flatMap(({ labels, state }) => histogramSamples(labels, state))
  return { name, help, type: 'histogram', samples }
}

/** The only sample of a metric without labels. */
export function one(value: number): Sample[] {
  return [{ labels: {}, value }]
}

/** A sample for each key, which is the value of the one label. */
export function labelled(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value }))
}

/** Buckets hold what is at most their bound: they are added up here. */
function histogramSamples(labels: Record<string, string>, state: HistogramState): Sample[] {
  let below = 0
  const buckets = state.bounds.map((bound, index): Sample => {
    below += state.counts[index]!
    return { part: 'bucket', labels: { ...labels, le: String(bound) }, value: below }
  })
  return [
    ...buckets,
    { part: 'bucket', labels: { ...labels, le: '+Inf' }, value: state.count },
    { part: 'sum', labels, value: state.sum },
    { part: 'count', labels, value: state.count },
  ]
}
