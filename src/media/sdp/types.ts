import type { Secret } from '../../shared/secret.ts'

/** RFC 3264 direction of a media stream, as its sender sees it. */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

/** One payload format of an m-line: rtpmap and fmtp of a payload type. */
export interface Codec {
  payloadType: number
  /** As written: `opus`, `PCMA`, `telephone-event`. Compare without case. */
  name: string
  clockRate: number
  channels: number | undefined
  fmtp: string | undefined
}

/** One SDES crypto attribute (RFC 4568 §4). */
export interface Crypto {
  tag: number
  suite: string
  /** Base64 of key and salt, as in `inline:`. */
  key: Secret
  /** `2^20`; undefined when absent. */
  lifetime: string | undefined
  /** `1:4` (value and length in octets); undefined when absent. */
  mki: string | undefined
  /** Session parameters such as `UNENCRYPTED_SRTP`; '' when absent. */
  sessionParameters: string
}

/** The DTLS part of a description (RFC 8122, RFC 5763, RFC 8842). */
export interface Dtls {
  /** Every `a=fingerprint` line: hash function in lower case, value `AA:BB:…`. */
  fingerprints: { algorithm: string; value: string }[]
  setup: 'actpass' | 'active' | 'passive' | 'holdconn'
}

/** An ICE candidate (RFC 8839 §5.1); candidates over TCP are left out. */
export interface Candidate {
  foundation: string
  component: number
  priority: number
  address: string
  port: number
  type: 'host' | 'srflx' | 'prflx' | 'relay'
}

/** The ICE part of a description (RFC 8839). */
export interface Ice {
  ufrag: string
  /** May hold characters outside ice-char: WhatsApp's end in `==`. */
  password: Secret
  lite: boolean
  candidates: Candidate[]
}

/** Another m-line beside the audio one, kept so that an answer can refuse it (RFC 3264 §6). */
export interface OtherMedia {
  type: string
  protocol: string
  formats: string
}

/** One side's description of a call: exactly one audio stream, and what an answer must echo. */
export interface AudioDescription {
  /** Connection address of the audio stream. */
  address: string
  family: 4 | 6
  port: number
  /**
   * Where RTCP goes when `a=rtcp` says so (RFC 3605); undefined: port + 1, or the same with mux.
   * WhatsApp's placeholder `a=rtcp:9 IN IP4 0.0.0.0` is left out.
   */
  rtcp: { port: number; address: string | undefined } | undefined
  /** Transport profile of the m-line: `RTP/SAVP`. */
  profile: string
  direction: Direction
  /** In order of preference, telephone-event included. */
  codecs: Codec[]
  /** Milliseconds; undefined when absent. */
  ptime: number | undefined
  maxptime: number | undefined
  crypto: Crypto[]
  /** From the media or the session part; undefined without a fingerprint. */
  dtls: Dtls | undefined
  /** From the media or the session part; undefined without ufrag and pwd. */
  ice: Ice | undefined
  /** What we name as our synchronisation source; never read from others. */
  source?: { ssrc: number; cname: string }
  rtcpMux: boolean
  /** `mid` of the audio stream, when it has one. */
  mid: string | undefined
  /** Whether the session groups streams with BUNDLE. */
  bundle: boolean
  /** Index of the audio line among all m-lines. */
  index: number
  /** The m-lines that are not the audio stream, in order. */
  others: OtherMedia[]
}
