import t from 'tap'
import { toneLoop } from '../../../src/simulator/media/codec.ts'
import { digitPackets } from '../../../src/simulator/media/dtmf.ts'
import { type PromiseRule, PromiseWatch } from '../../../src/simulator/media/promises.ts'
import { RtpHeader } from '../../../src/simulator/media/rtp-socket.ts'
import type { CodecName } from '../../../src/simulator/media/sdp.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const CODECS = new Map<number, CodecName>([
  [111, 'opus'],
  [8, 'PCMA'],
])
const OPUS = (await toneLoop('opus', 440, -16))[0]!

/** A business whose stream is right, unless it is told to be wrong. */
class Business {
  readonly clock = new FakeClock()
  readonly broken: [PromiseRule, string][] = []
  readonly watch: PromiseWatch
  ssrc = 7
  sequence = 65_500
  timestamp = 0xffff_ff00
  payloadType = 111
  payload: Buffer = OPUS
  ticks = 960
  marker = true
  /** Milliseconds the reader has stood still lately. */
  stalled = 0

  constructor() {
    this.watch = new PromiseWatch({
      clock: this.clock,
      firstPacket: 200,
      broken: (rule, detail) => this.broken.push([rule, detail]),
      stalled: () => this.stalled,
    })
    this.watch.agree(CODECS, 126)
    this.watch.allow(this.clock.monotonic())
  }

  /** Sends packets 20 ms apart. */
  say(packets = 10): this {
    for (let i = 0; i < packets; i++) {
      this.packet(this.payloadType, this.payload, this.timestamp, this.marker)
      this.marker = false
      this.timestamp = (this.timestamp + this.ticks) >>> 0
      this.clock.advance(20)
    }
    return this
  }

  /** An event; its packets take the place of frames. `change` spoils one of them. */
  event(
    payloads: readonly Buffer[],
    marker = true,
    timestamps = (start: number, _i: number) => start,
  ): this {
    const start = this.timestamp
    payloads.forEach((payload, i) => {
      this.packet(126, payload, timestamps(start, i), marker && i === 0)
      this.timestamp = (this.timestamp + this.ticks) >>> 0
      this.clock.advance(20)
    })
    return this
  }

  packet(payloadType: number, payload: Buffer, timestamp: number, marker: boolean): void {
    this.sequence = (this.sequence + 1) & 0xffff
    const header = new RtpHeader({
      version: 2,
      payloadType,
      sequenceNumber: this.sequence,
      timestamp: timestamp >>> 0,
      ssrc: this.ssrc,
      marker,
    })
    this.watch.rtp(header, payload)
  }

  /** Voice activity detection: nothing is sent, time and timestamps go on. */
  pause(packets: number): this {
    this.timestamp = (this.timestamp + packets * this.ticks) >>> 0
    this.clock.advance(packets * 20)
    return this
  }

  get rules(): PromiseRule[] {
    return this.broken.map(([rule]) => rule)
  }
}

t.test('a stream that is right breaks nothing, through every wrap', async (t) => {
  const business = new Business().say(100)
  business.event(digitPackets('5', 100)).say(20).event(digitPackets('#', 200)).say(50)
  business.sequence += 3
  business.timestamp = (business.timestamp + 3 * 960) >>> 0
  business.clock.advance(60)
  business.say(50)
  t.same(business.broken, [], 'loss is no break')
  t.match(business.watch.report(0.25), {
    firstPacket: 0,
    frames: { 20: 220 },
    pauses: 0,
    longestGap: 80,
    silence: 0.25,
    broken: {},
  })
})

t.test('pauses that the timestamp tells are counted, not blamed', async (t) => {
  const business = new Business().say(20).pause(40).say(20)
  business.marker = true
  business.pause(100).say(20)
  t.same(business.broken, [])
  t.match(business.watch.report(undefined), { pauses: 2, longestGap: 2020 })
})

