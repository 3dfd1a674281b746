/** What the time of a target depends on. */
export interface Share {
  /** The trunk's `failover.timeout`, milliseconds; 0 does not limit it. */
  limit: number
  /** What is left of `ring_timeout`, milliseconds. */
  left: number
  /** Targets of the trunk that are left after this one. */
  targets: number
  /** Whether another trunk follows. */
  trunks: boolean
}

/**
 * How long a target may answer nothing before the next one is tried: its even share of what is left of
 * the time to ring, and not more than the limit. Undefined: there is no next one, it gets the rest.
 */
export function silenceBudget({ limit, left, targets, trunks }: Share): number | undefined {
  if (limit === 0 || (targets === 0 && !trunks)) return undefined
  return Math.min(limit, Math.max(0, left) / (targets + 1))
}
