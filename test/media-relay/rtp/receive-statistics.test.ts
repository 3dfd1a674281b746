import t from 'tap'
import { ReceiveStatistics } from '../../../src/media-relay/rtp/index.ts'
import { FakeRandom } from '../../support/fake-random.ts'

const FRAME = 160

/** Packet n of a 20 ms stream of G.711 at its time, or `late` milliseconds after. */
function feed(stats: ReceiveStatistics, n: number, late = 0, ssrc = 1, base = 0) {
  stats.receive(ssrc, (base + n) & 0xffff, (n * FRAME) >>> 0, FRAME, n * 20 + late)
}

t.test('a clean stream', async (t) => {
  const stats = new ReceiveStatistics(8000)
  stats.start(-70)
  for (let n = 0; n < 1000; n++) feed(stats, n)
  t.match(stats.report('PCMA', 40), {
    packets: 1000,
    octets: 160_000,
    lost: 0,
    lossRate: 0,
    burstRate: 0,
    jitterMs: 0,
    reordered: 0,
    duplicates: 0,
    firstPacketAfterMs: 70,
    longestGapMs: 20,
  })
  t.ok(stats.report('PCMA').mos! > 4.2)
  t.equal(stats.report().mos, undefined, 'no quality without a codec')
  t.equal(stats.ptime, 20)
  t.equal(stats.extendedHighest, 999)
  t.equal(stats.takeFractionLost(), 0)
})

t.test('before the first packet', async (t) => {
  const stats = new ReceiveStatistics(8000)
  t.match(stats.report('opus'), { packets: 0, lost: 0, lossRate: 0, mos: undefined })
  t.equal(stats.report().firstPacketAfterMs, undefined)
  t.equal(stats.cumulativeLost, 0)
  t.equal(stats.takeFractionLost(), 0)
  t.equal(stats.ssrc, undefined)
})

t.test('loss, order and duplicates', async (t) => {
  const rows: [string, number[], object][] = [
    ['one lost', [0, 1, 3, 4], { packets: 4, lost: 1, reordered: 0, duplicates: 0 }],
    ['late, not lost', [0, 2, 1, 3], { packets: 4, lost: 0, reordered: 1, duplicates: 0 }],
    ['twice', [0, 1, 1, 2], { packets: 3, lost: 0, reordered: 0, duplicates: 1 }],
    ['twice and one lost', [0, 1, 1, 3], { packets: 3, lost: 1, duplicates: 1 }],
    ['began earlier', [2, 0, 1, 3], { packets: 4, lost: 0, reordered: 2 }],
    ['began earlier, one of two', [2, 0, 3], { packets: 3, lost: 1, reordered: 1 }],
    ['a stray far away', [0, 1, 20_000, 2, 3], { packets: 4, lost: 0 }],
  ]
  for (const [name, order, expected] of rows) {
    for (const base of [0, 65_534]) {
      const stats = new ReceiveStatistics(8000)
      for (const n of order) feed(stats, n, 0, 1, base)
      t.match(stats.report(), expected, `${name} from ${base}`)
    }
  }
})

t.test('report blocks count as RFC 3550 §A.3 does', async (t) => {
  const stats = new ReceiveStatistics(8000)
  for (let n = 0; n < 100; n++) if (n % 4 !== 3) feed(stats, n)
  feed(stats, 100)
  t.equal(stats.cumulativeLost, 25)
  t.equal(stats.takeFractionLost(), Math.floor((25 * 256) / 101))
  for (let n = 101; n < 200; n++) feed(stats, n)
  t.equal(stats.takeFractionLost(), 0, 'since the last report')
  for (let n = 150; n < 200; n++) feed(stats, n)
  t.equal(stats.cumulativeLost, -25, 'duplicates count as received')
  t.equal(stats.report().lost, 25, 'but are not taken for what was lost')
})

t.test('jitter in ticks (RFC 3550 §A.8)', async (t) => {
  const stats = new ReceiveStatistics(8000)
  let expected = 0
  const random = new FakeRandom(5)
  let last = 0
  for (let n = 0; n < 500; n++) {
    const late = random.int(0, 15)
    feed(stats, n, late)
    if (n > 0) expected += (Math.abs(late - last) * 8 - expected) / 16
    last = late
  }
  t.equal(stats.jitter, Math.floor(expected))
  t.ok(Math.abs(stats.report().jitterMs - expected / 8) < 1e-9)
  stats.receive(1, 500, 2 ** 31, FRAME, 500 * 20)
  t.ok(stats.report().jitterMs < 10, 'a clock that jumps is no jitter')
})

t.test('bursts and lonely losses (RFC 3611, Gmin 16)', async (t) => {
  const rows: [string, number[], number][] = [
    ['none', [], 0],
    ['lonely', [100, 200, 300], 0],
    ['two in a row', [100, 101], 1],
    ['two with 15 between', [100, 116], 1],
    ['two with 16 between', [100, 117], 0],
    ['three of a burst and a lonely one', [100, 105, 110, 300], 0.75],
    ['at the very end', [100, 394, 396], 2 / 3],
  ]
  for (const [name, lost, burstRate] of rows) {
    const stats = new ReceiveStatistics(8000)
    for (let n = 0; n < 400; n++) if (!lost.includes(n)) feed(stats, n)
    const report = stats.report('PCMA')
    t.equal(report.lost, lost.length, name)
    t.ok(Math.abs(report.burstRate - burstRate) < 1e-9, `${name}: ${report.burstRate}`)
  }
})

