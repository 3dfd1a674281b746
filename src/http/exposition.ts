import type { MetricFamily, Sample } from './operations.ts'

/** `openmetrics`: OpenMetrics 1.0. `text`: the format before it, Prometheus text 0.0.4. */
export type Exposition = 'openmetrics' | 'text'

/** Media types of the formats. */
export const CONTENT_TYPES: Readonly<Record<Exposition, string>> = {
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  text: 'text/plain; version=0.0.4; charset=utf-8',
}

/**
 * Families as text. One without samples is left out; names get `prefix`. Counters end in `_total`: in
 * OpenMetrics their samples alone do, in the older format the family as well.
 */
export function expose(
  families: readonly MetricFamily[],
  prefix: string,
  format: Exposition = 'openmetrics',
): string {
  let text = ''
  for (const { name, help, type, samples } of families) {
    if (samples.length === 0) continue
    const base = prefix + name
    const total = type === 'counter' ? `${base}_total` : base
    const family = format === 'text' ? total : base
    text += `# HELP ${family} ${escapeHelp(help)}\n# TYPE ${family} ${type}\n`
    for (const sample of samples) {
      const full = sample.part === undefined ? total : `${base}_${sample.part}`
      text += `${full}${labelsOf(sample.labels)} ${numberOf(sample)}\n`
    }
  }
  return format === 'openmetrics' ? `${text}# EOF\n` : text
}

/** The format a client asks for: the older one only when it names that and not OpenMetrics. */
export function chooseExposition(accept: string | undefined): Exposition {
  const wanted = accept?.toLowerCase() ?? ''
  return wanted.includes('text/plain') && !wanted.includes('openmetrics') ? 'text' : 'openmetrics'
}

function labelsOf(labels: Record<string, string>): string {
  let inner = ''
  for (const name in labels) {
    inner += `${inner === '' ? '{' : ','}${name}="${escapeLabel(labels[name]!)}"`
  }
  return inner === '' ? '' : `${inner}}`
}

function numberOf({ value }: Sample): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

function escapeLabel(value: string): string {
  if (!/[\\"\n]/.test(value)) return value
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')
}

function escapeHelp(help: string): string {
  return help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"')
}
