import type { ErrorCode, Owner } from '../../shared/errors/index.ts'
import type { Side } from './types.ts'

/** One direction of a leg in figures; times in milliseconds, undefined where not measured yet. */
export interface StreamReport {
  packets: number
  /** Octets of payload. */
  octets: number
  /** Received: RFC 3550 §A.3 loss. Sent: as the remote's reports tell. */
  lost: number
  /** 0 to 1. */
  lossRate: number
  /** Share of losses in bursts (RFC 3611 §4.7.2, Gmin 16), 0 to 1. */
  burstRate: number
  /** Interarrival jitter (RFC 3550 §6.4.1). */
  jitterMs: number
  reordered: number
  duplicates: number
  /** From the moment media might flow to the first packet. */
  firstPacketAfterMs: number | undefined
  /** Longest time between two packets. */
  longestGapMs: number
  /** Listening quality by the E-model (ITU-T G.107), 1 to 4.5. */
  mos: number | undefined
}

/** What a leg discarded, by reason. */
export interface DiscardReport {
  /** SRTP authentication or GCM tag failed. */
  auth: number
  replayed: number
  /** From an address that is not the remote's. */
  wrongSource: number
  /** A payload type nobody agreed on. */
  wrongPayloadType: number
  malformed: number
}

/** One leg in figures. */
export interface LegReport {
  codec: string | undefined
  payloadType: number | undefined
  /** Milliseconds in the packets received; undefined while unknown. */
  ptimeReceived: number | undefined
  srtp: { mode: 'none' | 'sdes' | 'dtls'; suite: string | undefined }
  /** `a.b.c.d:port` of both ends. */
  local: string | undefined
  remote: string | undefined
  ice: { local: string; remote: string; state: string } | undefined
  dtls: { role: string; cipher: string | undefined; state: string } | undefined
  received: StreamReport
  sent: StreamReport
  /** Round trip by RTCP (RFC 3550 §6.4.1). */
  rttMs: number | undefined
  discarded: DiscardReport
  /** Packets of silence or comfort made because the other side sent none. */
  silenceInserted: number
  /** Whether the leg is asked not to send, or not to listen. */
  held: boolean
}

/** What is wrong with a call's media, in the words of the error catalogue. */
export interface Verdict {
  /** A catalogue row of the media area; it has cause and fix. */
  code: ErrorCode
  side: Side
  owner: Owner
  /** What was seen: `no packet from 10.0.0.9:4000 for 5.0 s; 120 from 10.0.0.7:4000 discarded`. */
  detail: string
  fix: string
  /** Milliseconds since the Unix epoch. */
  since: number
}

/** A call's media in figures. Plain data, structured-cloneable. */
export interface CallMediaReport {
  /** Milliseconds since the Unix epoch. */
  at: number
  legs: { whatsapp: LegReport | undefined; pbx: LegReport | undefined }
  /** Whether audio is decoded and encoded again. */
  transcoding: boolean
  /** Seen in the call, the present ones without `clearedAt`. */
  verdicts: (Verdict & { clearedAt: number | undefined })[]
  /** `good`: both sides heard and no verdict stands; `none` before any media. */
  verdict: 'good' | 'one-way' | 'bad' | 'none'
  dtmf: { side: Side; digit: string; at: number }[]
}
