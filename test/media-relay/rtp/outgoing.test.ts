import t from 'tap'
import { OutgoingStream } from '../../../src/media-relay/rtp/index.ts'
import { FakeRandom } from '../../support/fake-random.ts'

const RATE = 8000
const FRAME = 160

function stream(sequence = 1000, timestamp = 50_000, clockRate = RATE): OutgoingStream {
  return new OutgoingStream({ ssrc: 0xcafe, sequence, timestamp, clockRate })
}

/** Sequence, timestamp and marker of the packet just given, or undefined when it was dropped. */
function taken(out: OutgoingStream, accepted: boolean) {
  return accepted ? [out.sequence, out.timestamp, out.marker] : undefined
}

/** A source of 20 ms packets, the n-th at n · 20 ms. */
function source(out: OutgoingStream, ssrc: number, sequence: number, timestamp: number) {
  return (n: number, nowMs = n * 20, marker = false) =>
    taken(
      out,
      out.forward(
        ssrc,
        (sequence + n) & 0xffff,
        (timestamp + n * FRAME) >>> 0,
        marker,
        nowMs,
        FRAME,
      ),
    )
}

t.test('the first packet has the numbers given, and the marker', async (t) => {
  const out = stream()
  t.strictSame(source(out, 1, 7, 9)(0), [1000, 50_000, true])
  t.equal(out.ssrc, 0xcafe)
  const own = stream()
  own.generate(5, FRAME, false)
  t.strictSame(taken(own, true), [1000, 50_000, true])
})

t.test('an unbroken source keeps its gaps and its order', async (t) => {
  const out = stream()
  const a = source(out, 1, 65_534, 2 ** 32 - 200)
  t.strictSame(a(0), [1000, 50_000, true])
  t.strictSame(a(1), [1001, 50_160, false])
  t.strictSame(a(5), [1005, 50_800, false], 'three lost')
  t.strictSame(a(3), [1003, 50_480, false], 'late, but its place is free')
  t.equal(a(3), undefined, 'a duplicate')
  t.equal(a(5), undefined, 'a duplicate of the newest')
  t.strictSame(a(6, 120, true), [1006, 50_960, true], 'the marker of the source')
  t.equal(a(-1, 121), undefined, 'before the first: that number is not ours to give')
  t.strictSame(a(90, 1800), [1090, 50_000 + 90 * FRAME, false])
  t.equal(a(20, 1801), undefined, 'too old to know whether it was there')
})

t.test('silence suppression of the source: its clock goes on, its numbers do not', async (t) => {
  const out = stream()
  out.forward(1, 10, 0, true, 0, FRAME)
  t.ok(out.forward(1, 11, 8000 * 30, true, 30_000, FRAME))
  t.strictSame(taken(out, true), [1001, 50_000 + 8000 * 30, true])
})

t.test('timestamps of a late source that overlap are set right', async (t) => {
  const out = stream()
  const step = (sequence: number, timestamp: number, at: number) =>
    taken(out, out.forward(1, sequence, timestamp, false, at, FRAME))
  t.strictSame(step(1, 0, 0), [1000, 50_000, true])
  t.strictSame(step(2, 408, 51), [1001, 50_408, false], '31 ms late, stamped by the clock')
  t.strictSame(step(3, 448, 56), [1002, 50_568, true], '5 ms after it, but a whole frame')
  t.strictSame(step(4, 608, 76), [1003, 50_728, false])
  t.strictSame(step(6, 928, 116), [1005, 51_048, false], 'a loss is no overlap')
})

