import { EventEmitter } from 'node:events'
import { Worker } from 'node:worker_threads'
import { CausewayError, catalogue, type ErrorCode } from '../shared/errors/index.ts'
import type { Logger, LogLevel } from '../shared/log.ts'
import type { EndedFlow } from './dialog/layer.ts'
import type { SipServerMetrics } from './metrics.ts'
import type { SipServerOptions } from './server.ts'
import type { ListenerInfo, TapBatch, TlsPeer } from './transport/index.ts'
import type {
  CertificateReport,
  CloneableOptions,
  ErrorReport,
  ServerChanges,
  WorkerInput,
  WorkerReport,
  WorkerRequest,
} from './worker-messages.ts'

/** Options of a server in a worker: those of the server that can cross threads, and its logger. */
export interface SipServerWorkerOptions extends CloneableOptions {
  admin: SipServerOptions['admin']
  tlsClient?: SipServerOptions['tlsClient']
  log: Logger
}

/** What a server in a worker tells. */
export interface SipServerWorkerEvents {
  /** The thread ended though nobody closed it; the server is to be started again. */
  crashed: [error: CausewayError]
  /** A certificate was read again, or could not be. */
  certificate: [report: CertificateReport]
  /** Messages of the network, after {@link SipServerWorker.tap}. */
  tapped: [batch: TapBatch]
  /** A connection ended that registrations hung on. */
  flowEnded: [ended: EndedFlow]
}

/** A server in a thread of its own. */
export interface SipServerWorker {
  readonly admin: { host: string; port: number }
  readonly events: EventEmitter<SipServerWorkerEvents>
  /** Open listeners with bound ports and certificates. */
  listeners(): Promise<ListenerInfo[]>
  metrics(): Promise<SipServerMetrics>
  reloadCertificates(): Promise<CertificateReport[]>
  /** Takes the peers with TLS settings of their own, for connections to come. */
  configureTls(peers: readonly TlsPeer[]): void
  /** Whether the messages of the network are told by the `tapped` event. */
  tap(on: boolean): void
  /** Changes what can change under way; reports of the certificates that were read for it. */
  configure(changes: ServerChanges): Promise<CertificateReport[]>
  /** Closes the server and ends the thread. Idempotent. */
  close(): Promise<void>
}

/**
 * Megabytes of V8's young generation, three semi-spaces. What outlives it waits out its 32 s in the
 * old one anyway; larger ones cost memory that is never given back, and save no time (measured).
 */
const YOUNG_GENERATION = 24

/** Requests without an answer. */
type Told = Extract<WorkerRequest, { kind: 'tls' | 'tap' | 'taken' }>
type Request =
  Exclude<WorkerRequest, Told> extends infer R
    ? R extends { id: number }
      ? Omit<R, 'id'>
      : never
    : never

/**
 * Starts a server in a worker thread. Rejects with the coded error of a listener that could not be
 * opened. A crash later on is told by the `crashed` event; requests under way then reject with it.
 */
export async function startSipServerWorker(
  options: SipServerWorkerOptions,
): Promise<SipServerWorker> {
  const { log } = options
  const thread = new Worker(entry(), {
    workerData: inputOf(options),
    name: 'sip',
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION },
  })
  const events = new EventEmitter<SipServerWorkerEvents>()
  const waiting = new Map<number, PromiseWithResolvers<WorkerReport>>()
  const ready = Promise.withResolvers<Extract<WorkerReport, { kind: 'ready' }>>()
  const exited = Promise.withResolvers<void>()
  let closing: Promise<void> | undefined
  let gone: CausewayError | undefined
  let lastId = 0

  thread.on('message', (message: WorkerReport) => {
    switch (message.kind) {
      case 'ready':
        ready.resolve(message)
        break
      case 'failed':
        ready.reject(errorOf(message.error))
        break
      case 'log':
        relay(log, message.line)
        break
      case 'certificate':
        events.emit('certificate', message.report)
        break
      case 'flow-ended':
        events.emit('flowEnded', message.ended)
        break
      case 'tapped':
        events.emit('tapped', message.batch)
        tell({ kind: 'taken', id: 0, bytes: message.batch.bytes })
        break
      default:
        waiting.get(message.id)?.resolve(message)
        waiting.delete(message.id)
    }
  })
  let cause: unknown
  thread.on('error', (error) => {
    cause = error
  })
  thread.on('exit', (code) => {
    exited.resolve()
    gone = new CausewayError('SIP_SERVER_CRASHED', {
      detail: cause instanceof Error ? cause.message : `exit code ${code}`,
      cause,
    })
    ready.reject(gone)
    for (const call of waiting.values()) call.reject(gone)
    waiting.clear()
    if (!closing && started) events.emit('crashed', gone)
  })

  function tell(request: Told): void {
    if (!gone) thread.postMessage(request)
  }
  function call(request: Request): Promise<WorkerReport> {
    if (gone) return Promise.reject(gone)
    const id = ++lastId
    const answer = Promise.withResolvers<WorkerReport>()
    waiting.set(id, answer)
    thread.postMessage({ ...request, id })
    return answer.promise
  }
  async function ask<K extends WorkerReport['kind']>(
    request: Request,
    expected: K,
  ): Promise<Extract<WorkerReport, { kind: K }>> {
    const report = await call(request)
    if (report.kind !== expected) throw new Error(`unexpected ${report.kind} of the SIP server`)
    return report as Extract<WorkerReport, { kind: K }>
  }

  let started = false
  const { admin } = await ready.promise
  started = true
  return {
    admin,
    events,
    listeners: async () => (await ask({ kind: 'listeners' }, 'listeners')).listeners,
    metrics: async () => (await ask({ kind: 'metrics' }, 'metrics')).metrics,
    reloadCertificates: async () => (await ask({ kind: 'reload' }, 'reloaded')).reports,
    configure: async (changes) => (await ask({ kind: 'configure', changes }, 'reloaded')).reports,
    configureTls: (peers) => tell({ kind: 'tls', id: 0, peers }),
    tap: (on) => tell({ kind: 'tap', id: 0, on }),
    close() {
      closing ??= (async () => {
        if (!gone) await call({ kind: 'close' }).catch(() => undefined)
        await exited.promise
      })()
      return closing
    },
  }
}

/** The entry next to this file: `.ts` when run from source, `.js` when built. */
function entry(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`./worker-main.${extension}`, import.meta.url)
}

function inputOf(options: SipServerWorkerOptions): WorkerInput {
  const { admin, tlsClient, log, ...rest } = options
  const certificate = tlsClient?.certificate
  return {
    options: rest,
    admin: { host: admin.host, port: admin.port, secret: admin.secret.reveal() },
    tlsClient: {
      ca: tlsClient?.ca ?? [],
      certificate: certificate && { cert: certificate.cert, key: certificate.key.reveal() },
    },
    logLevel: log.level as LogLevel,
  }
}

function errorOf(report: ErrorReport): Error {
  if (report.code === undefined || !(report.code in catalogue)) return new Error(report.message)
  const code = report.code as ErrorCode
  return new CausewayError(code, {
    ...(report.detail === undefined ? {} : { detail: report.detail }),
    ...(report.place === undefined ? {} : { place: report.place }),
  })
}

/** Writes a line of the worker's logger with ours, which masks and redacts as configured. */
function relay(log: Logger, line: string): void {
  const { level, time: _time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>
  const name = { 10: 'trace', 20: 'debug', 40: 'warn', 50: 'error', 60: 'fatal' }[Number(level)]
  log[(name ?? 'info') as 'info'](fields, String(msg ?? ''))
}
