import type { PcmSource } from './source.ts'

/** Zero crossings of the sinc on each side: about 70 dB with the window below. */
const CROSSINGS = 16
/** Share of the narrower band that passes. */
const PASS = 0.92

/**
 * Reads a source at another rate, 20 ms at a time, in any order: a polyphase filter with a windowed
 * sinc, one row of weights for each place an output sample can have between two input samples.
 */
export class Resampler {
  /** Samples in 20 ms. */
  readonly size: number
  readonly #source: PcmSource
  /** Output samples for each {@link #down} input samples. */
  readonly #up: number
  readonly #down: number
  readonly #half: number
  readonly #weights: Float32Array
  readonly #window: Float32Array

  constructor(source: PcmSource, rate: number) {
    const divisor = gcd(source.rate, rate)
    const narrow = Math.min(1, rate / source.rate)
    this.size = rate / 50
    this.#source = source
    this.#up = rate / divisor
    this.#down = source.rate / divisor
    this.#half = this.#up === this.#down ? 0 : Math.ceil(CROSSINGS / narrow)
    this.#weights = filter(this.#up, this.#half, narrow * PASS)
    this.#window = new Float32Array(Math.ceil(source.rate / 50) + 2 * this.#half + 2)
  }

  /** Frames of 20 ms that hold the whole source. */
  get frames(): number {
    return Math.ceil(this.#source.length / (this.#source.rate / 50))
  }

  /** Fills `into` with frame `index`. */
  frame(index: number, into: Int16Array): void {
    const window = this.#window
    if (this.#half === 0) {
      this.#source.read(index * this.size, window, this.size)
      for (let i = 0; i < this.size; i++) into[i] = rounded(window[i]!)
      return
    }
    const weights = this.#weights
    const taps = 2 * this.#half
    const start = index * this.size * this.#down
    const first = Math.floor(start / this.#up) - this.#half + 1
    this.#source.read(first, window, window.length)
    for (let i = 0; i < this.size; i++) {
      const place = start + i * this.#down
      const whole = Math.floor(place / this.#up)
      const row = (place - whole * this.#up) * taps
      const from = whole - this.#half + 1 - first
      let sum = 0
      for (let k = 0; k < taps; k++) sum += weights[row + k]! * window[from + k]!
      into[i] = rounded(sum)
    }
  }
}

function filter(rows: number, half: number, band: number): Float32Array {
  const taps = 2 * half
  const table = new Float32Array(taps === 0 ? 0 : rows * taps)
  for (let row = 0; row * taps < table.length; row++) {
    let sum = 0
    for (let k = 0; k < taps; k++) {
      const distance = k - half + 1 - row / rows
      const weight = sinc(band * distance) * blackman(distance / half)
      table[row * taps + k] = weight
      sum += weight
    }
    for (let k = 0; k < taps; k++) table[row * taps + k]! /= sum
  }
  return table
}

function rounded(value: number): number {
  return Math.max(-32768, Math.min(32767, Math.round(value)))
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

/** Blackman window, 1 in the middle and 0 at ±1. */
function blackman(x: number): number {
  return 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x)
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}
