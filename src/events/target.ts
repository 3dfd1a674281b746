import type { EventTarget, EventType } from '../config/types.ts'
import type { Clock, Timer } from '../shared/clock.ts'
import type { ErrorCode } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import { type Backoff, pauseAfter } from './backoff.ts'
import type { DeadLetterFile } from './dead-letter.ts'
import { type Keyed, Lanes } from './lanes.ts'
import { createPost, type Post, type PostOutcome } from './post.ts'
import { signEvent } from './signature.ts'

/** An event on its way. */
export interface OutgoingEvent extends Keyed {
  readonly id: string
  readonly type: EventType
  /** The event as JSON. */
  readonly body: string
}

interface Delivery extends OutgoingEvent {
  tries: number
  timer: Timer | undefined
}

/** How hard a target is tried. */
export interface Persistence {
  /** Attempts for one event; the pauses between them add up to about half an hour. */
  tries: number
  backoff: Backoff
  /** Events that wait for the target; later ones go to the dead letters at once. */
  queue: number
  /** Attempts at a time. */
  connections: number
  /** Failures in a row from which the target is left alone as a whole. */
  gate: number
}

export const PERSISTENCE: Persistence = {
  tries: 12,
  backoff: { base: 1000, max: 600_000 },
  queue: 10_000,
  connections: 8,
  gate: 3,
}

const UNDELIVERED: ErrorCode = 'APP_EVENT_UNDELIVERED'

/** Why an event became a dead letter. */
export type DeadReason = 'tries' | 'refused' | 'queue_full' | 'stopped'

/** Figures of a target since it was configured. */
export interface TargetStatus {
  name: string
  queued: number
  delivered: number
  attempts: { result: string; count: number }[]
  dead: { reason: DeadReason; count: number }[]
  /** Failures since the last success. */
  failures: number
  /** What the last failure was; undefined after a success. */
  lastFailure: string | undefined
}

export interface TargetOptions {
  /** Shown in metrics and logs: the host, never the whole URL. */
  name: string
  target: EventTarget
  clock: Clock
  random: Random
  log: Logger
  deadLetters: DeadLetterFile
  persistence?: Persistence
  /** Replaces HTTP, for tests. */
  post?: Post
}

/**
 * Delivers events to one target: signed, in order for each call, several calls at a time. What fails is tried
 * again with growing pauses, then put into the dead letters. A target that fails for everybody is left alone
 * but for one probe at a time.
 */
export class Target {
  readonly name: string
  readonly #options: TargetOptions
  readonly #persistence: Persistence
  readonly #lanes = new Lanes<Delivery>()
  readonly #stopping = new AbortController()
  readonly #attempts = new Map<string, number>()
  readonly #dead = new Map<DeadReason, number>()
  readonly #http: { post: Post; close(): Promise<void> }
  readonly #idle: (() => void)[] = []
  /** Deliveries that wait for their next attempt. */
  readonly #paused = new Set<Delivery>()
  #target: EventTarget
  #flushing = false
  /** Whether the last event found no room. */
  #full = false
  #inFlight = 0
  #failures = 0
  #lastFailure: string | undefined
  #delivered = 0
  #gate: Timer | undefined

  constructor(options: TargetOptions) {
    this.name = options.name
    this.#options = options
    this.#target = options.target
    this.#persistence = options.persistence ?? PERSISTENCE
    const { connections } = this.#persistence
    this.#http = options.post
      ? { post: options.post, close: async () => {} }
      : createPost({ clock: options.clock, connections })
  }

  get url(): string {
    return this.#target.url
  }

  /** Takes a changed secret or choice of events. */
  reconfigure(target: EventTarget): void {
    this.#target = target
  }

  wants(type: EventType): boolean {
    return this.#target.events?.includes(type) ?? true
  }

