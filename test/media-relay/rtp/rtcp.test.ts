import t from 'tap'
import {
  OutgoingStream,
  ReceiveStatistics,
  type ReportBlock,
  RtcpSession,
  readRtcp,
  writeDescription,
  writeGoodbye,
  writeReport,
} from '../../../src/media-relay/rtp/index.ts'
import { FakeRandom } from '../../support/fake-random.ts'

const WALL = 1_700_000_000_000
const slot = Buffer.alloc(512)

/** Everything {@link readRtcp} tells of a packet; undefined when it is malformed. */
function read(packet: Buffer, length = packet.length) {
  const told: unknown[] = []
  const fine = readRtcp(packet, length, {
    onSenderReport: (...args) => told.push(['sr', ...args]),
    onReportBlock: (reporter, block) => told.push(['block', reporter, { ...block }]),
    onGoodbye: (ssrc) => told.push(['bye', ssrc]),
  })
  return fine ? told : undefined
}

/** One end of a leg: what it sends, what it hears, its RTCP. */
function end(ssrc: number, nowMs = 0, seed = 1) {
  const outgoing = new OutgoingStream({ ssrc, sequence: 0, timestamp: 0, clockRate: 8000 })
  const statistics = new ReceiveStatistics(8000)
  const session = new RtcpSession({
    cname: 'call@causeway',
    outgoing,
    statistics,
    random: new FakeRandom(seed),
    nowMs,
    wallMs: WALL + nowMs,
  })
  return { outgoing, statistics, session }
}

const block: ReportBlock = {
  ssrc: 0xfffffff0,
  fractionLost: 255,
  cumulativeLost: -3,
  extendedHighest: 0x12345678,
  jitter: 77,
  lastSenderReport: 0x89abcdef,
  delay: 65_536,
}

t.test('what is built is read again', async (t) => {
  const sender = { ntpSeconds: 0xe0000000, ntpFraction: 5, timestamp: 6, packets: 7, octets: 8 }
  let at = writeReport(slot, 0, 1, sender, block)
  t.equal(at, 52)
  at = writeDescription(slot, at, 1, 'me')
  at = writeGoodbye(slot, at, 1)
  t.strictSame(read(slot, at), [
    ['sr', 1, 0xe0000000, 5, 6],
    ['block', 1, block],
    ['bye', 1],
  ])
  t.equal(writeReport(slot, 0, 1, undefined, undefined), 8)
  t.strictSame(read(slot, 8), [])
  t.equal(writeReport(slot, 0, 1, undefined, { ...block, cumulativeLost: 2 ** 30 }), 32)
  t.match(read(slot, 32), [['block', 1, { cumulativeLost: 0x7fffff }]], 'clamped to 24 bits')
})

t.test('the octets of RFC 3550 §6.4 and §6.5', async (t) => {
  const sender = { ntpSeconds: 1, ntpFraction: 2, timestamp: 3, packets: 4, octets: 5 }
  let length = writeReport(slot, 0, 0xaabbccdd, sender, undefined)
  t.equal(
    slot.toString('hex', 0, length),
    '80c80006aabbccdd0000000100000002000000030000000400000005',
  )
  const rows: [string, string][] = [
    ['a', '81ca0002000000090101610000000000'.slice(0, 24)],
    ['ab', '81ca00030000000901026162' + '00000000'],
    ['', '81ca00020000000901000000'],
  ]
  for (const [cname, hex] of rows) {
    slot.fill(0xff)
    length = writeDescription(slot, 0, 9, cname)
    t.equal(slot.toString('hex', 0, length), hex, cname)
  }
  length = writeDescription(slot, 0, 9, 'x'.repeat(400))
  t.equal(slot[9], 255)
  t.equal(length % 4, 0)
  t.equal(writeGoodbye(slot, 0, 9), 8)
  t.equal(slot.toString('hex', 0, 8), '81cb000100000009')
})

