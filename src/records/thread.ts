import { Worker } from 'node:worker_threads'
import { CausewayError } from '../shared/errors/index.ts'
import type { BackendOptions, Reply, Request } from './messages.ts'

/** The thread of the history as the main thread sees it. */
export interface Thread {
  post(request: Request): void
  /** Resolves when it is no more. */
  stop(): Promise<void>
}

/** Starts a thread; `gone` is called when it ends though nobody stopped it. */
export type StartThread = (
  options: BackendOptions,
  events: { reply: (reply: Reply) => void; gone: (error: CausewayError) => void },
) => Thread

/** The real thread. It keeps no process alive. */
export const startThread: StartThread = (options, { reply, gone }) => {
  const extension = import.meta.filename.endsWith('.ts') ? 'ts' : 'js'
  const worker = new Worker(new URL(`./worker-main.${extension}`, import.meta.url), {
    workerData: options,
    name: 'records',
  })
  let stopping = false
  let cause: unknown
  worker.unref()
  worker.on('message', reply)
  worker.on('error', (error) => {
    cause = error
  })
  worker.on('exit', (code) => {
    if (stopping) return
    const detail = cause instanceof Error ? cause.message : `exit code ${code}`
    gone(new CausewayError('APP_RECORDS_BUSY', { detail, cause }))
  })
  return {
    post: (request) => worker.postMessage(request),
    async stop() {
      stopping = true
      await worker.terminate()
    },
  }
}
