import t from 'tap'
import { systemClock } from '../../src/shared/clock.ts'

t.test('a timer beyond the limit of Node waits instead of firing at once', async (t) => {
  let fired = 0
  const timers = [Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER].map((ms) =>
    systemClock.setTimeout(() => fired++, ms),
  )
  const due = Promise.withResolvers<void>()
  systemClock.setTimeout(due.resolve, 20)
  // The clock's own timers do not keep the process alive.
  const keep = setTimeout(() => {}, 1000)
  await due.promise
  clearTimeout(keep)
  t.equal(fired, 0)
  for (const timer of timers) timer.clear()
})
