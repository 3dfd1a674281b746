import type { TrunkConfig, TrunkTarget } from '../../config/types.ts'
import type { Clock } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'

/** How long a target that was not reached is tried last, milliseconds. */
export const AVOIDED_FOR = 30_000

/** Remembers which targets could not be reached lately, and puts targets in the order of trying. */
export class TargetHealth {
  readonly #clock: Clock
  readonly #random: Random
  readonly #registered: (trunk: TrunkConfig) => readonly TrunkTarget[]
  /** Until when a target is avoided, by URI. Bounded by the targets configured. */
  readonly #avoided = new Map<string, number>()

  /** @param registered where the PBX of a trunk is registered: tried before its targets */
  constructor(
    clock: Clock,
    random: Random,
    registered: (trunk: TrunkConfig) => readonly TrunkTarget[] = () => [],
  ) {
    this.#clock = clock
    this.#random = random
    this.#registered = registered
  }

  failed(target: TrunkTarget): void {
    this.#avoided.set(target.uri, this.#clock.monotonic() + AVOIDED_FOR)
  }

  worked(target: TrunkTarget): void {
    this.#avoided.delete(target.uri)
  }

  /** Whether the target was not reached a short time ago. */
  isAvoided(target: TrunkTarget): boolean {
    const until = this.#avoided.get(target.uri)
    if (until === undefined) return false
    if (until > this.#clock.monotonic()) return true
    this.#avoided.delete(target.uri)
    return false
  }

  /**
   * The trunk's targets in the order of trying: as configured, or, where weights differ, drawn by
   * weight (RFC 2782); those avoided come last.
   */
  order(trunk: TrunkConfig): TrunkTarget[] {
    const { targets } = trunk
    const registered = this.#registered(trunk)
    if (targets.length === 1 && registered.length === 0) return targets
    const equal = targets.every(({ weight }) => weight === targets[0]!.weight)
    const ordered = [...registered, ...(equal ? targets : this.#draw(targets))]
    const avoided = ordered.filter((target) => this.isAvoided(target))
    return [...ordered.filter((target) => !avoided.includes(target)), ...avoided]
  }

  #draw(targets: readonly TrunkTarget[]): TrunkTarget[] {
    const left = [...targets]
    const drawn: TrunkTarget[] = []
    while (left.length > 0) {
      const total = left.reduce((sum, { weight }) => sum + weight, 0)
      let ticket = this.#random.int(0, Math.max(1, total))
      const index = left.findIndex(({ weight }) => {
        ticket -= weight
        return ticket < 0
      })
      drawn.push(...left.splice(Math.max(0, index), 1))
    }
    return drawn
  }
}

/** One place a call may go: a target of a trunk. */
export interface Hop {
  trunk: TrunkConfig
  target: TrunkTarget
}

/** Walks the targets of the trunks of a call, in order, each once. */
export class Hunt {
  readonly #trunks: TrunkConfig[]
  readonly #health: TargetHealth
  #trunk: TrunkConfig | undefined
  #targets: TrunkTarget[] = []

  constructor(trunks: TrunkConfig[], health: TargetHealth) {
    this.#trunks = [...trunks]
    this.#health = health
  }

  /** The next target of the trunk being tried. */
  nextTarget(): Hop | undefined {
    const target = this.#targets.shift()
    return target && this.#trunk && { trunk: this.#trunk, target }
  }

  /** The first target of the next trunk. */
  nextTrunk(): Hop | undefined {
    // A trunk whose PBX is not registered may have none.
    do {
      this.#trunk = this.#trunks.shift()
      this.#targets = this.#trunk ? [...this.#health.order(this.#trunk)] : []
    } while (this.#trunk && this.#targets.length === 0)
    return this.nextTarget()
  }
}
