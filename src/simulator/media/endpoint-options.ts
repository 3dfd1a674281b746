import type { Clock } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'
import type { DtlsCertificate } from './certificate.ts'
import type { PromiseRule } from './promises.ts'
import type { CodecName, Direction } from './sdp.ts'
import type { LocalAudio } from './sdp-write.ts'

/** How an endpoint speaks. */
export interface MediaEndpointOptions {
  clock: Clock
  random: Random
  /** Whose SDP is written: WhatsApp's exact lines, or a PBX's. */
  dialect: 'whatsapp' | 'pbx'
  /** Plain RTP, SDES, or DTLS behind an ICE-lite agent. */
  profile: LocalAudio['profile']
  /** Address to bind and, unless `advertise` is set, to write into the SDP. */
  address: string
  /** Address in the SDP. */
  advertise?: string
  /** Ports to try before any free one. */
  ports?: readonly number[]
  /** Codecs offered, in order; or accepted, in the offerer's order. */
  codecs: readonly CodecName[]
  /** What is sent: Hz and dB below full scale. Whole Hz loop without a click. */
  tone: { frequency: number; level: number }
  /** Sends nothing until the first packet from the other side: WhatsApp's rule. */
  waits: boolean
  /** Decodes what arrives to recognise its tone. Default true; false only counts. */
  analyse?: boolean
  /** Payload types of our offers. Default 111/126 for WhatsApp, 107/101 for a PBX. */
  payloadTypes?: { opus: number; telephoneEvent: number }
  /** Milliseconds of G.711 in a packet we send. Default 20. */
  ptime?: number
  /** Whether a PBX's SDP asks for RTCP on the RTP port; without, it sends no RTCP. Default false. */
  rtcpMux?: boolean
  /** Milliseconds in which DTLS goes unanswered at first, as by a relay that is not ready. Default 0. */
  dtlsDelay?: number
  /** Our DTLS part when the peer offers actpass. Default passive. */
  dtlsRole?: 'active' | 'passive'
  /** Shared between calls, as WhatsApp's relays do; default one for each. */
  certificate?: DtlsCertificate
  /** Share of packets lost in each direction on purpose, 0 to 1. */
  loss?: number
  /** Holds the other side to WhatsApp's rules. */
  promises?: {
    /** Milliseconds the first packet may take. */
    firstPacket: number
    /** Milliseconds a timestamp may run ahead of the clock. */
    ahead?: number
    /** Called the first time each rule is broken. */
    broken: (rule: PromiseRule | 'dtls', detail: string) => void
    /** Milliseconds this process has stood still lately. */
    stalled?: () => number
  }
}

/** What of a stream changes with a later offer or answer of ours. */
export interface MediaChange {
  direction?: Direction
  /** Address in the SDP: `0.0.0.0` holds in the old way. */
  address?: string
  codecs?: readonly CodecName[]
  ptime?: number
}
