import type { Clock } from './clock.ts'
import type { Logger } from './log.ts'

/** Milliseconds in which a kind of line is written once. */
const PAUSE = 60_000

/** Kinds that are remembered; more only come of many numbers and trunks. */
const KINDS = 1000

/**
 * Log lines of what may happen at any rate, because others cause it: refused INVITEs, forged webhooks.
 * The first of a kind is written, then at most one a minute, which says how many came in between.
 */
export class Notices {
  readonly #log: Logger
  readonly #clock: Clock
  readonly #kinds = new Map<string, { until: number; more: number }>()

  constructor(log: Logger, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  /**
   * Writes a line, unless one of its kind was written within the last minute.
   *
   * @param kind what the operator would call the same trouble again; from a bounded set
   */
  tell(
    kind: string,
    level: 'info' | 'warn',
    fields: Record<string, unknown>,
    message: string,
  ): void {
    const now = this.#clock.monotonic()
    const known = this.#kinds.get(kind)
    if (known && now < known.until) {
      known.more++
      return
    }
    if (this.#kinds.size >= KINDS) this.#kinds.clear()
    this.#kinds.set(kind, { until: now + PAUSE, more: 0 })
    const suppressed = known?.more ? { suppressed: known.more } : {}
    this.#log[level]({ ...fields, ...suppressed }, message)
  }
}
