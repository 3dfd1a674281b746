import t from 'tap'
import {
  EVENT_PACKET,
  EventDetector,
  EventForwarder,
  EventSender,
  eventCode,
  eventName,
  OutgoingStream,
  RtpHeader,
  readRtp,
  writeRtpHeader,
} from '../../../src/media-relay/rtp/index.ts'

const header = new RtpHeader()
const slot = Buffer.alloc(64)

/** An event packet as a source sends it; `header` is its header then. */
function event(sequence: number, timestamp: number, code: number, duration: number, end = false) {
  const packet = Buffer.alloc(EVENT_PACKET)
  writeRtpHeader(packet, 101, false, sequence, timestamp, 1)
  packet.set([code, (end ? 0x80 : 0) | 10, duration >> 8, duration & 0xff], 12)
  readRtp(packet, packet.length, header)
  return packet
}

/** What lies in `slot`: sequence, timestamp, marker, code, duration, end. */
function sent() {
  readRtp(slot, EVENT_PACKET, header)
  return [
    header.sequence,
    header.timestamp,
    header.marker,
    slot[12],
    slot.readUInt16BE(14),
    slot[13]! >= 0x80,
  ]
}

/** A stream with one packet of SSRC 1, sequence 100, sent at 0 as 1000 with timestamp 0. */
function talking(clockRate = 8000) {
  const out = new OutgoingStream({ ssrc: 9, sequence: 1000, timestamp: 0, clockRate })
  out.forward(1, 100, 5000, true, 0, clockRate / 50)
  return out
}

t.test('names and codes', async (t) => {
  const names = Array.from({ length: 17 }, (_, code) => eventName(code))
  t.strictSame(names, [...'0123456789*#ABCD', 'flash'])
  t.strictSame(
    names.map((name) => eventCode(name!)),
    names.map((_, code) => code),
  )
  t.equal(eventName(17), undefined)
  t.equal(eventCode('x'), undefined)
})

t.test('one event: one timestamp, the marker once, three ends', async (t) => {
  const out = talking()
  const forwarder = new EventForwarder()
  const rows: [number, number, boolean][] = [
    [101, 160, false],
    [102, 320, false],
    [103, 480, true],
    [104, 480, true],
    [105, 480, true],
  ]
  for (const [sequence, duration, end] of rows) {
    const now = (sequence - 100) * 20
    const packet = event(sequence, 77_777, 5, duration, end)
    t.equal(forwarder.forward(header, packet, slot, out, 126, now), EVENT_PACKET)
    t.strictSame(sent(), [sequence + 900, 160, sequence === 101, 5, duration, end])
    t.equal(header.payloadType, 126)
    t.equal(header.ssrc, 9)
    t.equal(slot[13]! & 0x7f, 10, 'volume')
  }
  t.ok(out.forward(1, 106, 5000 + 6 * 160, false, 120, 160), 'the audio goes on')
  t.strictSame([out.sequence, out.timestamp, out.marker], [1006, 960, false])
})

t.test('two events in a row, the second has its own timestamp and marker', async (t) => {
  const out = talking()
  const forwarder = new EventForwarder()
  forwarder.forward(header, event(101, 5160, 1, 160), slot, out, 126, 20)
  forwarder.forward(header, event(102, 5160, 1, 320, true), slot, out, 126, 40)
  forwarder.forward(header, event(104, 6000, 1, 160), slot, out, 126, 100)
  t.strictSame(sent(), [1004, 800, true, 1, 160, false], 'a lost packet stays a gap')
  t.equal(
    forwarder.forward(header, event(103, 5160, 1, 320, true), slot, out, 126, 101),
    0,
    'a straggler of the first',
  )
  t.equal(forwarder.forward(header, event(104, 6000, 1, 160), slot, out, 126, 102), 0, 'duplicate')
})

t.test('reordered updates and ends of one event keep their places', async (t) => {
  const out = talking()
  const forwarder = new EventForwarder()
  forwarder.forward(header, event(101, 5160, 1, 160), slot, out, 126, 20)
  forwarder.forward(header, event(103, 5160, 1, 480), slot, out, 126, 60)
  t.ok(forwarder.forward(header, event(102, 5160, 1, 320), slot, out, 126, 61))
  t.strictSame(sent(), [1002, 160, false, 1, 320, false])
})

