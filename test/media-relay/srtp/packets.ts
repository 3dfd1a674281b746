import type { Random } from '../../../src/shared/random.ts'

/** Room behind a packet for tag, index and MKI. */
const ROOM = 64

/** An RTP packet to protect, with room behind it. */
export interface TestPacket {
  packet: Buffer
  length: number
}

/** What may be chosen of a test packet. */
export interface PacketShape {
  seq?: number
  ssrc?: number
  /** Octets of payload. */
  payload?: number
  csrcs?: number
  /** Words of the header extension, when there is one. */
  extension?: number
  fill?: number
}

/** Builds an RTP packet. */
export function rtp(shape: PacketShape = {}): TestPacket {
  const { seq = 1, ssrc = 0xcafebabe, payload = 160, csrcs = 0, extension, fill = 0xab } = shape
  const header = 12 + 4 * csrcs + (extension === undefined ? 0 : 4 + 4 * extension)
  const length = header + payload
  const packet = Buffer.alloc(length + ROOM, fill)
  packet[0] = 0x80 | (extension === undefined ? 0 : 0x10) | csrcs
  packet[1] = 0x0f
  packet.writeUInt16BE(seq, 2)
  packet.writeUInt32BE(0xdecafbad, 4)
  packet.writeUInt32BE(ssrc, 8)
  if (extension !== undefined) {
    packet.writeUInt16BE(0xbede, 12 + 4 * csrcs)
    packet.writeUInt16BE(extension, 14 + 4 * csrcs)
    // One element of three octets in each word (RFC 8285 §4.2).
    for (let i = 0; i < extension; i++) packet[16 + 4 * (csrcs + i)] = ((i + 1) << 4) | 2
  }
  return { packet, length }
}

/** Builds a sender report with `reports` report blocks. */
export function rtcp(ssrc = 0xcafebabe, reports = 1): TestPacket {
  const length = 28 + 24 * reports
  const packet = Buffer.alloc(length + ROOM, 0x5a)
  packet[0] = 0x80 | reports
  packet[1] = 200
  packet.writeUInt16BE(length / 4 - 1, 2)
  packet.writeUInt32BE(ssrc, 4)
  return { packet, length }
}

/** A packet of random shape: CSRCs, extension and length differ. */
export function randomRtp(random: Random, seq: number, ssrc?: number): TestPacket {
  const shape: PacketShape = {
    seq,
    payload: random.int(0, 400),
    csrcs: random.int(0, 16),
    fill: random.int(0, 256),
  }
  if (ssrc !== undefined) shape.ssrc = ssrc
  if (random.int(0, 2) === 1) shape.extension = random.int(0, 10)
  return rtp(shape)
}

/** The packet without the room behind it, as a copy. */
export function bytes({ packet, length }: TestPacket): Buffer {
  return Buffer.from(packet.subarray(0, length))
}

/** Octets as they come from the network, with nothing behind them. */
export function fromHex(...hex: string[]): TestPacket {
  const packet = Buffer.from(hex.join(''), 'hex')
  return { packet, length: packet.length }
}
