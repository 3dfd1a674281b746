import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createRtpengineRelay } from '../../../src/media/rtpengine/index.ts'
import { systemClock } from '../../../src/shared/clock.ts'
import { silentLogger } from '../../../src/shared/log.ts'
import { systemRandom } from '../../../src/shared/random.ts'
import { freePort, rtpRange } from '../../peers/support/ports.ts'
import { startRtpengine } from '../../peers/support/rtpengine.ts'
import { liveHeap } from '../sip/inspector.ts'
import { type CallEnds, CallSet, type CallUp, type SetUpRate } from './call-set.ts'
import type { ModeName } from './modes.ts'

/** A relay that is measured, running as a process of its own. */
export interface BenchRelay {
  readonly name: RelayName
  readonly pid: number
  setUp(mode: ModeName, ends: readonly CallEnds[]): Promise<CallUp[]>
  /** Ends every call. */
  release(): Promise<void>
  measureSetUp(mode: ModeName, end: CallEnds, calls: number, together: number): Promise<SetUpRate>
  /** Collects its garbage and gives the octets of heap that stay; undefined where there is none. */
  collect(): Promise<number | undefined>
  stop(): Promise<void>
}

/** `embedded-node` is the embedded relay with Node's sockets. */
export const RELAYS = ['embedded', 'embedded-node', 'rtpengine'] as const
export type RelayName = (typeof RELAYS)[number]

/** How a relay is started. */
export interface RelayOptions {
  /** UDP ports it may use. */
  ports: number
  /** The processor it is bound to; undefined: any. */
  core: number | undefined
  /** Whether {@link BenchRelay.collect} will be asked. */
  collects?: boolean
  /** Further options of Node, such as a profiler's. */
  nodeOptions?: readonly string[]
}

/** What a relay process is asked. */
export type RelayRequest =
  | { op: 'setUp'; mode: ModeName; ends: readonly CallEnds[] }
  | { op: 'measure'; mode: ModeName; end: CallEnds; calls: number; together: number }
  | { op: 'release' }

/** Its answer; that with the number 0 says that it is up. */
export interface RelayAnswer {
  id: number
  value?: unknown
  error?: string
}

export function startRelay(name: RelayName, options: RelayOptions): Promise<BenchRelay> {
  return name === 'rtpengine' ? rtpengine(options) : embedded(name, options)
}

/** Binds all threads of a process to a processor. */
function pin(pid: number, core: number | undefined): void {
  if (core === undefined) return
  execFileSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], { stdio: 'ignore' })
}

async function embedded(
  name: Exclude<RelayName, 'rtpengine'>,
  options: RelayOptions,
): Promise<BenchRelay> {
  const { first, last } = rtpRange(options.ports)
  const inspect = options.collects ? await freePort() : undefined
  const child = fork(
    join(import.meta.dirname, 'relay-process.ts'),
    [String(first), String(last), '10000', name === 'embedded' ? 'auto' : 'node'],
    {
      execArgv: [
        '--v8-pool-size=1',
        ...(inspect === undefined ? [] : [`--inspect=127.0.0.1:${inspect}`]),
        ...(options.nodeOptions ?? []),
      ],
      stdio: ['ignore', 'inherit', inspect === undefined ? 'inherit' : 'ignore', 'ipc'],
    },
  )
  const ask = asker(child)
  await ask.ready
  pin(child.pid!, options.core)
  return {
    name,
    pid: child.pid!,
    setUp: (mode, ends) => ask({ op: 'setUp', mode, ends }) as Promise<CallUp[]>,
    release: async () => void (await ask({ op: 'release' })),
    measureSetUp: (mode, end, calls, together) =>
      ask({ op: 'measure', mode, end, calls, together }) as Promise<SetUpRate>,
    collect: async () => (inspect === undefined ? undefined : liveHeap(inspect)),
    async stop() {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}

interface Asker {
  (request: RelayRequest): Promise<unknown>
  ready: Promise<unknown>
}

function asker(child: ChildProcess): Asker {
  const waiting = new Map<number, (answer: RelayAnswer) => void>()
  let last = 0
  const answerOf = (id: number): Promise<unknown> =>
    new Promise((resolve, reject) => {
      waiting.set(id, ({ value, error }) =>
        error === undefined ? resolve(value) : reject(new Error(error)),
      )
    })
  child.on('message', (answer: RelayAnswer) => {
    waiting.get(answer.id)?.(answer)
    waiting.delete(answer.id)
  })
  child.once('exit', (code) => {
    for (const [id, take] of waiting) take({ id, error: `the relay process ended with ${code}` })
  })
  const ask = (request: RelayRequest): Promise<unknown> => {
    const id = ++last
    child.send({ id, request })
    return answerOf(id)
  }
  return Object.assign(ask, { ready: answerOf(0) })
}

/** rtpengine with one forwarding thread; this process asks it over the ng protocol. */
async function rtpengine(options: RelayOptions): Promise<BenchRelay> {
  const daemon = await startRtpengine({ threads: 1, ports: options.ports })
  pin(daemon.pid, options.core)
  const anchor = await createRtpengineRelay({
    addresses: [`udp://127.0.0.1:${daemon.ngPort}`],
    clock: systemClock,
    random: systemRandom,
    log: silentLogger(),
  })
  const set = new CallSet(anchor)
  return {
    name: 'rtpengine',
    pid: daemon.pid,
    setUp: (mode, ends) => set.setUp(mode, ends),
    release: () => set.release(),
    measureSetUp: (mode, end, calls, together) => set.measureSetUp(mode, end, calls, together),
    collect: async () => undefined,
    async stop() {
      await anchor.close()
      await daemon.stop()
    },
  }
}
