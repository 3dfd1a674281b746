import type { TrunkConfig, TrunkTarget } from '../../config/types.ts'
import type { Clock } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'
import { inOrder } from './order.ts'
import { type Condition, type Hysteresis, TargetState } from './target-state.ts'

/** Targets remembered at most; more than a configuration has. The oldest is forgotten. */
const CAPACITY = 1000

/** What is thought of a target, and since when. */
export interface TargetNews {
  condition: Condition
  /** Why; '' when there is nothing to say. */
  reason: string
  /** Milliseconds since the Unix epoch; undefined while nothing is known. */
  since: number | undefined
  /** Round trip of the last ping that was answered, milliseconds. */
  roundTrip: number | undefined
}

/** Told when what is thought of a target changes. */
export type HealthListener = (uri: string, news: TargetNews, former: Condition) => void

/** Who hears of targets, and what adds to them. */
export interface HealthSurroundings {
  changed?: HealthListener
  /** Hears of targets that pings have taken down. */
  dead?: (uri: string) => void
  /** Where the PBX of a trunk is registered: tried before its targets. */
  registered?: (trunk: TrunkConfig) => readonly TrunkTarget[]
}

interface Entry {
  state: TargetState
  since: number | undefined
}

/** What calls and pings have found out about targets, by URI, and the order of trying that follows. */
export class TargetHealth {
  readonly #clock: Clock
  readonly #random: Random
  readonly #around: HealthSurroundings
  readonly #entries = new Map<string, Entry>()
  readonly #failovers = new Map<string, number>()

  constructor(clock: Clock, random: Random, around: HealthSurroundings = {}) {
    this.#clock = clock
    this.#random = random
    this.#around = around
  }

  /** The one list of where calls of a trunk may go. */
  targetsOf(trunk: TrunkConfig): readonly TrunkTarget[] {
    return [...(this.#around.registered?.(trunk) ?? []), ...trunk.targets]
  }

  /** The trunk's targets in the order of trying; those avoided come last. */
  order(trunk: TrunkConfig): TrunkTarget[] {
    const ordered = [
      ...(this.#around.registered?.(trunk) ?? []),
      ...inOrder(trunk.targets, this.#random),
    ]
    const avoided = ordered.filter((target) => this.isAvoided(target))
    return [...ordered.filter((target) => !avoided.includes(target)), ...avoided]
  }

  /** Whether other targets are tried first. */
  isAvoided({ uri }: TrunkTarget): boolean {
    const entry = this.#entries.get(uri)
    return entry !== undefined && !entry.state.available(this.#clock.monotonic())
  }

  /** Whether pings say that it is down. */
  isDown({ uri }: TrunkTarget): boolean {
    return this.#entries.get(uri)?.state.byPing ?? false
  }

  /** Whether a call to the trunk would reach nobody: pings say that all its targets are down. */
  isDead(trunk: TrunkConfig): boolean {
    return this.targetsOf(trunk).every((target) => this.isDown(target))
  }

  /** Whether the next ping should not wait for its interval. */
  doubtOf({ uri }: TrunkTarget): TargetState['doubt'] {
    return this.#entries.get(uri)?.state.doubt ?? 'none'
  }

  /** A call is sent there. */
  taken(target: TrunkTarget): void {
    if (!this.#entries.has(target.uri)) return
    this.#change(target, (state, now) => state.take(now))
  }

  /** It answered a call. */
  worked(target: TrunkTarget): void {
    this.#change(target, (state) => state.worked())
  }

  /** A call did not reach it. */
  failed(target: TrunkTarget, reason = 'not reached'): void {
    this.#change(target, (state, now) => state.failed(now, reason))
  }

  /** It answered 503; `retryAfter` in milliseconds. */
  busy(target: TrunkTarget, reason: string, retryAfter: number | undefined): void {
    this.#change(target, (state, now) => state.busy(now, reason, retryAfter))
  }

  /** A ping was answered after `roundTrip` milliseconds. */
  pingAnswered(target: TrunkTarget, roundTrip: number, options: Hysteresis): void {
    this.#change(target, (state, now) => state.pingAnswered(now, roundTrip, options))
  }

  /** A ping came to nothing. */
  pingFailed(target: TrunkTarget, reason: string, options: Hysteresis): void {
    this.#change(target, (state) => state.pingFailed(reason, options))
  }

  /** It is pinged no more. */
  unpinged(target: TrunkTarget): void {
    this.#entries.get(target.uri)?.state.unpinged(this.#clock.monotonic())
  }

  /** A call of the trunk went on from one target to the next. */
  failedOver(trunk: string): void {
    this.#failovers.set(trunk, this.failovers(trunk) + 1)
  }

  /** How often calls of the trunk went on from one target to the next. */
  failovers(trunk: string): number {
    return this.#failovers.get(trunk) ?? 0
  }

  /** What is thought of a target. */
  news({ uri }: TrunkTarget): TargetNews {
    return newsOf(this.#entries.get(uri))
  }

  #change({ uri }: TrunkTarget, change: (state: TargetState, now: number) => void): void {
    let entry = this.#entries.get(uri)
    if (!entry) {
      entry = { state: new TargetState(), since: undefined }
      this.#entries.set(uri, entry)
      if (this.#entries.size > CAPACITY) this.#entries.delete(this.#entries.keys().next().value!)
    }
    const { condition: former, byPing: dead } = entry.state
    change(entry.state, this.#clock.monotonic())
    if (entry.state.condition !== former) {
      entry.since = this.#clock.now()
      this.#around.changed?.(uri, newsOf(entry), former)
    }
    if (entry.state.byPing && !dead) this.#around.dead?.(uri)
  }
}

function newsOf(entry: Entry | undefined): TargetNews {
  if (!entry) return { condition: 'unknown', reason: '', since: undefined, roundTrip: undefined }
  const { condition, reason, roundTrip } = entry.state
  return { condition, reason, since: entry.since, roundTrip }
}
