import type { Instance } from '../../app/index.ts'
import { readiness } from '../../http/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { isCausewayError } from '../../shared/errors/index.ts'
import type { Logger } from '../../shared/log.ts'
import type { Io } from '../io.ts'
import { ServiceManager } from './manager.ts'

/** What systemd is told of a running instance. */
export function serviceOf(instance: Instance, io: Io, log: Logger): ServiceManager {
  const { operations, calls } = instance
  return new ServiceManager({
    env: io.env,
    pid: process.pid,
    status() {
      const count = `${calls.size} call${calls.size === 1 ? '' : 's'} in progress`
      const draining = operations.checks().some(({ component }) => component === 'drain')
      return draining ? `draining: ${count}` : count
    },
    reasons: () => readiness(operations.checks()).reasons,
    stuck: () => instance.stuck(),
    clock: systemClock,
    log,
  })
}

/** The errors of a refused reload, in a line. */
export function refusalLine(errors: readonly unknown[]): string {
  const [first] = errors.filter(isCausewayError)
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  const place = first?.place ? ` at ${first.place}` : ''
  return `reload refused: ${first ? `${first.message}${place}${more}` : 'see the log'}`
}
