import type { CausewayError } from '../../shared/errors/index.ts'
import type { AudioDescription, Codec, Crypto, Direction, Dtls, Ice } from '../sdp/types.ts'
import type { CallMediaReport, Verdict } from './report.ts'

/** The side of a call a stream belongs to. */
export type Side = 'whatsapp' | 'pbx'

/** A leg of an anchored call. `next` is the PBX leg a transfer brings, until it takes over. */
export type LegId = Side | 'next'

/** How packets of a leg are protected. `dtls` means DTLS-SRTP with ICE. */
export type Keying = 'none' | 'sdes' | 'dtls'

/** SRTP suites by their RFC 4568 / 6188 / 7714 names, strongest habit first. */
export const SUITES = [
  'AES_CM_128_HMAC_SHA1_80',
  'AES_CM_128_HMAC_SHA1_32',
  'AES_256_CM_HMAC_SHA1_80',
  'AES_256_CM_HMAC_SHA1_32',
  'AEAD_AES_128_GCM',
  'AEAD_AES_256_GCM',
] as const
export type Suite = (typeof SUITES)[number]

/** What our end of a leg shall be like; the anchor fills in addresses, ports and keys. */
export interface LegShape {
  keying: Keying
  /** SDES suites to offer, in order; in an answer the one suite that was chosen. */
  suites: readonly Suite[]
  /** Tag of the chosen crypto line in an answer; offers count from 1. */
  cryptoTag: number | undefined
  /** Whether RTP and RTCP share a port (RFC 5761). In an offer: is offered. */
  rtcpMux: boolean
  /** Our DTLS role: `actpass` in an offer, `active` or `passive` in an answer. */
  setup: Dtls['setup'] | undefined
  /** The formats our description lists, events included, in order. */
  codecs: readonly Codec[]
  /**
   * Whether the remote reaches us by `media.external_address`: always WhatsApp; a PBX unless its
   * address is private, loopback or link-local.
   */
  external: boolean
}

/** Our end of a leg, as its description has to name it. */
export interface LegTransport {
  /** Address to advertise (media.external_address when set). */
  address: string
  family: 4 | 6
  port: number
  /** Our RTCP port without mux. */
  rtcpPort: number | undefined
  rtcpMux: boolean
  /** One line in an answer, one for each suite in an offer; [] unless SDES. */
  crypto: Crypto[]
  dtls: Dtls | undefined
  ice: Ice | undefined
  /** SSRC we send with, for `a=ssrc`; one for the life of the leg. Undefined when not known. */
  ssrc: number | undefined
  cname: string
}

/** The formats agreed on a leg. */
export interface LegMedia {
  /** Audio format both ways, with its payload type on this leg. */
  audio: Codec
  /** Further audio formats the remote may send, because we offered them. */
  accepts: readonly Codec[]
  /** RFC 4733 events, when both ends have them. */
  event: Codec | undefined
  /** Milliseconds of audio in each packet we send. */
  ptime: number
  /**
   * Our direction: `sendonly` while the remote wants to hear but is not to be heard. Towards
   * WhatsApp always `sendrecv`.
   */
  direction: Direction
}

/** Announcement or music: a WAV or Ogg Opus file. */
export interface Playback {
  /** Absolute path. */
  file: string
  /** Begin again at the end, until stopped. */
  loop: boolean
}

/** What an anchor tells while a call lives. */
export type MediaEvent =
  /** The first authentic audio packet from a leg. */
  | { type: 'media-up'; leg: LegId; afterMs: number }
  /** A leg has sent nothing for `seconds`; `ms` of its audio were replaced by silence. */
  | { type: 'silence'; leg: LegId; seconds: number }
  /** A leg sends again, after its silence was told. */
  | { type: 'sound'; leg: LegId }
  /** One side is heard, the other is not. */
  | { type: 'one-way'; silent: Side }
  /** A keypress (RFC 4733), told once at its end. `digit`: 0-9, *, #, A-D, or `flash`. */
  | { type: 'dtmf'; leg: LegId; digit: string; durationMs: number }
  /** Something was found to be wrong, or to be right again. */
  | { type: 'verdict'; verdict: Verdict; cleared: boolean }
  /** A playback came to its end by itself. */
  | { type: 'played'; leg: LegId; file: string }
  /** The relay has lost the call: media will not come back. */
  | { type: 'ended'; error: CausewayError }

