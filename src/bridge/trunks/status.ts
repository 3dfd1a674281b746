import type { CallRegistry } from '../../calls/index.ts'
import type { TrunkConfig } from '../../config/types.ts'
import type { Pinger } from './pinger.ts'
import { callsOf } from './room.ts'
import type { TargetHealth } from './target-health.ts'
import type { Condition } from './target-state.ts'

/** A target of a trunk as others see it. */
export interface TargetStatus {
  trunk: string
  uri: string
  /** Whether calls are sent there before other targets are tried. */
  reachable: boolean
  state: Condition
  /** Why; '' when there is nothing to say. */
  reason: string
  /** Milliseconds since the Unix epoch; undefined while nothing is known. */
  since: number | undefined
  /** Whether OPTIONS are sent to it. */
  pinged: boolean
  /** Round trip of the last ping that was answered, milliseconds. */
  roundTrip: number | undefined
}

/** Figures of a trunk. */
export interface TrunkStatus {
  name: string
  /** Whether one of its targets is not avoided. */
  up: boolean
  /** Calls in progress. */
  calls: number
  /** Most calls at a time; undefined: no limit of its own. */
  limit: number | undefined
  /** How often a call went on from one target to the next. */
  failovers: number
}

/** The configured targets of all trunks. */
export function targetStatuses(
  trunks: readonly TrunkConfig[],
  health: TargetHealth,
  pinger: Pinger,
): TargetStatus[] {
  return trunks.flatMap((trunk) =>
    trunk.targets.map((target) => {
      const { condition, reason, since, roundTrip } = health.news(target)
      return {
        trunk: trunk.name,
        uri: target.uri,
        reachable: !health.isAvoided(target),
        state: condition,
        reason,
        since,
        pinged: pinger.pings(target),
        roundTrip,
      }
    }),
  )
}

/** Figures of all trunks. */
export function trunkStatuses(
  trunks: readonly TrunkConfig[],
  health: TargetHealth,
  calls: CallRegistry,
): TrunkStatus[] {
  return trunks.map((trunk) => ({
    name: trunk.name,
    up: health.targetsOf(trunk).some((target) => !health.isAvoided(target)),
    calls: callsOf(calls, trunk.name),
    limit: trunk.limits?.calls,
    failovers: health.failovers(trunk.name),
  }))
}