t.test('an event longer than one segment goes on (RFC 4733 §2.5.1.3)', async (t) => {
  const out = talking()
  const forwarder = new EventForwarder()
  forwarder.forward(header, event(101, 1000, 11, 0xffff), slot, out, 126, 20)
  forwarder.forward(header, event(102, 1000 + 0xffff, 11, 160), slot, out, 126, 40)
  t.strictSame(sent(), [1002, 160 + 0xffff, false, 11, 160, false])
  forwarder.forward(header, event(103, 1000 + 0xffff, 11, 320, true), slot, out, 126, 60)
  forwarder.forward(header, event(104, 1000 + 2 * 0xffff, 11, 160), slot, out, 126, 100)
  t.strictSame(sent(), [1004, 800, true, 11, 160, false], 'after an end it is another event')
})

t.test('among audio that we make ourselves', async (t) => {
  const out = new OutgoingStream({ ssrc: 9, sequence: 10, timestamp: 0, clockRate: 48_000 })
  const forwarder = new EventForwarder()
  out.generate(0, 960, false)
  forwarder.forward(header, event(500, 7, 2, 160), slot, out, 126, 20)
  t.strictSame(sent(), [11, 960, true, 2, 160, false], 'timestamp in the base of the audio')
  t.equal(forwarder.forward(header, event(500, 7, 2, 160), slot, out, 126, 21), 0, 'duplicate')
  forwarder.forward(header, event(502, 7, 2, 320, true), slot, out, 126, 60)
  t.strictSame(sent(), [12, 960, false, 2, 320, true])
  out.generate(80, 960, true)
  t.strictSame([out.sequence, out.timestamp], [13, 4 * 960])
})

t.test('between converted audio, which goes on as it was', async (t) => {
  const out = talking()
  const forwarder = new EventForwarder()
  const converted = 2 ** 32 + 1
  out.forward(converted, 0, 0, true, 20, 160)
  out.forward(converted, 2, 320, false, 60, 160)
  t.strictSame([out.sequence, out.timestamp], [1003, 480])
  forwarder.forward(header, event(500, 7, 2, 160), slot, out, 126, 80)
  t.strictSame(sent(), [1004, 640, true, 2, 160, false])
  t.notOk(out.forward(converted, 1, 160, false, 81, 160), 'its number is not free any more')
  t.ok(out.forward(converted, 3, 480, false, 82, 160))
  t.strictSame([out.sequence, out.timestamp, out.marker], [1005, 640, false])
  forwarder.forward(header, event(501, 7, 2, 320), slot, out, 126, 100)
  t.strictSame(sent(), [1006, 640, false, 2, 320, false])
  t.ok(out.forward(converted, 13, 480 + 10 * 160, false, 282, 160))
  t.strictSame([out.sequence, out.timestamp, out.marker], [1016, 640 + 10 * 160, false])
})

t.test('durations follow the clock', async (t) => {
  const rows: [number, number, number, number][] = [
    [8000, 8000, 480, 480],
    [48_000, 8000, 960, 160],
    [8000, 48_000, 160, 960],
    [8000, 48_000, 60_000, 0xffff],
  ]
  for (const [from, to, duration, expected] of rows) {
    const forwarder = new EventForwarder(from, to)
    forwarder.forward(header, event(101, 0, 1, duration), slot, talking(), 126, 20)
    t.equal(slot.readUInt16BE(14), expected, `${from} to ${to}`)
  }
})

t.test('malformed events are dropped', async (t) => {
  const packet = event(101, 0, 1, 160)
  header.payloadEnd--
  t.equal(new EventForwarder().forward(header, packet, slot, talking(), 126, 20), 0)
  new EventDetector(() => t.fail('told')).receive(header, packet, 0)
})

