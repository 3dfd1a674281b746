import type { CodecName } from './sdp.ts'

/** G.711 (ITU-T): one byte a sample at 8000 Hz, by tables built once. */

function ulawSample(byte: number): number {
  const inverted = ~byte & 0xff
  const magnitude = (((inverted & 0x0f) << 3) + 0x84) << ((inverted & 0x70) >> 4)
  return inverted & 0x80 ? 0x84 - magnitude : magnitude - 0x84
}

function alawSample(byte: number): number {
  const toggled = byte ^ 0x55
  const exponent = (toggled & 0x70) >> 4
  const mantissa = (toggled & 0x0f) << 4
  const magnitude = exponent === 0 ? mantissa + 8 : (mantissa + 0x108) << (exponent - 1)
  return toggled & 0x80 ? magnitude : -magnitude
}

const decodeTables = {
  PCMU: Int16Array.from({ length: 256 }, (_, byte) => ulawSample(byte)),
  PCMA: Int16Array.from({ length: 256 }, (_, byte) => alawSample(byte)),
}

/** Nearest code for each of the 65536 samples, built from the decoder on first use. */
const encodeTables = new Map<string, Uint8Array>()

function encodeTable(codec: 'PCMA' | 'PCMU'): Uint8Array {
  let table = encodeTables.get(codec)
  if (table) return table
  table = new Uint8Array(65536)
  const sorted = Array.from(decodeTables[codec], (sample, byte) => ({ sample, byte })).sort(
    (a, b) => a.sample - b.sample,
  )
  let nearest = 0
  for (let sample = -32768; sample <= 32767; sample++) {
    while (
      nearest < 255 &&
      Math.abs(sorted[nearest + 1]!.sample - sample) <= Math.abs(sorted[nearest]!.sample - sample)
    ) {
      nearest++
    }
    table[sample & 0xffff] = sorted[nearest]!.byte
  }
  encodeTables.set(codec, table)
  return table
}

/** Bytes to 16-bit samples. */
export function decodeG711(codec: 'PCMA' | 'PCMU', payload: Uint8Array): Int16Array {
  const table = decodeTables[codec]
  const pcm = new Int16Array(payload.length)
  for (let i = 0; i < payload.length; i++) pcm[i] = table[payload[i]!]!
  return pcm
}

/** 16-bit samples to bytes. */
export function encodeG711(codec: 'PCMA' | 'PCMU', pcm: Int16Array): Buffer {
  const table = encodeTable(codec)
  const payload = Buffer.alloc(pcm.length)
  for (let i = 0; i < pcm.length; i++) payload[i] = table[pcm[i]! & 0xffff]!
  return payload
}

/** Whether a codec is one of the two laws. */
export function isG711(codec: CodecName): codec is 'PCMA' | 'PCMU' {
  return codec !== 'opus'
}
