import type { Clock } from '../../shared/clock.ts'
import type { Target } from '../transport/types.ts'

const CAPACITY = 1000

/** Targets that failed lately: tried after the others, until their time is over. */
export class FailedTargets {
  readonly #until = new Map<string, number>()
  readonly #clock: Clock
  readonly #duration: number

  /** `duration` in milliseconds; 0 forgets at once. */
  constructor(clock: Clock, duration: number) {
    this.#clock = clock
    this.#duration = duration
  }

  /** How many there are now. */
  get size(): number {
    const now = this.#clock.monotonic()
    for (const [key, until] of this.#until) if (until <= now) this.#until.delete(key)
    return this.#until.size
  }

  add(target: Target): void {
    if (this.#duration <= 0) return
    const key = keyOf(target)
    this.#until.delete(key)
    this.#until.set(key, this.#clock.monotonic() + this.#duration)
    if (this.#until.size > CAPACITY) this.#until.delete(this.#until.keys().next().value!)
  }

  delete(target: Target): void {
    if (this.#until.size > 0) this.#until.delete(keyOf(target))
  }

  /** The targets in their order, failed ones last. */
  sort(targets: Target[]): Target[] {
    if (this.#until.size === 0 || targets.length < 2) return targets
    const failed = new Set(targets.filter((target) => this.has(target)))
    if (failed.size === 0) return targets
    return [...targets.filter((target) => !failed.has(target)), ...failed]
  }

  /** Whether the target failed and its time is not over. */
  has(target: Target): boolean {
    const key = keyOf(target)
    const until = this.#until.get(key)
    if (until === undefined) return false
    if (until > this.#clock.monotonic()) return true
    this.#until.delete(key)
    return false
  }
}

function keyOf(target: Target): string {
  return `${target.transport}|${target.address}|${target.port}`
}
