/** Octets of a key for AES-256. */
const OCTETS = 32

/**
 * The key `records.secret` spells: 64 hex digits, or base64 (either alphabet) of 32 octets.
 *
 * @returns undefined when it is neither
 */
export function recordsKey(text: string): Buffer | undefined {
  const trimmed = text.trim()
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return Buffer.from(trimmed, 'hex')
  if (!/^[\w+/-]{43}=?$/.test(trimmed)) return undefined
  const key = Buffer.from(trimmed, 'base64')
  return key.length === OCTETS ? key : undefined
}
