/** What the E-model needs to know of a received stream. */
export interface QualityInput {
  /** Codec name as in rtpmap. */
  codec: string
  /** 0 to 1. */
  lossRate: number
  /** Average number of packets lost in a row; 1 for lonely losses. */
  meanLossRun: number
  jitterMs: number
  /** Round trip; undefined when unknown: taken as none. */
  rttMs: number | undefined
  /** Milliseconds of audio in a packet. */
  ptimeMs: number
}

/** Impairment of a codec (ITU-T G.113): `ie` without loss, `bpl` its robustness to loss; `delay` of the coder in ms. */
interface Impairment {
  ie: number
  bpl: number
  delay: number
}

/** G.113 appendix I: G.711 with loss concealment (G.711 appendix I). */
const G711: Impairment = { ie: 0, bpl: 25.1, delay: 0 }
/** G.113 has no row for Opus: taken as G.711, a little more robust by its in-band FEC. */
const OPUS: Impairment = { ie: 0, bpl: 30, delay: 6.5 }

function impairmentOf(codec: string): Impairment {
  return codec.toLowerCase() === 'opus' ? OPUS : G711
}

/** R without delay and equipment impairments: Ro - Is at the defaults of ITU-T G.107. */
const DEFAULT_R = 93.2

/**
 * Transmission rating R of ITU-T G.107, simplified: default levels and no echo; delay by the usual
 * approximation of Id, loss by Ie,eff with the burst ratio.
 */
export function rating(input: QualityInput): number {
  const codec = impairmentOf(input.codec)
  // Half the round trip, a packet, and a playout buffer that holds twice the jitter.
  const delay = (input.rttMs ?? 0) / 2 + input.ptimeMs + 2 * input.jitterMs + codec.delay
  const id = 0.024 * delay + (delay > 177.3 ? 0.11 * (delay - 177.3) : 0)
  const percent = 100 * Math.min(1, Math.max(0, input.lossRate))
  // BurstR: length of loss runs against that of random loss (G.107 §B.3.5).
  const burst = Math.max(1, input.meanLossRun * (1 - percent / 100))
  const ie = codec.ie + (95 - codec.ie) * (percent / (percent / burst + codec.bpl))
  return Math.max(0, Math.min(100, DEFAULT_R - id - ie))
}

/** Mean opinion score, 1 to 4.5, of a rating R (ITU-T G.107 annex B). */
export function scoreOf(r: number): number {
  if (r <= 0) return 1
  if (r >= 100) return 4.5
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)
}

/** Mean opinion score of a received stream to two decimals, 1 to 4.5. */
export function meanOpinion(input: QualityInput): number {
  return Math.round(scoreOf(rating(input)) * 100) / 100
}
