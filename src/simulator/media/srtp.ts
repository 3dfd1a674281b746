import {
  ProtectionProfileAes128CmHmacSha1_80,
  type RtpHeader,
  SrtcpSession,
  SrtpSession,
} from 'werift-rtp'
import type { Secret } from '../../shared/secret.ts'

/** SRTP and SRTCP of one stream in both directions (RFC 3711). */
export interface Srtp {
  protect(header: RtpHeader, payload: Buffer): Buffer
  protectRtcp(packet: Buffer): Buffer
  /** The plain packet, or undefined when authentication fails. */
  unprotect(packet: Buffer): Buffer | undefined
  /** The plain RTCP, or undefined when authentication fails. */
  unprotectRtcp(packet: Buffer): Buffer | undefined
}

/** Master keys and salts as a key exchange gives them. */
export interface SrtpKeys {
  /** Protection profile by its number in RFC 5764 §4.1.2: 1 AES_CM_128_HMAC_SHA1_80, 7 AEAD_AES_128_GCM. */
  profile: 1 | 7
  localKey: Buffer
  localSalt: Buffer
  remoteKey: Buffer
  remoteSalt: Buffer
}

/** Whether a key is the 30 bytes (master key and salt) the SDES suite needs. */
export function isKey(key: Secret): boolean {
  return Buffer.from(key.reveal(), 'base64').length === 30
}

/** Keys from the base64 of the two `a=crypto` lines, ours and theirs (RFC 4568 §6.2). */
export function sdesKeys(local: Secret, remote: Secret): SrtpKeys {
  const ours = Buffer.from(local.reveal(), 'base64')
  const theirs = Buffer.from(remote.reveal(), 'base64')
  return {
    profile: ProtectionProfileAes128CmHmacSha1_80,
    localKey: ours.subarray(0, 16),
    localSalt: ours.subarray(16, 30),
    remoteKey: theirs.subarray(0, 16),
    remoteSalt: theirs.subarray(16, 30),
  }
}

/** Contexts for both directions. */
export function createSrtp(keys: SrtpKeys): Srtp {
  const config = {
    profile: keys.profile,
    keys: {
      localMasterKey: keys.localKey,
      localMasterSalt: keys.localSalt,
      remoteMasterKey: keys.remoteKey,
      remoteMasterSalt: keys.remoteSalt,
    },
  }
  const srtp = new SrtpSession(config)
  const srtcp = new SrtcpSession(config)
  return {
    protect: (header, payload) => srtp.encrypt(payload, header),
    protectRtcp: (packet) => srtcp.encrypt(packet),
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
