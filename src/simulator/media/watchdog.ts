import type { Clock, Timer } from '../../shared/clock.ts'

/** When WhatsApp gives a silent call up, in milliseconds. */
export interface WatchdogLimits {
  /** No packet since the answer. Default 20 s. */
  start: number
  /** No packet since the last one. Default 30 s. */
  gap: number
}

/** WhatsApp's own limits. */
export const DEFAULT_WATCHDOG: WatchdogLimits = { start: 20_000, gap: 30_000 }

/**
 * Watches that media flows: one timer that looks at the time of the last packet when it fires, so
 * that packets cost nothing.
 */
export class MediaWatchdog {
  readonly #clock: Clock
  readonly #limits: WatchdogLimits
  readonly #lastAt: () => number | undefined
  readonly #expired: (phase: 'start' | 'gap') => void
  #timer: Timer | undefined
  #startedAt = 0

  constructor(options: {
    clock: Clock
    limits: WatchdogLimits
    /** Monotonic time of the last packet, undefined before the first. */
    lastAt: () => number | undefined
    /** Called once. */
    expired: (phase: 'start' | 'gap') => void
  }) {
    this.#clock = options.clock
    this.#limits = options.limits
    this.#lastAt = options.lastAt
    this.#expired = options.expired
  }

  /** Starts at the answer. */
  start(): void {
    this.#startedAt = this.#clock.monotonic()
    this.#arm(this.#limits.start)
  }

  stop(): void {
    this.#timer?.clear()
    this.#timer = undefined
  }

  #arm(ms: number): void {
    this.#timer = this.#clock.setTimeout(() => this.#look(), ms)
  }

  #look(): void {
    const now = this.#clock.monotonic()
    const last = this.#lastAt()
    const due = last === undefined ? this.#startedAt + this.#limits.start : last + this.#limits.gap
    if (now < due) {
      this.#arm(due - now)
      return
    }
    this.#timer = undefined
    this.#expired(last === undefined ? 'start' : 'gap')
  }
}
