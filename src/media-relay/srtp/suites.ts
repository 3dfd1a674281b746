import { SUITES, type Suite } from '../../media/anchor/types.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Random } from '../../shared/random.ts'
import { Secret } from '../../shared/secret.ts'

/** What a suite's name stands for; lengths in octets. */
export interface SuiteParameters {
  /** AES in counter mode with HMAC-SHA1 (RFC 3711, RFC 6188), or AEAD (RFC 7714). */
  mode: 'cm' | 'gcm'
  /** Master key, and session key of the cipher. */
  key: 16 | 32
  /** Master salt, and session salt. */
  salt: 12 | 14
  /** Authentication tag of SRTP. */
  rtpTag: 4 | 10 | 16
  /** Authentication tag of SRTCP; 80 bits with the _32 suites too (RFC 4568 §6.2.2). */
  rtcpTag: 10 | 16
}

const parameters: Record<Suite, SuiteParameters> = {
  AES_CM_128_HMAC_SHA1_80: { mode: 'cm', key: 16, salt: 14, rtpTag: 10, rtcpTag: 10 },
  AES_CM_128_HMAC_SHA1_32: { mode: 'cm', key: 16, salt: 14, rtpTag: 4, rtcpTag: 10 },
  AES_256_CM_HMAC_SHA1_80: { mode: 'cm', key: 32, salt: 14, rtpTag: 10, rtcpTag: 10 },
  AES_256_CM_HMAC_SHA1_32: { mode: 'cm', key: 32, salt: 14, rtpTag: 4, rtcpTag: 10 },
  AEAD_AES_128_GCM: { mode: 'gcm', key: 16, salt: 12, rtpTag: 16, rtcpTag: 16 },
  AEAD_AES_256_GCM: { mode: 'gcm', key: 32, salt: 12, rtpTag: 16, rtcpTag: 16 },
}

/**
 * Parameters of a suite.
 * @throws CausewayError `MEDIA_SRTP_KEY` for a name that is none of {@link SUITES}
 */
export function suiteParameters(suite: Suite): SuiteParameters {
  if (SUITES.includes(suite)) return parameters[suite]
  throw new CausewayError('MEDIA_SRTP_KEY', { detail: `unknown suite ${suite}` })
}

/** Octets of master key and salt together, before base64 (RFC 4568 §6.1). */
export function keyLength(suite: Suite): number {
  const { key, salt } = suiteParameters(suite)
  return key + salt
}

/** A fresh master key and salt in base64, as it follows `inline:`. */
export function generateKey(suite: Suite, random: Random): Secret {
  return new Secret(random.bytes(keyLength(suite)).toString('base64'))
}

/**
 * Master key and salt out of base64; the padding may be missing.
 * @throws CausewayError `MEDIA_SRTP_KEY` when it is not base64 or of another length
 */
export function masterKey(suite: Suite, key: Secret): { key: Buffer; salt: Buffer } {
  const { key: octets } = suiteParameters(suite)
  const text = key.reveal().replace(/=+$/, '')
  const bytes = Buffer.from(text, 'base64')
  // Buffer skips what is not base64 and reads base64url as well; RFC 4568 allows neither.
  if (bytes.toString('base64').replace(/=+$/, '') !== text)
    throw new CausewayError('MEDIA_SRTP_KEY', { detail: 'the key is not base64' })
  if (bytes.length !== keyLength(suite))
    throw new CausewayError('MEDIA_SRTP_KEY', {
      detail: `${suite} takes ${keyLength(suite)} octets of key and salt, not ${bytes.length}`,
    })
  return { key: bytes.subarray(0, octets), salt: bytes.subarray(octets) }
}
