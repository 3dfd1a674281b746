import t from 'tap'
import {
  isRtcp,
  RTP_HEADER,
  RtpHeader,
  readRtp,
  writeRtpHeader,
} from '../../../src/media-relay/rtp/index.ts'
import { FakeRandom } from '../../support/fake-random.ts'

const header = new RtpHeader()

/** The fixed header as hexadecimal, with the first octet given. */
const fixed = (first: string) => `${first}800001000000a0deadbeef`

t.test('reads what RFC 3550 §5.1 allows', async (t) => {
  const rows: [string, string, number, number][] = [
    ['plain', `${fixed('80')}0102030405`, 12, 17],
    ['empty payload', fixed('80'), 12, 12],
    ['two CSRCs', `${fixed('82')}0000000100000002aabb`, 20, 22],
    ['extension of one word', `${fixed('90')}bede000101020304aabbcc`, 20, 23],
    ['extension of no words', `${fixed('90')}bede0000aa`, 16, 17],
    ['CSRC and extension', `${fixed('91')}00000001bede000101020304aa`, 24, 25],
    ['padding of three', `${fixed('a0')}aabb000003`, 12, 14],
    ['nothing but padding', `${fixed('a0')}000003`, 12, 12],
    ['extension and padding', `${fixed('b0')}bede0000aa01`, 16, 17],
  ]
  for (const [name, hex, start, end] of rows) {
    const packet = Buffer.from(hex, 'hex')
    t.ok(readRtp(packet, packet.length, header), name)
    t.match(
      { ...header },
      {
        payloadType: 0,
        marker: true,
        sequence: 1,
        timestamp: 0xa0,
        ssrc: 0xdeadbeef,
        payloadStart: start,
        payloadEnd: end,
      },
      name,
    )
  }
})

t.test('refuses what is malformed', async (t) => {
  const rows: [string, string][] = [
    ['nothing', ''],
    ['11 octets', fixed('80').slice(2)],
    ['version 1', fixed('40')],
    ['version 3', fixed('c0')],
    ['CSRC beyond the end', `${fixed('81')}000000`],
    ['no room for the extension header', `${fixed('90')}bede00`],
    ['extension beyond the end', `${fixed('90')}bede000201020304`],
    ['padding of none', `${fixed('a0')}aa00`],
    ['padding beyond the payload', `${fixed('a0')}aa03`],
    ['padding without a payload', fixed('a0')],
  ]
  for (const [name, hex] of rows) {
    const packet = Buffer.from(hex, 'hex')
    t.notOk(readRtp(packet, packet.length, header), name)
  }
  t.notOk(readRtp(Buffer.alloc(20, 0x80), 30, header), 'a length beyond the buffer')
})

t.test('reads no further than the length', async (t) => {
  const packet = Buffer.from(`${fixed('80')}aabbccdd`, 'hex')
  t.ok(readRtp(packet, 14, header))
  t.equal(header.payloadEnd, 14)
})

t.test('what is written is read again', async (t) => {
  const random = new FakeRandom(7)
  const slot = Buffer.alloc(32, 0xff)
  for (let i = 0; i < 500; i++) {
    const payloadType = random.int(0, 128)
    const marker = random.int(0, 2) === 1
    const sequence = random.int(0, 65536)
    const timestamp = random.int(0, 2 ** 32)
    const ssrc = random.int(0, 2 ** 32)
    writeRtpHeader(slot, payloadType, marker, sequence, timestamp, ssrc)
    if (!readRtp(slot, 32, header)) return t.fail(`packet ${i}`)
    t.strictSame(
      [header.payloadType, header.marker, header.sequence, header.timestamp, header.ssrc],
      [payloadType, marker, sequence, timestamp, ssrc],
    )
    t.equal(header.payloadStart, RTP_HEADER)
  }
})

t.test('tells RTCP from RTP by the second octet (RFC 5761 §4)', async (t) => {
  const rows: [number, boolean][] = [
    [0, false],
    [63, false],
    [64, true],
    [72, true],
    [95, true],
    [96, false],
    [111, false],
    [0x80 | 63, false],
    [200, true],
    [201, true],
    [203, true],
    [206, true],
    [0x80 | 96, false],
    [0x80 | 126, false],
  ]
  for (const [second, expected] of rows) {
    t.equal(isRtcp(Buffer.from([0x80, second, 0, 0]), 4), expected, `${second}`)
  }
  t.notOk(isRtcp(Buffer.from([0x80]), 1), 'one octet')
})

t.test('random octets never throw and never point outside', async (t) => {
  const random = new FakeRandom(11)
  let read = 0
  for (let i = 0; i < 20_000; i++) {
    const packet = random.bytes(random.int(0, 48))
    if (packet.length > 0 && i % 2) packet[0] = 0x80 | (packet[0]! & 0x31)
    const length = random.int(0, packet.length + 1)
    if (!readRtp(packet, length, header)) continue
    read++
    if (
      header.payloadStart < RTP_HEADER ||
      header.payloadStart > header.payloadEnd ||
      header.payloadEnd > length
    ) {
      return t.fail(`${packet.toString('hex')} ${length}`)
    }
  }
  t.ok(read > 500, `${read} were RTP`)
})
