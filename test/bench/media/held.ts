import { setTimeout as sleep } from 'node:timers/promises'
import { memoryBytes } from '../sip/process-tree.ts'
import { type Bench, startDriver } from './ladder.ts'
import { type Mode, usesDtls } from './modes.ts'
import type { BenchRelay } from './relays.ts'

/** Memory of a relay with a number of calls up. */
export interface Held {
  calls: number
  /** Octets, children included. */
  resident: number
  /** (resident - resident without calls) / calls. */
  residentPerCall: number
  /** Octets of heap that stay after a collection, where there is one. */
  heap: number | undefined
  heapPerCall: number | undefined
}

/** Seconds of traffic before each reading. */
const TRAFFIC = 4

/**
 * Builds up calls on a fresh relay to each of `levels`, lets all of them speak for some seconds and
 * reads its memory while they are up.
 */
export async function measureHeld(
  bench: Bench,
  relay: BenchRelay,
  mode: Mode,
  levels: readonly number[],
): Promise<Held[]> {
  const dtls = usesDtls(mode)
  const driver = await startDriver(bench, mode, dtls ? Math.max(...levels) + WARM_UP : 0)
  let up = 0
  const bring = async (count: number): Promise<void> => {
    const more = await relay.setUp(mode.name, driver.ends(count, dtls))
    await driver.add(more.map(({ line }) => line))
    if (dtls) await driver.keys(20)
    up += count
    await driver.run(0, TRAFFIC, relay.pid)
  }
  try {
    // What is loaded and compiled with the first calls is no call's.
    await bring(WARM_UP)
    const empty = await read(relay)
    const results: Held[] = []
    for (const level of levels) {
      await bring(level - (up - WARM_UP))
      const now = await read(relay)
      results.push({
        calls: level,
        ...now,
        residentPerCall: (now.resident - empty.resident) / level,
        heapPerCall: now.heap && empty.heap ? (now.heap - empty.heap) / level : undefined,
      })
    }
    return results
  } finally {
    await driver.stop()
    await relay.release()
  }
}

/** Calls that are up before the first reading. */
const WARM_UP = 20

async function read(relay: BenchRelay): Promise<{ resident: number; heap: number | undefined }> {
  const heap = await relay.collect()
  // Collected pages go back to the system in the background.
  if (heap !== undefined) await sleep(2000)
  return { heap, resident: memoryBytes(relay.pid) }
}
