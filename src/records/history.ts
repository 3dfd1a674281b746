import type { CallRecord, WhatsAppReport } from '../calls/index.ts'
import type { CallHistoryConfig } from '../config/types.ts'
import type { Clock, Timer } from '../shared/clock.ts'
import { CausewayError } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'
import { BUSY } from './database.ts'
import { type CallFilter, type Cursor, matches } from './filter.ts'
import type { Asks, ExportAsk, ExportedPage, Reply, Request } from './messages.ts'
import { errorFrom } from './messages.ts'
import type { CallHint, StoreFigures } from './store.ts'
import { type CallSummary, parseRecord, storedCall } from './stored.ts'
import { type StartThread, startThread, type Thread } from './thread.ts'

/** Calls that wait to be written while the file cannot be; of the rest the oldest are lost. */
export const WAITING_LIMIT = 10_000
/** Calls handed over at a time: more would keep the main thread for too long. */
const BATCH = 500
/** Pauses before the file is tried again, milliseconds: doubled up to the longest. */
const RETRY = { first: 1000, longest: 30_000 }
/** How long the last calls may take when the process stops, milliseconds. */
const CLOSE_WITHIN = 5000

/** What the history works with. */
export interface HistoryOptions {
  /** `records.path` */
  folder: string
  config: CallHistoryConfig
  clock: Clock
  log: Logger
  /** Replaces the thread, for tests. */
  start?: StartThread
  /** Milliseconds from a change of a record to its push; undefined: nothing is pushed. */
  pushDelay?: number | undefined
  /** Milliseconds the thread waits for another process to finish its write. */
  busy?: number
}

/** How the history is doing. */
export interface HistoryStatus extends StoreFigures {
  /** Calls that wait to be written. */
  waiting: number
  /** Calls that were never written. */
  lost: number
  /** Why calls are not written now. */
  error: CausewayError | undefined
  /** A damaged file was set aside since the start. */
  aside: CausewayError | undefined
}

/** A part of the list of ended calls. */
export interface HistoryPage {
  calls: CallSummary[]
  /** Cursor of what follows; undefined at the end. */
  next: string | undefined
}

/**
 * The call history as the main thread sees it. Calls are handed over in the turn they end in, as many at a time
 * as there are, and written within milliseconds; a call is kept here until the thread says that it is written.
 */
export class CallHistory {
  readonly #options: HistoryOptions
  readonly #startThread: StartThread
  #worker: Thread | undefined
  /** Not handed over yet, by id; the newest record of each call. */
  #pending = new Map<string, CallRecord>()
  /** Handed over, not confirmed. */
  #writing: ReadonlyMap<string, CallRecord> | undefined
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>()
  #last = 0
  #figures: StoreFigures = { calls: 0, bytes: 0 }
  #lost = 0
  #error: CausewayError | undefined
  #aside: CausewayError | undefined
  #retry: Timer | undefined
  #retryAfter = RETRY.first
  #scheduled = false
  #refused = false
  #closing = false
  #closed = false
  #idle: (() => void)[] = []

  constructor(options: HistoryOptions) {
    this.#options = options
    this.#startThread = options.start ?? startThread
    this.#start()
    // Opens the file, so that trouble with it is known before the first call has ended.
    this.#write()
  }

  /** Takes the record of an ended call, or a newer one of the same call. */
  add(record: CallRecord): void {
    if (this.#closed) return
    // What is newer takes the place of what is older, in its own place in age.
    this.#pending.delete(record.id)
    this.#pending.set(record.id, record)
    this.#trim()
    this.#schedule()
  }

  status(): HistoryStatus {
    const waiting = this.#pending.size + (this.#writing?.size ?? 0)
    const { calls, bytes } = this.#figures
    return { calls, bytes, waiting, lost: this.#lost, error: this.#error, aside: this.#aside }
  }

  /**
   * Ended calls, newest first. Calls that cannot be written for now are on the first page.
   * @throws CausewayError when the file cannot be read
   */
  async page(
    filter: CallFilter,
    options: { before?: Cursor | undefined; skip?: number; limit: number },
  ): Promise<HistoryPage> {
    const { before, skip = 0, limit } = options
    await this.#flushed()
    const waiting = before ? [] : this.#waiting(filter)
    const hidden = new Set(waiting.map(({ id }) => id))
    const ahead = waiting.slice(skip, skip + limit).map(summaryOf)
    const left = limit - ahead.length
    const page = await this.#ask('page', {
      filter,
      before,
      skip: Math.max(0, skip - waiting.length),
      limit: Math.max(1, left),
      detail: false,
    })
    const stored = page.texts.map((text) => parseRecord(text)).filter(({ id }) => !hidden.has(id))
    if (left > 0) return { calls: [...ahead, ...stored], next: page.next }
    return { calls: ahead, next: undefined }
  }

