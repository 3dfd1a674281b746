import t from 'tap'
import { estimateIndex } from '../../../src/media-relay/srtp/packet-index.ts'
import { ReplayWindow } from '../../../src/media-relay/srtp/replay-window.ts'
import { FakeRandom } from '../../support/fake-random.ts'

t.test('edges of the window', async (t) => {
  const window = new ReplayWindow()
  t.notOk(window.seen(0), 'nothing is seen at first')
  window.accept(100)
  t.ok(window.seen(100))
  t.notOk(window.seen(99))
  t.notOk(window.seen(37), '63 behind is inside')
  t.ok(window.seen(36), '64 behind is outside')
  window.accept(37)
  t.ok(window.seen(37))
  window.accept(101)
  t.ok(window.seen(37), 'has left the window')
  t.notOk(window.seen(38))
  t.ok(window.seen(100))
})

t.test('equals a set of indices on a random walk, jumps and ROC 2^31 included', async (t) => {
  const random = new FakeRandom(5)
  for (const start of [0, 65_500, 2 ** 31 * 65_536 - 40]) {
    const window = new ReplayWindow()
    const seen = new Set<number>()
    let highest = start
    for (let i = 0; i < 5000; i++) {
      const jump = random.int(0, 40) === 0 ? random.int(-10, 200) : random.int(-70, 3)
      const index = Math.max(start, highest + jump)
      const expected = seen.has(index) || (window.highest >= 0 && index <= highest - 64)
      if (window.seen(index) !== expected) return t.fail(`step ${i}: ${index} after ${highest}`)
      if (expected) continue
      window.accept(index)
      seen.add(index)
      highest = Math.max(highest, index)
    }
    t.equal(window.highest, highest)
    t.ok(highest > start + 64, 'the walk went somewhere')
  }
})

t.test('a copy goes its own way', async (t) => {
  const window = new ReplayWindow()
  for (const index of [5, 60]) window.accept(index)
  const copy = window.clone()
  t.ok(copy.seen(5) && copy.seen(60))
  copy.accept(61)
  t.notOk(window.seen(61))
})

t.test('index of a packet (RFC 3711 appendix A)', async (t) => {
  const roc = (n: number, seq: number): number => n * 65_536 + seq
  const cases: [highest: number, seq: number, index: number][] = [
    [roc(0, 0), 1, roc(0, 1)],
    [roc(0, 65_535), 0, roc(1, 0)],
    [roc(1, 0), 65_535, roc(0, 65_535)],
    [roc(5, 10), 65_530, roc(4, 65_530)],
    [roc(5, 65_530), 10, roc(6, 10)],
    [roc(5, 100), 100 + 32_768, roc(5, 100 + 32_768)],
    [roc(5, 100), 101 + 32_768, roc(4, 101 + 32_768)],
    [roc(5, 40_000), 40_000 - 32_768, roc(5, 40_000 - 32_768)],
    [roc(5, 40_000), 39_999 - 32_768, roc(6, 39_999 - 32_768)],
    [roc(0, 100), 50_000, roc(0, 50_000)],
    [roc(40_000, 3), 65_535, roc(39_999, 65_535)],
  ]
  for (const [highest, seq, index] of cases)
    t.equal(estimateIndex(highest, seq), index, `${seq} after ${highest}`)
})
