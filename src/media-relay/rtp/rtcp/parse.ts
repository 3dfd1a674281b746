import { readUint32 } from '../header.ts'
import { GOODBYE, RECEIVER_REPORT, type ReportBlock, SENDER_REPORT } from './build.ts'

/** Transport and payload feedback, extended reports and the like: allowed, and ignored. */
const LOWEST_TYPE = 192
const HIGHEST_TYPE = 223

/** What is told of a compound packet, in its order. `block` is valid until the call returns. */
export interface RtcpEvents {
  onSenderReport(ssrc: number, ntpSeconds: number, ntpFraction: number, timestamp: number): void
  /** A report block by `reporter`, about whichever stream. */
  onReportBlock(reporter: number, block: ReportBlock): void
  onGoodbye(ssrc: number): void
}

const block: ReportBlock = {
  ssrc: 0,
  fractionLost: 0,
  cumulativeLost: 0,
  extendedHighest: 0,
  jitter: 0,
  lastSenderReport: 0,
  delay: 0,
}

function readBlocks(
  packet: Buffer,
  at: number,
  end: number,
  count: number,
  reporter: number,
  events: RtcpEvents,
): void {
  for (; count > 0 && at + 24 <= end; count--, at += 24) {
    block.ssrc = readUint32(packet, at)
    block.fractionLost = packet[at + 4]!
    block.cumulativeLost = (readUint32(packet, at + 4) << 8) >> 8
    block.extendedHighest = readUint32(packet, at + 8)
    block.jitter = readUint32(packet, at + 12)
    block.lastSenderReport = readUint32(packet, at + 16)
    block.delay = readUint32(packet, at + 20)
    events.onReportBlock(reporter, block)
  }
}

/**
 * Whether the first `length` octets are RTCP packets end to end (RFC 3550 §A.2). What begins with
 * something else than a report is allowed (RFC 5506).
 */
function isWhole(packet: Buffer, length: number): boolean {
  if (length < 8 || length > packet.length) return false
  let at = 0
  while (at + 4 <= length) {
    const type = packet[at + 1]!
    if (packet[at]! >> 6 !== 2 || type < LOWEST_TYPE || type > HIGHEST_TYPE) return false
    const next = at + 4 + ((packet[at + 2]! << 8) | packet[at + 3]!) * 4
    // Padding is at the end of the last packet alone (§6.4.1).
    if (packet[at]! & 0x20 && next !== length) return false
    at = next
  }
  return at === length
}

/**
 * Reads a compound packet in the first `length` octets. SDES, feedback (NACK, PLI, REMB,
 * transport-cc), APP and XR are passed over. False, and nothing told, when it is malformed.
 */
export function readRtcp(packet: Buffer, length: number, events: RtcpEvents): boolean {
  if (!isWhole(packet, length)) return false
  for (let at = 0; at < length; ) {
    const count = packet[at]! & 0x1f
    const type = packet[at + 1]!
    const end = at + 4 + ((packet[at + 2]! << 8) | packet[at + 3]!) * 4
    if (type === SENDER_REPORT && at + 28 <= end) {
      const ssrc = readUint32(packet, at + 4)
      events.onSenderReport(
        ssrc,
        readUint32(packet, at + 8),
        readUint32(packet, at + 12),
        readUint32(packet, at + 16),
      )
      readBlocks(packet, at + 28, end, count, ssrc, events)
    } else if (type === RECEIVER_REPORT && at + 8 <= end) {
      readBlocks(packet, at + 8, end, count, readUint32(packet, at + 4), events)
    } else if (type === GOODBYE) {
      for (let i = 0; i < count && at + 8 + i * 4 <= end; i++) {
        events.onGoodbye(readUint32(packet, at + 4 + i * 4))
      }
    }
    at = end
  }
  return true
}
