import type { Suite } from '../../media/anchor/types.ts'
import type { Secret } from '../../shared/secret.ts'
import { createTransform } from './create-transform.ts'
import { isRtcp, readWord, rtpHeaderLength } from './header.ts'
import { estimateIndex } from './packet-index.ts'
import { MALFORMED, REPLAYED } from './reasons.ts'
import { Stream, Streams } from './streams.ts'
import type { Transform } from './transform.ts'

/** Protects what one end sends. */
export interface SrtpSender {
  /**
   * Encrypts and authenticates the RTP packet in the first `length` octets, in place, with room for
   * the trailer behind them. The ROC follows the sequence numbers. Returns the new length, or
   * `MALFORMED` (also for a ninth SSRC), or `REPLAYED` for a sequence number that was sent before:
   * encrypting twice under one index would give the plaintext away (RFC 3711 §9.1).
   */
  protectRtp(packet: Buffer, length: number): number
  /** The same for a compound RTCP packet. */
  protectRtcp(packet: Buffer, length: number): number
}

/** How a sender begins. */
export interface SrtpSenderOptions {
  /** The sender before a change of keys: ROC and SRTCP index go on (RFC 3711 §3.4, §9.1). */
  continueFrom?: SrtpSender | undefined
}

/**
 * A sender for a suite and the key of our crypto line.
 * @throws CausewayError `MEDIA_SRTP_KEY` when the key does not fit the suite
 */
export function createSrtpSender(
  suite: Suite,
  key: Secret,
  options: SrtpSenderOptions = {},
): SrtpSender {
  return new Sender(createTransform(suite, key), options.continueFrom)
}

/** {@link SrtpSender} on any transform. */
export class Sender implements SrtpSender {
  readonly #transform: Transform
  readonly #streams = new Streams()

  constructor(transform: Transform, continueFrom?: SrtpSender | undefined) {
    this.#transform = transform
    if (continueFrom instanceof Sender) this.#streams.continueFrom(continueFrom.#streams)
  }

  protectRtp(packet: Buffer, length: number): number {
    const header = rtpHeaderLength(packet, length)
    const sealed = length + this.#transform.rtpTrailer
    if (header < 0 || sealed > packet.length) return MALFORMED
    const stream = this.#stream(readWord(packet, 8))
    if (stream === undefined) return MALFORMED
    const seq = (packet[2]! << 8) | packet[3]!
    const window = stream.rtp
    const index = window.highest < 0 ? seq : estimateIndex(window.highest, seq)
    if (window.seen(index)) return REPLAYED
    window.accept(index)
    this.#transform.sealRtp(packet, header, length, stream.ssrc, index, stream.ahead)
    return sealed
  }

  protectRtcp(packet: Buffer, length: number): number {
    const sealed = length + this.#transform.rtcpTrailer
    if (!isRtcp(packet, length) || sealed > packet.length) return MALFORMED
    const stream = this.#stream(readWord(packet, 4))
    if (stream === undefined) return MALFORMED
    const index = stream.rtcp.highest + 1
    stream.rtcp.accept(index)
    this.#transform.sealRtcp(packet, length, stream.ssrc, index)
    return sealed
  }

  /** Nothing is forgotten here, because a forgotten SSRC would use its key stream a second time. */
  #stream(ssrc: number): Stream | undefined {
    const known = this.#streams.find(ssrc)
    if (known !== undefined) this.#streams.touch(known)
    else if (!this.#streams.full) return this.#streams.add(new Stream(ssrc))
    return known
  }
}
