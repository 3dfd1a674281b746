/** The two laws of G.711, by their RTP names (RFC 3551 §4.5.14). */
export type Law = 'PCMA' | 'PCMU'

/** The law a codec name stands for, whatever its case; undefined for other codecs. */
export function lawOf(codec: string): Law | undefined {
  const name = codec.toUpperCase()
  return name === 'PCMA' || name === 'PCMU' ? name : undefined
}

/** Output value of an A-law code (G.711 table 1), scaled from 13 to 16 bits. */
function fromALaw(code: number): number {
  const even = code ^ 0x55
  const segment = (even >> 4) & 7
  const step = ((even & 0x0f) << 4) + 8
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1)
  return even & 0x80 ? magnitude : -magnitude
}

/** Output value of a µ-law code (G.711 table 2), scaled from 14 to 16 bits. */
function fromMuLaw(code: number): number {
  const inverted = ~code & 0xff
  const magnitude = ((((inverted & 0x0f) << 3) + 0x84) << ((inverted >> 4) & 7)) - 0x84
  return inverted & 0x80 ? -magnitude : magnitude
}

/** A-law code of a 16-bit sample: sign, segment and step, even bits inverted. */
function toALaw(sample: number): number {
  const magnitude = sample < 0 ? ~sample >> 4 : sample >> 4
  const segment = magnitude < 16 ? 0 : 28 - Math.clz32(magnitude)
  const step = (magnitude >> Math.max(segment - 1, 0)) & 0x0f
  return ((sample < 0 ? 0 : 0x80) | (segment << 4) | step) ^ 0x55
}

/** µ-law code of a 16-bit sample: biased by 33 steps, all bits inverted. */
function toMuLaw(sample: number): number {
  const magnitude = Math.min((sample < 0 ? ~sample >> 2 : sample >> 2) + 33, 0x1fff)
  const segment = 26 - Math.clz32(magnitude)
  const step = (magnitude >> (segment + 1)) & 0x0f
  return ((sample < 0 ? 0x80 : 0) | (segment << 4) | step) ^ 0xff
}

const samples: Record<Law, Int16Array> = {
  PCMA: Int16Array.from({ length: 256 }, (_, code) => fromALaw(code)),
  PCMU: Int16Array.from({ length: 256 }, (_, code) => fromMuLaw(code)),
}

const codes: Partial<Record<Law, Uint8Array>> = {}

/** 16-bit sample of each of the 256 codes. */
export function samplesOf(law: Law): Int16Array {
  return samples[law]
}

/** Code of each 16-bit sample, at `sample & 0xffff`; 64 KiB, built on first use. */
export function codesOf(law: Law): Uint8Array {
  let table = codes[law]
  if (!table) {
    const encode = law === 'PCMA' ? toALaw : toMuLaw
    table = new Uint8Array(65536)
    for (let sample = -32768; sample < 32768; sample++) table[sample & 0xffff] = encode(sample)
    codes[law] = table
  }
  return table
}
