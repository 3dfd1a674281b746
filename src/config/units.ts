import { Rejection } from './rejection.ts'

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const BYTES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/** `500ms`, `30s`, `5m`, `1h` or `0` as milliseconds. */
export function parseDuration(text: string): number | Rejection {
  if (text === '0') return 0
  const match = /^(\d{1,9})(ms|s|m|h)$/.exec(text)
  if (match) return Number(match[1]) * MILLISECONDS[match[2] as keyof typeof MILLISECONDS]
  if (/^\d+$/.test(text)) return new Rejection('the unit is missing', { meant: `${text}s` })
  return new Rejection('this is not a duration')
}

/** {@link parseDuration} for text from elsewhere, such as an option: undefined when it is none. */
export function tryDuration(text: string): number | undefined {
  const result = parseDuration(text)
  return result instanceof Rejection ? undefined : result
}

/** Milliseconds in the largest unit that divides them: 300000 is `5m`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0'
  const [unit, size] = Object.entries(MILLISECONDS).findLast(([, size]) => ms % size === 0)!
  return `${ms / size}${unit}`
}

/** `512B`, `64KiB`, `10MiB`, `1GiB` as bytes. */
export function parseSize(text: string): number | Rejection {
  const match = /^(\d{1,9})(B|KiB|MiB|GiB)$/.exec(text)
  if (match) return Number(match[1]) * BYTES[match[2] as keyof typeof BYTES]
  return new Rejection('this is not a size', { expected: 'a size such as 64KiB' })
}

/** Bytes in the largest unit that divides them: 65536 is `64KiB`. */
export function formatSize(bytes: number): string {
  const [unit, size] = Object.entries(BYTES).findLast(([, size]) => bytes % size === 0)!
  return `${bytes / size}${unit}`
}

/** An inclusive range of UDP ports. */
export interface PortRange {
  min: number
  max: number
}

/** `20000-29999` as a range. The first port is even: RTP takes it, RTCP the odd one above (RFC 3550 §11). */
export function parsePortRange(text: string): PortRange | Rejection {
  const match = /^(\d{1,5})\s*-\s*(\d{1,5})$/.exec(text)
  if (!match) return new Rejection('this is not a port range')
  const [min, max] = [Number(match[1]), Number(match[2])]
  if (min < 1 || max > 65_535) return new Rejection('ports lie between 1 and 65535')
  if (min > max) return new Rejection('the range ends before it starts', { meant: `${max}-${min}` })
  if (min % 2 === 1) {
    const meant = `${min + 1}-${max}`
    return new Rejection('the first port is odd, RTP starts on an even one', { meant })
  }
  if (max === min) return new Rejection('one port is too few for RTP and RTCP')
  return { min, max }
}
