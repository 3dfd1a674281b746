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

/** The timer that paces every call of a worker; it runs while there are calls. */
export class Pacer {
  readonly #clock: Clock
  readonly #members = new Set<Paced>()
  #timer: Timer | undefined
  #due = 0

  constructor(clock: Clock) {
    this.#clock = clock
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
