import { Worker } from 'node:worker_threads'
import type { MediaEvent } from '../../media/anchor/types.ts'
import type { Clock } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Logger } from '../../shared/log.ts'
import type {
  Answers,
  Ask,
  FromWorker,
  ThreadInput,
  ToWorker,
  WorkerChanges,
  WorkerInput,
  WorkerStatus,
} from '../protocol/messages.ts'
import { type Packed, pack, unpack, unpackError } from '../protocol/pack.ts'
import { closeRemaining, OpenFiles } from '../udp/index.ts'

/** What a relay thread tells on its own. */
export interface RelayThreadEvents {
  onEvent(call: number, event: MediaEvent): void
  /** The thread has ended though nobody closed it; everything asked of it has been rejected. */
  onLost(error: CausewayError): void
}

/** One running worker thread of the relay. */
export interface RelayThread {
  readonly status: WorkerStatus | undefined
  /** Seconds its event loop has worked. */
  readonly busySeconds: number
  /** When it last said anything, on the monotonic clock. */
  readonly heardAt: number
  allocate(call: number, name: string): void
  start(call: number): void
  configure(changes: WorkerChanges): void
  /** @throws CausewayError `MEDIA_RELAY_LOST` when the thread ends first, or what the call refuses with */
  ask<Op extends Ask['op']>(call: number, ask: Extract<Ask, { op: Op }>): Promise<Answers[Op]>
  /** Closes every socket, then ends the thread. Idempotent. */
  close(): Promise<void>
}

/**
 * Megabytes of the young generation. Every datagram is an object that dies at once; with V8's own 48
 * their collection pauses calls for milliseconds each time, and new ones never lie in the cache.
 */
const YOUNG_GENERATION = 12

/**
 * Starts a worker thread; resolves when it can take calls.
 *
 * @throws CausewayError `MEDIA_LISTEN`, or `MEDIA_RELAY_LOST` when it ends at once
 */
export async function startRelayThread(
  input: WorkerInput,
  name: string,
  events: RelayThreadEvents,
  { clock, log }: { clock: Clock; log: Logger },
): Promise<RelayThread> {
  const files = OpenFiles.memory()
  const thread = new Worker(entry(), {
    workerData: { ...input, files } satisfies ThreadInput,
    name,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION },
  })
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  const ready = Promise.withResolvers<void>()
  const exited = Promise.withResolvers<void>()
  let status: WorkerStatus | undefined
  let heardAt = clock.monotonic()
  let started = false
  let closing = false
  let gone: CausewayError | undefined
  let cause: unknown
  let lastId = 0

  thread.on('message', (message: FromWorker) => {
    heardAt = clock.monotonic()
    switch (message.kind) {
      case 'ready':
        ready.resolve()
        break
      case 'failed':
        cause = unpackError(message.error)
        ready.reject(cause)
        break
      case 'log':
        relay(log, message.line)
        break
      case 'reply':
        waiting.get(message.id)?.resolve(unpack(message.value))
        waiting.delete(message.id)
        break
      case 'refusal':
        waiting.get(message.id)?.reject(unpackError(message.error))
        waiting.delete(message.id)
        break
      case 'event':
        events.onEvent(message.call, unpack(message.event))
        break
      case 'status':
        status = message.status
        break
    }
  })
  thread.on('error', (error) => {
    cause = error
  })
  thread.on('exit', (code) => {
    gone = new CausewayError('MEDIA_RELAY_LOST', {
      detail: `${name}: ${cause instanceof Error ? cause.message : `exit code ${code}`}`,
      cause,
    })
    exited.resolve()
    ready.reject(gone)
    for (const question of waiting.values()) question.reject(gone)
    waiting.clear()
    if (started && !closing) events.onLost(gone)
    void closeRemaining(files).catch((error: unknown) =>
      log.error({ err: error }, 'media: sockets of a lost worker stay open'),
    )
  })

  const post = (message: ToWorker): void => thread.postMessage(message)

  await ready.promise
  started = true
  return {
    get status() {
      return status
    },
    get busySeconds() {
      return thread.performance.eventLoopUtilization().active / 1000
    },
    get heardAt() {
      return heardAt
    },
    allocate: (call, name) => post({ kind: 'allocate', call, name }),
    start: (call) => post({ kind: 'start', call }),
    configure: (changes) => post({ kind: 'configure', changes }),
    ask<Op extends Ask['op']>(call: number, ask: Extract<Ask, { op: Op }>) {
      if (gone) return Promise.reject(gone)
      const id = ++lastId
      const answer = Promise.withResolvers<unknown>()
      waiting.set(id, answer)
      post({ kind: 'ask', id, call, ask: pack(ask) as Packed<Ask> })
      return answer.promise as Promise<Answers[Op]>
    },
    async close() {
      closing = true
      if (!gone) post({ kind: 'close' })
      await exited.promise
    },
  }
}

/** The entry beside this file: `.ts` when run from source, `.js` when built. */
function entry(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`./main.${extension}`, import.meta.url)
}

/** Writes a line of the worker's logger with ours, which masks and redacts as configured. */
function relay(log: Logger, line: string): void {
  const { level, time: _time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>
  const name = { 10: 'trace', 20: 'debug', 40: 'warn', 50: 'error', 60: 'fatal' }[Number(level)]
  log[(name ?? 'info') as 'info'](fields, String(msg ?? ''))
}
