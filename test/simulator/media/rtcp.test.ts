import t from 'tap'
import { RtcpPacketConverter, RtcpSourceDescriptionPacket, RtcpSrPacket } from 'werift-rtp'
import type { ReceptionBlock } from '../../../src/simulator/media/receiver.ts'
import { RtcpReporter, type SentStream } from '../../../src/simulator/media/rtcp.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const STREAM: SentStream = {
  ssrc: 0xffff_fff0,
  timestamp: 0x8000_0000,
  packets: 250,
  octets: 40_000,
}
const BLOCK: ReceptionBlock = { ssrc: 7, fractionLost: 25, lost: 5, highest: 70_000, jitter: 33 }

function reporter(options: { sent?: SentStream; block?: ReceptionBlock; cname?: string }) {
  const clock = new FakeClock(1_700_000_000_500)
  const packets: Buffer[] = []
  const one = new RtcpReporter({
    clock,
    cname: options.cname ?? 'WhatsAppAudioStream1',
    sent: () => options.sent,
    received: () => options.block,
    send: (packet) => packets.push(packet),
  })
  return { clock, packets, one }
}

t.test('a compound of SR and SDES every five seconds, as another library reads it', async (t) => {
  for (const cname of ['a', 'ab', 'abc', 'abcd', 'WhatsAppAudioStream1']) {
    const { clock, packets, one } = reporter({ sent: STREAM, block: BLOCK, cname })
    one.start()
    one.start()
    t.equal(packets.length, 1)
    const [sr, sdes] = RtcpPacketConverter.deSerialize(packets[0]!) as [
      RtcpSrPacket,
      RtcpSourceDescriptionPacket,
    ]
    t.ok(sr instanceof RtcpSrPacket && sdes instanceof RtcpSourceDescriptionPacket)
    t.equal(sr.ssrc, STREAM.ssrc)
    t.match(sr.senderInfo, { rtpTimestamp: 0x8000_0000, packetCount: 250, octetCount: 40_000 })
    t.equal(Number(sr.senderInfo.ntpTimestamp >> 32n), 1_700_000_000 + 2_208_988_800)
    t.equal(Number(sr.senderInfo.ntpTimestamp & 0xffff_ffffn), 2 ** 31, 'half a second')
    t.match(sr.reports[0], {
      ssrc: 7,
      fractionLost: 25,
      packetsLost: 5,
      highestSequence: 70_000,
      jitter: 33,
      lsr: 0,
    })
    t.equal(sdes.chunks[0]?.source, STREAM.ssrc)
    t.equal(sdes.chunks[0]?.items[0]?.text, cname)
    clock.advance(15_000)
    t.equal(packets.length, 4)
    one.stop()
    clock.advance(15_000)
    t.equal(packets.length, 4)
    t.equal(clock.pending, 0)
  }
})

t.test('the round trip of the other side can be measured', async (t) => {
  const other = reporter({ sent: STREAM })
  other.one.start()
  const { clock, packets, one } = reporter({ sent: STREAM, block: BLOCK })
  one.receive(other.packets[0]!)
  clock.advance(1500)
  one.start()
  const [sr] = RtcpPacketConverter.deSerialize(packets[0]!) as [RtcpSrPacket]
  t.equal(sr.reports[0]!.lsr, other.packets[0]!.readUInt32BE(10))
  t.equal(sr.reports[0]!.dlsr, 1.5 * 65536)
})

t.test('nothing is reported before anything is sent; garbage is passed over', async (t) => {
  const { clock, packets, one } = reporter({})
  one.start()
  clock.advance(5000)
  t.same(packets, [])
  for (const octets of [
    '',
    '80',
    '80c8ffff',
    '80c80001',
    '80c8000000000000',
    '00000000000000000000',
  ]) {
    one.receive(Buffer.from(octets, 'hex'))
  }
  one.stop()
})
