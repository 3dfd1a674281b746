import type { Held } from './held.ts'
import type { Delay, Step } from './ladder.ts'

/** What was measured of one row. */
export interface RowResult {
  name: string
  /** Every step that was run, retries included. */
  steps: Step[]
  held: Held[]
  /** Why the row has no figures. */
  error?: string
}

/** Delay beyond the direct one at the same rate. */
export function added(step: Step, direct: readonly Step[]): Delay {
  const base = direct.find((other) => other.rate === step.rate && other.clean) ?? direct[0]
  return {
    p50: step.ringing.p50 - (base?.ringing.p50 ?? Number.NaN),
    p99: step.ringing.p99 - (base?.ringing.p99 ?? Number.NaN),
  }
}

/** The last clean step. */
export function highest(steps: readonly Step[]): Step | undefined {
  return steps.findLast((step) => step.clean)
}

/** One line for each step. */
export function stepLine(name: string, step: Step): string {
  const { ringing, answer } = step
  return [
    name.padEnd(18),
    `${step.rate}/s`.padStart(7),
    `${step.failed} failed`.padStart(12),
    `${step.retransmissions} retransmitted`.padStart(20),
    step.cpuPerCall === undefined ? '' : `${show(step.cpuPerCall, 2)} ms CPU`.padStart(12),
    step.cores === undefined ? '' : `${show(step.cores, 2)} cores`.padStart(11),
    `180 ${show(ringing.p50)}/${show(ringing.p99)} ms`.padStart(18),
    `200 ${show(answer.p50)}/${show(answer.p99)} ms`.padStart(18),
    `load ${show(step.load)}`,
  ].join('  ')
}

/** The table of all rows, as Markdown. */
export function table(results: readonly RowResult[], direct: readonly Step[]): string {
  const levels = [...new Set(results.flatMap((row) => row.held.map((_, index) => index)))]
  const heads = [
    'peer',
    'highest clean rate',
    'CPU per call there',
    'CPU per call at the first rate',
    'added INVITE to 180 p50/p99 at the first rate',
    'the same at the highest clean rate',
    'INVITE to 200 p99 first/highest',
    ...levels.map((index) => {
      const calls = Math.max(...results.map((row) => row.held[index]?.calls ?? 0))
      return `memory per call at ${calls}`
    }),
  ]
  const lines = results.map((row) => {
    const best = highest(row.steps)
    const first = row.steps.find((step) => step.clean)
    if (!best || !first) return [row.name, row.error ?? 'none']
    const low = added(first, direct)
    const high = added(best, direct)
    return [
      row.name,
      `${best.rate}/s`,
      cpu(best),
      cpu(first),
      `${show(low.p50)}/${show(low.p99)} ms`,
      `${show(high.p50)}/${show(high.p99)} ms`,
      `${show(first.answer.p99)}/${show(best.answer.p99)} ms`,
      ...levels.map((index) => memory(row.held[index])),
    ]
  })
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const all = lines.map((cells) => [...cells, ...heads.slice(cells.length).map(() => '')])
  return [row(heads), row(heads.map(() => '---')), ...all.map(row)].join('\n')
}

function cpu(step: Step): string {
  return step.cpuPerCall === undefined ? '' : `${show(step.cpuPerCall, 2)} ms`
}

function memory(held: Held | undefined): string {
  if (!held) return ''
  const heap = held.heapPerCall === undefined ? '' : ` (heap ${kilobytes(held.heapPerCall)})`
  return `${kilobytes(held.residentPerCall)}${heap}`
}

function kilobytes(bytes: number): string {
  return `${show(bytes / 1024)} KiB`
}

function show(value: number, digits = 1): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-'
}
