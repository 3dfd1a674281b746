import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import { RTCP_HEADER, readWord, writeWord } from './header.ts'
import type { SessionKeys } from './key-derivation.ts'
import { ENCRYPTED, INDEX, type Transform } from './transform.ts'

const TAG = 16
const TAG_LENGTH = { authTagLength: TAG }

// Scratch of all instances; node:crypto copies both.
const iv = Buffer.alloc(12)
const word4 = Buffer.alloc(4)
const EMPTY = Buffer.alloc(0)

/**
 * AES-GCM (RFC 7714). The tag follows the ciphertext; the SRTCP index and the MKI come behind it and
 * the MKI is last. A cipher object takes one IV only, so each packet has its own, on a cached key.
 */
export class Gcm implements Transform {
  readonly rtpTrailer = TAG
  readonly rtcpTrailer = TAG + 4
  readonly #name: 'aes-128-gcm' | 'aes-256-gcm'
  readonly #rtpKey: KeyObject
  readonly #rtpSalt: Buffer
  readonly #rtcpKey: KeyObject
  readonly #rtcpSalt: Buffer

  constructor(srtp: SessionKeys, srtcp: SessionKeys) {
    this.#name = srtp.cipher.length === 16 ? 'aes-128-gcm' : 'aes-256-gcm'
    this.#rtpKey = createSecretKey(srtp.cipher)
    this.#rtpSalt = srtp.salt
    this.#rtcpKey = createSecretKey(srtcp.cipher)
    this.#rtcpSalt = srtcp.salt
  }

  sealRtp(packet: Buffer, header: number, length: number, ssrc: number, index: number): void {
    setIv(this.#rtpSalt, ssrc, index)
    this.#seal(this.#rtpKey, packet, header, length, EMPTY)
  }

  openRtp(
    packet: Buffer,
    header: number,
    length: number,
    mki: number,
    ssrc: number,
    index: number,
  ): boolean {
    setIv(this.#rtpSalt, ssrc, index)
    return this.#open(this.#rtpKey, packet, header, length - mki - TAG, EMPTY)
  }

  sealRtcp(packet: Buffer, length: number, ssrc: number, index: number): void {
    setIv(this.#rtcpSalt, ssrc, index)
    writeWord(word4, 0, ENCRYPTED | index)
    this.#seal(this.#rtcpKey, packet, RTCP_HEADER, length, word4)
    writeWord(packet, length + TAG, ENCRYPTED | index)
  }

  rtcpWord(packet: Buffer, length: number, mki: number): number {
    return readWord(packet, length - mki - 4)
  }

  openRtcp(packet: Buffer, length: number, mki: number, ssrc: number, word: number): boolean {
    const end = length - mki - 4 - TAG
    setIv(this.#rtcpSalt, ssrc, word & INDEX)
    writeWord(word4, 0, word)
    // Without encryption the whole packet is associated data (RFC 7714 §9.2).
    return this.#open(this.#rtcpKey, packet, word & ENCRYPTED ? RTCP_HEADER : end, end, word4)
  }

  /** Encrypts from `from` to `to`, with what is before it and `behind` as associated data. */
  #seal(key: KeyObject, packet: Buffer, from: number, to: number, behind: Buffer): void {
    const cipher = createCipheriv(this.#name, key, iv, TAG_LENGTH)
    cipher.setAAD(packet.subarray(0, from))
    if (behind.length > 0) cipher.setAAD(behind)
    const sealed = cipher.update(packet.subarray(from, to))
    cipher.final()
    packet.set(sealed, from)
    packet.set(cipher.getAuthTag(), to)
  }

  #open(key: KeyObject, packet: Buffer, from: number, to: number, behind: Buffer): boolean {
    const decipher = createDecipheriv(this.#name, key, iv, TAG_LENGTH)
    decipher.setAAD(packet.subarray(0, from))
    if (behind.length > 0) decipher.setAAD(behind)
    decipher.setAuthTag(packet.subarray(to, to + TAG))
    const opened = decipher.update(packet.subarray(from, to))
    try {
      decipher.final()
    } catch {
      return false
    }
    packet.set(opened, from)
    return true
  }
}

/** IV of RFC 7714 §8.1 and §9.1: SSRC and index, XORed with the salt. */
function setIv(salt: Buffer, ssrc: number, index: number): void {
  writeWord(iv, 0, ssrc >>> 16)
  writeWord(iv, 4, (ssrc << 16) | (Math.floor(index / 2 ** 32) & 0xffff))
  writeWord(iv, 8, index)
  for (let i = 0; i < 12; i++) iv[i]! ^= salt[i]!
}
