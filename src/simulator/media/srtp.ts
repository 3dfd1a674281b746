import {
  ProtectionProfileAes128CmHmacSha1_80,
  type RtpHeader,
  SrtcpSession,
  SrtpSession,
} from 'werift-rtp'
import type { Secret } from '../../shared/secret.ts'

/** SRTP and SRTCP with AES_CM_128_HMAC_SHA1_80 (RFC 3711, RFC 4568). */
export interface Srtp {
  protect(header: RtpHeader, payload: Buffer): Buffer
  /** The plain packet, or undefined when authentication fails. */
  unprotect(packet: Buffer): Buffer | undefined
  /** The plain RTCP, or undefined when authentication fails. */
  unprotectRtcp(packet: Buffer): Buffer | undefined
}

/** Whether a key is the 30 bytes (master key and salt) the suite needs. */
export function isKey(key: Secret): boolean {
  return Buffer.from(key.reveal(), 'base64').length === 30
}

/** Keys both directions from the base64 of the two `a=crypto` lines: ours and theirs. */
export function createSrtp(local: Secret, remote: Secret): Srtp {
  const ours = Buffer.from(local.reveal(), 'base64')
  const theirs = Buffer.from(remote.reveal(), 'base64')
  const config = {
    profile: ProtectionProfileAes128CmHmacSha1_80,
    keys: {
      localMasterKey: ours.subarray(0, 16),
      localMasterSalt: ours.subarray(16, 30),
      remoteMasterKey: theirs.subarray(0, 16),
      remoteMasterSalt: theirs.subarray(16, 30),
    },
  }
  const srtp = new SrtpSession(config)
  const srtcp = new SrtcpSession(config)
  return {
    protect: (header, payload) => srtp.encrypt(payload, header),
    unprotect: (packet) => quietly(() => srtp.decrypt(packet)),
    unprotectRtcp: (packet) => quietly(() => srtcp.decrypt(packet)),
  }
}

function quietly(decrypt: () => Buffer): Buffer | undefined {
  try {
    return decrypt()
  } catch {
    return undefined
  }
}