/** What a relay can do; the rules of offers and answers look at it. */
export interface AnchorAbilities {
  /** Codec names it can convert to and from Opus: `PCMA`, `PCMU`, `G722`. */
  transcodes: readonly string[]
  /** Whether a format may have another payload type on each leg. */
  renumbers: boolean
  /** Whether a leg may use DTLS-SRTP without ICE. */
  dtlsWithoutIce: boolean
  suites: readonly Suite[]
}

/** State of a relay for health and metrics. */
export interface AnchorStatus {
  available: boolean
  detail: string
  /** Calls held now. */
  calls: number
  /** One row for each worker or rtpengine instance. */
  instances: {
    name: string
    available: boolean
    calls: number
    detail: string
    /** Seconds the event loop of the worker has worked; undefined for what is no thread of ours. */
    busySeconds?: number | undefined
  }[]
  ports: { total: number; used: number; cooling: number } | undefined
  transcoding: { active: number; limit: number } | undefined
  /** Totals since the start, by name as in `causeway_media_<name>`: packets, octets, … */
  totals: Readonly<Record<string, number>>
}

/**
 * A media relay that ends both legs at itself (the anchor of the design). It deals in typed
 * descriptions; which formats and keys go on which leg has been decided by the pure rules.
 */
export interface Anchor {
  readonly abilities: AnchorAbilities
  status(): AnchorStatus
  /**
   * Takes a call in. No port is taken before the first offer or answer.
   * @throws CausewayError `MEDIA_RELAY_UNAVAILABLE` (503)
   */
  allocate(id: string, listener: (event: MediaEvent) => void): AnchorCall
  /** Takes another public address for calls to come, and the level the log has now. */
  reconfigure?(externalAddress: string | undefined): void
  /** Whether any worker of this process is up and heard of; absent where there is none. */
  alive?(): boolean
  close(): Promise<void>
}

/**
 * One call at an anchor. All methods but `release` reject once the call is lost. Ports, sockets and
 * timers are gone when `release` resolves.
 *
 * @throws CausewayError `MEDIA_PORTS_EXHAUSTED` (503), `MEDIA_RELAY_LOST` (503), `MEDIA_TRANSCODING_LIMIT` (488)
 */
export interface AnchorCall {
  /**
   * Makes our end of a leg for an offer of ours; again on a leg that is up for a later offer, whose
   * ports stay. `peer` is the description the other side has sent, if it has.
   */
  offer(leg: LegId, shape: LegShape, peer: AudioDescription | undefined): Promise<LegTransport>
  /** Takes the answer to our offer. May come again: an early answer that the final one changes. */
  accept(leg: LegId, answer: AudioDescription, media: LegMedia): Promise<void>
  /**
   * Answers an offer of a leg, the first or a later one (hold, other address, keys or codec). A
   * later one opens the source address to be learned anew.
   */
  answer(
    leg: LegId,
    offer: AudioDescription,
    shape: LegShape,
    media: LegMedia,
  ): Promise<LegTransport>
  /** `next` becomes `pbx`; the former PBX leg is closed. WhatsApp's stream goes on. */
  promote(): Promise<void>
  /** Closes a leg of the PBX; WhatsApp hears silence or a playback meanwhile. */
  drop(leg: 'pbx' | 'next'): Promise<void>
  /** From now on packets may leave towards WhatsApp: the first goes at once. Idempotent. */
  start(): void
  /** Plays to a leg instead of what the other sends; undefined stops. */
  play(leg: LegId, playback: Playback | undefined): Promise<void>
  query(): Promise<CallMediaReport>
  /** Frees everything and tells how it was. Idempotent. */
  release(): Promise<CallMediaReport | undefined>
}