  /** How many ended calls match; at most {@link COUNT_LIMIT} are counted when there is a filter. */
  async count(filter: CallFilter): Promise<number> {
    await this.#flushed()
    const waiting = this.#waiting(filter).length
    return waiting + (await this.#ask('count', filter))
  }

  /** The record of an ended call. @throws CausewayError when the file cannot be read */
  async get(id: string): Promise<CallRecord | undefined> {
    const waiting = this.#pending.get(id) ?? this.#writing?.get(id)
    if (waiting) return waiting
    const text = await this.#ask('get', id)
    return text === undefined ? undefined : parseRecord(text)
  }

  /** A part of an export. @throws CausewayError when the file cannot be read */
  async export(ask: ExportAsk): Promise<ExportedPage> {
    await this.#flushed()
    return this.#ask('export', ask)
  }

  /**
   * Adds what WhatsApp's webhooks say to a call that ended before it came.
   * @returns its record; undefined when there is none, or the file cannot be used
   */
  async tell(
    wacid: string,
    told: Partial<WhatsAppReport>,
    hint?: CallHint,
  ): Promise<CallRecord | undefined> {
    await this.#flushed()
    const text = await this.#ask('tell', { wacid, told, hint }).catch(() => undefined)
    return text === undefined ? undefined : parseRecord(text)
  }

  /** Removes every ended call of a consumer for good; how many. @throws CausewayError */
  async forget(consumer: string): Promise<number> {
    await this.#flushed()
    for (const [id, record] of this.#pending) {
      if (record.consumer === consumer) this.#pending.delete(id)
    }
    return this.#ask('forget', consumer)
  }

  /** Records that are to be pushed, and what became of some. */
  due(limit: number, except: number[]): Promise<Asks['due']['out']> {
    return this.#ask('due', { limit, except })
  }

  /** Notes that records were delivered; how many still wait. */
  pushed(done: Asks['pushed']['in']): Promise<number> {
    return this.#ask('pushed', done)
  }

  /** Writes what waits, for {@link CLOSE_WITHIN} at most, and ends the thread. */
  async close(): Promise<void> {
    if (this.#closed) return
    const { clock, log } = this.#options
    this.#retry?.clear()
    this.#retry = undefined
    const late = Promise.withResolvers<void>()
    const timer = clock.setTimeout(late.resolve, CLOSE_WITHIN)
    const done = (async () => {
      this.#closing = true
      this.#error = undefined
      if (!this.#worker) this.#start()
      this.#write()
      // One failure is enough now: nothing will change it.
      while (!this.#error && !this.#refused && (this.#writing || this.#pending.size > 0)) {
        await new Promise<void>((resolve) => this.#idle.push(resolve))
      }
      this.#closed = true
      await this.#ask('close', undefined).catch(() => {})
    })()
    await Promise.race([done, late.promise])
    timer.clear()
    this.#closed = true
    const left = this.#pending.size + (this.#writing?.size ?? 0)
    if (left > 0) {
      this.#lost += left
      const err = this.#error ?? new CausewayError('APP_RECORDS_LOST')
      log.error({ err, calls: left }, 'records of calls are lost')
    }
    await this.#worker?.stop()
  }

  /** Resolves when what has ended so far is written, or cannot be: a question then sees it, or knows. */
  async #flushed(): Promise<void> {
    // Bounded, since calls go on ending.
    for (let batches = 0; batches <= WAITING_LIMIT / BATCH; batches++) {
      this.#write()
      if (!this.#writing) return
      await new Promise<void>((resolve) => this.#idle.push(resolve))
    }
  }

  /** Calls that match and cannot be written for now, newest first. */
  #waiting(filter: CallFilter): CallRecord[] {
    if (!this.#error) return []
    const all = new Map([...(this.#writing ?? []), ...this.#pending])
    return [...all.values()].filter((record) => matches(record, filter)).reverse()
  }

  #start(): void {
    const { folder, config, pushDelay, log, busy = BUSY } = this.#options
    const { keep, maxSize, maxCalls } = config
    const retention = { keep, maxSize, maxCalls }
    this.#worker = this.#startThread(
      { folder, retention, pushDelay, busy },
      {
        reply: (reply) => this.#onReply(reply),
        gone: (error) => {
          if (this.#closed) return
          log.error({ err: error }, 'the thread of the call history ended; beginning another')
          this.#worker = undefined
          for (const one of this.#asked.values()) one.reject(error)
          this.#asked.clear()
          this.#later()
        },
      },
    )
  }

  #ask<K extends keyof Asks>(kind: K, body: Asks[K]['in']): Promise<Asks[K]['out']> {
    const worker = this.#worker
    if (!worker || (this.#closed && kind !== 'close')) {
      return Promise.reject(new CausewayError('APP_RECORDS_BUSY'))
    }
    const n = ++this.#last
    const asked = Promise.withResolvers<unknown>()
    this.#asked.set(n, asked)
    worker.post({ n, kind, body } as Request)
    return asked.promise as Promise<Asks[K]['out']>
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#write()
    })
  }

  /** Hands over what is pending, unless something is on its way or the file is left alone. */
  #write(): void {
    if (this.#writing || this.#retry || this.#refused || !this.#worker) return
    const batch = new Map([...this.#pending].slice(0, BATCH))
    for (const id of batch.keys()) this.#pending.delete(id)
    this.#writing = batch
    const calls = [...batch.values()].map(storedCall)
    this.#ask('write', calls).then(
      () => this.#written(),
      (error: unknown) => this.#unwritten(batch, error as CausewayError),
    )
  }

  #written(): void {
    this.#writing = undefined
    if (this.#error) this.#options.log.info('the call history is written again')
    this.#error = undefined
    this.#retryAfter = RETRY.first
    if (this.#pending.size > 0) this.#write()
    this.#settle()
  }

  #unwritten(batch: ReadonlyMap<string, CallRecord>, error: CausewayError): void {
    this.#writing = undefined
    const newer = this.#pending
    this.#pending = new Map([...batch].filter(([id]) => !newer.has(id)))
    for (const [id, record] of newer) this.#pending.set(id, record)
    // One line when it begins; health tells the rest.
    if (this.#error?.code !== error.code && !this.#closing) {
      this.#options.log.error({ err: error }, 'the call history cannot be written')
    }
    this.#error = error
    this.#trim()
    // A newer file stays one: nothing is tried again.
    this.#refused = error.code === 'APP_RECORDS_NEWER'
    if (!this.#closed && !this.#refused) this.#later()
    this.#settle()
  }

  #trim(): void {
    while (this.#pending.size > WAITING_LIMIT) {
      this.#pending.delete(this.#pending.keys().next().value!)
      if (this.#lost++ > 0) continue
      const err = new CausewayError('APP_RECORDS_LOST', { detail: this.#error?.message ?? '' })
      this.#options.log.error({ err }, 'records of calls are lost')
    }
  }

  #later(): void {
    this.#retry?.clear()
    this.#retry = this.#options.clock.setTimeout(() => {
      this.#retry = undefined
      if (!this.#worker) this.#start()
      this.#write()
    }, this.#retryAfter)
    this.#retryAfter = Math.min(RETRY.longest, this.#retryAfter * 2)
  }

  #onReply(reply: Reply): void {
    if (reply.kind === 'aside') {
      this.#aside = errorFrom(reply.error)
      this.#options.log.error({ err: this.#aside }, 'the call history was damaged and set aside')
      return
    }
    const asked = this.#asked.get(reply.n)
    this.#asked.delete(reply.n)
    if (reply.kind === 'failed') asked?.reject(errorFrom(reply.error))
    else {
      if (reply.figures) this.#figures = reply.figures
      asked?.resolve(reply.value)
    }
  }

  #settle(): void {
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}

function summaryOf(record: CallRecord): CallSummary {
  const { ladder: _ladder, ladderDropped: _dropped, report: _report, ...rest } = record
  return rest
}
