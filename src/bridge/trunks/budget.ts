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

/** Milliseconds from the INVITE at which a target that does not ring is left for the next. */
export interface Patience {
  /** While it has said nothing at all. */
  silent: number
  /** Once its 100 has told that it is there. */
  trying: number
}

/**
 * How long a target may take to ring or refuse: its even share of what is left of the time to ring, and
 * while it says nothing not more than the limit. Undefined: there is no next one, it gets the rest.
 */
export function patienceWith({ limit, left, targets, trunks }: Share): Patience | undefined {
  if (limit === 0 || (targets === 0 && !trunks)) return undefined
  const trying = Math.max(0, left) / (targets + 1)
  return { silent: Math.min(limit, trying), trying }
}
