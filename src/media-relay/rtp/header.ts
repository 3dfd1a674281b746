/** Octets of an RTP header without CSRCs and extension (RFC 3550 §5.1). */
export const RTP_HEADER = 12

/** The fields of one RTP packet; filled by {@link readRtp} and used again for the next one. */
export class RtpHeader {
  payloadType = 0
  marker = false
  /** 16 bits. */
  sequence = 0
  /** 32 bits, unsigned. */
  timestamp = 0
  /** 32 bits, unsigned. */
  ssrc = 0
  /** First octet of the payload. */
  payloadStart = 0
  /** One beyond the last octet of the payload: padding is left out. */
  payloadEnd = 0
}

/** Four octets as an unsigned number; a good deal cheaper than `readUInt32BE`. */
export function readUint32(packet: Buffer, at: number): number {
  return (
    ((packet[at]! << 24) | (packet[at + 1]! << 16) | (packet[at + 2]! << 8) | packet[at + 3]!) >>> 0
  )
}

/** The lower 32 bits of a whole number as four octets. */
export function writeUint32(slot: Buffer, at: number, value: number): void {
  slot[at] = value >>> 24
  slot[at + 1] = value >>> 16
  slot[at + 2] = value >>> 8
  slot[at + 3] = value
}

/**
 * Reads the RTP packet in the first `length` octets (RFC 3550 §5.1): CSRCs and the extension are
 * skipped, padding is cut off. False, with `into` in an undefined state, for what is no RTP packet.
 * An empty payload is none of its business.
 */
export function readRtp(packet: Buffer, length: number, into: RtpHeader): boolean {
  if (length < RTP_HEADER || length > packet.length) return false
  const first = packet[0]!
  if (first >> 6 !== 2) return false
  let start = RTP_HEADER + (first & 0x0f) * 4
  if (first & 0x10) {
    if (start + 4 > length) return false
    start += 4 + ((packet[start + 2]! << 8) | packet[start + 3]!) * 4
  }
  if (start > length) return false
  let end = length
  if (first & 0x20) {
    const padding = packet[length - 1]!
    if (padding === 0 || start + padding > length) return false
    end -= padding
  }
  const second = packet[1]!
  into.marker = second >= 0x80
  into.payloadType = second & 0x7f
  into.sequence = (packet[2]! << 8) | packet[3]!
  into.timestamp = readUint32(packet, 4)
  into.ssrc = readUint32(packet, 8)
  into.payloadStart = start
  into.payloadEnd = end
  return true
}

/** Writes a header of {@link RTP_HEADER} octets, without CSRCs, extension and padding. */
export function writeRtpHeader(
  slot: Buffer,
  payloadType: number,
  marker: boolean,
  sequence: number,
  timestamp: number,
  ssrc: number,
): void {
  slot[0] = 0x80
  slot[1] = marker ? payloadType | 0x80 : payloadType
  slot[2] = sequence >>> 8
  slot[3] = sequence
  writeUint32(slot, 4, timestamp)
  writeUint32(slot, 8, ssrc)
}

/** Whether a packet on a port shared by both is RTCP (RFC 5761 §4). */
export function isRtcp(packet: Buffer, length: number): boolean {
  if (length < 2) return false
  const type = packet[1]! & 0x7f
  return type >= 64 && type <= 95
}
