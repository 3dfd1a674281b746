import type { NumberConfig, TrunkConfig } from '../config/types.ts'

/** The side an SDP body came from. */
export type Side = 'whatsapp' | 'pbx'

/**
 * The media of one call, between one offer and answer on each leg. Every relay obeys this port;
 * with `none` it is SDP shaping alone and media flows between WhatsApp and the PBX directly.
 */
export interface MediaSession {
  /**
   * Takes the offer received from one side and gives the offer for the other.
   * @throws CausewayError `MEDIA_…` (488) when a call cannot come of it
   */
  offer(from: Side, sdp: string): Promise<string>
  /**
   * Takes the answer received from one side and gives the answer for the offerer.
   * @throws CausewayError `MEDIA_…` (488) when it does not fit the offer
   */
  answer(from: Side, sdp: string): Promise<string>
  /**
   * Answers a later offer of the PBX (hold, resume, refresh) on the PBX leg alone. Without `sdp`
   * (a re-INVITE that asks for our offer) gives our description again.
   * @throws CausewayError `MEDIA_RENEGOTIATION` (488): the session stays as it was (RFC 3261 §14.2)
   */
  reoffer(sdp: string | undefined): Promise<string>
  /** What was agreed, for the call's record; undefined before the answer. */
  readonly agreed: MediaSummary | undefined
  /** Frees what the session holds. Idempotent. */
  release(): void
}

/** What a call's media turned out to be. */
export interface MediaSummary {
  /** Codec name as in rtpmap: `opus`, `PCMA`. */
  codec: string
  /** SRTP protection towards each side. */
  srtp: { whatsapp: string; pbx: string }
}

/** A source of media sessions. */
export interface MediaRelay {
  /** Whether new calls can be taken now, and why not. */
  health(): { available: boolean; detail: string }
  open(call: { id: string; trunk: TrunkConfig; number: NumberConfig }): MediaSession
  close(): Promise<void>
}
