import type { Logger } from '../../shared/log.ts'
import type { HealthListener } from './target-health.ts'

/** Writes a line when a target goes away and one when it comes back: not for each ping or call. */
export function healthLog(log: Logger): HealthListener {
  /** Targets written of as gone. */
  const gone = new Map<string, 'down' | 'busy'>()
  return (target, { condition, reason, roundTrip }) => {
    if (condition === 'up') {
      if (gone.delete(target)) log.info({ target, roundTrip }, 'target is back')
      return
    }
    if ((condition !== 'down' && condition !== 'busy') || gone.get(target) === condition) return
    // Targets that redirections named are never heard of again.
    if (gone.size > 1000) gone.clear()
    gone.set(target, condition)
    log.warn({ target, reason }, condition === 'down' ? 'target is down' : 'target is busy')
  }
}
