import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../peers/support/ports.ts'
import { measureHeld } from './held.ts'
import { runStep, type Step, type StepTarget } from './ladder.ts'
import { type BenchOptions, HELP, readOptions } from './options.ts'
import type { BenchRow } from './peer.ts'
import { type RowResult, stepLine, table } from './report.ts'
import { direct, rows } from './rows.ts'

/** Measures SIPp through each peer in turn: rates, processor time, delays and memory. */
export async function benchSip(args: string[]): Promise<void> {
  const options = readOptions(args)
  if (!options) {
    console.log(HELP)
    return
  }
  const chosen = options.peers.map((name) => {
    const row = rows.find((candidate) => candidate.name === name)
    if (!row) throw new RangeError(`${name} is none of ${rows.map((each) => each.name).join(', ')}`)
    return row
  })
  const started = new Date()
  console.log(`# ${cpus().length} processors, ${cpus()[0]?.model}, Linux ${release()}`)
  console.log(`# load average ${loadavg()[0]!.toFixed(2)} before the first step`)
  const base = await ladder(direct, options)
  const results: RowResult[] = []
  for (const row of chosen) results.push(await measure(row, options))
  console.log(`\n${table(results, base)}\n`)
  const file = options.json
  mkdirSync(dirname(file), { recursive: true })
  const machine = { processors: cpus().length, model: cpus()[0]?.model, kernel: release() }
  writeFileSync(file, JSON.stringify({ started, machine, options, direct: base, results }, null, 2))
  console.log(`written to ${file}`)
}

async function measure(row: BenchRow, options: BenchOptions): Promise<RowResult> {
  const result: RowResult = { name: row.name, steps: [], held: [] }
  try {
    result.steps = await ladder(row, options)
    if (row.start && options.held.length > 0) {
      result.held = await measureHeld(row, row.start, options.held, options.settle)
      for (const { calls, residentPerCall } of result.held) {
        console.log(
          `${row.name.padEnd(18)}  ${calls} held: ${Math.round(residentPerCall)} bytes a call`,
        )
      }
    }
  } catch (error) {
    result.error = String(error)
    console.log(`${row.name}: ${error}`)
  }
  return result
}

/** Rising rates until one fails in all its tries. */
async function ladder(row: BenchRow, options: BenchOptions): Promise<Step[]> {
  const calleePort = await freePort()
  const peer = await row.start?.(calleePort)
  const target: StepTarget = { row, calleePort, peer }
  const steps: Step[] = []
  try {
    // Programs are paged in and compiled before the first step counts.
    await runStep(target, 50, 4)
    for (const rate of options.rates) {
      let clean = false
      for (let attempt = 0; attempt < options.tries && !clean; attempt++) {
        await sleep(1000)
        const step = await runStep(target, rate, options.seconds)
        console.log(stepLine(row.name, step))
        steps.push(step)
        clean = step.clean
      }
      if (!clean) break
    }
  } finally {
    await peer?.stop()
  }
  return steps
}
