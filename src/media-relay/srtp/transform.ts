import type { KeyStreamAhead } from './key-stream.ts'

/** The E flag of the word behind an SRTCP packet: the payload is encrypted (RFC 3711 §3.4). */
export const ENCRYPTED = 0x80000000 | 0
/** The SRTCP index in that word. */
export const INDEX = 0x7fffffff

/**
 * The cryptography of a suite under one master key, without memory of packets. Packets are changed
 * in place; `ssrc` is a signed 32-bit integer, `index` the 48-bit packet index. `length` counts
 * everything there is, `mki` the octets of MKI in it.
 */
export interface Transform {
  /** Octets SRTP adds, MKI apart. */
  readonly rtpTrailer: number
  /** Octets SRTCP adds, MKI apart: tag and index. */
  readonly rtcpTrailer: number
  sealRtp(
    packet: Buffer,
    header: number,
    length: number,
    ssrc: number,
    index: number,
    ahead: KeyStreamAhead | undefined,
  ): void
  /** False, with the packet untouched, when it is not authentic. */
  openRtp(
    packet: Buffer,
    header: number,
    length: number,
    mki: number,
    ssrc: number,
    index: number,
    ahead: KeyStreamAhead | undefined,
  ): boolean
  sealRtcp(packet: Buffer, length: number, ssrc: number, index: number): void
  /** The word with E flag and SRTCP index. */
  rtcpWord(packet: Buffer, length: number, mki: number): number
  /** False, with the packet untouched, when it is not authentic. */
  openRtcp(packet: Buffer, length: number, mki: number, ssrc: number, word: number): boolean
}