t.test('what breaks a source anchors it anew', async (t) => {
  const rows: [string, number, number, number, number, number[]][] = [
    // after packets 100 to 102 of SSRC 1 with timestamps from 0: name, ssrc, seq, ts, at, expected
    ['another SSRC in time', 2, 9000, 123_456, 60, [1003, FRAME * 3]],
    ['another SSRC 5 s later', 2, 9000, 123_456, 5040, [1003, FRAME * 2 + 40_000]],
    ['another SSRC at once', 2, 9000, 123_456, 41, [1003, FRAME * 3]],
    ['rounded down', 2, 9000, 123_456, 40 + 69, [1003, FRAME * 5]],
    ['rounded up', 2, 9000, 123_456, 40 + 71, [1003, FRAME * 6]],
    ['sequence jumps ahead', 1, 102 + 3001, FRAME * 3, 60, [1003, FRAME * 3]],
    ['sequence jumps back', 1, 60_000, FRAME * 3, 60, [1003, FRAME * 3]],
    ['timestamp jumps ahead', 1, 103, 1_000_000, 60, [1003, FRAME * 3]],
    ['timestamp jumps back', 1, 103, 2 ** 31 + 5, 60, [1003, FRAME * 3]],
    ['restart just below, far ahead in time', 1, 98, 900_000, 60, [1003, FRAME * 3]],
  ]
  for (const [name, ssrc, sequence, timestamp, at, [seq, ts]] of rows) {
    const out = stream()
    const a = source(out, 1, 100, 0)
    a(0)
    a(1)
    a(2)
    t.ok(out.forward(ssrc, sequence, timestamp, false, at, FRAME), name)
    t.strictSame(taken(out, true), [seq, 50_000 + ts!, true], name)
    out.forward(ssrc, sequence + 1, timestamp + FRAME, false, at + 20, FRAME)
    t.strictSame(taken(out, true), [seq! + 1, 50_000 + ts! + FRAME, false], `${name}, and on`)
  }
  const out = stream()
  const a = source(out, 1, 100, 0)
  a(0)
  t.strictSame(a(3000, 60_000), [4000, 50_000 + 3000 * FRAME, false], 'a step of 3000 is a gap')
})

t.test('a hold is a pause, no loss', async (t) => {
  const out = stream()
  const a = source(out, 1, 7, 0)
  a(0)
  a(1)
  out.interrupt()
  t.strictSame(a(81), [1002, 50_000 + 81 * FRAME, true])
  t.strictSame(a(82), [1003, 50_000 + 82 * FRAME, false])
})

t.test('stragglers of the former source do not bring it back', async (t) => {
  const out = stream()
  const a = source(out, 1, 100, 0)
  const b = source(out, 2, 100, 0)
  a(0)
  t.strictSame(b(1), [1001, 50_160, true])
  t.equal(a(1, 21), undefined)
  t.strictSame(b(2), [1002, 50_320, false], 'the new one goes on')
  t.strictSame(a(9), [1003, 50_000 + 9 * FRAME, true], 'later it may come back')
})

t.test('filler: continuous, and the source goes on behind it', async (t) => {
  const out = stream()
  const a = source(out, 1, 100, 0)
  a(0)
  a(1)
  out.generate(80, FRAME, true)
  t.strictSame(taken(out, true), [1002, 50_160 + 3 * FRAME, true], 'time that passed is counted')
  out.generate(101, FRAME, false)
  t.strictSame(taken(out, true), [1003, 50_160 + 4 * FRAME, false])
  t.equal(a(4, 102), undefined, 'its place was filled')
  t.equal(a(5, 103), undefined, 'that, too')
  t.strictSame(a(6, 120), [1004, 50_160 + 5 * FRAME, true])
  t.equal(a(3, 121), undefined, 'a straggler from before')
  t.strictSame(a(7, 140), [1005, 50_160 + 6 * FRAME, false])
})

t.test('a burst after a stall: what was covered is dropped, the rest keeps its time', async (t) => {
  const out = stream()
  const a = source(out, 1, 100, 0)
  for (let n = 0; n < 10; n++) a(n)
  for (let n = 10; n < 60; n++) out.generate(n * 20, FRAME, n === 10)
  const filled = out.timestamp
  const passed = []
  for (let n = 10; n < 62; n++) {
    const packet = a(n, 1200)
    if (packet) passed.push(packet[1])
  }
  t.equal(passed[0], filled + FRAME)
  t.equal(passed.length, 2, 'only what comes after the filler')
})

t.test('a source whose clock stood still is taken soon after it returns', async (t) => {
  for (const pause of [1, 10]) {
    const out = stream()
    const a = source(out, 1, 100, 0)
    for (let n = 0; n < 10; n++) a(n)
    const back = 200 + pause * 1000
    for (let at = 200; at < back; at += 20) out.generate(at, FRAME, at === 200)
    let first: number | undefined
    for (let n = 10; n < 30; n++) {
      if (a(n, back + (n - 10) * 20) && first === undefined) first = n - 10
    }
    t.ok(first! <= 3, `after a pause of ${pause} s: packet ${first}`)
  }
})

