import type { Clock, Timer } from '../../shared/clock.ts'

/** What is moved on by the one timer of a worker. */
export interface Paced {
  /** Called about every {@link STEP} milliseconds with the monotonic time. */
  tick(nowMs: number): void
  /** A tick has thrown. */
  onFault(cause: unknown): void
}

/** Milliseconds between two ticks: half a frame, so that none is late by more. */
export const STEP = 10

/** Milliseconds by which a tick may be late before sockets are read first. */
const LATE = 5
/** How often sockets are read first at most: a thread that is always late has to go on. */
const READS = 10

/**
 * The timer that paces every call of a worker; it runs while there are calls.
 *
 * After a stall of the thread the event loop runs timers before it reads sockets. A tick that comes
 * late therefore waits until they have been read: what looks missing may well be there, and silence
 * sent in its place would make it late.
 */
export class Pacer {
  readonly #clock: Clock
  readonly #afterSockets: (then: () => void) => void
  readonly #members = new Set<Paced>()
  #timer: Timer | undefined
  #due = 0

  /** @param afterSockets calls once the sockets that have something were read */
  constructor(clock: Clock, afterSockets: (then: () => void) => void) {
    this.#clock = clock
    this.#afterSockets = afterSockets
  }

  add(member: Paced): void {
    this.#members.add(member)
    if (this.#timer) return
    this.#due = this.#clock.monotonic() + STEP
    this.#arm(STEP)
  }

  remove(member: Paced): void {
    this.#members.delete(member)
    if (this.#members.size > 0) return
    this.#timer?.clear()
    this.#timer = undefined
  }

  #arm(ms: number): void {
    this.#timer = this.#clock.setTimeout(() => this.#tick(), ms)
  }

  #tick(): void {
    const now = this.#clock.monotonic()
    if (now - this.#due > LATE) this.#readFirst(now, READS)
    else this.#move(now)
  }

  /** Moves once sockets were read without another stall on the way. */
  #readFirst(since: number, reads: number): void {
    const timer = this.#timer
    this.#afterSockets(() => {
      // The last call has ended, and another may have begun.
      if (this.#timer !== timer) return
      const now = this.#clock.monotonic()
      if (now - since > LATE && reads > 1) this.#readFirst(now, reads - 1)
      else this.#move(now)
    })
  }

  #move(now: number): void {
    // Aimed at fixed moments, so that lateness does not add up; those that were missed are left out.
    this.#due += STEP
    if (this.#due < now) this.#due = now + STEP
    this.#arm(this.#due - now)
    for (const member of this.#members) {
      try {
        member.tick(now)
      } catch (cause) {
        this.remove(member)
        member.onFault(cause)
      }
    }
  }
}
