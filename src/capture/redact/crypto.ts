/** Octets of key and salt of the suites that have other than 30 (RFC 6188, RFC 7714). */
const LENGTHS: readonly [RegExp, number][] = [
  [/^AEAD_AES_128_GCM/, 28],
  [/^AEAD_AES_256_GCM/, 44],
  [/^AES_192_CM/, 38],
  [/^AES_256_CM/, 46],
]
const SUITE = /^(?:AES|AEAD|ARIA|SEED|F8|NULL)_[A-Z0-9_]+$/
/** A key that is none, as a regular expression. */
export const PLACEHOLDER = '(?:REDACTED)+[REDACT]{0,7}={0,2}'

/**
 * A crypto attribute (RFC 4568 §9.1) without its key: tag and suite where they are what they should
 * be, lifetime and MKI, and in the key's place one of the same length that says what happened.
 * Dissectors decode it, and give up on an SDP whose key they cannot.
 */
export function redactCrypto(value: string): string {
  const [tag = '', suite = '', key = ''] = value.trim().split(/\s+/)
  if (!/^\d{1,9}$/.test(tag)) return 'inline:[redacted]'
  if (!SUITE.test(suite)) return `${tag} inline:[redacted]`
  return `${tag} ${suite} inline:${placeholder(suite)}${parameters(key)}`
}

function placeholder(suite: string): string {
  const octets = LENGTHS.find(([pattern]) => pattern.test(suite))?.[1] ?? 30
  const length = Math.ceil((octets * 4) / 3)
  return 'REDACTED'
    .repeat(8)
    .slice(0, length)
    .padEnd(Math.ceil(length / 4) * 4, '=')
}

/** `|2^20|1:4`: figures alone, no key. */
function parameters(key: string): string {
  const [, ...rest] = key.split('|')
  const known = rest.every((part) => /^(?:2\^\d{1,2}|\d{1,15}|\d{1,10}:\d{1,3})$/.test(part))
  return known && rest.length < 3 ? rest.map((part) => `|${part}`).join('') : ''
}
