/** What is not authentic neither throws, nor changes the packet, nor what the receiver knows. */
import t, { type Test } from 'tap'
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
import { bytes, randomRtp, rtcp, rtp } from './packets.ts'

const REASONS = [AUTH_FAILED, REPLAYED, MALFORMED]

/** Octets that are refused: a good packet cut, grown or damaged, or noise. */
function damage(good: Buffer, random: FakeRandom): Buffer {
  const bad = Buffer.from(good)
  const at = random.int(0, bad.length)
  switch (random.int(0, 6)) {
    case 0:
      bad[at]! ^= 1 << random.int(0, 8)
      return bad
    case 1:
      return bad.subarray(0, at)
    case 2:
      return Buffer.concat([bad, random.bytes(random.int(1, 20))])
    case 3:
      return random.bytes(random.int(0, 200))
    case 4: {
      // Noise that looks like RTP of any SSRC.
      const noise = random.bytes(random.int(12, 200))
      noise[0] = 0x80 | (noise[0]! & 0x3f)
      return noise
    }
    default:
      bad.writeUInt16BE(random.int(0, 65_536), 2)
      bad[bad.length - 1]! ^= 0x01
      return bad
  }
}

function sealRtp(sender: SrtpSender, random: FakeRandom, seq: number): Buffer {
  const sent = randomRtp(random, seq & 0xffff, 1 + (seq % 3))
  sent.length = sender.protectRtp(sent.packet, sent.length)
  return bytes(sent)
}

function sealRtcp(sender: SrtpSender, random: FakeRandom, i: number): Buffer {
  const sent = rtcp(1 + (i % 3), random.int(0, 4))
  sent.length = sender.protectRtcp(sent.packet, sent.length)
  return bytes(sent)
}

type Unprotect = (receiver: SrtpReceiver, packet: Buffer) => number
const unprotectRtp: Unprotect = (receiver, packet) => receiver.unprotectRtp(packet, packet.length)
const unprotectRtcp: Unprotect = (receiver, packet) => receiver.unprotectRtcp(packet, packet.length)

/** Feeds damaged packets to one of two receivers; both have to say the same to all good ones. */
function compare(
  t: Test,
  suite: Suite,
  seal: (sender: SrtpSender, random: FakeRandom, i: number) => Buffer,
  unprotect: Unprotect,
): void {
  const random = new FakeRandom(31)
  const key = generateKey(suite, random)
  const sender = createSrtpSender(suite, key)
  const calm = createSrtpReceiver(suite, key)
  const attacked = createSrtpReceiver(suite, key)
  const sent: Buffer[] = []
  let replayed = 0
  for (let i = 0; i < 1000; i++) {
    const packet = seal(sender, random, 65_200 + i)
    sent.push(packet)
    for (let k = 0; k < 3; k++) {
      const bad = damage(packet, random)
      const before = Buffer.from(bad)
      const result = unprotect(attacked, bad)
      if (!REASONS.includes(result)) t.fail(`accepted ${before.toString('hex')}`)
      if (!bad.equals(before)) t.fail(`changed ${before.toString('hex')}`)
    }
    for (const [place, good] of [packet, sent[random.int(0, sent.length)]!].entries()) {
      const [a, b] = [Buffer.from(good), Buffer.from(good)]
      const [expected, got] = [unprotect(calm, a), unprotect(attacked, b)]
      if (expected === REPLAYED) replayed++
      if (expected !== got || !a.equals(b)) t.fail(`packet ${i}: ${got} instead of ${expected}`)
      if (place === 0 && expected < 0) t.fail(`packet ${i}: ${expected}`)
    }
  }
  t.ok(replayed > 900, 'replays were among them')
}

for (const suite of SUITES) {
  t.test(`${suite}: damaged SRTP`, async (t) => compare(t, suite, sealRtp, unprotectRtp))
  t.test(`${suite}: damaged SRTCP`, async (t) => compare(t, suite, sealRtcp, unprotectRtcp))

  t.test(`${suite}: every bit counts`, async (t) => {
    const key = generateKey(suite, new FakeRandom(33))
    const receiver = createSrtpReceiver(suite, key)
    const sent = rtp({ payload: 20, csrcs: 1, extension: 1 }) // 44 octets
    sent.length = createSrtpSender(suite, key).protectRtp(sent.packet, sent.length)
    const good = bytes(sent)
    for (let bit = 0; bit < 8 * good.length; bit++) {
      const bad = Buffer.from(good)
      bad[bit >> 3]! ^= 0x80 >> (bit & 7)
      if (unprotectRtp(receiver, bad) >= 0) t.fail(`bit ${bit}`)
    }
    for (let length = 0; length < good.length; length++)
      if (receiver.unprotectRtp(Buffer.from(good), length) >= 0) t.fail(`${length} octets`)
    t.equal(unprotectRtp(receiver, good), 44, 'the good one')
  })
}

t.test('forged SSRCs neither take the place of real ones nor are remembered', async (t) => {
  const suite = 'AES_CM_128_HMAC_SHA1_80'
  const random = new FakeRandom(35)
  const key = generateKey(suite, random)
  const sender = createSrtpSender(suite, key)
  const receiver = createSrtpReceiver(suite, key)
  const first = sealRtp(sender, random, 3)
  t.ok(unprotectRtp(receiver, Buffer.from(first)) > 0)
  for (let i = 0; i < 100; i++) {
    const forged = bytes(rtp({ ssrc: 1000 + i, seq: i }))
    t.equal(unprotectRtp(receiver, forged), AUTH_FAILED)
    t.equal(unprotectRtcp(receiver, bytes(rtcp(1000 + i))), AUTH_FAILED)
  }
  t.equal(unprotectRtp(receiver, first), REPLAYED)
})

t.test('lengths that lie are malformed', async (t) => {
  const suite = 'AES_CM_128_HMAC_SHA1_80'
  const receiver = createSrtpReceiver(suite, generateKey(suite, new FakeRandom(37)))
  const audio = bytes(rtp({ extension: 2 }))
  t.equal(receiver.unprotectRtp(audio, audio.length + 1), MALFORMED, 'more than the buffer has')
  t.equal(receiver.unprotectRtp(audio, 0), MALFORMED)
  t.equal(receiver.unprotectRtp(audio, -5), MALFORMED)
  t.equal(receiver.unprotectRtcp(audio, audio.length + 1), MALFORMED)
  t.equal(receiver.unprotectRtcp(audio, 21), MALFORMED, 'no room for index and tag')
  audio.writeUInt16BE(0xffff, 14)
  t.equal(receiver.unprotectRtp(audio, audio.length), MALFORMED, 'an extension beyond the end')
  audio[0] = 0x4f
  t.equal(receiver.unprotectRtp(audio, audio.length), MALFORMED, 'not version 2')
  t.equal(receiver.unprotectRtcp(audio, audio.length), MALFORMED)
})
