import type { Clock, Timer } from '../../shared/clock.ts'

/** Owner of a timer: told when it has run out, with the kind it was scheduled under. */
export interface Expirable<Kind extends string = string> {
  expire(kind: Kind): void
}

/** A running timer, to be handed back to {@link TimerWheel.cancel}. */
export interface TimerEntry {
  /** Monotonic time it runs out at, milliseconds. */
  readonly due: number
}

class Entry implements TimerEntry {
  readonly due: number
  readonly owner: Expirable
  readonly kind: string
  queue: Queue | undefined
  previous: Entry | undefined
  next: Entry | undefined

  constructor(due: number, owner: Expirable, kind: string) {
    this.due = due
    this.owner = owner
    this.kind = kind
  }
}

/** Timers of one duration: as all last equally long, they run out in the order they were added. */
class Queue {
  head: Entry | undefined
  tail: Entry | undefined

  push(entry: Entry): void {
    entry.queue = this
    entry.previous = this.tail
    if (this.tail) this.tail.next = entry
    else this.head = entry
    this.tail = entry
  }

  remove(entry: Entry): void {
    if (entry.previous) entry.previous.next = entry.next
    else this.head = entry.next
    if (entry.next) entry.next.previous = entry.previous
    else this.tail = entry.previous
    entry.queue = entry.previous = entry.next = undefined
  }
}

/**
 * All timers of the transaction layer on one timer of the {@link Clock}. SIP uses a handful of
 * durations (T1·2ⁿ, T4, 64·T1…), so one first-in first-out list a duration keeps them sorted:
 * adding and cancelling cost O(1), and tens of thousands run without a timer of Node each.
 *
 * A timer never runs out early, and late by at most the granularity. Nothing is pending on the
 * clock while no timer runs.
 */
export class TimerWheel {
  readonly #clock: Clock
  readonly #granularity: number
  readonly #queues = new Map<number, Queue>()
  #size = 0
  #driver: Timer | undefined
  /** When the driver fires; -Infinity while it is firing, so that nothing arms it meanwhile. */
  #driverAt = Number.POSITIVE_INFINITY
  #notBefore = 0

  /** `granularity`: least time between two firings, milliseconds. */
  constructor(clock: Clock, granularity = 10) {
    this.#clock = clock
    this.#granularity = granularity
  }

  /** Number of running timers. */
  get size(): number {
    return this.#size
  }

  /** Calls `owner.expire(kind)` once, `ms` milliseconds from now; from a small set of durations. */
  schedule<Kind extends string>(ms: number, owner: Expirable<Kind>, kind: Kind): TimerEntry {
    let queue = this.#queues.get(ms)
    if (!queue) {
      queue = new Queue()
      this.#queues.set(ms, queue)
    }
    const entry = new Entry(this.#clock.monotonic() + ms, owner as Expirable, kind)
    queue.push(entry)
    this.#size++
    if (queue.head === entry && Math.max(entry.due, this.#notBefore) < this.#driverAt) this.#arm()
    return entry
  }

  /** Stops a timer; one that has run out or was stopped is left alone. Returns undefined. */
  cancel(entry: TimerEntry | undefined): undefined {
    if (!(entry instanceof Entry) || !entry.queue) return
    entry.queue.remove(entry)
    this.#size--
    // A cancelled head leaves the driver as it is: it finds nothing due and arms itself anew.
    if (this.#size === 0 && this.#driverAt !== Number.NEGATIVE_INFINITY) this.#disarm()
  }

  /** Stops every timer. */
  clear(): void {
    for (const queue of this.#queues.values()) {
      while (queue.head) queue.remove(queue.head)
    }
    this.#size = 0
    this.#disarm()
  }

  #disarm(): void {
    this.#driver?.clear()
    this.#driver = undefined
    this.#driverAt = Number.POSITIVE_INFINITY
  }

  #arm(): void {
    this.#disarm()
    if (this.#size === 0) return
    let next = Number.POSITIVE_INFINITY
    for (const queue of this.#queues.values()) {
      if (queue.head && queue.head.due < next) next = queue.head.due
    }
    this.#driverAt = Math.max(next, this.#notBefore)
    const wait = Math.max(0, Math.ceil(this.#driverAt - this.#clock.monotonic()))
    this.#driver = this.#clock.setTimeout(this.#fire, wait)
  }

  readonly #fire = (): void => {
    this.#driver = undefined
    this.#driverAt = Number.NEGATIVE_INFINITY
    const now = this.#clock.monotonic()
    try {
      for (const queue of this.#queues.values()) {
        for (let entry = queue.head; entry && entry.due <= now; entry = queue.head) {
          queue.remove(entry)
          this.#size--
          this.#notBefore = now + this.#granularity
          entry.owner.expire(entry.kind)
        }
      }
    } finally {
      this.#arm()
    }
  }
}
