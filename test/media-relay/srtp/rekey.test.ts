/** Change of keys in a call: the ROC goes on (RFC 3711 §9.1), or the peer begins again at 0. */
import t from 'tap'
import { SUITES, type Suite } from '../../../src/media/anchor/types.ts'
import {
  AUTH_FAILED,
  createSrtpReceiver,
  createSrtpSender,
  generateKey,
  REPLAYED,
  type SrtpReceiver,
  type SrtpSender,
} from '../../../src/media-relay/srtp/index.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import { bytes, rtcp, rtp } from './packets.ts'

const random = new FakeRandom(21)
const CLEAR = 172

function send(sender: SrtpSender, receiver: SrtpReceiver, seq: number): number {
  const sent = rtp({ seq: seq & 0xffff })
  const length = sender.protectRtp(sent.packet, sent.length)
  return length < 0 ? length : receiver.unprotectRtp(sent.packet, length)
}

/** A pair that has sent up to `last`, which is in ROC 2 when it is above 131071. */
function after(suite: Suite, last: number) {
  const key = generateKey(suite, random)
  const sender = createSrtpSender(suite, key)
  const receiver = createSrtpReceiver(suite, key)
  for (let index = 60_000; index < last; index += 20_000) send(sender, receiver, index)
  return { key, sender, receiver, at: send(sender, receiver, last) }
}

for (const suite of SUITES)
  t.test(`${suite}: both ends keep the ROC`, async (t) => {
    const old = after(suite, 140_000)
    t.equal(old.at, CLEAR)
    const key = generateKey(suite, random)
    const sender = createSrtpSender(suite, key, { continueFrom: old.sender })
    const receiver = createSrtpReceiver(suite, key, 0, { continueFrom: old.receiver })
    for (let i = 1; i < 20; i++) t.equal(send(sender, receiver, 140_000 + i), CLEAR)
    t.equal(send(sender, receiver, 170_000), CLEAR)
    t.equal(send(sender, receiver, 200_000), CLEAR, 'and goes on over the next wrap')
    t.equal(send(old.sender, receiver, 140_030), AUTH_FAILED, 'the old key is not taken')
  })

t.test('the peer begins again with ROC 0', async (t) => {
  const old = after('AES_CM_128_HMAC_SHA1_80', 140_000)
  const key = generateKey('AES_CM_128_HMAC_SHA1_80', random)
  const sender = createSrtpSender('AES_CM_128_HMAC_SHA1_80', key)
  const receiver = createSrtpReceiver('AES_CM_128_HMAC_SHA1_80', key, 0, {
    continueFrom: old.receiver,
  })
  t.equal(send(old.sender, receiver, 140_001), AUTH_FAILED, 'still under the old key')
  for (let i = 1; i < 20; i++) t.equal(send(sender, receiver, 140_000 + i), CLEAR)
})

t.test('the ROC is kept, while the sequence number jumps too far for an estimate', async (t) => {
  const suite = 'AES_CM_128_HMAC_SHA1_80'
  const jumped = after(suite, 190_000)
  const key = generateKey(suite, random)
  const sender = createSrtpSender(suite, key, { continueFrom: jumped.sender })
  const receiver = createSrtpReceiver(suite, key, 0, {
    continueFrom: after(suite, 140_000).receiver,
  })
  t.equal(send(sender, receiver, 190_001), CLEAR)
  t.equal(send(sender, receiver, 190_002), CLEAR)
})

t.test('the wrap falls between the keys', async (t) => {
  const old = after('AES_CM_128_HMAC_SHA1_80', 65_535)
  const key = generateKey('AES_CM_128_HMAC_SHA1_80', random)
  const sender = createSrtpSender('AES_CM_128_HMAC_SHA1_80', key, { continueFrom: old.sender })
  const receiver = createSrtpReceiver('AES_CM_128_HMAC_SHA1_80', key, 0, {
    continueFrom: old.receiver,
  })
  t.equal(send(sender, receiver, 65_536), CLEAR)
  t.equal(send(sender, receiver, 65_537), CLEAR)
})

t.test('a guess survives a second change of keys without a packet between', async (t) => {
  const old = after('AES_CM_128_HMAC_SHA1_80', 140_000)
  const between = generateKey('AES_CM_128_HMAC_SHA1_80', random)
  const key = generateKey('AES_CM_128_HMAC_SHA1_80', random)
  const receiver = createSrtpReceiver('AES_CM_128_HMAC_SHA1_80', key, 0, {
    continueFrom: createSrtpReceiver('AES_CM_128_HMAC_SHA1_80', between, 0, {
      continueFrom: old.receiver,
    }),
  })
  const sender = createSrtpSender('AES_CM_128_HMAC_SHA1_80', key, { continueFrom: old.sender })
  t.equal(send(sender, receiver, 140_001), CLEAR)
})

t.test('another suite with the new key', async (t) => {
  const old = after('AES_CM_128_HMAC_SHA1_80', 140_000)
  const key = generateKey('AEAD_AES_256_GCM', random)
  const sender = createSrtpSender('AEAD_AES_256_GCM', key, { continueFrom: old.sender })
  const receiver = createSrtpReceiver('AEAD_AES_256_GCM', key, 0, { continueFrom: old.receiver })
  t.equal(send(sender, receiver, 140_001), CLEAR)
})

t.test('with the same key replay protection goes on too', async (t) => {
  const old = after('AES_CM_128_HMAC_SHA1_80', 140_000)
  const sent = rtp({ seq: 140_001 & 0xffff })
  const length = old.sender.protectRtp(sent.packet, sent.length)
  t.equal(old.receiver.unprotectRtp(Buffer.from(sent.packet), length), CLEAR)
  const receiver = createSrtpReceiver('AES_CM_128_HMAC_SHA1_80', old.key, 0, {
    continueFrom: old.receiver,
  })
  t.equal(receiver.unprotectRtp(sent.packet, length), REPLAYED)
  const sender = createSrtpSender('AES_CM_128_HMAC_SHA1_80', old.key, { continueFrom: old.sender })
  t.equal(send(sender, receiver, 140_001), REPLAYED, 'no key stream is used twice')
  t.equal(send(sender, receiver, 140_002), CLEAR)
})

t.test('the SRTCP index is not reset (RFC 3711 §3.4)', async (t) => {
  const suite = 'AES_CM_128_HMAC_SHA1_80'
  const old = after(suite, 60_000)
  const report = (sender: SrtpSender): Buffer => {
    const sent = rtcp()
    sent.length = sender.protectRtcp(sent.packet, sent.length)
    return bytes(sent)
  }
  const index = (packet: Buffer): number => packet.readUInt32BE(packet.length - 14) - 0x80000000
  t.equal(index(report(old.sender)), 0)
  t.equal(index(report(old.sender)), 1)
  const key = generateKey(suite, random)
  const sender = createSrtpSender(suite, key, { continueFrom: old.sender })
  const receiver = createSrtpReceiver(suite, key, 0, { continueFrom: old.receiver })
  const packet = report(sender)
  t.equal(index(packet), 2)
  t.equal(receiver.unprotectRtcp(packet, packet.length), 52)
  const restarted = report(createSrtpSender(suite, key))
  t.equal(receiver.unprotectRtcp(restarted, restarted.length), 52, 'a peer may have reset it')
})
