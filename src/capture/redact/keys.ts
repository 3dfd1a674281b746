import { redactCredentials } from './credentials.ts'
import { PLACEHOLDER, redactCrypto } from './crypto.ts'

/** A header or SDP line with the lines that continue it (RFC 3261 §7.3.1). */
const REST = '[^\\r\\n]*(?:(?:\\r\\n|\\n|\\r)[ \\t]+[^\\r\\n]*)*'
const LINE = '^([ \\t]*)'

const CREDENTIALS = new RegExp(
  `${LINE}((?:proxy-)?(?:authorization|authenticate|authentication-info)|www-authenticate)[ \\t]*:(${REST})`,
  'gim',
)
/** Headers of which nothing is kept. */
const SECRET_HEADERS = new RegExp(
  `${LINE}([\\w-]{0,64}(?:cookie|token|secret|passw|api-?key|credential)[\\w-]{0,64})[ \\t]*:${REST}`,
  'gim',
)
/** RFC 4568 §9.1. */
const CRYPTO = new RegExp(`${LINE}a[ \\t]*=[ \\t]*crypto\\b[ \\t]*:?(${REST})`, 'gim')
/** RFC 8839 §5.4, RFC 4567 §3. */
const KEY_LINES = new RegExp(`${LINE}a[ \\t]*=[ \\t]*(ice-?pwd|key-mgmt)\\b${REST}`, 'gim')
/** RFC 8866 §5.12. */
const K_LINE = new RegExp(`${LINE}k[ \\t]*=${REST}`, 'gim')

/** What is looked for wherever it stands, in a header, a body, or what only resembles either. */
const ANYWHERE: readonly [RegExp, string][] = [
  [
    new RegExp(`\\b(inline[ \\t]*:)(?!${PLACEHOLDER}(?:[\\s|]|$))[ \\t]*[^\\s|;,"'<>]+`, 'gi'),
    '$1[redacted]',
  ],
  [/(ice-?pwd"?[ \t]*[:= \t][ \t]*"?)[^\s"',}<>]+/gi, '$1[redacted]'],
  [
    /\b((?:response|nonce|cnonce|nextnonce|opaque|rspauth|password|passwd|secret|access_token)[ \t]*=[ \t]*)(?:"[^"\r\n]*"?|[^\s,;&"<>]+)/gi,
    '$1"[redacted]"',
  ],
  [/("(?:password|secret|token|access_token)"[ \t]*:[ \t]*)"[^"\r\n]*"?/gi, '$1"[redacted]"'],
  [/\b((?:basic|bearer)[ \t]+)[\w.~+/=-]{6,}/gi, '$1[redacted]'],
  // RFC 3261 §19.1.1: a password in a URI.
  [/(sips?:[^:@\s<>"]{1,256}:)[^@\s<>"]{1,256}@/gi, '$1[redacted]@'],
  // The token of our Contact at a registrar: who knows it calls as the PBX.
  [/(;[ \t]*causeway[ \t]*=[ \t]*)[^\s;?>,"<]+/gi, '$1[redacted]'],
  // Digits somebody types are PINs and card numbers.
  [/^([ \t]*signal[ \t]*=)[^\r\n]*/gim, '$1[redacted]'],
]

/** Removes keys, passwords and credentials from the text of a message. Idempotent. */
export function removeKeys(text: string): string {
  let out = text
    .replace(CREDENTIALS, (_all, space: string, name: string, value: string) => {
      return `${space}${name}: ${redactCredentials(value.replace(/[\r\n]+[ \t]+/g, ' '))}`
    })
    .replace(SECRET_HEADERS, '$1$2: [redacted]')
    .replace(
      CRYPTO,
      (_all, space: string, value: string) => `${space}a=crypto:${redactCrypto(value)}`,
    )
    .replace(KEY_LINES, '$1a=$2:[redacted]')
    .replace(K_LINE, '$1k=[redacted]')
  for (const [pattern, replacement] of ANYWHERE) out = out.replace(pattern, replacement)
  return out
}
