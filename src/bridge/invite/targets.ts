import type { TrunkConfig, TrunkTarget } from '../../config/types.ts'
import type { CausewayError } from '../../shared/errors/index.ts'
import type { TargetHealth } from '../trunks/target-health.ts'

/** One place a call may go: a target of a trunk. */
export interface Hop {
  trunk: TrunkConfig
  target: TrunkTarget
  /** User part a redirection asks for, escaped. */
  user?: string
}

/** Why a trunk takes no call now; undefined when it does. */
export type Room = (trunk: TrunkConfig) => CausewayError | undefined

/**
 * Walks the targets of the trunks of a call, each once. What is thought of them is asked anew at each
 * step: a target that has gone down meanwhile comes last. A trunk without room is passed over, and one
 * of which pings say that it is down, unless every other one is.
 */
export class Hunt {
  readonly #trunks: TrunkConfig[]
  readonly #health: TargetHealth
  readonly #room: Room
  #trunk: TrunkConfig | undefined
  #targets: TrunkTarget[] = []
  #redirected: Hop[] = []
  #full: CausewayError | undefined

  constructor(trunks: TrunkConfig[], health: TargetHealth, room: Room = () => undefined) {
    this.#trunks = [...trunks]
    this.#health = health
    this.#room = room
  }

  /** Targets of the trunk being tried that are left, and whether another trunk is. */
  get left(): { targets: number; trunks: boolean } {
    const targets = this.#redirected.length + this.#targets.length
    return { targets, trunks: this.#trunks.length > 0 }
  }

  /** Why the first trunk that had no room had none. */
  get full(): CausewayError | undefined {
    return this.#full
  }

  /** Puts places a redirection named before the other targets of the trunk being tried. */
  redirect(hops: readonly Hop[]): void {
    this.#redirected = [...hops, ...this.#redirected]
  }

  /** The next target of the trunk being tried. */
  nextTarget(): Hop | undefined {
    const trunk = this.#trunk
    if (!trunk) return undefined
    const redirected = this.#redirected.shift()
    if (redirected) return redirected
    const target =
      this.#targets.find((one) => !this.#health.isAvoided(one)) ??
      this.#targets.find((one) => !this.#health.isDown(one)) ??
      (this.#trunks.every((other) => this.#health.isDead(other)) ? this.#targets[0] : undefined)
    if (!target) return undefined
    this.#targets = this.#targets.filter((one) => one !== target)
    this.#health.taken(target)
    return { trunk, target }
  }

  /** The first target of the next trunk. */
  nextTrunk(): Hop | undefined {
    this.#redirected = []
    const open = this.#trunks.filter((trunk) => this.#hasRoom(trunk))
    const trunk = open.find((one) => !this.#health.isDead(one)) ?? open[0]
    this.#trunk = trunk
    this.#targets = trunk ? this.#health.order(trunk) : []
    this.#trunks.splice(0, trunk ? this.#trunks.indexOf(trunk) + 1 : this.#trunks.length)
    return trunk && (this.nextTarget() ?? this.nextTrunk())
  }

  #hasRoom(trunk: TrunkConfig): boolean {
    const full = this.#room(trunk)
    this.#full ??= full
    return !full
  }
}
