import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuSeconds } from '../sip/process-tree.ts'
import { compileDriver } from './driver.ts'
import { measureHeld } from './held.ts'
import { type Bench, measureKeys, runDirect, runStep, type Step, startDriver } from './ladder.ts'
import { MODES, type Mode, usesDtls } from './modes.ts'
import { HELP, type MediaBenchOptions, readOptions } from './options.ts'
import { type BenchRelay, type RelayName, startRelay } from './relays.ts'
import { type MediaResult, ratios, stepLine, table } from './report.ts'

/** Calls of the warm-up of a relay, and of the set-ups to keys that are timed. */
const WARM_UP = 100
const KEYED = 200
/** Ports of a call: two legs, RTCP beside RTP until the remote shares, and some cooling down. */
const PORTS_A_CALL = 6
/** Until ports of former calls are free again, and a relay has got over its last step. */
const COOLING_MS = 6_000
/** Share of lost packets that ends a ladder. */
const OVERLOAD = 0.02
/** Steps that are run again because something else kept the machine busy. */
const DISTURBED = 2

/** Measures calls through the embedded relay and through rtpengine in turn. */
export async function benchMedia(args: string[]): Promise<void> {
  const options = readOptions(args)
  if (!options) {
    console.log(HELP)
    return
  }
  const started = new Date()
  const pinned = options.pin && cpus().length > 1
  console.log(`# ${cpus().length} processors, ${cpus()[0]?.model}, Linux ${release()}`)
  console.log(
    pinned
      ? '# relay bound to processor 0, load driver to processor 1'
      : '# relay and load driver on any processor',
  )
  console.log(`# load average ${loadavg()[0]!.toFixed(2)} before the first step`)
  const driver = compileDriver()
  const { seconds, poll: polls } = options
  const bench: Bench = { driver: driver.path, seconds, core: pinned ? 1 : undefined, polls }
  const core = pinned ? 0 : undefined
  const direct: Step[] = []
  const results: MediaResult[] = []
  try {
    for (const calls of options.calls) {
      const step = await runDirect({ ...bench, seconds: Math.min(4, seconds) }, MODES[0]!, calls)
      console.log(stepLine('', step))
      direct.push(step)
    }
    for (const mode of options.modes) {
      results.push(...(await measureMode(bench, mode, options, core)))
    }
  } finally {
    driver.remove()
  }
  console.log(`\n${table(results, direct)}\n`)
  console.log('CPU per packet, embedded over rtpengine, by calls:')
  for (const line of ratios(results)) console.log(`  ${line}`)
  const machine = { processors: cpus().length, model: cpus()[0]?.model, kernel: release() }
  const asked = { ...options, modes: options.modes.map(({ name }) => name), pinned }
  mkdirSync(dirname(options.json), { recursive: true })
  writeFileSync(
    options.json,
    JSON.stringify({ started, machine, options: asked, direct, results }, null, 2),
  )
  console.log(`written to ${options.json}`)
}

/** One kind of call on every relay; steps of equal calls follow each other. */
async function measureMode(
  bench: Bench,
  mode: Mode,
  options: MediaBenchOptions,
  core: number | undefined,
): Promise<MediaResult[]> {
  const ports = PORTS_A_CALL * Math.max(...options.calls, options.setUp, KEYED) + 200
  const rows: { result: MediaResult; relay: BenchRelay | undefined }[] = []
  for (const name of options.relays) {
    const result = emptyResult(mode, name)
    const relay = await startRelay(name, { ports, core }).catch((error: unknown) => {
      note(result, error)
      return undefined
    })
    rows.push({ result, relay })
  }
  const each = async (act: (result: MediaResult, relay: BenchRelay) => Promise<void>) => {
    for (const { result, relay } of rows) {
      if (relay) await act(result, relay).catch((error) => note(result, error))
    }
  }
  try {
    await each(async (_result, relay) => {
      await runStep({ ...bench, seconds: 3 }, relay, mode, WARM_UP)
    })
    await ladder(bench, mode, options, each)
    if (options.setUp > 0)
      await each((result, relay) => setUps(bench, mode, options, result, relay))
  } finally {
    for (const { relay } of rows) await relay?.stop()
  }
  if (options.held.length > 0) {
    for (const { result } of rows) {
      await held(bench, mode, options, result, core).catch((error) => note(result, error))
    }
  }
  return rows.map(({ result }) => result)
}

type ForEach = (act: (result: MediaResult, relay: BenchRelay) => Promise<void>) => Promise<void>

/**
 * Rising numbers of calls, until one loses more than {@link OVERLOAD} of the packets in all its tries:
 * a packet or two may be the machine's doing. Steps that were disturbed do not count.
 */
async function ladder(
  bench: Bench,
  mode: Mode,
  options: MediaBenchOptions,
  each: ForEach,
): Promise<void> {
  const over = new Set<RelayName>()
  for (const calls of options.calls) {
    await each(async (result, relay) => {
      let least: number | undefined
      let counted = 0
      const most = options.tries + DISTURBED
      for (let n = 0; n < most && counted < options.tries && !over.has(relay.name); n++) {
        await sleep(500)
        const step = await runStep(bench, relay, mode, calls).catch((error: unknown) => {
          over.add(relay.name)
          throw error
        })
        console.log(stepLine(mode.title, step))
        result.steps.push(step)
        if (!step.valid) continue
        if (step.clean) return
        counted++
        least = Math.min(least ?? 1, (step.lost[0] + step.lost[1]) / step.sent)
      }
      if (least !== undefined && least > OVERLOAD) over.add(relay.name)
    })
  }
}

async function setUps(
  bench: Bench,
  mode: Mode,
  options: MediaBenchOptions,
  result: MediaResult,
  relay: BenchRelay,
): Promise<void> {
  const dtls = usesDtls(mode)
  await sleep(COOLING_MS)
  if (dtls) result.keysMs = await measureKeys(bench, relay, mode, KEYED)
  const driver = await startDriver(bench, mode, dtls ? 1 : 0)
  try {
    const [end] = driver.ends(1, dtls)
    const before = cpuSeconds(relay.pid)
    const rate = await relay.measureSetUp(mode.name, end!, options.setUp, 10)
    const cpuMs = ((cpuSeconds(relay.pid) - before) * 1000) / rate.calls
    result.setUp = { ...rate, cpuMs }
  } finally {
    await driver.stop()
  }
}

async function held(
  bench: Bench,
  mode: Mode,
  options: MediaBenchOptions,
  result: MediaResult,
  core: number | undefined,
): Promise<void> {
  const ports = PORTS_A_CALL * Math.max(...options.held) + 200
  const relay = await startRelay(result.relay, { ports, core, collects: true })
  try {
    result.held = await measureHeld(bench, relay, mode, options.held)
    for (const { calls, residentPerCall } of result.held) {
      const kilobytes = (residentPerCall / 1024).toFixed(1)
      console.log(`${mode.title} ${result.relay}: ${calls} calls, ${kilobytes} KiB a call`)
    }
  } finally {
    await relay.stop()
  }
}

function emptyResult({ name, title }: Mode, relay: RelayName): MediaResult {
  return { mode: name, title, relay, steps: [], setUp: undefined, keysMs: undefined, held: [] }
}

function note(result: MediaResult, error: unknown): void {
  result.error = String(error)
  console.log(`${result.title} ${result.relay}: ${error}`)
}
