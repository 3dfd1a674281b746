import t from 'tap'
import { SUITES, type Suite } from '../../../src/media/anchor/types.ts'
import {
  createSrtpReceiver,
  createSrtpSender,
  generateKey,
  keyLength,
} from '../../../src/media-relay/srtp/index.ts'
import { KeyDerivation } from '../../../src/media-relay/srtp/key-derivation.ts'
import { masterKey, suiteParameters } from '../../../src/media-relay/srtp/suites.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import { bytes, randomRtp, rtcp, rtp } from './packets.ts'
import { referenceRtcp, referenceRtp } from './reference.ts'

/** Octets of key and salt; what SRTP and SRTCP add to a packet. */
const table: Record<Suite, [key: number, rtp: number, rtcp: number]> = {
  AES_CM_128_HMAC_SHA1_80: [30, 10, 14],
  AES_CM_128_HMAC_SHA1_32: [30, 4, 14],
  AES_256_CM_HMAC_SHA1_80: [46, 10, 14],
  AES_256_CM_HMAC_SHA1_32: [46, 4, 14],
  AEAD_AES_128_GCM: [28, 16, 20],
  AEAD_AES_256_GCM: [44, 16, 20],
}

for (const suite of SUITES) {
  const [octets, rtpTrailer, rtcpTrailer] = table[suite]
  const random = new FakeRandom(7)

  t.test(`${suite}: sizes and the way back`, async (t) => {
    t.equal(keyLength(suite), octets)
    const key = generateKey(suite, random)
    t.equal(Buffer.from(key.reveal(), 'base64').length, octets)
    const sender = createSrtpSender(suite, key)
    const receiver = createSrtpReceiver(suite, key)
    for (let seq = 0; seq < 300; seq++) {
      const sent = randomRtp(random, seq)
      const clear = bytes(sent)
      const length = sender.protectRtp(sent.packet, sent.length)
      if (length !== sent.length + rtpTrailer) t.fail(`SRTP packet ${seq} has ${length} octets`)
      if (receiver.unprotectRtp(sent.packet, length) !== sent.length)
        t.fail(`SRTP packet ${seq} is refused`)
      if (!bytes(sent).equals(clear)) t.fail(`SRTP packet ${seq} differs`)

      const report = rtcp(0xcafebabe, random.int(0, 5))
      const clearReport = bytes(report)
      const sealed = sender.protectRtcp(report.packet, report.length)
      if (sealed !== report.length + rtcpTrailer) t.fail(`SRTCP packet ${seq} has ${sealed} octets`)
      if (receiver.unprotectRtcp(report.packet, sealed) !== report.length)
        t.fail(`SRTCP packet ${seq} is refused`)
      if (!bytes(report).equals(clearReport)) t.fail(`SRTCP packet ${seq} differs`)
    }
  })

  t.test(`${suite}: another key cannot read it`, async (t) => {
    const sender = createSrtpSender(suite, generateKey(suite, random))
    const receiver = createSrtpReceiver(suite, generateKey(suite, random))
    const audio = rtp()
    t.equal(receiver.unprotectRtp(audio.packet, sender.protectRtp(audio.packet, audio.length)), -1)
    const report = rtcp()
    t.equal(
      receiver.unprotectRtcp(report.packet, sender.protectRtcp(report.packet, report.length)),
      -1,
    )
  })

  t.test(`${suite}: a key that does not fit is refused`, async (t) => {
    const good = generateKey(suite, random).reveal()
    const longer = random.bytes(octets + 1).toString('base64')
    const shorter = random.bytes(octets - 1).toString('base64')
    for (const bad of ['', longer, shorter, `!${good.slice(1)}`, good.replace(/^./, '-')]) {
      const create = (): unknown => createSrtpSender(suite, new Secret(bad))
      t.throws(create, { code: 'MEDIA_SRTP_KEY' })
      t.throws(() => createSrtpReceiver(suite, new Secret(bad)), { code: 'MEDIA_SRTP_KEY' })
    }
    t.doesNotThrow(() => createSrtpSender(suite, new Secret(good.replace(/=+$/, ''))))
  })

  if (suite.startsWith('AEAD')) continue

  t.test(`${suite}: equals a reference made of single primitives`, async (t) => {
    const key = generateKey(suite, random)
    const parameters = suiteParameters(suite)
    const derivation = new KeyDerivation(masterKey(suite, key))
    const srtp = derivation.sessionKeys('srtp', parameters)
    const srtcp = derivation.sessionKeys('srtcp', parameters)
    const sender = createSrtpSender(suite, key)
    // Lengths, holes and the wrap make the key stream ahead be used, thrown away and made anew.
    let index = 65_000
    for (let i = 0; i < 1500; i++) {
      index += random.int(0, 10) === 0 ? random.int(1, 30) : 1
      const sent = randomRtp(random, index & 0xffff)
      const clear = bytes(sent)
      const extension = clear[0]! & 0x10
      const csrcs = 12 + 4 * (clear[0]! & 15)
      const header = extension ? csrcs + 4 + 4 * clear.readUInt16BE(csrcs + 2) : csrcs
      sent.length = sender.protectRtp(sent.packet, sent.length)
      if (!bytes(sent).equals(referenceRtp(srtp, parameters.rtpTag, clear, header, index)))
        return t.fail(`packet ${i}, index ${index}`)
    }
    t.ok(index > 65536, 'the ROC has changed')
    for (let i = 0; i < 20; i++) {
      const sent = rtcp(0xcafebabe, i % 8)
      const clear = bytes(sent)
      sent.length = sender.protectRtcp(sent.packet, sent.length)
      t.ok(bytes(sent).equals(referenceRtcp(srtcp, clear, i)), `SRTCP index ${i}`)
    }
  })
}

t.test('an unknown suite is refused', async (t) => {
  const suite = 'F8_128_HMAC_SHA1_80' as Suite
  const key = new Secret(Buffer.alloc(30).toString('base64'))
  t.throws(() => createSrtpSender(suite, key), { code: 'MEDIA_SRTP_KEY' })
  t.throws(() => keyLength(suite), { code: 'MEDIA_SRTP_KEY' })
})

t.test('a key is nowhere in the error', async (t) => {
  const key = Buffer.alloc(29, 'k').toString('base64')
  try {
    createSrtpSender('AES_CM_128_HMAC_SHA1_80', new Secret(key))
    t.fail('accepted')
  } catch (error) {
    t.notMatch(JSON.stringify(error) + String(error), key.slice(0, 8))
  }
})

t.test('packets of any length up to the largest datagram', async (t) => {
  const suite = 'AES_CM_128_HMAC_SHA1_80'
  const key = generateKey(suite, new FakeRandom(9))
  const sender = createSrtpSender(suite, key)
  const receiver = createSrtpReceiver(suite, key)
  for (const [seq, payload] of [0, 1, 15, 16, 17, 1279, 1280, 1281, 65_000, 160].entries()) {
    const sent = rtp({ seq, payload, fill: 3 })
    const clear = bytes(sent)
    const length = sender.protectRtp(sent.packet, sent.length)
    t.equal(receiver.unprotectRtp(sent.packet, length), clear.length, `${payload} octets`)
    t.ok(bytes(sent).equals(clear), `${payload} octets come back`)
  }
})
