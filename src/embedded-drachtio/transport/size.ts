import type { Target, Transport } from './types.ts'

/** Largest request sent over UDP when the path MTU is not known (RFC 3261 §18.1.1), in bytes. */
export const LARGEST_DATAGRAM = 1300

/**
 * The targets to try for a request of `size` bytes, Via included: one too large for a datagram
 * goes to each UDP target by TCP first, and by UDP when that connection fails (RFC 3261 §18.1.1).
 * Only where a TCP listener exists, since Via and Contact must name one. Gives back `targets`
 * itself when nothing changes.
 */
export function expandForSize(
  targets: Target[],
  size: number,
  transport: Pick<Transport, 'localFor'>,
): Target[] {
  if (size <= LARGEST_DATAGRAM) return targets
  if (!targets.some((target) => target.transport === 'udp')) return targets
  return targets.flatMap((target): Target[] => {
    if (target.transport !== 'udp') return [target]
    const stream: Target = { ...target, transport: 'tcp' }
    return transport.localFor(stream) ? [stream, target] : [target]
  })
}
