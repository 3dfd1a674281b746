import { readFileSync } from 'node:fs'

const RATE = 8000
/** 20 ms. */
const WINDOW = 160

/**
 * Milliseconds of a WAV file (16 bit, mono, 8000 Hz) in which a tone of `frequency` Hz carries most
 * of the sound.
 */
export function toneMilliseconds(file: string, frequency: number): number {
  const data = readFileSync(file).subarray(44)
  const samples = new Int16Array(Math.floor(data.length / 2))
  for (let i = 0; i < samples.length; i++) samples[i] = data.readInt16LE(2 * i)
  let heard = 0
  for (let at = 0; at + WINDOW <= samples.length; at += WINDOW) {
    if (share(samples.subarray(at, at + WINDOW), frequency) > 0.5) heard += 20
  }
  return heard
}

/** Part of a window's energy that is at `frequency`, 0 to 1 (Goertzel's algorithm); 0 for silence. */
function share(window: Int16Array, frequency: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * frequency) / RATE)
  let last = 0
  let beforeLast = 0
  let energy = 0
  for (const sample of window) {
    const value = sample + coefficient * last - beforeLast
    beforeLast = last
    last = value
    energy += sample * sample
  }
  if (energy / window.length < 10_000) return 0
  const power = last * last + beforeLast * beforeLast - coefficient * last * beforeLast
  return (2 * power) / (window.length * energy)
}
