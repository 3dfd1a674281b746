import t from 'tap'
import { SUITES, type Suite } from '../../../src/media/anchor/types.ts'
import {
  AUTH_FAILED,
  createSrtpReceiver,
  createSrtpSender,
  generateKey,
  MALFORMED,
  REPLAYED,
  type SrtpReceiver,
  type SrtpSender,
} from '../../../src/media-relay/srtp/index.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import { bytes, type PacketShape, rtcp, rtp, type TestPacket } from './packets.ts'

const SUITE: Suite = 'AES_CM_128_HMAC_SHA1_80'
const CLEAR = 172

function pair(suite: Suite = SUITE): { sender: SrtpSender; receiver: SrtpReceiver } {
  const key = generateKey(suite, new FakeRandom(11))
  return { sender: createSrtpSender(suite, key), receiver: createSrtpReceiver(suite, key) }
}

interface Sealed extends TestPacket {
  clear: Buffer
}

function sealed(sender: SrtpSender, shape: PacketShape = {}): Sealed {
  const sent = rtp(shape)
  const clear = bytes(sent)
  return { packet: sent.packet, length: sender.protectRtp(sent.packet, sent.length), clear }
}

/** What the receiver says to a packet; works on a copy, so that it can be sent again. */
function receive(receiver: SrtpReceiver, sent: Sealed): number {
  const copy = bytes(sent)
  const result = receiver.unprotectRtp(copy, sent.length)
  if (result >= 0 && !copy.subarray(0, result).equals(sent.clear)) return Number.NaN
  return result
}

/** Seals `count` packets from a sequence number on, in order; by index of their place. */
function run(sender: SrtpSender, from: number, count: number): Sealed[] {
  return Array.from({ length: count }, (_, i) => sealed(sender, { seq: (from + i) & 0xffff }))
}

t.test('a packet is taken once', async (t) => {
  const { sender, receiver } = pair()
  const [first, second] = run(sender, 7, 2) as [Sealed, Sealed]
  t.equal(receive(receiver, first), CLEAR)
  t.equal(receive(receiver, first), REPLAYED)
  t.equal(receive(receiver, second), CLEAR)
  t.equal(receive(receiver, first), REPLAYED)
})

t.test('packets up to 63 behind are taken, older ones are not', async (t) => {
  const { sender, receiver } = pair()
  const packets = run(sender, 1000, 100)
  t.equal(receive(receiver, packets[99]!), CLEAR)
  t.equal(receive(receiver, packets[36]!), CLEAR)
  t.equal(receive(receiver, packets[35]!), REPLAYED)
  t.equal(receive(receiver, packets[36]!), REPLAYED)
})

t.test('reordering across the wrap of the sequence number', async (t) => {
  for (const suite of SUITES) {
    const { sender, receiver } = pair(suite)
    const packets = run(sender, 65_500, 80)
    // Each pair swapped, so that the wrap (36) is met from both sides; then ten late ones.
    for (let i = 0; i < 60; i += 2) {
      t.equal(receive(receiver, packets[i + 1]!), CLEAR, `${suite} ${i + 1}`)
      if (i !== 30) t.equal(receive(receiver, packets[i]!), CLEAR, `${suite} ${i}`)
    }
    t.equal(receive(receiver, packets[30]!), CLEAR, 'from before the wrap, 29 late')
    t.equal(receive(receiver, packets[79]!), CLEAR)
    t.equal(receive(receiver, packets[35]!), REPLAYED)
  }
})

t.test('the wrap itself may be lost', async (t) => {
  const { sender, receiver } = pair()
  const packets = run(sender, 65_000, 1200)
  t.equal(receive(receiver, packets[0]!), CLEAR)
  t.equal(receive(receiver, packets[1199]!), CLEAR)
  t.equal(receive(receiver, packets[1198]!), CLEAR)
})

t.test('a sender that wrapped just before we listened', async (t) => {
  const { sender, receiver } = pair()
  const packets = run(sender, 65_530, 40)
  t.equal(receive(receiver, packets[20]!), CLEAR)
  t.equal(receive(receiver, packets[21]!), CLEAR)
  t.equal(receive(receiver, packets[3]!), CLEAR, 'from before the wrap')
})

t.test('24 hours of 20 ms packets: 65 wraps', async (t) => {
  for (const suite of [SUITE, 'AEAD_AES_128_GCM'] as const) {
    const { sender, receiver } = pair(suite)
    const day = 24 * 3600 * 50
    let good = 0
    let sent = 0
    for (let index = 65_000; index < 65_000 + day; index += 1 + (sent % 997)) {
      sent++
      const packet = sealed(sender, { seq: index & 0xffff })
      if (receive(receiver, packet) === CLEAR) good++
    }
    t.ok(sent > 8000)
    t.equal(good, sent, suite)
  }
})

t.test('SSRC change: the new stream begins with ROC 0 under the same key', async (t) => {
  const { sender, receiver } = pair()
  for (const packet of run(sender, 65_500, 100)) t.equal(receive(receiver, packet), CLEAR)
  for (let seq = 30; seq < 40; seq++)
    t.equal(receive(receiver, sealed(sender, { seq, ssrc: 5 })), CLEAR)
  t.equal(receive(receiver, sealed(sender, { seq: 65 })), CLEAR, 'the old one goes on with ROC 1')
})

