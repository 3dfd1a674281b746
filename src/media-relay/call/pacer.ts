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

  /** @param afterSockets calls once the sockets that have something were read; tests hand in another */
  constructor(clock: Clock, afterSockets: (then: () => void) => void = setImmediate) {
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
    const late = now - this.#due > LATE
    // Aimed at fixed moments, so that lateness does not add up; those that were missed are left out.
    this.#due += STEP
    if (this.#due < now) this.#due = now + STEP
    this.#arm(this.#due - now)
    if (late) this.#afterSockets(() => this.#move(this.#clock.monotonic()))
    else this.#move(now)
  }

  #move(now: number): void {
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
