import { loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { share } from './call-set.ts'
import { type Delay, Driver, type LoadResult } from './driver.ts'
import { type Mode, usesDtls } from './modes.ts'
import { watchOthers } from './others.ts'
import { payloadsFor } from './payloads.ts'
import type { BenchRelay, RelayName } from './relays.ts'

/** One step of a ladder: so many calls at once. */
export interface Step extends LoadResult {
  relay: RelayName | 'direct'
  /** Microseconds of the relay's processor time for each packet into it. */
  microsPerPacket: number
  /** Processors it used. */
  cores: number
  /** Of both directions together: the worse one. */
  delay: Delay
  /** Whether every packet arrived. */
  clean: boolean
  /** Processors the rest of the machine used meanwhile. */
  others: number
  /**
   * Whether the driver kept its clock and the rest of the machine was quiet: otherwise the step tells
   * of the machine, not of the relay.
   */
  valid: boolean
  /** Milliseconds until all calls were set up, ten at a time. */
  setUpMs: number
  /** Milliseconds from the beginning of a set-up to its keys, with DTLS. */
  keysMs: { p50: number; p99: number } | undefined
  /** Load average of the machine before the step. */
  load: number
}

/** Where and how steps are run. */
export interface Bench {
  /** The compiled driver. */
  driver: string
  seconds: number
  /** Processor of the driver; undefined: any. */
  core: number | undefined
  polls: boolean
}

/** Seconds of each step that do not count: latching, and the first packets of all calls. */
const LEAD = 1
/** Milliseconds the driver may be behind, but for one percent of the time. */
const BEHIND = 20
/** Processors the rest of the machine may use. */
const OTHERS = 0.3
/** Seconds the handshakes of a step may take. */
const HANDSHAKES = 20

/** So many calls at once through a relay; they are set up before and released after. */
export async function runStep(
  bench: Bench,
  relay: BenchRelay,
  mode: Mode,
  calls: number,
): Promise<Step> {
  const load = loadavg()[0]!
  const dtls = usesDtls(mode)
  const driver = await startDriver(bench, mode, dtls ? calls : 0)
  try {
    const start = performance.now()
    const up = await relay.setUp(mode.name, driver.ends(calls, dtls))
    const setUpMs = performance.now() - start
    await driver.add(up.map(({ line }) => line))
    const times = dtls ? await handshakes(driver, up) : undefined
    const others = watchOthers()
    const result = await driver.run(LEAD, bench.seconds, relay.pid)
    const keysMs = times && quantiles(times)
    return step(relay.name, result, { setUpMs, keysMs, load, others: others() })
  } finally {
    await driver.stop()
    await relay.release()
  }
}

/** The driver's two sides without a relay between them: the base of every delay. */
export async function runDirect(bench: Bench, mode: Mode, calls: number): Promise<Step> {
  const load = loadavg()[0]!
  const driver = await startDriver(bench, mode, 0)
  try {
    const { payloadType } = mode.pbx.codec
    const lines = driver.ends(calls, false).map(({ pbxPort, whatsappPort }) => {
      const side = (from: number, to: number): string => `${payloadType} 160 ${from} ${to} - -`
      return `call ${side(pbxPort, whatsappPort)} ${side(whatsappPort, pbxPort)}`
    })
    await driver.add(lines)
    const others = watchOthers()
    const result = await driver.run(LEAD, bench.seconds, 0)
    return step('direct', result, { setUpMs: 0, keysMs: undefined, load, others: others() })
  } finally {
    await driver.stop()
  }
}

/** Milliseconds from the beginning of a set-up to its keys, of calls set up one after the other. */
export async function measureKeys(
  bench: Bench,
  relay: BenchRelay,
  mode: Mode,
  calls: number,
): Promise<{ p50: number; p99: number }> {
  const driver = await startDriver(bench, mode, calls)
  try {
    const times: number[] = []
    for (const end of driver.ends(calls, true)) {
      const [up] = await relay.setUp(mode.name, [end])
      await driver.add([up!.line])
      const { at } = await driver.keys(HANDSHAKES)
      times.push((at.at(-1)! - up!.startedAt) / 1e6)
      await sleep(20)
    }
    return quantiles(times)
  } finally {
    await driver.stop()
    await relay.release()
  }
}

export async function startDriver(bench: Bench, mode: Mode, dtls: number): Promise<Driver> {
  const { core, polls } = bench
  return Driver.start(bench.driver, await payloadsFor(mode), dtls, { core, polls })
}

async function handshakes(driver: Driver, up: readonly { startedAt: number }[]): Promise<number[]> {
  const { ready, all, at } = await driver.keys(HANDSHAKES)
  if (ready < all) throw new Error(`${all - ready} of ${all} DTLS handshakes did not come through`)
  return at.map((time, i) => (time - up[i]!.startedAt) / 1e6)
}

function quantiles(times: number[]): { p50: number; p99: number } {
  times.sort((a, b) => a - b)
  return { p50: share(times, 0.5), p99: share(times, 0.99) }
}

function step(
  relay: Step['relay'],
  result: LoadResult,
  more: Pick<Step, 'setUpMs' | 'keysMs' | 'load' | 'others'>,
): Step {
  const [one, other] = result.delayMs
  return {
    relay,
    ...result,
    ...more,
    microsPerPacket: (result.relayCpu * 1e6) / result.sent,
    cores: result.relayCpu / result.seconds,
    delay: {
      p50: Math.max(one.p50, other.p50),
      p99: Math.max(one.p99, other.p99),
      max: Math.max(one.max, other.max),
    },
    clean: result.lost[0] === 0 && result.lost[1] === 0 && result.bad === 0,
    valid: result.behindMs.p99 <= BEHIND && more.others <= OTHERS,
  }
}
