import t from 'tap'
import type { Clock } from '../../../src/shared/clock.ts'
import { StallMeter } from '../../../src/simulator/media/stalls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

/** A clock whose timers wait for `late` milliseconds. */
class BusyClock extends FakeClock implements Clock {
  late = 0

  override setTimeout(fn: () => void, ms: number): ReturnType<Clock['setTimeout']> {
    return super.setTimeout(fn, ms + this.late)
  }
}

t.test('a process that is on time', async (t) => {
  const clock = new FakeClock()
  const meter = new StallMeter(clock)
  for (let i = 0; i < 500; i++) {
    t.equal(meter.lately(), 0)
    clock.advance(7)
  }
  clock.advance(5000)
  t.equal(clock.pending, 0, 'nobody asks, nothing runs')
})

t.test('a stall counts while it lasts, for seconds after, and no longer', async (t) => {
  const clock = new BusyClock()
  const meter = new StallMeter(clock)
  meter.lately()
  clock.late = 300
  clock.advance(20)
  clock.late = 0
  clock.advance(100)
  t.equal(meter.lately(), 80, 'its timer is overdue')
  clock.advance(1900)
  t.equal(meter.lately(), 300)
  for (let i = 0; i < 40; i++) {
    clock.advance(100)
    meter.lately()
  }
  t.equal(meter.lately(), 0)
})
