import { Secret } from '../../shared/secret.ts'
import type { Crypto } from './types.ts'

/** The one suite WhatsApp sends, and what it was seen to accept, strongest habit first. */
const SUITES = [
  'AES_CM_128_HMAC_SHA1_80',
  'AES_CM_128_HMAC_SHA1_32',
  'AES_256_CM_HMAC_SHA1_80',
  'AES_256_CM_HMAC_SHA1_32',
] as const

/** A crypto attribute as sdp-transform reads it. */
export interface RawCrypto {
  id: number
  suite: string
  config: string
  sessionConfig?: string | undefined
}

/** Reads `inline:KEY|LIFETIME|MKI:LENGTH` (RFC 4568 §6.1); lifetime and MKI are both optional. */
export function parseCrypto(raw: RawCrypto): Crypto {
  // sdp-transform makes numbers of digits.
  const [inline = '', ...rest] = String(raw.config).split('|')
  const mki = rest.find((part) => part.includes(':'))
  const lifetime = rest.find((part) => !part.includes(':'))
  return {
    tag: Number(raw.id),
    suite: String(raw.suite),
    key: new Secret(inline.replace(/^inline:/, '')),
    lifetime,
    mki,
    sessionParameters: String(raw.sessionConfig ?? '').trim(),
  }
}

/** Writes the attribute value: `1 AES_CM_128_HMAC_SHA1_80 inline:…`, without lifetime and MKI. */
export function formatCrypto(crypto: Crypto): string {
  return `${crypto.tag} ${crypto.suite} inline:${crypto.key.reveal()}`
}

/**
 * The line to use when one must be enough: a suite WhatsApp knows, no MKI (a relay that does not
 * touch the packets cannot take it out of them), no session parameters that weaken SRTP.
 */
export function chooseCrypto(offered: readonly Crypto[]): Crypto | undefined {
  for (const suite of SUITES) {
    const line = offered.find(
      (crypto) =>
        crypto.suite === suite && crypto.mki === undefined && crypto.sessionParameters === '',
    )
    if (line) return line
  }
  return undefined
}
