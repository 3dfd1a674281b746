import { loadavg } from 'node:os'
import { freePort } from '../../peers/support/ports.ts'
import { startSipp } from '../../peers/support/sipp.ts'
import { type BenchRow, scenario } from './peer.ts'
import { cpuSeconds } from './process-tree.ts'

/** Milliseconds. */
export interface Delay {
  p50: number
  p99: number
}

/** One step of the ladder. */
export interface Step {
  /** Calls a second. */
  rate: number
  offered: number
  failed: number
  retransmissions: number
  /** Whether no call failed and nothing was sent twice, on either side. */
  clean: boolean
  /** Milliseconds of the peer's processor time for each call. */
  cpuPerCall: number | undefined
  /** Processors the peer used on average. */
  cores: number | undefined
  /** INVITE to 180 and to 200 as the caller saw it. */
  ringing: Delay
  answer: Delay
  /** Load average of the machine before the step. */
  load: number
  /** What SIPp said, when the step was not clean. */
  errors?: string
}

/** Where a step is run. */
export interface StepTarget {
  row: BenchRow
  calleePort: number
  /** The peer; undefined: the callee is called directly. */
  peer: { pid: number; port: number } | undefined
}

/** Offers `rate` calls a second for some seconds; each is hung up as soon as it is answered. */
export async function runStep(target: StepTarget, rate: number, seconds: number): Promise<Step> {
  const { row, peer, calleePort } = target
  const load = loadavg()[0]!
  const offered = Math.round(rate * seconds)
  const common = { keys: row.keys, ...(row.args ? { args: row.args } : {}) }
  const callee = await startSipp({ scenario: scenario(row.callee), port: calleePort, ...common })
  const before = peer ? cpuSeconds(peer.pid) : 0
  const started = performance.now()
  const caller = await startSipp({
    ...common,
    scenario: scenario(row.caller),
    port: await freePort(),
    target: `127.0.0.1:${peer?.port ?? calleePort}`,
    args: [
      ...(row.args ?? []),
      ...['-s', row.service, '-r', String(rate), '-m', String(offered), '-d', '0'],
      ...['-l', String(rate * 10 + 1000), '-recv_timeout', '20000', '-timeout', `${seconds + 40}s`],
    ],
  })
  const result = await caller.done()
  const cpu = peer ? cpuSeconds(peer.pid) - before : undefined
  const wall = (performance.now() - started) / 1000
  const other = await callee.stop()
  const failed = result.failed + Math.max(0, offered - result.created)
  const retransmissions = result.retransmissions + other.retransmissions
  const clean = failed === 0 && retransmissions === 0 && result.succeeded === offered
  return {
    rate,
    offered,
    failed,
    retransmissions,
    clean,
    cpuPerCall: cpu === undefined ? undefined : (cpu * 1000) / Math.max(1, result.succeeded),
    cores: cpu === undefined ? undefined : cpu / wall,
    ringing: delay(result.times.get('1')),
    answer: delay(result.times.get('2')),
    load,
    ...(clean ? {} : { errors: `caller: ${result.errors}\ncallee: ${other.errors}` }),
  }
}

function delay(times: number[] = []): Delay {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99) }
}
