import { readFileSync, writeFileSync } from 'node:fs'

const RATE = 8000
/** 20 ms. */
const WINDOW = 160
const HEADER = 44

/** How a tone stands in a recording, milliseconds. */
export interface ToneSpan {
  /** In which it carries most of the sound. */
  heard: number
  /** From its first to its last moment. */
  span: number
  /** Longest break between these. */
  longestBreak: number
}

/**
 * Finds a tone of `frequency` Hz in a WAV file (16 bit, mono, 8000 Hz), in steps of 20 ms. A file
 * that does not exist is a TypeError of Node.
 */
export function toneSpan(file: string, frequency: number): ToneSpan {
  const samples = readWav(file)
  let heard = 0
  let first: number | undefined
  let last = 0
  let longestBreak = 0
  for (let at = 0; at + WINDOW <= samples.length; at += WINDOW) {
    if (share(samples.subarray(at, at + WINDOW), frequency) <= 0.5) continue
    heard += 20
    if (first === undefined) first = at
    else longestBreak = Math.max(longestBreak, at - last - WINDOW)
    last = at
  }
  const span = first === undefined ? 0 : last + WINDOW - first
  return { heard, span: span / 8, longestBreak: longestBreak / 8 }
}

/** Milliseconds of a WAV file in which a tone of `frequency` Hz carries most of the sound. */
export function toneMilliseconds(file: string, frequency: number): number {
  return toneSpan(file, frequency).heard
}

/** Writes a tone as a WAV file (16 bit, mono, 8000 Hz). */
export function writeTone(file: string, frequency: number, milliseconds: number): void {
  const samples = (milliseconds * RATE) / 1000
  const data = Buffer.alloc(HEADER + 2 * samples)
  data.write('RIFF', 0)
  data.writeUInt32LE(HEADER - 8 + 2 * samples, 4)
  data.write('WAVEfmt ', 8)
  data.writeUInt32LE(16, 16)
  data.writeUInt16LE(1, 20)
  data.writeUInt16LE(1, 22)
  data.writeUInt32LE(RATE, 24)
  data.writeUInt32LE(2 * RATE, 28)
  data.writeUInt16LE(2, 32)
  data.writeUInt16LE(16, 34)
  data.write('data', 36)
  data.writeUInt32LE(2 * samples, 40)
  for (let i = 0; i < samples; i++) {
    const value = 8000 * Math.sin((2 * Math.PI * frequency * i) / RATE)
    data.writeInt16LE(Math.round(value), HEADER + 2 * i)
  }
  writeFileSync(file, data)
}

function readWav(file: string): Int16Array {
  const data = readFileSync(file).subarray(HEADER)
  const samples = new Int16Array(Math.floor(data.length / 2))
  for (let i = 0; i < samples.length; i++) samples[i] = data.readInt16LE(2 * i)
  return samples
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
