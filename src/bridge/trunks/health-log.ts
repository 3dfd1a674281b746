import type { Logger } from '../../shared/log.ts'
import type { HealthListener } from './target-health.ts'

/**
 * Writes a line when a target goes away and one when it comes back: not for each ping or call.
 *
 * @param trunksOf names of the trunks a target belongs to
 */
export function healthLog(
  log: Logger,
  trunksOf: (target: string) => readonly string[],
): HealthListener {
  // One a redirection named belongs to none.
  const named = (target: string): string | undefined => trunksOf(target).join(', ') || undefined
  /** Targets written of as gone. */
  const gone = new Map<string, 'down' | 'busy'>()
  return (target, { condition, reason, roundTrip }) => {
    if (condition === 'up') {
      if (gone.delete(target))
        log.info({ trunk: named(target), target, roundTrip }, 'target is back')
      return
    }
    if ((condition !== 'down' && condition !== 'busy') || gone.get(target) === condition) return
    // Targets that redirections named are never heard of again.
    if (gone.size > 1000) gone.clear()
    gone.set(target, condition)
    const facts = { trunk: named(target), target, reason }
    log.warn(facts, condition === 'down' ? 'target is down' : 'target is busy')
  }
}
