import type { LegShape, LegTransport } from '../../media/anchor/types.ts'
import type { AudioDescription } from '../../media/sdp/types.ts'
import type { CausewayError } from '../../shared/errors/index.ts'

/** Octets a slot has beyond the packet: the longest SRTP or SRTCP trailer, MKI included. */
export const TRAILER = 160

/** What the wire of a leg hands up; packets are authentic and in the clear. */
export interface WireEvents {
  /** `packet` is valid until the call returns; RTP lies in its first `length` octets. */
  onRtp(packet: Buffer, length: number): void
  onRtcp(packet: Buffer, length: number): void
  /** Keys and address are there: packets can be sent. At most once for each connect. */
  onReady(): void
  /** It will not become or stay usable: DTLS or ICE failed, a socket broke. */
  onFailed(error: CausewayError): void
}

/** What a wire knows of itself. Counters only grow. */
export interface WireFacts {
  suite: string | undefined
  local: string | undefined
  remote: string | undefined
  ice: { local: string; remote: string; state: string } | undefined
  dtls: { role: string; cipher: string | undefined; state: string } | undefined
  auth: number
  replayed: number
  wrongSource: number
  malformed: number
  /** The last discarded source, `address:port`. */
  strange: string | undefined
}

/**
 * The wire of one leg: sockets, protection and address learning. Two kinds: UDP (plain and SDES)
 * and DTLS-SRTP with ICE.
 */
export interface Wire {
  /** Our end as a description has to name it; rejects with `MEDIA_PORTS_EXHAUSTED`. */
  offer(shape: LegShape): Promise<LegTransport>
  /** Takes the remote's answer to our offer; again when it changes. */
  accept(answer: AudioDescription): Promise<void>
  /** Takes the remote's offer, first or later, and gives our end. */
  answer(offer: AudioDescription, shape: LegShape): Promise<LegTransport>
  /** Our description has reached the remote for sure: what waits for it to act may be impatient now. */
  delivered?(): void
  /** Whether packets can be sent. */
  readonly ready: boolean
  /**
   * Sends the RTP packet in the first `length` octets of `slot`, which has {@link TRAILER} octets of
   * room behind and is the wire's until about 500 further packets were sent (a ring).
   */
  sendRtp(slot: Buffer, length: number): void
  sendRtcp(slot: Buffer, length: number): void
  facts(): WireFacts
  /** Resolves when sockets are closed and ports given back. Idempotent. */
  close(): Promise<void>
}
