import type { Clock, Timer } from '../shared/clock.ts'

/** The time somebody is ready to wait, which he may cut short. */
export class Patience {
  readonly #clock: Clock
  #giveUp: (() => void) | undefined
  #abandoned = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether nobody waits any more. */
  get abandoned(): boolean {
    return this.#abandoned
  }

  /**
   * Waits for work, `ms` milliseconds at most.
   *
   * @returns undefined when it took too long or nobody waits any more; the work goes on by itself
   */
  async within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
    if (this.#abandoned) {
      work.catch(() => {})
      return undefined
    }
    let timer: Timer | undefined
    const over = new Promise<undefined>((resolve) => {
      this.#giveUp = () => {
        timer?.clear()
        resolve(undefined)
      }
      timer = this.#clock.setTimeout(() => resolve(undefined), ms)
    })
    try {
      return await Promise.race([work, over])
    } finally {
      timer?.clear()
      this.#giveUp = undefined
    }
  }

  /** Ends the waiting at once. */
  abandon(): void {
    this.#abandoned = true
    this.#giveUp?.()
  }
}