t.test('many breaks do not run ahead of real time', async (t) => {
  const out = stream(0, 0)
  const random = new FakeRandom(3)
  let now = 0
  for (let i = 0; i < 5000; i++) {
    now += random.int(100, 400) / 10
    out.forward(i + 10, random.int(0, 65536), random.int(0, 2 ** 32), false, now, FRAME)
  }
  const ahead = out.timestamp / 8 - now
  t.ok(Math.abs(ahead) < 250, `${ahead} ms`)
})

/**
 * Ten minutes of a source whose n-th packet is `delay(n)` late (undefined: lost), with silence after
 * 60 ms without a packet as a leg that is kept alive gets it. Gives how far the stream strays.
 */
function tenMinutes(delay: (n: number) => number | undefined, clock = 1) {
  const out = stream(0, 0)
  const frames = 30_000
  const arrivals: { at: number; n: number }[] = []
  for (let n = 0; n < frames; n++) {
    const late = delay(n)
    if (late !== undefined) arrivals.push({ at: n * 20 * clock + late, n })
  }
  arrivals.sort((a, b) => a.at - b.at)
  const a = source(out, 1, 0, 0)
  let next = 0
  let fillAt = Infinity
  let resumes = true
  let dropped = 0
  let ticks = 0
  let last = 0
  let furthest = 0
  for (let now = 0; now < frames * 20 * clock; now += 10) {
    for (; next < arrivals.length && arrivals[next]!.at <= now; next++) {
      const { n, at } = arrivals[next]!
      if (a(n, at)) {
        fillAt = at + 60
        resumes = true
      } else dropped++
    }
    if (now >= fillAt) {
      out.generate(now, FRAME, resumes)
      fillAt += 20
      resumes = false
    }
    ticks += (out.timestamp - last) | 0
    last = out.timestamp
    furthest = Math.max(furthest, Math.abs(ticks / 8 - now))
  }
  return { furthest, dropped }
}

t.test('ten minutes of a bad network do not move the stream away from real time', async (t) => {
  const random = new FakeRandom(5)
  const rows: [string, (n: number) => number | undefined, number, number, number?][] = [
    // furthest from real time in ms (300 are tolerated, and what the network adds), dropped
    ['clean', () => 0, 20, 0],
    ['jitter of 40 ms', () => random.int(0, 40), 80, 0],
    ['jitter of 100 ms', () => random.int(0, 100), 350, 4000],
    ['a third lost', () => (random.int(0, 3) ? 0 : undefined), 100, 1000],
    ['stalls of 300 ms', (n) => Math.max(0, 300 - (n % 250) * 20), 350, 2000],
    ['a path that changes by 100 ms', (n) => (Math.floor(n / 500) % 2) * 100, 500, 200],
    ['a source 0.01 % fast', () => 0, 70, 0, 0.9999],
    ['a source 0.01 % slow', () => 0, 80, 0, 1.0001],
  ]
  for (const [name, delay, furthest, dropped, clock] of rows) {
    const result = tenMinutes(delay, clock)
    t.ok(result.furthest <= furthest, `${name}: ${result.furthest} ms away`)
    t.ok(result.dropped <= dropped, `${name}: ${result.dropped} dropped`)
  }
})

t.test('a source that is far too fast is shortened a packet at a time', async (t) => {
  const out = stream()
  const a = source(out, 1, 0, 0)
  let dropped = 0
  for (let n = 0; n < 10_000; n++) if (!a(n, n * 19.6)) dropped++
  const ahead = (out.timestamp - 50_000) / 8 - 9999 * 19.6
  t.ok(ahead > 200 && ahead < 600, `${ahead} ms`)
  t.ok(dropped > 150 && dropped < 200, `${dropped}`)
})

t.test('clocks that differ as clocks do cost no packet', async (t) => {
  const out = stream()
  const a = source(out, 1, 0, 0)
  let dropped = 0
  for (let n = 0; n < 720_000; n++) if (!a(n, n * 20 * 0.9999)) dropped++
  t.equal(dropped, 0, 'in four hours')
})

