/** Octets of the fixed RTP header (RFC 3550 §5.1). */
const RTP_HEADER = 12

/** Octets of an RTCP packet that stay in the clear: header and SSRC of the sender (RFC 3711 §3.4). */
export const RTCP_HEADER = 8

/**
 * Octets of the RTP header with CSRCs and header extension, which stay in the clear; -1 when the
 * first `length` octets are not an RTP packet. Extensions are never encrypted (RFC 6904 is not done).
 */
export function rtpHeaderLength(packet: Uint8Array, length: number): number {
  if (length < RTP_HEADER || length > packet.length) return -1
  const first = packet[0]!
  if (first >> 6 !== 2) return -1
  let header = RTP_HEADER + 4 * (first & 0x0f)
  if (first & 0x10) {
    if (header + 4 > length) return -1
    header += 4 + 4 * ((packet[header + 2]! << 8) | packet[header + 3]!)
  }
  return header <= length ? header : -1
}

/** Whether the first `length` octets may be an RTCP packet. */
export function isRtcp(packet: Uint8Array, length: number): boolean {
  return length >= RTCP_HEADER && length <= packet.length && packet[0]! >> 6 === 2
}

/** Big-endian word as signed 32-bit integer, which V8 keeps out of the heap. */
export function readWord(packet: Uint8Array, at: number): number {
  return (packet[at]! << 24) | (packet[at + 1]! << 16) | (packet[at + 2]! << 8) | packet[at + 3]!
}

/** Writes a 32-bit word, big-endian. */
export function writeWord(packet: Uint8Array, at: number, word: number): void {
  packet[at] = word >>> 24
  packet[at + 1] = word >>> 16
  packet[at + 2] = word >>> 8
  packet[at + 3] = word
}
