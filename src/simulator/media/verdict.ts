import type { PromiseReport } from './promises.ts'
import type { ReceiveReport } from './receiver.ts'
import type { CodecName } from './sdp.ts'
import type { LocalAudio } from './sdp-write.ts'
import type { DtlsReport } from './transport.ts'

/** Both directions of a call's media, as one endpoint saw them. */
export interface MediaVerdict {
  /** Codec sent, undefined before negotiation. */
  codec: CodecName | undefined
  profile: LocalAudio['profile']
  sent: { packets: number; ssrc: number; frequency: number }
  received: ReceiveReport
  /** Milliseconds from {@link MediaEndpoint.start} to the first packet from the other side. */
  firstPacketAfter: number | undefined
  /** Milliseconds before the negotiation was complete that the first early packet came. */
  earlyBy: number | undefined
  /** Packets that failed authentication or were no RTP. */
  rejected: number
  /** Whether a tone was recognised for at least half a second. */
  heard: boolean
  /** How the stream of the business kept WhatsApp's rules; only where they are watched. */
  promises?: PromiseReport
  /** The DTLS handshake, where there is one. */
  dtls?: DtlsReport
}

/** Milliseconds of tone that count as heard. */
export const HEARD = 500

/** A direction in which nothing has come. */
export const NOTHING: ReceiveReport = {
  packets: 0,
  lost: 0,
  rtcp: 0,
  ssrcs: [],
  irregular: 0,
  unknownPayloads: 0,
  undecodable: 0,
  tone: undefined,
  silence: 0,
  other: 0,
  digits: [],
}

/** Share of silence in what was heard, 0 to 1; undefined when nothing was. */
export function silenceShare({ silence, other, tones = [] }: ReceiveReport): number | undefined {
  const all = tones.reduce((sum, tone) => sum + tone.ms, silence + other)
  return all === 0 ? undefined : Math.round((silence / all) * 1000) / 1000
}
