import { writeUint32 } from '../header.ts'

/** RTCP packet types (RFC 3550 §12.1). */
export const SENDER_REPORT = 200
export const RECEIVER_REPORT = 201
export const SOURCE_DESCRIPTION = 202
export const GOODBYE = 203

/** Octets of the longest CNAME (RFC 3550 §6.5). */
const LONGEST_CNAME = 255

/** What a sender report says of our stream (RFC 3550 §6.4.1). */
export interface SenderInfo {
  /** Seconds since 1900 and their fraction in 2^-32, of this moment. */
  ntpSeconds: number
  ntpFraction: number
  /** The same moment in ticks of the stream. */
  timestamp: number
  packets: number
  octets: number
}

/** A report block, ours or one about us (RFC 3550 §6.4.1). */
export interface ReportBlock {
  /** The stream it is about. */
  ssrc: number
  /** In 256ths, since the last report. */
  fractionLost: number
  /** 24 bits, signed. */
  cumulativeLost: number
  extendedHighest: number
  /** Ticks. */
  jitter: number
  /** Middle 32 bits of the NTP time of the last sender report; 0 before one. */
  lastSenderReport: number
  /** Time since that came, in 1/65536 s. */
  delay: number
}

function writeStart(slot: Buffer, at: number, count: number, type: number, octets: number): void {
  slot[at] = 0x80 | count
  slot[at + 1] = type
  const words = octets / 4 - 1
  slot[at + 2] = words >>> 8
  slot[at + 3] = words
}

function writeBlock(slot: Buffer, at: number, block: ReportBlock): void {
  writeUint32(slot, at, block.ssrc)
  const lost = Math.max(-0x800000, Math.min(0x7fffff, block.cumulativeLost))
  writeUint32(slot, at + 4, (block.fractionLost << 24) | (lost & 0xffffff))
  writeUint32(slot, at + 8, block.extendedHighest)
  writeUint32(slot, at + 12, block.jitter)
  writeUint32(slot, at + 16, block.lastSenderReport)
  writeUint32(slot, at + 20, block.delay)
}

/**
 * Writes an SR when `sender` is given, else an RR, with one block or none (RFC 3550 §6.4). Gives the
 * offset behind it.
 */
export function writeReport(
  slot: Buffer,
  at: number,
  ssrc: number,
  sender: SenderInfo | undefined,
  block: ReportBlock | undefined,
): number {
  const blockAt = at + (sender ? 28 : 8)
  const end = blockAt + (block ? 24 : 0)
  writeStart(slot, at, block ? 1 : 0, sender ? SENDER_REPORT : RECEIVER_REPORT, end - at)
  writeUint32(slot, at + 4, ssrc)
  if (sender) {
    writeUint32(slot, at + 8, sender.ntpSeconds)
    writeUint32(slot, at + 12, sender.ntpFraction)
    writeUint32(slot, at + 16, sender.timestamp)
    writeUint32(slot, at + 20, sender.packets)
    writeUint32(slot, at + 24, sender.octets)
  }
  if (block) writeBlock(slot, blockAt, block)
  return end
}

/** Writes an SDES with the CNAME alone (RFC 3550 §6.5). Gives the offset behind it. */
export function writeDescription(slot: Buffer, at: number, ssrc: number, cname: string): number {
  const octets = Math.min(LONGEST_CNAME, Buffer.byteLength(cname))
  // One null octet at least ends the items, and the chunk ends on a word.
  const length = 8 + Math.ceil((2 + octets + 1) / 4) * 4
  slot.fill(0, at, at + length)
  writeStart(slot, at, 1, SOURCE_DESCRIPTION, length)
  writeUint32(slot, at + 4, ssrc)
  slot[at + 8] = 1
  slot[at + 9] = octets
  slot.write(cname, at + 10, octets)
  return at + length
}

/** Writes a BYE without a reason (RFC 3550 §6.6). Gives the offset behind it. */
export function writeGoodbye(slot: Buffer, at: number, ssrc: number): number {
  writeStart(slot, at, 1, GOODBYE, 8)
  writeUint32(slot, at + 4, ssrc)
  return at + 8
}