t.test('what others send besides is passed over', async (t) => {
  const rows: [string, string, unknown[]][] = [
    ['NACK alone (RFC 5506)', '81cd0003000000010000000200050000', []],
    ['PLI', '81ce00020000000100000002', []],
    ['REMB', '8fce0004000000010000000052454d4200010000', []],
    ['APP', '80cc00020000000141424344', []],
    ['XR', '80cf000100000001', []],
    ['BYE of two with a reason', '82cb0004000000010000000203627965' + '00000000', [1, 2]],
    ['BYE with more sources than octets', '85cb000100000001', [1]],
    ['padding at the end', 'a1cb00020000000100000004', [1]],
    ['RR and NACK', '80c900010000000181cd000300000001000000020005000081cb000100000001', [1]],
  ]
  for (const [name, hex, byes] of rows) {
    t.strictSame(
      read(Buffer.from(hex, 'hex')),
      byes.map((ssrc) => ['bye', ssrc]),
      name,
    )
  }
})

t.test('what is malformed is told as such, and nothing of it is used', async (t) => {
  const rows: [string, string][] = [
    ['nothing', ''],
    ['four octets', '80c90000'],
    ['version 1', '40c9000100000001'],
    ['not RTCP', '8000000100000001'],
    ['longer than it is', '80c9000200000001'],
    ['a BYE and rubbish', '81cb000100000001ffff'],
    ['a BYE and a piece', '81cb00010000000181cb0001'],
    ['padding within', 'a0c9000100000001' + '81cb000100000001'],
  ]
  for (const [name, hex] of rows) t.equal(read(Buffer.from(hex, 'hex')), undefined, name)
  t.equal(read(Buffer.from('80c9000100000001', 'hex'), 100), undefined, 'length beyond the buffer')
  t.strictSame(read(Buffer.from('9fc9000100000001', 'hex')), [], 'blocks that are not there')
  t.strictSame(read(Buffer.from('81c8000100000001', 'hex')), [], 'an SR cut short')
})

t.test('reports come every 5 s, from 2.5 to 7.5, the first in half the time', async (t) => {
  const { session } = end(1)
  let last = 0
  const gaps: number[] = []
  for (let now = 0; now < 2_000_000; now += 10) {
    if (!session.due(now)) continue
    session.write(slot, now)
    gaps.push(now - last)
    last = now
  }
  const first = gaps.shift()!
  t.ok(first >= 1250 && first <= 3760, `${first}`)
  t.ok(Math.min(...gaps) >= 2500 && Math.max(...gaps) <= 7510)
  t.ok(Math.max(...gaps) - Math.min(...gaps) > 3000, 'randomised')
  const mean = gaps.reduce((a, b) => a + b) / gaps.length
  t.ok(mean > 4500 && mean < 5500, `${mean}`)
})

t.test('SR when we have sent since the last, else RR', async (t) => {
  const { outgoing, session } = end(5)
  const type = () => slot[1]
  session.write(slot, 0)
  t.equal(type(), 201)
  outgoing.generate(100, 160, false)
  outgoing.count(160)
  const length = session.write(slot, 1100)
  t.equal(type(), 200)
  t.strictSame(read(slot, length), [
    ['sr', 5, (WALL + 1100) / 1000 + 2_208_988_800 - 0.1, Math.floor(0.1 * 2 ** 32), 8000],
  ])
  t.strictSame([slot.readUInt32BE(20), slot.readUInt32BE(24)], [1, 160])
  session.write(slot, 2000)
  t.equal(type(), 201)
  const goodbye = session.writeGoodbye(slot, 3000)
  t.strictSame(read(slot, goodbye), [['bye', 5]])
})

t.test('two ends learn loss, jitter and round trip of each other', async (t) => {
  const a = end(0x80000001)
  const b = end(0x90000002, 0, 2)
  for (let n = 0; n < 100; n++) {
    a.outgoing.generate(n * 20, 160, false)
    a.outgoing.count(160)
    if (n % 10 === 5) continue
    b.statistics.receive(a.outgoing.ssrc, n, a.outgoing.timestamp, 160, n * 20 + 40 + (n % 2) * 4)
  }
  t.ok(b.session.receive(slot, a.session.write(slot, 2000), 2040))
  t.ok(a.session.receive(slot, b.session.write(slot, 3000), 3050))
  t.ok(Math.abs(a.session.rttMs! - 90) < 1, `${a.session.rttMs}`)
  t.equal(a.session.remoteLost, 10)
  t.ok(a.session.remoteJitterMs! > 2 && a.session.remoteJitterMs! < 5)
  t.match(a.session.report('PCMA'), { packets: 100, octets: 16_000, lost: 10, lossRate: 0.1 })
  t.ok(a.session.report('PCMA').mos! < 4)
  t.equal(b.session.report('PCMA').mos, undefined, 'nobody has reported on what b sent')
  t.equal(b.session.rttMs, undefined)
})

