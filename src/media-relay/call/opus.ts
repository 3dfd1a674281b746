/** The longest packet: 120 ms. */
const LONGEST = 5760

const SILK = [480, 960, 1920, 2880]

/**
 * Ticks of the 48 kHz clock in an Opus packet (RFC 6716 §3.1, §3.2); 0 for one that is malformed.
 */
export function opusTicks(packet: Uint8Array, start: number, end: number): number {
  if (end <= start) return 0
  const toc = packet[start]!
  const config = toc >> 3
  const frame =
    config < 12 ? SILK[config & 3]! : config < 16 ? 480 << (config & 1) : 120 << (config & 3)
  const code = toc & 3
  if (code < 3) return code === 0 ? frame : 2 * frame
  const ticks = end - start < 2 ? 0 : frame * (packet[start + 1]! & 0x3f)
  return ticks <= LONGEST ? ticks : 0
}
