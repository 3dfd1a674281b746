import { RTCP_HEADER, readWord, writeWord } from './header.ts'
import { HmacSha1, tagMatches, writeTag } from './hmac-sha1.ts'
import type { SessionKeys } from './key-derivation.ts'
import { KeyStream, type KeyStreamAhead } from './key-stream.ts'
import type { SuiteParameters } from './suites.ts'
import { ENCRYPTED, INDEX, type Transform } from './transform.ts'

/** AES in counter mode with HMAC-SHA1 (RFC 3711 §4.1.1, §4.2.1; RFC 6188). The tag comes last. */
export class CounterMode implements Transform {
  readonly rtpTrailer: number
  readonly rtcpTrailer: number
  readonly #rtpTag: number
  readonly #rtcpTag: number
  readonly #rtpStream: KeyStream
  readonly #rtcpStream: KeyStream
  readonly #rtpHmac: HmacSha1
  readonly #rtcpHmac: HmacSha1

  constructor(suite: SuiteParameters, srtp: SessionKeys, srtcp: SessionKeys) {
    this.#rtpTag = suite.rtpTag
    this.#rtcpTag = suite.rtcpTag
    this.rtpTrailer = suite.rtpTag
    this.rtcpTrailer = suite.rtcpTag + 4
    this.#rtpStream = new KeyStream(srtp.cipher, srtp.salt)
    this.#rtcpStream = new KeyStream(srtcp.cipher, srtcp.salt)
    this.#rtpHmac = new HmacSha1(srtp.authentication)
    this.#rtcpHmac = new HmacSha1(srtcp.authentication)
  }

  sealRtp(
    packet: Buffer,
    header: number,
    length: number,
    ssrc: number,
    index: number,
    ahead: KeyStreamAhead | undefined,
  ): void {
    this.#rtpStream.apply(packet, header, length, ssrc, index, ahead)
    this.#rtpHmac.compute(packet, length, Math.floor(index / 65536))
    writeTag(packet, length, this.#rtpTag)
  }

  openRtp(
    packet: Buffer,
    header: number,
    length: number,
    mki: number,
    ssrc: number,
    index: number,
    ahead: KeyStreamAhead | undefined,
  ): boolean {
    const tag = length - this.#rtpTag
    const end = tag - mki
    this.#rtpHmac.compute(packet, end, Math.floor(index / 65536))
    if (!tagMatches(packet, tag, this.#rtpTag)) return false
    this.#rtpStream.apply(packet, header, end, ssrc, index, ahead)
    return true
  }

  sealRtcp(packet: Buffer, length: number, ssrc: number, index: number): void {
    this.#rtcpStream.apply(packet, RTCP_HEADER, length, ssrc, index, undefined)
    writeWord(packet, length, ENCRYPTED | index)
    this.#rtcpHmac.compute(packet, length + 4, undefined)
    writeTag(packet, length + 4, this.#rtcpTag)
  }

  rtcpWord(packet: Buffer, length: number, mki: number): number {
    return readWord(packet, length - this.#rtcpTag - mki - 4)
  }

  openRtcp(packet: Buffer, length: number, mki: number, ssrc: number, word: number): boolean {
    const tag = length - this.#rtcpTag
    const end = tag - mki
    this.#rtcpHmac.compute(packet, end, undefined)
    if (!tagMatches(packet, tag, this.#rtcpTag)) return false
    if (word & ENCRYPTED)
      this.#rtcpStream.apply(packet, RTCP_HEADER, end - 4, ssrc, word & INDEX, undefined)
    return true
  }
}