t.test('a change of codec: the clock changes, the timestamps go on', async (t) => {
  const out = stream(1, 96_000, 48_000)
  out.forward(1, 5, 5, true, 0, 960)
  out.changeClockRate(8000)
  t.equal(out.clockRate, 8000)
  t.ok(out.forward(1, 6, 965, false, 20, FRAME))
  t.strictSame(taken(out, true), [2, 96_000 + FRAME, true])
  out.changeClockRate(48_000)
  out.generate(40, 960, true)
  t.strictSame(taken(out, true), [3, 96_000 + FRAME + 960, true])
})

t.test('packets of 60 ms are not overlapped', async (t) => {
  const out = stream(0, 0)
  out.forward(1, 5, 5, true, 0, 480)
  out.forward(2, 5, 5, true, 10, 480)
  t.equal(out.timestamp, 480)
})

t.test('a day of audio wraps both counters without a break', async (t) => {
  const frames = 24 * 3600 * 50
  const out = stream(65_000, 2 ** 32 - 5_000_000, 48_000)
  let seq = 65_000
  let ts = 2 ** 32 - 5_000_000
  let broken = 0
  for (let n = 0; n < frames; n++) {
    // Every ten minutes another source; every seven a filled second.
    const ssrc = Math.floor(n / 30_000)
    const own = n % 21_000 < 50
    const now = n * 20
    if (own) out.generate(now, 960, n % 21_000 === 0)
    else if (!out.forward(ssrc, (n * 1 + ssrc * 777) & 0xffff, (n * 960) >>> 0, false, now, 960)) {
      broken++
      continue
    }
    if (out.sequence !== seq || out.timestamp !== ts) broken++
    seq = (out.sequence + 1) & 0xffff
    ts = (out.timestamp + 960) % 2 ** 32
  }
  t.equal(broken, 0)
  t.equal(out.ssrc, 0xcafe)
})

t.test('no sequence number is given twice, and time never goes back for good', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new FakeRandom(seed)
    const out = stream(random.int(0, 65536), random.int(0, 2 ** 32))
    const given = new Map<number, number>()
    let now = 0
    let ssrc = 1
    let offset = 0
    for (let i = 0; i < 3000; i++) {
      now += random.int(0, 30)
      const dice = random.int(0, 100)
      if (dice === 0) ssrc = random.int(1, 4)
      if (dice === 1) offset = random.int(0, 65536)
      let accepted = true
      if (dice < 20) out.generate(now, FRAME, dice < 5)
      else {
        const n = Math.max(0, i - random.int(0, 5))
        accepted =
          dice < 30
            ? out.forwardEvent(ssrc, (offset + n) & 0xffff, out.nextTimestamp(now), false)
            : out.forward(ssrc, (offset + n) & 0xffff, n * FRAME, false, now, FRAME)
      }
      if (!accepted) continue
      const last = given.get(out.sequence)
      if (last !== undefined && i - last < 10_000) return t.fail(`seed ${seed}: ${out.sequence}`)
      given.set(out.sequence, i)
    }
    t.ok(given.size > 1000, `${given.size} packets with seed ${seed}`)
  }
})

t.test('counts for sender reports', async (t) => {
  const out = stream()
  out.generate(0, FRAME, false)
  out.count(160)
  out.count(100)
  t.strictSame([out.packets, out.octets], [2, 260])
  t.equal(out.timestampAt(10), 50_080)
  const a = source(out, 1, 0, 0)
  a(1)
  a(2, 70)
  t.equal(out.timestampAt(80), 50_000 + 80 * 8, 'whatever the delay of the last packet')
})

t.test('audio does not go back behind an event that was held up', async (t) => {
  const out = stream()
  const a = source(out, 1, 100, 0)
  for (let n = 0; n < 10; n++) a(n)
  // Everything of half a second comes at once: a digit of 60 ms, and the audio after it.
  const now = 700
  const event = out.nextTimestamp(now)
  const given: number[] = []
  for (const sequence of [110, 111, 112]) {
    t.ok(out.forwardEvent(1, sequence, event, sequence === 110))
    given.push(out.timestamp)
  }
  for (let n = 13; n < 40; n++) {
    t.ok(a(n, now + Math.max(0, n - 30) * 20))
    given.push(out.timestamp)
  }
  t.same(
    given,
    [...given].sort((x, y) => x - y),
  )
  t.equal(new Set(given.slice(3)).size, given.length - 3, 'each frame has a time of its own')
})
