import { createHash } from 'node:crypto'
import type { Clock } from '../shared/clock.ts'

/**
 * Remembers what was there, by a hash of its content: for a time, and no more than so many; beyond that the
 * oldest is forgotten first. An entry takes about 100 bytes.
 */
export class SeenContent {
  readonly #clock: Clock
  readonly #keep: number
  readonly #limit: number
  // Insertion order is age.
  readonly #until = new Map<string, number>()

  /** @param keep milliseconds */
  constructor(clock: Clock, keep: number, limit: number) {
    this.#clock = clock
    this.#keep = keep
    this.#limit = limit
  }

  get size(): number {
    return this.#until.size
  }

  /** Whether the content is new; from then on it is not. */
  add(content: string): boolean {
    const now = this.#clock.now()
    this.#forget(now)
    const hash = createHash('sha256').update(content).digest().toString('base64', 0, 16)
    if (this.#until.has(hash)) return false
    this.#until.set(hash, now + this.#keep)
    if (this.#until.size > this.#limit) this.#until.delete(this.#until.keys().next().value!)
    return true
  }

  #forget(now: number): void {
    for (const [hash, until] of this.#until) {
      if (until > now) return
      this.#until.delete(hash)
    }
  }
}
