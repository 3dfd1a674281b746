import { KeyStream } from './key-stream.ts'
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
 * Derives session keys from a master key, once for its life (key derivation rate 0, RFC 3711 §4.3.1;
 * AES-256: RFC 6188 §4).
 */
export class KeyDerivation {
  readonly #stream: KeyStream

  /** `key`: 16 or 32 octets; `salt`: 14, or 12 padded with zeros at the right (RFC 7714 §11). */
  constructor(master: { key: Buffer; salt: Buffer }) {
    this.#stream = new KeyStream(master.key, Buffer.concat([master.salt], 14))
  }

  /** `octets` of key for a label. */
  derive(label: number, octets: number): Buffer {
    const key = Buffer.alloc(octets)
    // The function of RFC 3711 §4.3.3 is AES-CM with the label where packets have their SSRC's end.
    this.#stream.apply(key, 0, octets, label, 0, undefined)
    return key
  }

  /** All keys of SRTP or of SRTCP. */
  sessionKeys(protocol: keyof typeof LABELS, suite: SuiteParameters): SessionKeys {
    const label = LABELS[protocol]
    return {
      cipher: this.derive(label, suite.key),
      authentication: this.derive(label + 1, suite.mode === 'cm' ? 20 : 0),
      salt: this.derive(label + 2, suite.salt),
    }
  }
}
