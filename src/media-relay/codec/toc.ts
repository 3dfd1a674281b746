/** Ticks of 48000 Hz in each frame, by configuration (RFC 6716 §3.1, table 2). */
const SILK = [480, 960, 1920, 2880]
const HYBRID = [480, 960]
const CELT = [120, 240, 480, 960]
const FRAME = Array.from({ length: 32 }, (_, configuration) => {
  if (configuration < 12) return SILK[configuration % 4]!
  return configuration < 16 ? HYBRID[configuration % 2]! : CELT[configuration % 4]!
})
/** 120 ms, the most a packet may hold (RFC 6716 §3.4). */
const LONGEST = 5760

/**
 * Duration of the Opus packet `packet[start..end)` in ticks of its RTP clock (48000 Hz), by its first
 * octets; 0 when they contradict RFC 6716 §3.4.
 */
export function opusTicks(packet: Uint8Array, start: number, end: number): number {
  if (end <= start) return 0
  const toc = packet[start]!
  const frame = FRAME[toc >> 3]!
  const code = toc & 3
  if (code === 0) return frame
  if (code === 1) return (end - start) % 2 === 1 ? 2 * frame : 0
  if (code === 2) return end - start > 1 ? 2 * frame : 0
  if (end - start < 2) return 0
  const ticks = (packet[start + 1]! & 0x3f) * frame
  return ticks <= LONGEST ? ticks : 0
}