t.test('a block about another stream, or without our report, tells no round trip', async (t) => {
  const a = end(7)
  writeReport(slot, 0, 1, undefined, { ...block, ssrc: 8 })
  t.ok(a.session.receive(slot, 32, 10))
  t.equal(a.session.remoteLost, undefined)
  writeReport(slot, 0, 1, undefined, { ...block, ssrc: 7, lastSenderReport: 0 })
  t.ok(a.session.receive(slot, 32, 10))
  t.equal(a.session.remoteLost, -3)
  t.equal(a.session.rttMs, undefined)
  writeReport(slot, 0, 1, undefined, { ...block, ssrc: 7 })
  a.session.receive(slot, 32, 10)
  t.equal(a.session.rttMs, undefined, 'nonsense')
  t.equal(a.session.report().lost, 0, 'never below zero')
})

t.test('malformed packets are counted and change nothing', async (t) => {
  const { session } = end(7)
  t.notOk(session.receive(Buffer.from('81cb000100000001ffff', 'hex'), 10, 0))
  t.strictSame([session.goodbye, session.malformed, session.received], [false, 1, 0])
  t.ok(session.receive(Buffer.from('81cb000100000001', 'hex'), 8, 0))
  t.strictSame([session.goodbye, session.malformed, session.received], [true, 1, 1])
})

t.test('a BYE of a source that has gone on with another SSRC is none', async (t) => {
  const { session, statistics } = end(7)
  statistics.receive(1, 0, 0, 160, 0)
  session.receive(Buffer.from('81cb000100000001', 'hex'), 8, 10)
  t.ok(session.goodbye)
  statistics.receive(2, 0, 0, 160, 20)
  t.notOk(session.goodbye)
})

t.test('a day: the middle of NTP time and the octet counter wrap', async (t) => {
  const a = end(1)
  const b = end(2, 0, 9)
  a.outgoing.octets = 2 ** 32 - 1000
  for (let now = 0; now < 24 * 3_600_000; now += 5000) {
    a.outgoing.generate(now, 160, true)
    a.outgoing.count(160)
    b.statistics.receive(1, a.outgoing.sequence, a.outgoing.timestamp, 160, now + 10)
    b.session.receive(slot, a.session.write(slot, now), now + 15)
    a.session.receive(slot, b.session.write(slot, now + 2000), now + 2025)
    if (Math.abs(a.session.rttMs! - 40) > 1) return t.fail(`${now}: ${a.session.rttMs}`)
  }
  t.equal(a.session.malformed + b.session.malformed, 0)
  t.equal(b.statistics.report().lost, 0)
})

t.test('random octets and damaged packets never throw', async (t) => {
  const random = new FakeRandom(21)
  const { session } = end(7)
  let fine = 0
  for (let i = 0; i < 20_000; i++) {
    let packet: Buffer
    if (i % 2) {
      packet = random.bytes(random.int(0, 80))
    } else {
      let at = writeReport(slot, 0, 1, undefined, { ...block, ssrc: 7 })
      at = writeDescription(slot, at, 1, 'someone@somewhere')
      at = writeGoodbye(slot, at, 1)
      packet = Buffer.from(slot.subarray(0, at))
      for (let k = random.int(0, 3); k > 0; k--) packet[random.int(0, at)] = random.int(0, 256)
    }
    if (session.receive(packet, random.int(0, 4) ? packet.length : packet.length >> 1, i)) fine++
  }
  t.ok(fine > 1000 && fine < 20_000, `${fine}`)
})
