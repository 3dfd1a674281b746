import { CausewayError } from '../../shared/errors/index.ts'

/** Samples of 20 ms at the 8000 Hz in which everything is converted. */
export const FRAME_SAMPLES = 160

interface FrameFacts {
  ticks: number
  silence: Uint8Array
}

const FACTS = new Map<string, FrameFacts>([
  // CELT, full band, 20 ms, mono, one frame, whose first coded bit says silence (RFC 6716 §4.3):
  // a decoder gives zeros whatever came before.
  ['opus', { ticks: 960, silence: Uint8Array.of(0xf8, 0xff, 0xfe) }],
  ['pcma', { ticks: 160, silence: new Uint8Array(FRAME_SAMPLES).fill(0xd5) }],
  ['pcmu', { ticks: 160, silence: new Uint8Array(FRAME_SAMPLES).fill(0xff) }],
  // The RTP clock of G.722 is 8000 by an old mistake that stays (RFC 3551 §4.5.2). In both bands
  // this code is the smallest step, at which the decoder's step size shrinks to nothing.
  ['g722', { ticks: 160, silence: new Uint8Array(160).fill(0xfd) }],
])

function factsOf(codec: string): FrameFacts {
  const facts = FACTS.get(codec) ?? FACTS.get(codec.toLowerCase())
  if (!facts) throw new CausewayError('MEDIA_NO_COMMON_CODEC', { detail: `no frames of ${codec}` })
  return facts
}

/**
 * 20 ms of silence as a payload of a codec (`opus`, `PCMA`, `PCMU`, `G722`). The array is shared: it
 * is to be copied from, never written to.
 *
 * @throws CausewayError `MEDIA_NO_COMMON_CODEC` for another codec
 */
export function silenceFrame(codec: string): Uint8Array {
  return factsOf(codec).silence
}

/**
 * Ticks of the RTP clock in 20 ms: 960 for Opus (RFC 7587 §4.1), 160 for G.711 and G.722.
 *
 * @throws CausewayError `MEDIA_NO_COMMON_CODEC` for another codec
 */
export function frameTicks(codec: string): number {
  return factsOf(codec).ticks
}
