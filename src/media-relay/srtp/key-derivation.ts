import { createCipheriv } from 'node:crypto'
import type { SuiteParameters } from './suites.ts'

/** Keys of one direction of SRTP or of SRTCP. */
export interface SessionKeys {
  cipher: Buffer
  salt: Buffer
  /** HMAC-SHA1 key, 20 octets; empty for AEAD suites. */
  authentication: Buffer
}

/** Labels of RFC 3711 §4.3.1 and §4.3.2: those of SRTCP are three higher than those of SRTP. */
const LABELS = { srtp: 0, srtcp: 3 } as const

/**
 * `octets` of AES-CM key stream for a label, derived once for the life of the master key
 * (key derivation rate 0, RFC 3711 §4.3.1 and §4.3.3; AES-256: RFC 6188 §4). The 96-bit salt of an
 * AEAD suite is padded with zeros at the right (RFC 7714 §11).
 */
export function deriveKey(key: Buffer, salt: Buffer, label: number, octets: number): Buffer {
  const iv = Buffer.alloc(16)
  salt.copy(iv)
  iv[7]! ^= label
  return createCipheriv(`aes-${key.length * 8}-ctr`, key, iv).update(Buffer.alloc(octets))
}

/** Session keys of SRTP or SRTCP from master key and salt. */
export function deriveSessionKeys(
  protocol: keyof typeof LABELS,
  suite: SuiteParameters,
  master: { key: Buffer; salt: Buffer },
): SessionKeys {
  const label = LABELS[protocol]
  const { key, salt } = master
  return {
    cipher: deriveKey(key, salt, label, suite.key),
    authentication: deriveKey(key, salt, label + 1, suite.mode === 'cm' ? 20 : 0),
    salt: deriveKey(key, salt, label + 2, suite.salt),
  }
}