t.test('a digit is told once, at its end', async (t) => {
  const told: [string, number][] = []
  const detector = new EventDetector((digit, ms) => told.push([digit, ms]))
  const press = (code: number, sequence: number, timestamp: number, lost: number[] = []) => {
    for (let i = 0; i < 6; i++) {
      if (lost.includes(i)) continue
      const end = i >= 3
      const packet = event(sequence + i, timestamp, code, Math.min(4, i + 1) * 160, end)
      detector.receive(header, packet, i * 20)
    }
  }
  press(5, 65_534, 2 ** 32 - 1)
  t.strictSame(told, [['5', 80]], 'across both wraps')
  press(5, 10, 2000)
  t.strictSame(told.splice(0), [
    ['5', 80],
    ['5', 80],
  ])
  press(10, 20, 4000, [0, 1, 2, 3, 4])
  t.strictSame(told.splice(0), [['*', 80]], 'from a single end packet')
  press(11, 30, 6000, [3, 4, 5])
  t.strictSame(told, [], 'its ends were lost')
  press(0, 40, 8000)
  t.strictSame(told.splice(0), [
    ['#', 60],
    ['0', 80],
  ])
  press(16, 50, 9000, [3, 4, 5])
  detector.tick(1030)
  t.strictSame(told, [])
  detector.tick(1040)
  detector.tick(2000)
  t.strictSame(told.splice(0), [['flash', 60]])
  detector.receive(header, event(53, 9000, 16, 640, true), 1100)
  t.strictSame(told, [], 'an end that comes after all')
  detector.receive(header, event(60, 9900, 200, 640, true), 1200)
  t.strictSame(told, [], 'not a digit')
})

t.test('a long press is told with its whole duration', async (t) => {
  const told: [string, number][] = []
  const detector = new EventDetector((digit, ms) => told.push([digit, ms]))
  detector.receive(header, event(1, 100, 3, 0xffff), 0)
  detector.receive(header, event(2, 100 + 0xffff, 3, 1600), 200)
  detector.receive(header, event(3, 100 + 0xffff, 3, 1600, true), 220)
  t.strictSame(told, [['3', Math.round((0xffff + 1600) / 8)]])
})

t.test('an event of our own is understood by the detector and the forwarder', async (t) => {
  const told: [string, number][] = []
  const detector = new EventDetector((digit, ms) => told.push([digit, ms]))
  const from = talking()
  const to = talking()
  const sender = new EventSender(7, 101, 90)
  const forwarder = new EventForwarder()
  const packet = Buffer.alloc(EVENT_PACKET)
  const rows: unknown[] = []
  for (let now = 20; sender.next(packet, from, now); now += 20) {
    readRtp(packet, packet.length, header)
    detector.receive(header, packet, now)
    t.equal(forwarder.forward(header, packet, slot, to, 126, now), EVENT_PACKET)
    rows.push(sent())
  }
  t.strictSame(told, [['7', 90]])
  t.strictSame(rows, [
    [1001, 160, true, 7, 160, false],
    [1002, 160, false, 7, 320, false],
    [1003, 160, false, 7, 480, false],
    [1004, 160, false, 7, 640, false],
    [1005, 160, false, 7, 720, true],
    [1006, 160, false, 7, 720, true],
    [1007, 160, false, 7, 720, true],
  ])
})

t.test('an end counted by the clock of the audio is set right (Asterisk with Opus)', async (t) => {
  const digits: [string, number][] = []
  const detector = new EventDetector((digit, ms) => digits.push([digit, ms]))
  const out = talking(48_000)
  const forwarder = new EventForwarder()
  const durations: number[] = []
  const take = (sequence: number, duration: number, end: boolean, at: number): void => {
    const packet = event(sequence, 6000, 5, duration, end)
    detector.receive(header, packet, at)
    forwarder.forward(header, packet, slot, out, 126, at)
    durations.push(slot.readUInt16BE(14))
  }
  for (let n = 0; n < 6; n++) take(101 + n, 160 * (n + 1), false, 20 + 20 * n)
  for (const n of [6, 7, 8]) take(101 + n, 120 * 48, true, 137)
  t.strictSame(durations, [160, 320, 480, 640, 800, 960, 1120, 1120, 1120])
  t.strictSame(digits, [['5', 140]])
})

t.test('durations that jump, but not faster than time or losses allow, stay', async (t) => {
  const rows: [string, number, number, number][] = [
    // what, packets lost before the end, its duration, milliseconds to it
    ['packets lost', 10, 160 * 12, 30],
    ['a source that pauses', 0, 8000, 980],
    ['an end at once', 0, 800, 0],
  ]
  for (const [what, lost, duration, ms] of rows) {
    const out = talking()
    const forwarder = new EventForwarder()
    forwarder.forward(header, event(101, 6000, 5, 160), slot, out, 126, 20)
    const end = event(102 + lost, 6000, 5, duration, true)
    forwarder.forward(header, end, slot, out, 126, 20 + ms)
    t.equal(slot.readUInt16BE(14), duration, what)
  }
})
