import type { NumberConfig, TrunkConfig } from '../config/types.ts'
import type { CallMediaReport } from './anchor/report.ts'
import type { AnchorStatus, LegId, MediaEvent, Playback, Side } from './anchor/types.ts'

export type { Side } from './anchor/types.ts'

/**
 * The media of one call as the bridge drives it: SDP text in, SDP text out. Every relay obeys this
 * port; with `none` it is SDP shaping alone and media flows between WhatsApp and the PBX directly.
 * All methods that take or give SDP throw CausewayError `MEDIA_…` with the SIP status to refuse with.
 */
export interface MediaSession {
  /**
   * Takes the offer received from one side and gives the offer for the other. Without `sdp` (an
   * INVITE of the PBX that wants our offer) makes one for WhatsApp of the trunk's codecs.
   */
  offer(from: Side, sdp: string | undefined): Promise<string>
  /**
   * Takes an answer of the PBX in a provisional response (183). Gives the SDP of a 183 for WhatsApp
   * where the number has `early_media`; undefined otherwise. May come repeatedly and change.
   */
  early(sdp: string): Promise<string | undefined>
  /**
   * Takes the answer received from one side and gives the answer for the offerer; after an INVITE
   * without offer, gives our offer for the PBX. When WhatsApp was answered already
   * ({@link answerAlone}, {@link early}), gives what it was answered with.
   */
  answer(from: Side, sdp: string): Promise<string>
  /** Takes the PBX's answer in an ACK or PRACK to an offer of ours. */
  acknowledge(sdp: string): Promise<void>
  /** Another trunk is tried: the offer for it. What the former was given is void. */
  retarget(trunk: TrunkConfig): Promise<string>
  /** Answers WhatsApp's offer before any PBX has answered, to play an announcement. */
  answerAlone(): Promise<string>
  /**
   * Answers a later offer of the PBX (hold, resume, refresh, other address, keys or codec) on the
   * PBX leg alone. Without `sdp` (a re-INVITE that asks for our offer) gives our offer; the answer
   * comes by {@link acknowledge}. A refused offer leaves the session as it was (RFC 3261 §14.2).
   */
  reoffer(sdp: string | undefined): Promise<string>
  /**
   * Another PBX dialog is to take the PBX leg's place (REFER, Replaces): beside the leg that is up,
   * makes an offer for it or, with `sdp`, answers its offer. One at a time, else `MEDIA_STATE` (491).
   */
  replace(sdp: string | undefined): Promise<Replacement>
  /** The answer to WhatsApp, or the ACK, has left: packets may go to WhatsApp now. Idempotent. */
  start(): void
  /** Plays to a side instead of what the other sends; undefined stops. */
  play(to: Side, playback: Playback | undefined): Promise<void>
  /** What was agreed, for the call's record; undefined before the answer. */
  readonly agreed: MediaSummary | undefined
  /** Figures of the call as it stands; undefined where the relay sees no packets. */
  query(): Promise<CallMediaReport | undefined>
  /** Frees what the session holds and gives the last figures. Idempotent; never rejects. */
  release(): Promise<CallMediaReport | undefined>
}

/** A PBX leg that is to take the place of the one that is up. Exactly one of both methods ends it. */
export interface Replacement {
  /** Our offer, or our answer to the offer given. */
  readonly sdp: string
  /** The new leg takes over, with the answer to our offer where we made one. */
  commit(answer: string | undefined): Promise<void>
  /** It came to nothing. */
  abandon(): Promise<void>
}

/** What a call's media turned out to be. */
export interface MediaSummary {
  /** Codec name as in rtpmap on each leg: `opus`, `PCMA`. */
  codec: { whatsapp: string; pbx: string }
  /** Protection towards each side: `none`, or the SDES suite, or `DTLS-SRTP`. */
  srtp: { whatsapp: string; pbx: string }
}

/** What a session is made for. */
export interface MediaCall {
  id: string
  trunk: TrunkConfig
  number: NumberConfig
  /** Told of everything that happens to the media; never after `release`. */
  listener: (event: MediaEvent) => void
}

/** A media relay as the rest of the program sees it. */
export interface MediaRelay {
  readonly kind: 'embedded' | 'rtpengine' | 'none'
  /** Whether new calls can be taken now and why not, and figures. */
  status(): AnchorStatus
  /** @throws CausewayError `MEDIA_RELAY_UNAVAILABLE` (503) */
  allocate(call: MediaCall): MediaSession
  /** Takes another public address, and the level the log has now, where the relay has its own. */
  reconfigure?(externalAddress: string | undefined): void
  /** Whether the part of the relay in this process works; absent where there is none. */
  alive?(): boolean
  close(): Promise<void>
}

export type { LegId, MediaEvent, Playback }
