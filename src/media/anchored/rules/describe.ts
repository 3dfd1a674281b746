import type { Keying, LegTransport } from '../../anchor/types.ts'
import type { AudioDescription, Codec, Direction, OtherMedia } from '../../sdp/types.ts'
import { PTIME } from './codecs.ts'
import { formatOf } from './formats.ts'

/** What an answer must echo of the offer, and a later offer of the session so far. */
export interface Places {
  mid: string | undefined
  bundle: boolean
  /** Index of the audio line among all m-lines. */
  index: number
  /** The m-lines we refuse with port 0 (RFC 3264 §6). */
  others: OtherMedia[]
}

/** One audio line and nothing else. */
export const PLAIN: Places = { mid: undefined, bundle: false, index: 0, others: [] }
/** One audio line the way WebRTC peers write it. */
export const BUNDLED: Places = { mid: 'audio', bundle: true, index: 0, others: [] }

/** The profile of an offer of ours. */
export const PROFILES: Record<Keying, string> = {
  none: 'RTP/AVP',
  sdes: 'RTP/SAVP',
  dtls: 'UDP/TLS/RTP/SAVPF',
}

/** What our end of a leg looks like: 20 ms, one stream, our own addresses and keys. */
export function describe(
  transport: LegTransport,
  shape: {
    keying: Keying
    profile: string
    codecs: Codec[]
    direction: Direction
    places: Places
    /** Whether to name the SSRC, as WhatsApp and browsers do. */
    named: boolean
  },
): AudioDescription {
  const { keying } = shape
  const ownRtcp = !transport.rtcpMux && transport.rtcpPort !== undefined
  // RFC 3605: only a port that is not the next one needs saying.
  const rtcp = ownRtcp && transport.rtcpPort !== transport.port + 1 ? transport.rtcpPort : undefined
  const opus = shape.codecs.some((codec) => formatOf(codec) === 'opus')
  return {
    address: transport.address,
    family: transport.family,
    port: transport.port,
    rtcp: rtcp === undefined ? undefined : { port: rtcp, address: undefined },
    profile: shape.profile,
    direction: shape.direction,
    codecs: shape.codecs,
    ptime: PTIME,
    maxptime: opus ? PTIME : undefined,
    crypto: keying === 'sdes' ? transport.crypto : [],
    dtls: keying === 'dtls' ? transport.dtls : undefined,
    ice: keying === 'dtls' ? transport.ice : undefined,
    ...(shape.named && transport.ssrc !== undefined
      ? { source: { ssrc: transport.ssrc, cname: transport.cname } }
      : {}),
    rtcpMux: transport.rtcpMux,
    mid: shape.places.mid,
    bundle: shape.places.bundle,
    index: shape.places.index,
    others: shape.places.others,
  }
}

/** The places of a received description, which ours of the same dialog has to repeat. */
export function placesOf({ mid, bundle, index, others }: AudioDescription): Places {
  return { mid, bundle, index, others }
}
