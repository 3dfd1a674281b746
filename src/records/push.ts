import type { CallHistoryConfig } from '../config/types.ts'
import { createPost, type Post, type PostOutcome, pauseAfter, signEvent } from '../events/index.ts'
import type { Clock, Timer } from '../shared/clock.ts'
import { CausewayError } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import type { CallHistory } from './history.ts'
import type { DueRecord } from './store.ts'

/**
 * Milliseconds from the last change of a record to its delivery: the figures of the media, and often WhatsApp's
 * webhook, are in it by then.
 */
export const PUSH_DELAY = 5000
/** Milliseconds between two looks for records that are due. */
const LOOK = 1000
/** Deliveries at a time; one alone while the target fails. */
const CONNECTIONS = 4
/** Failures in a row from which the target is probed with one record at a time, and health warns. */
const FAILING = 3
const BACKOFF = { base: 1000, max: 600_000 }
/** A record the target will not take is offered again after this, milliseconds: the target may be mended. */
const REFUSED_AGAIN = 3_600_000
/** Refused records from which the target as a whole is left alone. */
const REFUSED_LIMIT = 500

/** How the delivery is doing. */
export interface PushStatus {
  /** Attempts by what they came to. */
  attempts: readonly { result: string; count: number }[]
  failing: CausewayError | undefined
}

/**
 * Delivers the records of the history to records.push, each at least once: which are still to go is written in
 * the history itself, so that neither a restart nor a target that is away for days loses one.
 */
export class RecordPush {
  readonly #history: Pick<CallHistory, 'due' | 'pushed'>
  readonly #target: NonNullable<CallHistoryConfig['push']>
  readonly #clock: Clock
  readonly #random: Random
  readonly #log: Logger
  readonly #http: { post: Post; close(): Promise<void> }
  readonly #stopping = new AbortController()
  readonly #sending = new Map<number, Promise<void>>()
  /** Rows the target will not take, and when they are offered again. */
  readonly #refused = new Map<number, number>()
  readonly #attempts = new Map([['delivered', 0]])
  #failures = 0
  #lastFailure = ''
  #timer: Timer | undefined
  #looking: Promise<void> = Promise.resolve()

  constructor(options: {
    history: Pick<CallHistory, 'due' | 'pushed'>
    target: NonNullable<CallHistoryConfig['push']>
    clock: Clock
    random: Random
    log: Logger
    /** Replaces HTTP, for tests. */
    post?: Post
  }) {
    const { history, target, clock, random, log, post } = options
    this.#history = history
    this.#target = target
    this.#clock = clock
    this.#random = random
    this.#log = log
    this.#http = post
      ? { post, close: async () => {} }
      : createPost({ clock, connections: CONNECTIONS })
    this.#lookIn(LOOK)
  }

  status(): PushStatus {
    return {
      attempts: [...this.#attempts].map(([result, count]) => ({ result, count })),
      failing: this.#failing(),
    }
  }

  /** Ends; what is on its way is sent again after the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#timer?.clear()
    await this.#looking
    await Promise.all(this.#sending.values())
    await this.#http.close()
  }

  #failing(): CausewayError | undefined {
    const { host } = new URL(this.#target.url)
    if (this.#failures >= FAILING) {
      const detail = `${host}, ${this.#failures} attempts failed in a row: ${this.#lastFailure}`
      return new CausewayError('APP_RECORDS_PUSH_FAILED', { detail })
    }
    if (this.#refused.size === 0) return undefined
    const detail = `${host} refuses ${this.#refused.size} records: ${this.#lastFailure}`
    return new CausewayError('APP_RECORDS_PUSH_FAILED', { detail })
  }

  #lookIn(ms: number): void {
    if (this.#stopping.signal.aborted) return
    this.#timer?.clear()
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined
      // One look after the other: each has to know what the last one sent.
      this.#looking = this.#looking.then(() => this.#look())
    }, ms)
  }

  async #look(): Promise<void> {
    const now = this.#clock.now()
    for (const [seq, again] of this.#refused) if (again <= now) this.#refused.delete(seq)
    const room = (this.#failures >= FAILING ? 1 : CONNECTIONS) - this.#sending.size
    const except = [...this.#sending.keys(), ...this.#refused.keys()]
    // A history that cannot be read warns by itself.
    const due = room > 0 ? await this.#history.due(room, except).catch(() => []) : []
    if (this.#stopping.signal.aborted) return
    for (const record of due) this.#send(record)
    // A delivery that ends looks at once; else there is nothing to be done for a while.
    if (this.#sending.size === 0) this.#lookIn(LOOK)
  }

  #send(record: DueRecord): void {
    const sent = this.#attempt(record).then(async (outcome) => {
      const pause = await this.#take(record, outcome)
      this.#sending.delete(record.seq)
      if (pause > 0 || !this.#timer) this.#lookIn(pause)
    })
    this.#sending.set(record.seq, sent)
  }

  #attempt({ id, revision, text }: DueRecord): Promise<PostOutcome> {
    const { url, secret } = this.#target
    const timestamp = String(Math.floor(this.#clock.now() / 1000))
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'causeway',
      'x-causeway-event': 'call.record',
      'x-causeway-id': `${id}-${revision}`,
      'x-causeway-timestamp': timestamp,
      'x-causeway-signature-256': signEvent(secret, timestamp, text),
    }
    return this.#http.post(url, headers, text, this.#stopping.signal)
  }

  /** What an attempt leads to; milliseconds until the next one. */
  async #take({ seq, revision }: DueRecord, outcome: PostOutcome): Promise<number> {
    if (!outcome.ok && outcome.reason === 'stopped') return 0
    const refused = !outcome.ok && outcome.final && outcome.reason === 'status'
    const result = outcome.ok ? 'delivered' : refused ? 'refused' : outcome.reason
    this.#attempts.set(result, (this.#attempts.get(result) ?? 0) + 1)
    if (outcome.ok) {
      if (this.#failures >= FAILING) this.#log.info('records of calls are delivered again')
      this.#failures = 0
      // Not noted is not lost: it goes out once more.
      await this.#history.pushed([{ seq, revision }]).catch(() => 0)
      return 0
    }
    this.#lastFailure = outcome.detail
    if (refused && this.#refused.size < REFUSED_LIMIT) {
      if (this.#refused.size === 0) this.#warn()
      this.#refused.set(seq, this.#clock.now() + REFUSED_AGAIN)
      return 0
    }
    this.#failures++
    if (this.#failures === FAILING) this.#warn()
    return Math.max(pauseAfter(this.#failures, BACKOFF, this.#random), outcome.retryAfter ?? 0)
  }

  #warn(): void {
    const { host } = new URL(this.#target.url)
    const detail = `${host}: ${this.#lastFailure}`
    const err = new CausewayError('APP_RECORDS_PUSH_FAILED', { detail })
    this.#log.error({ err }, 'records of calls are not delivered; tried again later')
  }
}
