import { join } from 'node:path'
import type { EventTarget, EventType } from '../config/types.ts'
import type { Clock } from '../shared/clock.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import { DeadLetterFile } from './dead-letter.ts'
import type { Post } from './post.ts'
import { EVENT_VERSION, type EventData } from './schema.ts'
import { type Persistence, Target, type TargetStatus } from './target.ts'

/** The business number an event is about. */
export interface EventNumber {
  name: string
  phoneNumber: string
  phoneNumberId: string
}

/** An event before it has an id. */
export interface EventDraft<T extends EventType> {
  type: T
  /** What it is about; events of one key are delivered in order. */
  key: string
  /** When it happened, milliseconds since the Unix epoch; now when left out. */
  at?: number | undefined
  sequence?: number | undefined
  number?: EventNumber | undefined
  data: EventData[T]
}

export interface PublisherOptions {
  /** Folder of the dead letters. */
  folder: string
  clock: Clock
  random: Random
  log: Logger
  persistence?: Persistence
  /** Replaces HTTP, for tests. */
  post?: Post
}

/** Name of the file of undelivered events under `records.path`. */
export const DEAD_LETTERS = 'undelivered-events.jsonl'

/** Publishes events to the targets of the configuration. */
export class EventPublisher {
  readonly #options: PublisherOptions
  readonly #deadLetters: DeadLetterFile
  /** By URL; several targets of the same URL are told apart by their order. */
  #targets = new Map<string, Target>()
  readonly #leaving = new Set<Promise<void>>()

  constructor(options: PublisherOptions) {
    this.#options = options
    this.#deadLetters = new DeadLetterFile(join(options.folder, DEAD_LETTERS), options.log)
  }

  /** Takes the targets of a configuration. One that stays keeps its queue, one that goes is flushed. */
  configure(targets: readonly EventTarget[]): void {
    const before = this.#targets
    const next = new Map<string, Target>()
    const names = new Set<string>()
    for (const target of targets) {
      const key = unused(target.url, (text) => next.has(text))
      const name = unused(new URL(target.url).host, (text) => names.has(text))
      names.add(name)
      const known = before.get(key)
      // The name stands in the metrics: a target that changes places is begun anew.
      if (known?.name === name) {
        known.reconfigure(target)
        next.set(key, known)
      } else next.set(key, this.#begin(name, target))
    }
    this.#targets = next
    const kept = new Set(next.values())
    for (const target of before.values()) if (!kept.has(target)) this.#leave(target)
  }

  /** Whether anybody wants events of this type: without, none needs to be made. */
  wants(type: EventType): boolean {
    for (const target of this.#targets.values()) if (target.wants(type)) return true
    return false
  }

  /** Hands an event to the targets that want it; returns at once. */
  publish<T extends EventType>(draft: EventDraft<T>): void {
    const { type, key, at, sequence, number, data } = draft
    if (!this.wants(type)) return
    const id = this.#options.random.uuid()
    const time = new Date(at ?? this.#options.clock.now()).toISOString()
    const body = JSON.stringify({ version: EVENT_VERSION, id, type, time, sequence, number, data })
    for (const target of this.#targets.values()) {
      if (target.wants(type)) target.push({ id, type, key, body })
    }
  }

  status(): TargetStatus[] {
    return [...this.#targets.values()].map((target) => target.status())
  }

  /** Events that could not be written to the dead letters either. */
  get lost(): number {
    return this.#deadLetters.lost
  }

  /** Delivers what can be delivered within `ms`, and writes the rest to the dead letters. */
  async stop(ms: number): Promise<void> {
    for (const target of this.#targets.values()) this.#leave(target, ms)
    this.#targets.clear()
    await Promise.all(this.#leaving)
    await this.#deadLetters.flushed()
  }

  #begin(name: string, target: EventTarget): Target {
    const { folder: _folder, ...rest } = this.#options
    return new Target({ ...rest, name, target, deadLetters: this.#deadLetters })
  }

  #leave(target: Target, ms = 10_000): void {
    const left = target.stop(ms).finally(() => this.#leaving.delete(left))
    this.#leaving.add(left)
  }
}

/** The text, or with the first number behind it that makes it new. */
function unused(text: string, taken: (text: string) => boolean): string {
  let candidate = text
  for (let n = 2; taken(candidate); n++) candidate = `${text}#${n}`
  return candidate
}
