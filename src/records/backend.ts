import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Timer } from '../shared/clock.ts'
import type { CausewayError } from '../shared/errors/index.ts'
import { CALLS_FILE, recordsError, setAside } from './database.ts'
import { exportText } from './export.ts'
import { type Asks, type BackendOptions, errorText, type Reply, type Request } from './messages.ts'
import { CallStore } from './store.ts'

/** Milliseconds between two looks for what is too old or too much. */
export const PRUNE_EVERY = 60_000
/** Milliseconds after which a file that could not be opened is tried again. */
const REOPEN_AFTER = 1000

/**
 * The history in its own thread, where no search, flush or lock keeps a call waiting: opens the file, works off
 * questions, removes what is too old. A file that cannot be opened is tried again with the next question; a
 * damaged one is set aside and a new one begun.
 */
export class Backend {
  readonly #reply: (reply: Reply) => void
  readonly #clock: Clock
  readonly #pause: () => Promise<void>
  readonly #options: BackendOptions
  #store: CallStore | undefined
  #failure: { error: CausewayError; at: number } | undefined
  #pruning: Timer | undefined
  #closed = false

  constructor(
    options: BackendOptions,
    deps: { reply: (reply: Reply) => void; clock: Clock; pause: () => Promise<void> },
  ) {
    this.#options = options
    this.#reply = deps.reply
    this.#clock = deps.clock
    this.#pause = deps.pause
    this.#prune()
  }

  /** Works off one question. Never rejects. */
  async take(request: Request): Promise<void> {
    const { n } = request
    try {
      const value = await this.#work(request)
      this.#reply({ kind: 'answer', n, value, figures: this.#store?.figures() })
    } catch (cause) {
      this.#reply({ kind: 'failed', n, error: errorText(this.#failed(cause)) })
    }
  }

  async #work(request: Request): Promise<Asks[keyof Asks]['out']> {
    const { kind, body } = request
    if (kind === 'close') return this.#close()
    const store = this.#open()
    switch (kind) {
      case 'write':
        store.write(body, this.#pushDue())
        return undefined
      case 'page':
        return store.page(body.filter, body)
      case 'count':
        return store.count(body)
      case 'get':
        return store.get(body)
      case 'tell':
        return store.tell(body.wacid, body.told, { hint: body.hint, pushDue: this.#pushDue() })
      case 'forget':
        return store.forget(body)
      case 'due':
        return store.due(this.#clock.now(), body.limit, body.except)
      case 'pushed':
        for (const one of body) store.pushed(one)
        return store.waiting()
      case 'export':
        return exportText(store, body)
    }
  }

  #pushDue(): number | null {
    const { pushDelay } = this.#options
    return pushDelay === undefined ? null : this.#clock.now() + pushDelay
  }

  #open(): CallStore {
    if (this.#store) return this.#store
    const failure = this.#failure
    // A burst of questions does not try a broken disk once for each.
    if (failure && this.#clock.now() - failure.at < REOPEN_AFTER) throw failure.error
    if (failure?.error.code === 'APP_RECORDS_NEWER') throw failure.error
    const { folder, busy } = this.#options
    const open = () => new CallStore(folder, { pause: this.#pause, busy })
    try {
      this.#store = open()
    } catch (cause) {
      const error = this.#failed(cause)
      if (error.code !== 'APP_RECORDS_CORRUPT') throw error
      this.#store = open()
    }
    this.#failure = undefined
    return this.#store
  }

  /** What a failure leads to. A damaged file is set aside, so that the next question begins a new one. */
  #failed(cause: unknown): CausewayError {
    const { folder } = this.#options
    const error = recordsError(cause, `${folder}/${CALLS_FILE}`)
    if (error === this.#failure?.error) return error
    if (error.code === 'APP_RECORDS_CORRUPT') {
      try {
        this.#store?.close()
        this.#store = undefined
        const moved = setAside(folder, this.#clock.now())
        this.#reply({ kind: 'aside', error: { ...errorText(error), place: moved } })
      } catch (again) {
        return this.#remember(recordsError(again, folder))
      }
      return error
    }
    return this.#store ? error : this.#remember(error)
  }

  #remember(error: CausewayError): CausewayError {
    this.#failure = { error, at: this.#clock.now() }
    return error
  }

  #prune(): void {
    if (this.#closed) return
    this.#pruneSteps()
      // The next question meets the same failure, and tells it.
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        if (this.#closed) return
        this.#pruning = this.#clock.setTimeout(() => this.#prune(), PRUNE_EVERY)
      })
  }

  async #pruneSteps(): Promise<void> {
    await this.#pause()
    if (this.#closed) return
    if (this.#store && !existsSync(join(this.#options.folder, CALLS_FILE))) {
      // Somebody took the file away: what is written to it now would be gone with it.
      this.#store.close()
      this.#store = undefined
    }
    const store = this.#open()
    store.recount()
    while (!this.#closed && this.#store === store) {
      if (!store.prune(this.#options.retention, this.#clock.now())) return
      await this.#pause()
    }
  }

  #close(): undefined {
    this.#closed = true
    this.#pruning?.clear()
    this.#store?.close()
    this.#store = undefined
    return undefined
  }
}
