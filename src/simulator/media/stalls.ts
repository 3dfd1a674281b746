import type { Clock, Timer } from '../../shared/clock.ts'

/** Milliseconds between two looks. */
const LOOK = 20
/** Milliseconds a stall is remembered at least, and the meter goes on unasked. */
const MEMORY = 2000

/**
 * How late this process is with what it has to do. On a busy machine packets wait in their socket,
 * and what is measured of their arrival says as much about the reader as about the sender.
 */
export class StallMeter {
  readonly #clock: Clock
  #timer: Timer | undefined
  #due = 0
  #askedAt = 0
  #worst = 0
  #worstBefore = 0
  #turnedAt = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The longest stall of the last seconds in milliseconds. The first call begins to look. */
  lately(): number {
    const now = this.#clock.monotonic()
    this.#askedAt = now
    if (!this.#timer) {
      this.#due = now + LOOK
      this.#turnedAt = now
      this.#schedule()
    }
    return Math.max(this.#worst, this.#worstBefore, now - this.#due)
  }

  #schedule(): void {
    this.#timer = this.#clock.setTimeout(() => this.#look(), LOOK)
  }

  #look(): void {
    const now = this.#clock.monotonic()
    this.#worst = Math.max(this.#worst, now - this.#due)
    if (now - this.#turnedAt >= MEMORY) {
      this.#turnedAt = now
      this.#worstBefore = this.#worst
      this.#worst = 0
    }
    if (now - this.#askedAt >= MEMORY) {
      this.#timer = undefined
      this.#worst = 0
      this.#worstBefore = 0
      return
    }
    this.#due = now + LOOK
    this.#schedule()
  }
}
