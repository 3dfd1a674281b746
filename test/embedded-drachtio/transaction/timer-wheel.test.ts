import t from 'tap'
import {
  type Expirable,
  TimerWheel,
} from '../../../src/embedded-drachtio/transaction/timer-wheel.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeRandom } from '../../support/fake-random.ts'

t.test('timers run out at their time and leave nothing behind', async (t) => {
  const clock = new FakeClock()
  const wheel = new TimerWheel(clock, 10)
  const fired: [string, number][] = []
  const owner: Expirable = { expire: (kind) => void fired.push([kind, clock.monotonic()]) }
  wheel.schedule(32_000, owner, 'long')
  wheel.schedule(500, owner, 'short')
  clock.advance(200)
  wheel.schedule(500, owner, 'later')
  const cancelled = wheel.schedule(4000, owner, 'never')
  t.equal(wheel.size, 4)
  t.equal(clock.pending, 1, 'one timer of the clock serves all')
  wheel.cancel(cancelled)
  wheel.cancel(cancelled)
  t.equal(wheel.size, 3)
  clock.advance(40_000)
  t.same(fired, [
    ['short', 500],
    ['later', 700],
    ['long', 32_000],
  ])
  t.equal(wheel.size, 0)
  t.equal(clock.pending, 0)
})

t.test('cancelling the last timer leaves the clock idle', async (t) => {
  const clock = new FakeClock()
  const wheel = new TimerWheel(clock)
  const owner: Expirable = { expire() {} }
  const a = wheel.schedule(500, owner, 'a')
  const b = wheel.schedule(1000, owner, 'b')
  wheel.cancel(a)
  t.equal(clock.pending, 1)
  wheel.cancel(b)
  t.equal(clock.pending, 0)
  wheel.schedule(500, owner, 'a')
  wheel.clear()
  t.equal(clock.pending, 0)
  t.equal(wheel.size, 0)
})

t.test('a burst is served in steps of the granularity, never early', async (t) => {
  const clock = new FakeClock()
  const random = new FakeRandom(7)
  const wheel = new TimerWheel(clock, 10)
  let firings = 0
  let last = -1
  let count = 0
  for (let i = 0; i < 5000; i++) {
    const ms = [500, 1000, 4000, 5000, 32_000][random.int(0, 5)]!
    const due = clock.monotonic() + ms
    wheel.schedule(
      ms,
      {
        expire() {
          const late = clock.monotonic() - due
          if (late < 0 || late > 10) t.fail(`${late} ms late`)
          if (clock.monotonic() !== last) firings++
          last = clock.monotonic()
          count++
        },
      },
      'x',
    )
    clock.advance(random.int(0, 3))
  }
  clock.advance(40_000)
  t.equal(count, 5000)
  t.ok(firings < 2000, `${firings} firings`)
  t.equal(clock.pending, 0)
})

t.test('an owner may schedule and cancel while it is called, and may throw', async (t) => {
  const clock = new FakeClock()
  const wheel = new TimerWheel(clock, 0)
  const fired: string[] = []
  const owner: Expirable = {
    expire(kind) {
      fired.push(kind)
      if (kind === 'first') {
        wheel.cancel(second)
        wheel.schedule(100, owner, 'third')
      }
      if (kind === 'third') {
        wheel.schedule(100, owner, 'fourth')
        throw new Error('owner')
      }
    },
  }
  wheel.schedule(500, owner, 'first')
  const second = wheel.schedule(500, owner, 'second')
  clock.advance(500)
  t.throws(() => clock.advance(100), { message: 'owner' })
  clock.advance(100)
  t.same(fired, ['first', 'third', 'fourth'])
  t.equal(clock.pending, 0)
})
