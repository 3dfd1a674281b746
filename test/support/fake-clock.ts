import type { Clock, Timer } from '../../src/shared/clock.ts'

interface Entry {
  at: number
  order: number
  fn: () => void
}

/** A clock that moves only when told to. Timers fire in order of time, then of creation. */
export class FakeClock implements Clock {
  #now: number
  #jumped = 0
  #order = 0
  readonly #entries = new Set<Entry>()
  readonly #start: number

  constructor(now = 1_700_000_000_000) {
    this.#now = now
    this.#start = now
  }

  now(): number {
    return this.#now + this.#jumped
  }

  /** Sets the wall clock on, or back: no time passes. */
  jump(ms: number): void {
    this.#jumped += ms
  }

  monotonic(): number {
    return this.#now - this.#start
  }

  setTimeout(fn: () => void, ms: number): Timer {
    const entry = { at: this.#now + Math.max(0, ms), order: this.#order++, fn }
    this.#entries.add(entry)
    return { clear: () => void this.#entries.delete(entry) }
  }

  /** How many timers are pending: zero after everything has ended. */
  get pending(): number {
    return this.#entries.size
  }

  /** Moves time by `ms`, firing due timers at their own time. */
  advance(ms: number): void {
    const target = this.#now + ms
    for (;;) {
      let next: Entry | undefined
      for (const entry of this.#entries) {
        if (entry.at > target) continue
        if (!next || entry.at < next.at || (entry.at === next.at && entry.order < next.order)) {
          next = entry
        }
      }
      if (!next) break
      this.#entries.delete(next)
      this.#now = next.at
      next.fn()
    }
    this.#now = target
  }
}