  push(event: OutgoingEvent): void {
    const delivery = { ...event, tries: 0, timer: undefined }
    const full = this.#lanes.size >= this.#persistence.queue
    if (this.#flushing) this.#bury(delivery, 'stopped')
    else if (full) this.#bury(delivery, 'queue_full')
    else {
      this.#lanes.push(delivery)
      this.#pump()
    }
    this.#full = full
  }

  status(): TargetStatus {
    return {
      name: this.name,
      queued: this.#lanes.size,
      delivered: this.#delivered,
      attempts: [...this.#attempts].map(([result, count]) => ({ result, count })),
      dead: [...this.#dead].map(([reason, count]) => ({ reason, count })),
      failures: this.#failures,
      lastFailure: this.#lastFailure,
    }
  }

  /** Gives everything that waits one more attempt, for `ms` at most; the rest becomes dead letters. */
  async stop(ms: number): Promise<void> {
    this.#flushing = true
    this.#gate?.clear()
    this.#gate = undefined
    for (const delivery of this.#paused) {
      delivery.timer?.clear()
      this.#lanes.giveBack(delivery)
    }
    this.#paused.clear()
    const timer = this.#options.clock.setTimeout(() => this.#giveUp(), ms)
    this.#pump()
    if (this.#lanes.size > 0 || this.#inFlight > 0) {
      await new Promise<void>((resolve) => this.#idle.push(resolve))
    }
    timer.clear()
    await this.#http.close()
    const left = this.#dead.get('stopped') ?? 0
    if (left === 0) return
    const facts = { code: UNDELIVERED, target: this.name, events: left }
    this.#options.log.warn(facts, 'events left undelivered when stopping')
  }

  #giveUp(): void {
    for (const delivery of this.#lanes.clear()) this.#bury(delivery, 'stopped')
    this.#stopping.abort()
    this.#settle()
  }

  #pump(): void {
    if (this.#gate) return
    const { gate, connections } = this.#persistence
    const most = this.#failures >= gate && !this.#flushing ? 1 : connections
    while (this.#inFlight < most && this.#lanes.ready) {
      const delivery = this.#lanes.take()!
      this.#inFlight++
      void this.#attempt(delivery).then((outcome) => {
        this.#inFlight--
        this.#take(delivery, outcome)
        this.#pump()
        this.#settle()
      })
    }
  }

  #attempt(delivery: Delivery): Promise<PostOutcome> {
    const { url, secret } = this.#target
    const timestamp = String(Math.floor(this.#options.clock.now() / 1000))
    delivery.tries++
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'causeway',
      'x-causeway-event': delivery.type,
      'x-causeway-id': delivery.id,
      'x-causeway-attempt': String(delivery.tries),
      'x-causeway-timestamp': timestamp,
      'x-causeway-signature-256': signEvent(secret, timestamp, delivery.body),
    }
    return this.#http.post(url, headers, delivery.body, this.#stopping.signal)
  }

  #take(delivery: Delivery, outcome: PostOutcome): void {
    const result = outcome.ok ? 'delivered' : outcome.reason
    this.#attempts.set(result, (this.#attempts.get(result) ?? 0) + 1)
    if (outcome.ok) this.#succeed(delivery)
    // Else everything was given up meanwhile, this one included.
    else if (!this.#stopping.signal.aborted) this.#fail(delivery, outcome)
  }

  #succeed(delivery: Delivery): void {
    if (this.#failures > 0) {
      const facts = { target: this.name, queued: this.#lanes.size }
      this.#options.log.info(facts, 'events are delivered again')
    }
    this.#failures = 0
    this.#lastFailure = undefined
    this.#delivered++
    this.#lanes.done(delivery)
  }

  #fail(delivery: Delivery, outcome: PostOutcome & { ok: false }): void {
    const { detail, final } = outcome
    this.#lastFailure = detail
    // A target that answers with a reason is there, whatever it thinks of the event.
    this.#failures = final ? 0 : this.#failures + 1
    if (final || this.#flushing || delivery.tries >= this.#persistence.tries) {
      this.#lanes.done(delivery)
      this.#bury(delivery, final ? 'refused' : this.#flushing ? 'stopped' : 'tries', detail)
      return
    }
    const { backoff, gate } = this.#persistence
    const { clock, random, log } = this.#options
    const again = Math.max(pauseAfter(delivery.tries, backoff, random), outcome.retryAfter ?? 0)
    const { type, tries } = delivery
    const facts = { target: this.name, type, tries, detail, again }
    // One line when it begins; the metrics count the rest.
    log[this.#failures === 1 ? 'warn' : 'debug'](facts, 'event not delivered, tried again later')
    this.#paused.add(delivery)
    delivery.timer = clock.setTimeout(() => {
      this.#paused.delete(delivery)
      this.#lanes.giveBack(delivery)
      this.#pump()
    }, again)
    if (this.#failures < gate || this.#gate) return
    const rest = pauseAfter(this.#failures - gate + 1, backoff, random)
    this.#gate = clock.setTimeout(() => {
      this.#gate = undefined
      this.#pump()
    }, rest)
  }

  #bury(delivery: Delivery, reason: DeadReason, detail?: string): void {
    const { clock, log, deadLetters } = this.#options
    const { type, tries } = delivery
    const before = this.#dead.get(reason) ?? 0
    this.#dead.set(reason, before + 1)
    const text = detail === undefined ? reason : `${reason}: ${detail}`
    deadLetters.add({
      time: new Date(clock.now()).toISOString(),
      target: this.name,
      reason: text,
      tries,
      event: JSON.parse(delivery.body),
    })
    // What is dropped in heaps is told once; see `push` and `stop`.
    if (reason === 'stopped' || (reason === 'queue_full' && this.#full)) return
    const facts = { code: UNDELIVERED, target: this.name, type, tries, detail: text }
    log.error(facts, 'event not delivered')
  }

  #settle(): void {
    if (this.#lanes.size > 0 || this.#inFlight > 0) return
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}
