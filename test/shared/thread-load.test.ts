import t from 'tap'
import { ThreadLoad } from '../../src/shared/thread-load.ts'

t.test('work counts as busy, and a held up event loop as late', async (t) => {
  const load = new ThreadLoad()
  t.teardown(() => load.stop())
  const turn = () => new Promise((resolve) => setTimeout(resolve, 50))
  await turn()
  const before = load.take().busySeconds
  // What is measured begins with the first timer after a look.
  await turn()
  const until = performance.now() + 120
  while (performance.now() < until);
  await turn()
  const { busySeconds, delay } = load.take()
  t.ok(busySeconds - before > 0.05, `${busySeconds - before} s of work`)
  t.ok(delay.max > 0.05, `late by ${delay.max} s`)
  t.ok(delay.p50 <= delay.p99 && delay.p99 <= delay.max + 0.001)
  const idle = load.take()
  t.same(idle.delay, { p50: 0, p99: 0, max: 0 }, 'the delays begin anew')
  t.ok(idle.busySeconds >= busySeconds)
})