t.test('timers that run late are no jump', async (t) => {
  const business = new Business().say(20)
  business.clock.advance(300)
  for (let i = 0; i < 15; i++) {
    business.packet(111, OPUS, business.timestamp, false)
    business.timestamp = (business.timestamp + 960) >>> 0
  }
  business.say(100)
  t.same(business.broken, [])
})

t.test('what a reader that stood still sees together is no jump', async (t) => {
  const business = new Business()
  business.stalled = 400
  business.clock.advance(500)
  business.packet(111, OPUS, business.timestamp, true)
  // 300 ms of packets, a short pause and an event were waiting behind the first.
  business.timestamp += 14_400
  for (const payload of digitPackets('5', 100))
    business.packet(126, payload, business.timestamp, false)
  t.same(business.rules, ['telephone-event'], 'the marker is missing all the same')
  business.timestamp += 6 * 960
  business.clock.advance(120)
  business.say(50)
  t.same(business.rules, ['telephone-event'])
  t.match(business.watch.report(undefined), { firstPacket: 500, stalled: 400 })
})

const breaches: [PromiseRule, string, RegExp, (business: Business) => unknown][] = [
  [
    'first-packet',
    'too late',
    /first packet came after 240 ms/,
    (business) => {
      business.clock.advance(240)
      business.say()
    },
  ],
  [
    'ssrc',
    'another stream',
    /SSRC 8 after 7/,
    (business) => {
      business.say()
      business.ssrc = 8
      business.sequence = 3
      business.timestamp = 5
      business.say()
    },
  ],
  [
    'sequence',
    'sequence numbers of another stream',
    /sequence number 201 after 65510/,
    (business) => {
      business.say()
      business.sequence = 200
      business.say()
    },
  ],
  [
    'timestamp',
    'timestamps of another stream',
    /timestamp 123 after/,
    (business) => {
      business.say(20)
      business.timestamp = 123
      business.say()
      business.timestamp = (business.timestamp - 96_000) >>> 0
      business.say()
    },
  ],
  [
    'timestamp',
    'timestamps that jump ahead of the clock',
    /jumps 100 ms ahead of the clock/,
    (business) => {
      business.say(20)
      business.timestamp = (business.timestamp + 5 * 960) >>> 0
      business.say()
    },
  ],
  [
    'timestamp',
    'timestamps that stand still',
    /1 packets on/,
    (business) => {
      business.say(20)
      business.ticks = 0
      business.say(2)
      business.ticks = 960
      business.say()
    },
  ],
  [
    'ptime',
    'PCMA in 30 ms',
    /PCMA packet of 30 ms/,
    (business) => {
      business.payloadType = 8
      business.payload = Buffer.alloc(240, 0xd5)
      business.ticks = 240
      for (let i = 0; i < 10; i++) {
        business.say(1)
        business.clock.advance(10)
      }
    },
  ],
  [
    'ptime',
    'Opus in 60 ms',
    /opus packet of 60 ms/,
    (business) => {
      business.payload = Buffer.from([(11 << 3) | 0, 1, 2])
      business.ticks = 2880
      for (let i = 0; i < 4; i++) {
        business.say(1)
        business.clock.advance(40)
      }
    },
  ],
  [
    'ptime',
    'an empty packet',
    /opus packet of 0 ms/,
    (business) => {
      business.say()
      business.payload = Buffer.alloc(0)
      business.say(1)
    },
  ],
  [
    'payload-type',
    'comfort noise nobody agreed to',
    /payload type 13 was never agreed/,
    (business) => {
      business.say()
      business.packet(13, Buffer.from([60]), business.timestamp, false)
    },
  ],
]

const DIGIT = digitPackets('1', 100)
const spoilt = (at: number, change: (payload: Buffer) => void): Buffer[] =>
  DIGIT.map((payload, i) => {
    const copy = Buffer.from(payload)
    if (i === at) change(copy)
    return copy
  })

