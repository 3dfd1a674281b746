import t from 'tap'
import { RepairLimit } from '../../src/settings/repair-limit.ts'
import { repeatedly } from '../../src/settings/schedule.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeRandom } from '../support/fake-random.ts'

const HOUR = 3_600_000

t.test(
  'after three repairs of a field in an hour it is left alone, until the first is over',
  async (t) => {
    const clock = new FakeClock()
    const limit = new RepairLimit(clock)
    for (const minute of [0, 10, 20]) {
      t.equal(limit.truce('a'), undefined, `before the repair at ${minute}`)
      limit.note('a', ['calling.status', 'calling.status'])
      clock.advance(600_000)
    }
    t.same(limit.truce('a'), { paths: ['calling.status'], left: HOUR - 1_800_000 })
    t.equal(limit.truce('b'), undefined, 'of another number')
    clock.advance(HOUR - 1_800_000 - 1)
    t.same(limit.truce('a'), { paths: ['calling.status'], left: 1 })
    clock.advance(1)
    t.equal(limit.truce('a'), undefined)
    limit.note('a', ['calling.status'])
    t.match(limit.truce('a'), { left: 600_000 }, 'the second one counts still')
  },
)

t.test('fields count apart', async (t) => {
  const clock = new FakeClock()
  const limit = new RepairLimit(clock, { repairs: 2, window: 1000 })
  limit.note('a', ['x', 'y'])
  limit.note('a', ['x', 'z'])
  t.same(limit.truce('a')!.paths, ['x'])
  limit.note('a', ['y'])
  t.same(limit.truce('a')!.paths, ['x', 'y'])
  limit.reset('a')
  t.equal(limit.truce('a'), undefined)
})

t.test('repairs that are far apart are no fight', async (t) => {
  const clock = new FakeClock()
  const limit = new RepairLimit(clock)
  for (let day = 0; day < 10; day++) {
    limit.note('a', ['x'])
    clock.advance(HOUR)
    t.equal(limit.truce('a'), undefined)
  }
})

t.test('turns come about every interval after the last has ended, a tenth apart', async (t) => {
  const clock = new FakeClock()
  const random = new FakeRandom(5)
  const turns: [string, number][] = []
  const start = clock.now()
  const run = async (name: string) => {
    turns.push([name, clock.now() - start])
  }
  const end = repeatedly(['a', 'b'], 1000, run, { clock, random })
  t.equal(clock.pending, 2)
  for (let i = 0; i < 60; i++) {
    clock.advance(100)
    // The next turn is planned once this one has ended.
    await new Promise((resolve) => setImmediate(resolve))
  }
  for (const name of ['a', 'b']) {
    const times = turns.filter(([one]) => one === name).map(([, at]) => at)
    t.ok(times.length >= 5 && times.length <= 6, `${times}`)
    for (const [index, at] of times.entries()) {
      const since = at - (times[index - 1] ?? 0)
      t.ok(since >= 900 && since <= 1200, `${since}`)
    }
    t.ok(new Set(times.map((at, index) => at - (times[index - 1] ?? 0))).size > 1, 'they vary')
  }
  end()
  t.equal(clock.pending, 0)
})

t.test('an interval of 0 is none, and an end is one during a turn', async (t) => {
  const clock = new FakeClock()
  const random = new FakeRandom()
  repeatedly(['a'], 0, async () => {}, { clock, random })
  t.equal(clock.pending, 0)
  let finish = (): void => {}
  const end = repeatedly(
    ['a'],
    1000,
    () =>
      new Promise<void>((resolve) => {
        finish = resolve
      }),
    { clock, random },
  )
  clock.advance(1100)
  end()
  finish()
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(clock.pending, 0)
})