t.test('no burst reaches across a change of SSRC', async (t) => {
  const stats = new ReceiveStatistics(8000)
  for (let n = 0; n < 100; n++) if (n !== 98) feed(stats, n)
  for (let n = 100; n < 200; n++) if (n !== 101) feed(stats, n, 0, 2)
  t.match(stats.report(), { lost: 2, burstRate: 0 })
})

t.test('losses in a row are worse than the same number of lonely ones', async (t) => {
  const mos = (isLost: (n: number) => boolean) => {
    const stats = new ReceiveStatistics(8000)
    for (let n = 0; n < 1000; n++) if (!isLost(n)) feed(stats, n)
    return stats.report('PCMA').mos!
  }
  const clean = mos(() => false)
  const lonely = mos((n) => n % 20 === 10)
  const bursts = mos((n) => n % 100 >= 40 && n % 100 < 45)
  t.ok(clean > lonely && lonely > bursts, `${clean} ${lonely} ${bursts}`)
})

t.test('another SSRC or a restart begins a run and keeps the totals', async (t) => {
  const stats = new ReceiveStatistics(8000)
  for (let n = 0; n < 10; n++) if (n !== 5) feed(stats, n)
  for (let n = 10; n < 20; n++) if (n !== 15) feed(stats, n, 0, 2, 40_000)
  t.match(stats.report(), { packets: 18, lost: 2 })
  t.equal(stats.ssrc, 2)
  t.equal(stats.restarts, 1)
  t.equal(stats.cumulativeLost, 1, 'a report block is about the present SSRC')
  for (let n = 20; n < 30; n++) feed(stats, n, 0, 2, 10_000)
  t.equal(stats.restarts, 2, 'a jump that is confirmed')
  t.match(stats.report(), { packets: 27, lost: 2 }, 'but for the packet that announced it')
})

t.test('gaps', async (t) => {
  const stats = new ReceiveStatistics(8000)
  feed(stats, 0)
  feed(stats, 50)
  feed(stats, 51)
  t.equal(stats.longestGapMs, 1000)
  stats.pause()
  feed(stats, 500)
  t.equal(stats.longestGapMs, 1000, 'what was asked for is no gap')
  const { lastAt } = stats
  stats.pause()
  t.equal(stats.lastAt, lastAt, 'when it was heard last is not forgotten')
})

t.test('packet time', async (t) => {
  const rows: [number, number, number][] = [
    [8000, 80, 10],
    [8000, 160, 20],
    [8000, 240, 30],
    [8000, 480, 60],
    [48_000, 960, 20],
    [48_000, 2880, 60],
  ]
  for (const [rate, ticks, ptime] of rows) {
    const stats = new ReceiveStatistics(rate)
    for (let n = 0; n < 4; n++) stats.receive(1, n, n * ticks, 10, n * ptime)
    t.equal(stats.ptime, ptime)
    stats.receive(1, 4, 4 * ticks + rate, 10, 5000)
    t.equal(stats.ptime, ptime, 'a pause is none')
  }
})

t.test('events count, but not for time', async (t) => {
  const stats = new ReceiveStatistics(8000)
  for (let n = 0; n < 4; n++) feed(stats, n)
  for (let n = 4; n < 10; n++) stats.receiveEvent(1, n, 4, n * 20)
  for (let n = 10; n < 20; n++) feed(stats, n)
  t.match(stats.report(), { packets: 20, lost: 0, jitterMs: 0 })
  t.equal(stats.ptime, 20)
})

t.test('another clock', async (t) => {
  const stats = new ReceiveStatistics(48_000)
  for (let n = 0; n < 10; n++) stats.receive(1, n, n * 960, 60, n * 20)
  stats.changeClockRate(8000)
  for (let n = 10; n < 20; n++) feed(stats, n)
  t.equal(stats.ptime, 20)
  t.equal(stats.jitter, 0)
})

t.test('a day of packets wraps both counters', async (t) => {
  const stats = new ReceiveStatistics(48_000)
  const frames = 24 * 3600 * 50
  const base = 65_000
  for (let n = 0; n < frames; n++) {
    if (n % 1000 === 999) continue
    stats.receive(1, (base + n) & 0xffff, (n * 960 + 2 ** 32 - 10_000) % 2 ** 32, 60, n * 20)
  }
  const lost = Math.floor(frames / 1000)
  t.equal(stats.extendedHighest, base + frames - 2)
  t.match(stats.report(), { packets: frames - lost, lost: lost - 1, jitterMs: 0, burstRate: 0 })
})

t.test('random order against a plain count', async (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    const random = new FakeRandom(seed)
    const stats = new ReceiveStatistics(8000)
    const arrivals: { n: number; at: number }[] = []
    for (let n = 0; n < 3000; n++) {
      if (n > 0 && n < 2999 && random.int(0, 20) === 0) continue
      const at = n * 20 + (n > 0 ? random.int(0, 400) : 0)
      arrivals.push({ n, at })
      if (random.int(0, 30) === 0) arrivals.push({ n, at: at + random.int(0, 100) })
    }
    arrivals.sort((a, b) => a.at - b.at)
    for (const { n, at } of arrivals) stats.receive(1, (n + 60_000) & 0xffff, n * FRAME, 160, at)
    const unique = new Set(arrivals.map(({ n }) => n)).size
    t.match(stats.report(), {
      packets: unique,
      lost: 3000 - unique,
      duplicates: arrivals.length - unique,
    })
  }
})
