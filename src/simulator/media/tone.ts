/** A tone as it was heard. */
export interface HeardTone {
  /** Hz, to the nearest 10. */
  frequency: number
  /** Level of the sine in dB below full scale: 0 is the loudest, -20 a comfortable tone. */
  level: number
  /** Milliseconds it was heard in all. */
  ms: number
}

const RATE = 8000
/** 40 ms: bins of 25 Hz. */
const WINDOW = 320
const STEP = 25
const LOWEST = 200
const HIGHEST = 3600
/** Share of a window's energy the strongest frequency must hold to count as a tone. */
const PURITY = 0.5
/** -50 dBFS: below it a window is silence. */
const SILENCE = 32768 * 10 ** (-50 / 20)
const MAX_TONES = 64

/** A second of a sine, which loops without a click when `frequency` is a whole number. */
export function sine(frequency: number, level: number, sampleRate: number): Int16Array {
  const amplitude = 32767 * 10 ** (level / 20)
  return Int16Array.from({ length: sampleRate }, (_, i) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * frequency * i) / sampleRate)),
  )
}

/** Power of one frequency in a window (Goertzel), scaled so that a sine of amplitude A gives A². */
export function goertzel(pcm: Float64Array, frequency: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * frequency) / RATE)
  let previous = 0
  let before = 0
  for (let i = 0; i < pcm.length; i++) {
    const current = pcm[i]! + coefficient * previous - before
    before = previous
    previous = current
  }
  const power = previous * previous + before * before - coefficient * previous * before
  return (4 * power) / (pcm.length * pcm.length)
}

/** Recognises which tone a stream of 8000 Hz samples holds, in windows of 40 ms. */
export class ToneMeter {
  readonly #window = new Float64Array(WINDOW)
  #filled = 0
  readonly #tones = new Map<number, { ms: number; power: number }>()
  #silence = 0
  #other = 0

  /** Adds samples. */
  feed(pcm: Int16Array): void {
    for (let i = 0; i < pcm.length; i++) {
      this.#window[this.#filled++] = pcm[i]!
      if (this.#filled === WINDOW) {
        this.#filled = 0
        this.#measure()
      }
    }
  }

  #measure(): void {
    const ms = (WINDOW * 1000) / RATE
    let energy = 0
    for (const sample of this.#window) energy += sample * sample
    const full = (2 * energy) / WINDOW
    if (full < SILENCE * SILENCE) {
      this.#silence += ms
      return
    }
    let best = LOWEST
    let peak = 0
    for (let frequency = LOWEST; frequency <= HIGHEST; frequency += STEP) {
      const power = goertzel(this.#window, frequency)
      if (power > peak) {
        peak = power
        best = frequency
      }
    }
    for (const frequency of [best - 10, best - 5, best + 5, best + 10]) {
      const power = goertzel(this.#window, frequency)
      if (power > peak) {
        peak = power
        best = frequency
      }
    }
    if (peak < PURITY * full) {
      this.#other += ms
      return
    }
    const key = Math.round(best / 10) * 10
    const tone = this.#tones.get(key)
    if (tone) {
      tone.ms += ms
      tone.power += peak
    } else if (this.#tones.size < MAX_TONES) this.#tones.set(key, { ms, power: peak })
  }

  /** The tone heard longest, or undefined while none was. */
  get tone(): HeardTone | undefined {
    return this.tones[0]
  }

  /** Every tone heard, the longest first. */
  get tones(): HeardTone[] {
    const window = (WINDOW * 1000) / RATE
    return [...this.#tones]
      .map(([frequency, { ms, power }]) => ({
        frequency,
        level: Math.round(10 * Math.log10(power / (ms / window) / (32767 * 32767))),
        ms,
      }))
      .sort((a, b) => b.ms - a.ms)
  }

  /** Milliseconds below -50 dBFS. */
  get silence(): number {
    return this.#silence
  }

  /** Milliseconds of sound that is no tone. */
  get other(): number {
    return this.#other
  }
}
