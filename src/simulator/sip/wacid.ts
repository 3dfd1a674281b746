import type { Random } from '../../shared/random.ts'

/** What a WACID holds. Real ones sometimes carry an internal ID in place of the consumer's number. */
export interface WacidParts {
  /** Consumer, digits. */
  user: string
  /** Business, digits. */
  business: string
  /** 32 upper-case hexadecimal digits. */
  unique: string
  /** False in every user-initiated call seen. */
  businessInitiated: boolean
}

/**
 * A call ID as WhatsApp makes it: `wacid.` and base64 of a Thrift compact struct
 * `{1:{1:user, 2:1}, 2:bool, 3:unique, 4:{1:business, 2:1}}`.
 */
export function makeWacid(parts: Omit<WacidParts, 'unique'>, random: Random): string {
  const bytes = Buffer.concat([
    party(parts.user),
    Buffer.from([parts.businessInitiated ? 0x11 : 0x12]),
    text(random.hex(16).toUpperCase()),
    party(parts.business),
    Buffer.from([0x00]),
  ])
  return `wacid.${bytes.toString('base64')}`
}

/** Field of delta 1, type struct: a string, an i32 of 1 (zigzag 2) and the stop byte. */
function party(id: string): Buffer {
  return Buffer.concat([Buffer.from([0x1c]), text(id), Buffer.from([0x15, 0x02, 0x00])])
}

/** Field of delta 1, type binary, shorter than 128 bytes. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([0x18, bytes.length]), bytes])
}

/** Reads a WACID, with or without base64 padding. Undefined when it is none. */
export function decodeWacid(wacid: string): WacidParts | undefined {
  if (!wacid.startsWith('wacid.')) return undefined
  const bytes = Buffer.from(wacid.slice(6), 'base64')
  let at = 0
  const take = (...expected: number[]): boolean => expected.every((byte) => bytes[at++] === byte)
  const string = (): string | undefined => {
    if (!take(0x18)) return undefined
    const length = bytes[at++] ?? 0
    at += length
    return at <= bytes.length ? bytes.toString('utf8', at - length, at) : undefined
  }
  // The i32 is 1 but for internal IDs, so any one-byte value passes.
  const party = (): string | undefined => {
    if (!take(0x1c)) return undefined
    const id = string()
    if (!take(0x15)) return undefined
    at++
    return take(0x00) ? id : undefined
  }
  const user = party()
  const flag = bytes[at++]
  const unique = string()
  const business = party()
  if (user === undefined || unique === undefined || business === undefined) return undefined
  if (flag !== 0x11 && flag !== 0x12) return undefined
  return { user, business, unique, businessInitiated: flag === 0x11 }
}
