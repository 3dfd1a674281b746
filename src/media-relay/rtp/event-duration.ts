/** Milliseconds by which an event may grow from one packet to the next, whatever time has passed. */
const STEP_MS = 100
/** Least growth of an end that is set right. */
const FRAME_MS = 20

/**
 * Keeps the durations of an event (RFC 4733 §2.3) to the time that has passed. Asterisk, where the
 * audio is Opus, counts the last duration of an event by the clock of the audio, 48000 Hz, while the
 * event's own is 8000 Hz: the digit would seem six times as long.
 */
export class EventDuration {
  readonly #rate: number
  #last = 0
  #lastAt = 0
  #final: number | undefined

  /** @param rate clock of telephone-event, ticks a second */
  constructor(rate: number) {
    this.#rate = rate
  }

  /** The first packet of an event or of a segment of it. */
  begin(ticks: number, end: boolean, nowMs: number): number {
    this.#last = ticks
    this.#lastAt = nowMs
    this.#final = end ? ticks : undefined
    return ticks
  }

  /** A packet of the event, `step` sequence numbers after the last. Gives its plausible duration. */
  next(ticks: number, end: boolean, step: number, nowMs: number): number {
    if (this.#final !== undefined) return this.#final
    const passed = this.#ticks(nowMs - this.#lastAt)
    const most = this.#last + Math.max(Math.max(1, step) * this.#ticks(STEP_MS), 2 * passed)
    const plausible = ticks > most ? this.#last + Math.max(passed, this.#ticks(FRAME_MS)) : ticks
    if (end) this.#final = plausible
    if (plausible > this.#last) {
      this.#last = plausible
      this.#lastAt = nowMs
    }
    return plausible
  }

  #ticks(ms: number): number {
    return Math.round((ms * this.#rate) / 1000)
  }
}
