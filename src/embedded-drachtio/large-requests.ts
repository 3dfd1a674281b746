import type { Clock } from '../shared/clock.ts'
import { FailedTargets } from './resolve/failed-targets.ts'
import type { ExpandForSize } from './transaction/index.ts'
import { expandForSize } from './transport/index.ts'
import type { Target } from './transport/types.ts'

/** How long a peer without TCP is not asked for it again, milliseconds. */
export const WITHOUT_TCP = 600_000

/**
 * The switch to TCP for large requests (RFC 3261 §18.1.1), with a memory: a peer that refused the
 * connection, or whose firewall swallowed it, is sent datagrams for a while without being asked anew
 * for every call.
 */
export class LargeRequests {
  readonly #without: FailedTargets

  constructor(clock: Clock) {
    this.#without = new FailedTargets(clock, WITHOUT_TCP)
  }

  /** For the transaction layer: the targets to try for a request of `size` bytes. */
  readonly expand: ExpandForSize = (targets, size, transport) => {
    const expanded = expandForSize(targets, size, transport)
    if (expanded === targets || this.#without.size === 0) return expanded
    return expanded.filter((target) => targets.includes(target) || !this.#without.has(target))
  }

  /** A TCP connection {@link LargeRequests.expand} proposed could not be made. */
  readonly refused = (target: Target): void => this.#without.add(target)
}
