import type { MediaEvent } from '../../media/anchor/types.ts'
import type { Clock, Timer } from '../../shared/clock.ts'
import type { CausewayError } from '../../shared/errors/index.ts'
import type { Logger } from '../../shared/log.ts'
import type { WorkerChanges, WorkerInput } from '../protocol/messages.ts'
import { type RelayThread, startRelayThread } from './thread.ts'

/** Who wants to know what becomes of a call. */
export interface CallListener {
  onEvent(event: MediaEvent): void
  onLost(error: CausewayError): void
}

/** The first pause before a dead worker is started again, milliseconds; doubled each time. */
const FIRST_PAUSE = 200
const LONGEST_PAUSE = 30_000
/** Milliseconds a worker has to live for the pauses to begin anew. */
const STABLE = 60_000

/**
 * The place of one worker: the thread that runs, or the wait for the next one. A dead thread takes
 * its calls along and is started again.
 */
export class WorkerPlace {
  readonly name: string
  #input: WorkerInput
  readonly #clock: Clock
  readonly #log: Logger
  readonly #calls = new Map<number, CallListener>()
  #thread: RelayThread | undefined
  #pause = FIRST_PAUSE
  #startedAt = 0
  #timer: Timer | undefined
  #starting: Promise<void> | undefined
  #closed = false
  #failure = ''
  #past: Record<string, number> = {}

  constructor(name: string, input: WorkerInput, deps: { clock: Clock; log: Logger }) {
    this.name = name
    this.#input = input
    this.#clock = deps.clock
    this.#log = deps.log
  }

  /** The running thread; undefined while there is none. */
  get thread(): RelayThread | undefined {
    return this.#thread
  }

  /** Counters of this thread and of those before it. */
  get totals(): Record<string, number> {
    return sum(this.#past, this.#thread?.status?.totals ?? {})
  }

  /** Calls it carries. */
  get calls(): number {
    return this.#calls.size
  }

  /** Why there is no thread; '' while there is one. */
  get failure(): string {
    return this.#failure
  }

  /**
   * Starts the thread.
   *
   * @throws CausewayError `MEDIA_LISTEN`, `MEDIA_RELAY_LOST`
   */
  async start(): Promise<void> {
    const thread = await startRelayThread(
      this.#input,
      this.name,
      {
        onEvent: (call, event) => this.#calls.get(call)?.onEvent(event),
        onLost: (error) => this.#lost(error),
      },
      { clock: this.#clock, log: this.#log },
    )
    this.#startedAt = this.#clock.monotonic()
    this.#failure = ''
    this.#thread = thread
  }

  /** For calls to come, in this thread and the next. */
  configure(changes: WorkerChanges): void {
    this.#input = { ...this.#input, ...changes }
    this.#thread?.configure(changes)
  }

  /** Hands a call to the thread. */
  take(call: number, listener: CallListener): void {
    this.#calls.set(call, listener)
  }

  /** The call has ended. */
  give(call: number): void {
    this.#calls.delete(call)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.clear()
    await this.#starting
    const thread = this.#thread
    this.#thread = undefined
    await thread?.close()
  }

  #lost(error: CausewayError): void {
    const calls = [...this.#calls.values()]
    this.#log.error({ err: error, worker: this.name, calls: calls.length }, 'media worker lost')
    this.#past = this.totals
    this.#thread = undefined
    this.#failure = error.detail ?? error.message
    this.#calls.clear()
    for (const call of calls) call.onLost(error)
    if (this.#clock.monotonic() - this.#startedAt > STABLE) this.#pause = FIRST_PAUSE
    this.#restartLater()
  }

  #restartLater(): void {
    if (this.#closed) return
    this.#timer = this.#clock.setTimeout(() => {
      this.#starting = this.start().then(
        () => this.#log.info({ worker: this.name }, 'media worker started again'),
        (error: Error) => {
          this.#failure = error.message
          this.#log.error({ err: error, worker: this.name }, 'media worker cannot be started')
          this.#restartLater()
        },
      )
    }, this.#pause)
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE)
  }
}

/** Adds counters name by name. */
export function sum(a: Record<string, number>, b: Record<string, number>): Record<string, number> {
  const total = { ...a }
  for (const [name, value] of Object.entries(b)) total[name] = (total[name] ?? 0) + value
  return total
}