t.test('key stream made ahead for one SSRC is not used for another', async (t) => {
  const { sender, receiver } = pair()
  for (let seq = 0; seq < 40; seq++)
    for (const ssrc of [1, 2, 3]) {
      t.equal(receive(receiver, sealed(sender, { seq, ssrc, fill: ssrc })), CLEAR)
    }
})

t.test('the ninth SSRC takes the place of the one idle longest', async (t) => {
  const key = generateKey(SUITE, new FakeRandom(12))
  const receiver = createSrtpReceiver(SUITE, key)
  const send = (ssrc: number, seq: number): number =>
    receive(receiver, sealed(createSrtpSender(SUITE, key), { ssrc, seq }))
  for (let ssrc = 1; ssrc <= 8; ssrc++) t.equal(send(ssrc, 1), CLEAR)
  t.equal(send(1, 2), CLEAR)
  t.equal(send(9, 1), CLEAR)
  t.equal(send(1, 2), REPLAYED, 'was used and is still known')
  t.equal(send(3, 1), REPLAYED)
  t.equal(send(2, 1), CLEAR, 'was forgotten')
})

t.test('SRTCP: taken once, reordered within the window', async (t) => {
  for (const suite of SUITES) {
    const { sender, receiver } = pair(suite)
    const reports = Array.from({ length: 70 }, () => {
      const sent = rtcp()
      sent.length = sender.protectRtcp(sent.packet, sent.length)
      return sent
    })
    const take = (i: number): number =>
      receiver.unprotectRtcp(bytes(reports[i]!), reports[i]!.length)
    t.equal(take(1), 52)
    t.equal(take(0), 52)
    t.equal(take(0), REPLAYED)
    t.equal(take(69), 52)
    t.equal(take(6), 52)
    t.equal(take(5), REPLAYED, 'too old')
    t.equal(take(69), REPLAYED)
  }
})

t.test('MKI: stripped from SRTP and SRTCP, in its place for each mode', async (t) => {
  const random = new FakeRandom(13)
  for (const suite of SUITES) {
    const key = generateKey(suite, random)
    const sender = createSrtpSender(suite, key)
    const receiver = createSrtpReceiver(suite, key, 4)
    // Before the tag (RFC 3711 §3.1), but behind everything with AES-GCM (RFC 7714 §12).
    const withMki = (sent: TestPacket, tag: number): Buffer => {
      const at = suite.startsWith('AEAD') ? sent.length : sent.length - tag
      const data = bytes(sent)
      return Buffer.concat([data.subarray(0, at), random.bytes(4), data.subarray(at)])
    }
    for (let seq = 0; seq < 5; seq++) {
      const audio = withMki(sealed(sender, { seq }), suite.endsWith('_32') ? 4 : 10)
      t.equal(receiver.unprotectRtp(audio, audio.length), CLEAR, suite)
      t.ok(audio.subarray(0, CLEAR).equals(bytes(rtp({ seq }))))
      const report = rtcp()
      report.length = sender.protectRtcp(report.packet, report.length)
      const control = withMki(report, 10)
      t.equal(receiver.unprotectRtcp(control, control.length), 52, suite)
      t.ok(control.subarray(0, 52).equals(bytes(rtcp())))
    }
    t.equal(receive(receiver, sealed(sender, { seq: 9 })), AUTH_FAILED, 'without MKI')
  }
  const key = generateKey(SUITE, random)
  for (const octets of [-1, 129, 1.5, Number.NaN])
    t.throws(() => createSrtpReceiver(SUITE, key, octets), { code: 'MEDIA_SRTP_KEY' })
})

t.test('a sender refuses what would give plaintext away, and what is no packet', async (t) => {
  const { sender, receiver } = pair()
  t.equal(sealed(sender, { seq: 5 }).length, CLEAR + 10)
  t.equal(sealed(sender, { seq: 5, fill: 1 }).length, REPLAYED)
  t.equal(receive(receiver, sealed(sender, { seq: 4 })), CLEAR, 'late, but not sent yet')
  for (let ssrc = 1; ssrc <= 7; ssrc++) t.equal(sealed(sender, { ssrc }).length, CLEAR + 10)
  t.equal(sealed(sender, { ssrc: 8 }).length, MALFORMED, 'a ninth SSRC')
  t.equal(sealed(sender, { seq: 6 }).length, CLEAR + 10, 'the others are served')

  const { packet, length } = rtp({ seq: 7 })
  t.equal(sender.protectRtp(packet, 11), MALFORMED)
  t.equal(sender.protectRtp(packet.subarray(0, length + 9), length), MALFORMED, 'no room')
  t.equal(sender.protectRtp(packet, packet.length + 1), MALFORMED)
  t.equal(sender.protectRtcp(packet, 7), MALFORMED)
  t.equal(sender.protectRtcp(packet.subarray(0, length + 13), length), MALFORMED)
  packet[0] = 0x00
  t.equal(sender.protectRtp(packet, length), MALFORMED, 'not version 2')
  t.equal(sender.protectRtcp(packet, length), MALFORMED)
})
