/** 16-bit samples of a sine; `level` in dBFS. */
export function sine(hz: number, level: number, rate: number, seconds: number): Int16Array {
  const peak = 32767 * 10 ** (level / 20)
  return Int16Array.from({ length: Math.round(rate * seconds) }, (_, i) =>
    Math.round(peak * Math.sin((2 * Math.PI * hz * i) / rate)),
  )
}

/** Level in dBFS of one frequency (Goertzel); -Infinity when it is absent. */
export function levelOf(hz: number, pcm: Int16Array, rate: number): number {
  const twice = 2 * Math.cos((2 * Math.PI * hz) / rate)
  let last = 0
  let before = 0
  for (const sample of pcm) {
    const now = sample + twice * last - before
    before = last
    last = now
  }
  const power = last * last + before * before - twice * last * before
  return 20 * Math.log10((2 * Math.sqrt(Math.max(power, 0))) / pcm.length / 32767)
}

/** Level in dBFS of everything: a full-scale sine is 0. */
export function loudness(pcm: Int16Array): number {
  let sum = 0
  for (const sample of pcm) sum += sample * sample
  return 10 * Math.log10((2 * sum) / pcm.length / 32767 ** 2)
}

/** Largest absolute sample. */
export function peak(pcm: Int16Array): number {
  return pcm.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
}

/** Arrays of samples in a row. */
export function joined(parts: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
