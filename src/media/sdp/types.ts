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
  /** `1:4`; undefined when absent. */
  mki: string | undefined
  /** Session parameters such as `UNENCRYPTED_SRTP`; '' when absent. */
  sessionParameters: string
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
  /** Transport profile of the m-line: `RTP/SAVP`. */
  profile: string
  direction: Direction
  /** In order of preference, telephone-event included. */
  codecs: Codec[]
  /** Milliseconds; undefined when absent. */
  ptime: number | undefined
  maxptime: number | undefined
  crypto: Crypto[]
  /** Whether a DTLS fingerprint is present, in the media or the session part. */
  fingerprint: boolean
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
