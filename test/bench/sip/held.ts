import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../peers/support/ports.ts'
import { type Sipp, startSipp } from '../../peers/support/sipp.ts'
import { type BenchPeer, type BenchRow, type StartPeer, scenario } from './peer.ts'
import { memoryBytes } from './process-tree.ts'

/** Memory with a number of calls up. */
export interface Held {
  /** Calls that were up when it was read. */
  calls: number
  /** Bytes, children included. */
  resident: number
  /** (resident - resident without calls) / calls. */
  residentPerCall: number
  /** Bytes of heap that stay after a collection, where there is one. */
  heap: number | undefined
  heapPerCall: number | undefined
}

/** Calls a second while calls are built up: all peers stand it. */
const RAMP = 100

/** How long a held call stays up: longer than the measurement. */
const HOLD_MS = 900_000

/**
 * Warms a fresh peer up with 1000 short calls, then builds up calls to each of `levels`, lets it
 * settle and reads its memory. The calls are not hung up: the peer is stopped afterwards.
 */
export async function measureHeld(
  row: BenchRow,
  start: StartPeer,
  levels: readonly number[],
  settle: number,
): Promise<Held[]> {
  const calleePort = await freePort()
  const common = { keys: row.keys, args: row.args ?? [] }
  const callee = await startSipp({ scenario: scenario(row.callee), port: calleePort, ...common })
  const peer = await start(calleePort, true)
  const callers: Sipp[] = []
  try {
    const call = async (count: number, hold: number): Promise<Sipp> =>
      startSipp({
        ...common,
        scenario: scenario(row.caller),
        port: await freePort(),
        target: `127.0.0.1:${peer.port}`,
        args: [
          ...(row.args ?? []),
          ...['-s', row.service, '-r', String(RAMP), '-m', String(count)],
          ...['-l', String(count), '-d', String(hold)],
        ],
      })
    await (await call(1000, 0)).done()
    await sleep(settle * 1000)
    const empty = await read(peer)
    const results: Held[] = []
    let up = 0
    for (const level of levels) {
      const caller = await call(level - up, HOLD_MS)
      callers.push(caller)
      await sleep(((level - up) / RAMP + settle) * 1000)
      up = level
      const calls = callers.reduce((sum, each) => sum + each.counts().current, 0)
      const now = await read(peer)
      results.push({
        calls,
        ...now,
        residentPerCall: (now.resident - empty.resident) / calls,
        heapPerCall: now.heap && empty.heap ? (now.heap - empty.heap) / calls : undefined,
      })
    }
    return results
  } finally {
    for (const caller of callers) await caller.stop()
    await peer.stop()
    await callee.stop()
  }
}

async function read(peer: BenchPeer): Promise<{ resident: number; heap: number | undefined }> {
  const heap = await peer.collect?.()
  // Collected pages go back to the system in the background.
  if (peer.collect) await sleep(2000)
  return { heap, resident: memoryBytes(peer.pid) }
}
