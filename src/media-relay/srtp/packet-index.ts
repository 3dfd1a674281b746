/**
 * Index (ROC and sequence number, 48 bits) of the packet with sequence number `seq`, given the
 * highest index of the stream so far (RFC 3711 §3.3.1 and appendix A). Before the first wrap there
 * is no earlier ROC to guess: a sequence number that looks like one from before is a jump ahead.
 */
export function estimateIndex(highest: number, seq: number): number {
  const last = highest & 0xffff
  const base = highest - last
  if (last < 0x8000) return seq - last > 0x8000 && base > 0 ? base - 0x10000 + seq : base + seq
  return last - 0x8000 > seq ? base + 0x10000 + seq : base + seq
}
