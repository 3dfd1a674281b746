import t from 'tap'
import { COOL_DOWN, PortTable, splitRange } from '../../../src/media-relay/ports/port-table.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeRandom } from '../../support/fake-random.ts'

function table(min: number, max: number, seed = 1): { ports: PortTable; clock: FakeClock } {
  const clock = new FakeClock()
  return { clock, ports: new PortTable({ min, max }, { clock, random: new FakeRandom(seed) }) }
}

function all(take: () => number | undefined): number[] {
  const taken: number[] = []
  for (;;) {
    const port = take()
    if (port === undefined) return taken.sort((a, b) => a - b)
    taken.push(port)
  }
}

t.test('pairs are an even port and the odd one above it, each once', async (t) => {
  const { ports } = table(20_000, 20_009)
  t.same(
    all(() => ports.takePair()),
    [20_000, 20_002, 20_004, 20_006, 20_008],
  )
  t.same(ports.counts(), { total: 10, used: 10, cooling: 0 })
})

t.test('a range that begins odd or ends even has no half pairs', async (t) => {
  const { ports } = table(20_001, 20_006)
  t.same(
    all(() => ports.takePair()),
    [20_002, 20_004],
  )
  t.same(
    all(() => ports.takeOne()),
    [20_001, 20_006],
  )
})

t.test('the first port taken differs from call to call', async (t) => {
  const first = new Set(
    Array.from({ length: 20 }, (_, seed) => table(20_000, 20_999, seed).ports.takePair()),
  )
  t.ok(first.size > 10)
})

t.test('single ports fill broken pairs first', async (t) => {
  const { ports } = table(20_000, 20_099)
  const one = ports.takeOne()!
  t.equal(ports.takeOne(), one ^ 1)
  t.equal(all(() => ports.takePair()).length, 49)
})

t.test('a port given back rests before it is taken again', async (t) => {
  const { ports, clock } = table(20_000, 20_001)
  t.equal(ports.takePair(), 20_000)
  ports.free(20_000)
  ports.free(20_001)
  t.same(ports.counts(), { total: 2, used: 0, cooling: 2 })
  clock.advance(COOL_DOWN - 1)
  t.equal(ports.takePair(), undefined)
  clock.advance(1)
  t.equal(ports.takePair(), 20_000)
  t.same(ports.counts(), { total: 2, used: 2, cooling: 0 })
})

t.test('giving back what was not taken changes nothing', async (t) => {
  const { ports } = table(20_000, 20_001)
  ports.free(20_000)
  ports.free(30_000)
  t.same(ports.counts(), { total: 2, used: 0, cooling: 0 })
})

t.test('parts for workers cover the range and never overlap', async (t) => {
  for (const [min, max, parts] of [
    [20_000, 29_999, 3],
    [20_001, 20_100, 4],
    [20_000, 20_007, 2],
  ] as const) {
    const ranges = splitRange({ min, max }, parts)
    t.equal(ranges.length, parts)
    t.equal(ranges[0]!.min, min)
    t.equal(ranges.at(-1)!.max, max)
    ranges.slice(1).forEach((range, index) => {
      t.equal(range.min, ranges[index]!.max + 1)
      t.equal(range.min % 2, 0)
    })
  }
})

t.test('a range too small for so many workers is cut into fewer parts', async (t) => {
  t.same(splitRange({ min: 20_000, max: 20_005 }, 4), [{ min: 20_000, max: 20_005 }])
})
