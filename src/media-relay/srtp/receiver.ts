import type { Suite } from '../../media/anchor/types.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Secret } from '../../shared/secret.ts'
import { createTransform } from './create-transform.ts'
import { isRtcp, readWord, rtpHeaderLength } from './header.ts'
import { estimateIndex } from './packet-index.ts'
import { AUTH_FAILED, MALFORMED, REPLAYED } from './reasons.ts'
import { Stream, Streams } from './streams.ts'
import { INDEX, type Transform } from './transform.ts'

/** Checks and decrypts what the other end sends. */
export interface SrtpReceiver {
  /**
   * Authenticates and decrypts the SRTP packet in the first `length` octets, in place. Returns the
   * length in the clear, or `AUTH_FAILED`, `REPLAYED` or `MALFORMED`; then the packet is untouched.
   * State (SSRCs, ROC, replay window) changes for authentic packets only.
   */
  unprotectRtp(packet: Buffer, length: number): number
  /** The same for SRTCP. */
  unprotectRtcp(packet: Buffer, length: number): number
}

/** How a receiver begins. */
export interface SrtpReceiverOptions {
  /**
   * The receiver before a change of keys: its ROCs go on (RFC 3711 §9.1), unless the peer turns out
   * to have begun again at 0. With the same key the replay windows go on as well.
   */
  continueFrom?: SrtpReceiver | undefined
}

/** Octets of MKI that RFC 4568 §6.1 allows. */
const MKI_MAX = 128

/** Below this, the first packet we see of a stream may come just after a wrap: 80 s of audio. */
const EARLY = 4096

/**
 * A receiver for a suite and the key of the remote's crypto line.
 * @param mkiLength octets of MKI that line puts into each packet (`1:4` means 4); the value is not
 *   looked at, since a line has one key here
 * @throws CausewayError `MEDIA_SRTP_KEY` when the key does not fit the suite, or the MKI is too long
 */
export function createSrtpReceiver(
  suite: Suite,
  key: Secret,
  mkiLength = 0,
  options: SrtpReceiverOptions = {},
): SrtpReceiver {
  if (!Number.isInteger(mkiLength) || mkiLength < 0 || mkiLength > MKI_MAX)
    throw new CausewayError('MEDIA_SRTP_KEY', { detail: `an MKI of ${mkiLength} octets` })
  const identity = { suite, key }
  return new Receiver(createTransform(suite, key), mkiLength, identity, options.continueFrom)
}

/** {@link SrtpReceiver} on any transform. */
export class Receiver implements SrtpReceiver {
  readonly #transform: Transform
  readonly #mki: number
  readonly #identity: { suite: Suite; key: Secret } | undefined
  readonly #streams = new Streams()

  constructor(
    transform: Transform,
    mki: number,
    identity?: { suite: Suite; key: Secret },
    continueFrom?: SrtpReceiver | undefined,
  ) {
    this.#transform = transform
    this.#mki = mki
    this.#identity = identity
    if (!(continueFrom instanceof Receiver)) return
    if (this.#hasKeyOf(continueFrom)) this.#streams.continueFrom(continueFrom.#streams)
    else this.#streams.carryFrom(continueFrom.#streams)
  }

  unprotectRtp(packet: Buffer, length: number): number {
    const clear = length - this.#mki - this.#transform.rtpTrailer
    const header = length > packet.length ? -1 : rtpHeaderLength(packet, clear)
    if (header < 0) return MALFORMED
    const ssrc = readWord(packet, 8)
    const seq = (packet[2]! << 8) | packet[3]!
    const stream = this.#streams.find(ssrc)
    if (stream === undefined || stream.rtp.highest < 0)
      return this.#first(packet, header, length, ssrc, seq, stream) ? clear : AUTH_FAILED
    const index = estimateIndex(stream.rtp.highest, seq)
    if (stream.rtp.seen(index)) return REPLAYED
    const { ahead } = stream
    if (!this.#transform.openRtp(packet, header, length, this.#mki, ssrc, index, ahead))
      return AUTH_FAILED
    stream.rtp.accept(index)
    this.#streams.touch(stream)
    return clear
  }

  unprotectRtcp(packet: Buffer, length: number): number {
    const clear = length - this.#mki - this.#transform.rtcpTrailer
    if (length > packet.length || !isRtcp(packet, clear)) return MALFORMED
    const ssrc = readWord(packet, 4)
    const word = this.#transform.rtcpWord(packet, length, this.#mki)
    const known = this.#streams.find(ssrc)
    if (known?.rtcp.seen(word & INDEX)) return REPLAYED
    if (!this.#transform.openRtcp(packet, length, this.#mki, ssrc, word)) return AUTH_FAILED
    this.#known(known, ssrc).rtcp.accept(word & INDEX)
    return clear
  }

  /**
   * The first packet of an SSRC under this key, whose ROC is a guess: as before the change of keys,
   * also if the sequence numbers have jumped; 0, where streams begin; 1, if the wrap was just missed.
   */
  #first(
    packet: Buffer,
    header: number,
    length: number,
    ssrc: number,
    seq: number,
    known: Stream | undefined,
  ): boolean {
    const open = (index: number): boolean => {
      if (!this.#transform.openRtp(packet, header, length, this.#mki, ssrc, index, undefined))
        return false
      const stream = this.#known(known, ssrc)
      stream.rtp.accept(index)
      stream.carried = -1
      return true
    }
    const carried = known?.carried ?? -1
    if (carried < 0) return open(seq) || (seq < EARLY && open(0x10000 + seq))
    const expected = estimateIndex(carried, seq)
    const sameRoc = carried - (carried & 0xffff) + seq
    return (
      open(expected) ||
      (sameRoc !== expected && open(sameRoc)) ||
      (seq !== expected && seq !== sameRoc && open(seq))
    )
  }

  #known(stream: Stream | undefined, ssrc: number): Stream {
    if (stream === undefined) return this.#streams.add(new Stream(ssrc))
    this.#streams.touch(stream)
    return stream
  }

  #hasKeyOf(other: Receiver): boolean {
    const [mine, theirs] = [this.#identity, other.#identity]
    if (mine === undefined || theirs === undefined) return false
    return mine.suite === theirs.suite && mine.key.equals(theirs.key)
  }
}
