import type { SetUpRate } from './call-set.ts'
import type { Held } from './held.ts'
import type { Step } from './ladder.ts'
import type { Mode } from './modes.ts'
import type { RelayName } from './relays.ts'

/** What was measured of one kind of call on one relay. */
export interface MediaResult {
  mode: Mode['name']
  title: string
  relay: RelayName
  /** Every step that was run, retries included. */
  steps: Step[]
  /** With the relay's milliseconds of processor time for each set-up and release. */
  setUp: (SetUpRate & { cpuMs: number }) | undefined
  /** Set-up to keys, one call after the other. */
  keysMs: { p50: number; p99: number } | undefined
  held: Held[]
  /** Why figures are missing. */
  error?: string
}

/** Delay beyond that of the driver alone with as many calls. */
export function added(step: Step, direct: readonly Step[]): { p50: number; p99: number } {
  const base = direct.find(({ calls }) => calls === step.calls)
  const over = (of: 'p50' | 'p99'): number =>
    Math.max(0, step.delay[of] - (base?.delay[of] ?? Number.NaN))
  return { p50: over('p50'), p99: over('p99') }
}

/** The last step without loss that counts. */
export function highest(steps: readonly Step[]): Step | undefined {
  return steps.findLast(({ clean, valid }) => clean && valid)
}

/** One line for each step. */
export function stepLine(title: string, step: Step): string {
  const { lost, delay, behindMs, keysMs } = step
  return [
    title.padEnd(10),
    step.relay.padEnd(9),
    `${step.calls} calls`.padStart(10),
    `lost ${lost[0]}/${lost[1]}`.padStart(14),
    step.relay === 'direct' ? ''.padStart(24) : cpu(step).padStart(24),
    `delay ${show(delay.p50, 2)}/${show(delay.p99, 2)} ms`.padStart(22),
    `behind ${show(behindMs.p99)}/${show(behindMs.max)} ms`.padStart(20),
    keysMs ? `keys ${show(keysMs.p50)}/${show(keysMs.p99)} ms` : '',
    step.bad > 0 ? `${step.bad} not authentic` : '',
    `others ${show(step.others, 2)} cores`,
    step.valid ? '' : 'does not count',
  ].join('  ')
}

/** The table of all rows, as Markdown. */
export function table(results: readonly MediaResult[], direct: readonly Step[]): string {
  const levels = [...new Set(results.flatMap(({ held }) => held.map(({ calls }) => calls)))]
  const heads = [
    'calls',
    'relay',
    'most without loss',
    'µs per packet at 200',
    'at 400',
    'there',
    'added delay p50/p99 at 200',
    'there',
    'set-ups a second (ms CPU)',
    'set-up to keys p50/p99',
    ...levels.map((level) => `memory per call at ${level}`),
  ]
  const lines = results.map((result) => {
    const { title, relay, steps, setUp, keysMs, held } = result
    const best = highest(steps)
    const at = (calls: number): Step | undefined =>
      steps.findLast((step) => step.calls === calls && step.valid && step.clean) ??
      steps.findLast((step) => step.calls === calls && step.valid)
    return [
      title,
      relay,
      best ? String(best.calls) : (result.error ?? 'none'),
      micros(at(200)),
      micros(at(400)),
      best ? cpu(best) : '',
      delays(at(200), direct),
      delays(best, direct),
      setUp ? `${show(setUp.perSecond, 0)} (${show(setUp.cpuMs, 2)})` : '',
      keysMs ? `${show(keysMs.p50)}/${show(keysMs.p99)} ms` : '',
      ...levels.map((level) => memory(held.find(({ calls }) => calls === level))),
    ]
  })
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [row(heads), row(heads.map(() => '---')), ...lines.map(row)].join('\n')
}

/** How the relays compare at equal calls: processor time for each packet, by calls. */
export function ratios(results: readonly MediaResult[]): string[] {
  const lines: string[] = []
  for (const one of results.filter(({ relay }) => relay === 'embedded')) {
    const other = results.find(({ mode, relay }) => mode === one.mode && relay === 'rtpengine')
    const each: string[] = []
    for (const calls of new Set(one.steps.map((step) => step.calls))) {
      const [ours, theirs] = [one, other].map((result) =>
        result?.steps.findLast((step) => step.calls === calls && step.valid && step.clean),
      )
      if (!ours || !theirs) continue
      each.push(`${calls}: ${show(ours.microsPerPacket / theirs.microsPerPacket, 2)}`)
    }
    if (each.length > 0) lines.push(`${one.title}: ${each.join(', ')}`)
  }
  return lines
}

function cpu(step: Step): string {
  return `${show(step.microsPerPacket)} µs, ${show(step.cores, 2)} cores`
}

function micros(step: Step | undefined): string {
  if (!step) return ''
  return `${show(step.microsPerPacket)}${step.clean ? '' : ' (loss)'}`
}

function delays(step: Step | undefined, direct: readonly Step[]): string {
  if (!step) return ''
  const { p50, p99 } = added(step, direct)
  return `${show(p50, 2)}/${show(p99, 2)} ms`
}

function memory(held: Held | undefined): string {
  if (!held) return ''
  const heap = held.heapPerCall === undefined ? '' : ` (heap ${kilobytes(held.heapPerCall)})`
  return `${kilobytes(held.residentPerCall)}${heap}`
}

function kilobytes(octets: number): string {
  return `${show(octets / 1024)} KiB`
}

function show(value: number, digits = 1): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-'
}
