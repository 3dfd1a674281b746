/** Both ways between our SRTP and the one of werift-rtp, which was written independently. */
import t from 'tap'
import { RtpHeader, SrtcpSession, SrtpSession } from 'werift-rtp'
import {
  createSrtpReceiver,
  createSrtpSender,
  generateKey,
} from '../../../src/media-relay/srtp/index.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import { bytes, rtcp, rtp, type TestPacket } from './packets.ts'

const profiles = [
  { suite: 'AES_CM_128_HMAC_SHA1_80', profile: 1, rtpTrailer: 10, rtcpTrailer: 14 },
  { suite: 'AEAD_AES_128_GCM', profile: 7, rtpTrailer: 16, rtcpTrailer: 20 },
] as const

/** Shapes of packets: plain, CSRCs, header extension, both. */
const shapes = [{}, { csrcs: 3 }, { extension: 2 }, { csrcs: 2, extension: 1 }, { payload: 41 }]

for (const { suite, profile, rtpTrailer, rtcpTrailer } of profiles) {
  const key = generateKey(suite, new FakeRandom(profile))
  const master = Buffer.from(key.reveal(), 'base64')
  const keys = {
    localMasterKey: master.subarray(0, 16),
    localMasterSalt: master.subarray(16),
    remoteMasterKey: master.subarray(0, 16),
    remoteMasterSalt: master.subarray(16),
  }

  t.test(`${suite}: werift reads what we send`, async (t) => {
    const theirs = new SrtpSession({ keys, profile })
    const ours = createSrtpSender(suite, key)
    for (let i = 0; i < 200; i++) {
      const sent = rtp({ ...shapes[i % shapes.length], seq: (65_400 + i) & 0xffff, fill: i })
      const clear = bytes(sent)
      sent.length = ours.protectRtp(sent.packet, sent.length)
      t.ok(theirs.decrypt(bytes(sent)).equals(clear), `packet ${i}`)
    }
  })

  t.test(`${suite}: we read what werift sends`, async (t) => {
    const theirs = new SrtpSession({ keys, profile })
    const ours = createSrtpReceiver(suite, key)
    for (let i = 0; i < 200; i++) {
      const clear = bytes(
        rtp({ ...shapes[i % shapes.length], seq: (65_400 + i) & 0xffff, fill: i }),
      )
      const header = RtpHeader.deSerialize(clear)
      const sealed = theirs.encrypt(clear.subarray(header.payloadOffset), header)
      t.equal(sealed.length, clear.length + rtpTrailer)
      t.equal(ours.unprotectRtp(sealed, sealed.length), clear.length, `packet ${i}`)
      t.ok(sealed.subarray(0, clear.length).equals(clear), `packet ${i} is the same`)
    }
  })

  t.test(`${suite}: SRTCP both ways`, async (t) => {
    const theirs = new SrtcpSession({ keys, profile })
    const sender = createSrtpSender(suite, key)
    const receiver = createSrtpReceiver(suite, key)
    for (let i = 0; i < 20; i++) {
      const sent: TestPacket = rtcp(0x1000 + (i % 3), i % 4)
      const clear = bytes(sent)
      sent.length = sender.protectRtcp(sent.packet, sent.length)
      t.ok(theirs.decrypt(bytes(sent)).equals(clear), `ours ${i}`)
      const sealed = theirs.encrypt(clear)
      t.equal(sealed.length, clear.length + rtcpTrailer)
      t.equal(receiver.unprotectRtcp(sealed, sealed.length), clear.length, `theirs ${i}`)
      t.ok(sealed.subarray(0, clear.length).equals(clear), `theirs ${i} is the same`)
    }
  })
}