const events: [string, RegExp, (business: Business) => unknown][] = [
  [
    'a timestamp that moves',
    /over without its end bit/,
    (b) => b.event(DIGIT, true, (s, i) => s + i * 160),
  ],
  [
    'a shrinking duration',
    /shrinks from 320 to 160/,
    (b) => b.event(spoilt(2, (p) => p.writeUInt16BE(160, 2))),
  ],
  [
    'a duration that stays',
    /stays at 160/,
    (b) => b.event(spoilt(1, (p) => p.writeUInt16BE(160, 2))),
  ],
  ['one end packet', /with 1 end packets, not 3/, (b) => b.event(DIGIT.slice(0, -2)).say(10)],
  ['no end', /without its end bit/, (b) => b.event(DIGIT.slice(0, 4)).say(10)],
  [
    'an end that is taken back',
    /goes on after its end bit/,
    (b) => b.event([...DIGIT, Buffer.from([1, 10, ...be(960)])]),
  ],
  [
    'ends that differ',
    /the repeated end of an event says 960/,
    (b) => b.event(spoilt(6, (p) => p.writeUInt16BE(960, 2))),
  ],
  [
    'another event at one timestamp',
    /event 1 becomes 9/,
    (b) => b.event(spoilt(2, (p) => p.writeUInt8(9, 0))),
  ],
  ['no marker', /no marker/, (b) => b.event(DIGIT, false)],
  ['no payload', /of 2 octets/, (b) => b.event([Buffer.from([1, 2])])],
  [
    'a clock of 48000 Hz',
    /not a clock of 8000 Hz/,
    (b) => b.event(DIGIT.map((p) => Buffer.from([p[0]!, p[1]!, ...be(p.readUInt16BE(2) * 6)]))),
  ],
]

function be(value: number): [number, number] {
  return [value >> 8, value & 0xff]
}

for (const [name, detail, spoil] of events) {
  breaches.push([
    'telephone-event',
    name,
    detail,
    (business) => {
      business.say()
      spoil(business)
      business.say()
    },
  ])
}

for (const [rule, name, detail, spoil] of breaches) {
  t.test(`${rule}: ${name}`, async (t) => {
    const business = new Business()
    spoil(business)
    t.same(business.rules, [rule], 'once, and nothing else')
    t.match(business.broken[0]?.[1], detail)
    t.ok((business.watch.report(undefined).broken[rule] ?? 0) >= 1)
    // The twin: after what was wrong the stream is right again.
    business.payload = business.payloadType === 8 ? Buffer.alloc(160, 0xd5) : OPUS
    business.ticks = business.payloadType === 8 ? 160 : 960
    const before = { ...business.watch.report(undefined).broken }
    business.pause(1).say(50)
    t.same(business.watch.report(undefined).broken, before)
  })
}

t.test('a lost packet excuses a missing end and a missing marker', async (t) => {
  const business = new Business().say()
  const [first, ...rest] = DIGIT
  business.event([first!])
  business.sequence++
  business.event(rest.slice(0, 5), false, (start) => start - 960)
  business.say(20)
  t.same(business.broken, [])
})

t.test('an event longer than its counter goes on at a new timestamp', async (t) => {
  const business = new Business().say()
  const long: Buffer[] = []
  for (let duration = 160; duration < 65_535; duration += 160) {
    long.push(Buffer.from([1, 10, ...be(duration)]))
  }
  business.event([...long, Buffer.from([1, 10, 0xff, 0xff])])
  business.event(DIGIT).say(10)
  t.same(business.broken, [])
})

t.test('late and repeated packets are counted only', async (t) => {
  const business = new Business().say(20)
  business.sequence -= 5
  business.packet(111, OPUS, business.timestamp - 5 * 960, false)
  business.sequence += 4
  business.say(20)
  t.same(business.broken, [])
  t.equal(business.watch.report(undefined).reordered, 1)
})
