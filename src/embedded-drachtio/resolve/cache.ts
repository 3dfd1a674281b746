import type { Clock } from '../../shared/clock.ts'

/** An answer and how long it may be kept, in seconds. */
export interface Lifetime<T> {
  value: T
  ttl: number
}

interface Entry {
  value: Promise<unknown>
  /** Monotonic milliseconds; infinite while the query runs. */
  expires: number
}

/**
 * Answers by key until they expire, at most `capacity` of them: the one unused for longest goes
 * first. Callers that ask while a query runs share its answer. Failures are not kept.
 */
export class DnsCache {
  readonly #entries = new Map<string, Entry>()
  readonly #clock: Clock
  readonly #capacity: number

  constructor(clock: Clock, capacity: number) {
    this.#clock = clock
    this.#capacity = capacity
  }

  get size(): number {
    return this.#entries.size
  }

  get<T>(key: string, query: () => Promise<Lifetime<T>>): Promise<T> {
    const known = this.#entries.get(key)
    this.#entries.delete(key)
    if (known && known.expires > this.#clock.monotonic()) {
      this.#entries.set(key, known)
      return known.value as Promise<T>
    }
    const entry: Entry = { value: this.#ask(key, query), expires: Number.POSITIVE_INFINITY }
    this.#entries.set(key, entry)
    if (this.#entries.size > this.#capacity) {
      this.#entries.delete(this.#entries.keys().next().value!)
    }
    return entry.value as Promise<T>
  }

  async #ask<T>(key: string, query: () => Promise<Lifetime<T>>): Promise<T> {
    try {
      const { value, ttl } = await query()
      const entry = this.#entries.get(key)
      if (entry) entry.expires = this.#clock.monotonic() + ttl * 1000
      return value
    } catch (error) {
      this.#entries.delete(key)
      throw error
    }
  }
}
