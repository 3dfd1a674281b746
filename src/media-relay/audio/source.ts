/** Mono samples of a file, at any place; full scale is ±32768. */
export interface PcmSource {
  /** Samples a second. */
  readonly rate: number
  /** Samples altogether. */
  readonly length: number
  /** Fills `into[0..count)` with the samples from `from` on; beyond the ends there is silence. */
  read(from: number, into: Float32Array, count: number): void
}

/** A source whose samples come out of a function. */
export function pcmSource(
  rate: number,
  length: number,
  sample: (index: number) => number,
): PcmSource {
  return {
    rate,
    length,
    read(from, into, count) {
      for (let i = 0; i < count; i++) {
        const index = from + i
        into[i] = index >= 0 && index < length ? sample(index) : 0
      }
    },
  }
}
