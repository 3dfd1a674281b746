import { Secret } from '../../shared/secret.ts'
import type { Keying, LegMedia, LegShape, LegTransport, Suite } from '../anchor/types.ts'
import { isEvent } from '../sdp/codecs.ts'
import { formatAudio } from '../sdp/format.ts'
import { parseAudio } from '../sdp/parse.ts'
import type { AudioDescription, Codec, Crypto } from '../sdp/types.ts'
import type { NgDictionary } from './client.ts'

const PROFILES: Record<Keying, string> = {
  none: 'RTP/AVP',
  sdes: 'RTP/SAVP',
  dtls: 'UDP/TLS/RTP/SAVPF',
}

/** Of every offer and answer: ports stay when a remote moves; WhatsApp is never told of another. */
export const FLAGS = ['port latching']

/** How a description protects its packets. */
export function keyingOf(audio: AudioDescription): Keying {
  if (audio.dtls) return 'dtls'
  return audio.crypto.length > 0 ? 'sdes' : 'none'
}

/** A description as SDP for rtpengine: one audio stream, none of what only the SIP side needs. */
export function toNg(audio: AudioDescription): string {
  const bare = { ...audio, mid: undefined, bundle: false, index: 0, others: [] }
  return formatAudio(
    { ...bare, profile: PROFILES[keyingOf(audio)] },
    { sessionId: '1', version: 1 },
  )
}

/**
 * What rtpengine shall offer a leg. All suites are offered by it; the lines that are not wanted are
 * left out of the SDP we write.
 *
 * @param peer formats the other side has; what our description has beyond them is transcoded
 * @param remote what the leg itself has said; without ICE in it we have none either
 * @param offered whether the leg made the first offer
 */
export function offerFlags(
  shape: LegShape,
  peer: readonly Codec[],
  remote: AudioDescription | undefined,
  offered: boolean,
): NgDictionary {
  const { keying } = shape
  const flags: NgDictionary = {
    'transport-protocol': PROFILES[keying],
    ICE: keying === 'dtls' && !(remote && !remote.ice) ? 'force' : 'remove',
    flags: FLAGS,
    'rtcp-mux': [shape.rtcpMux ? 'offer' : 'demux'],
    ptime: 20,
    'ptime-reverse': 20,
  }
  // Where the leg has offered, controlling is its part; a lite agent leaves it that (RFC 8445 §6.1.1).
  if (offered && remote?.ice && !remote.ice.lite) flags['ICE-lite'] = 'forward'
  if (keying !== 'sdes') flags['SDES'] = ['off']
  if (keying !== 'dtls') flags['DTLS'] = 'off'
  const names = (codecs: readonly Codec[]): string[] =>
    codecs.filter((codec) => !isEvent(codec)).map((codec) => codec.name)
  const has = (list: string[], name: string): boolean =>
    list.some((other) => other.toLowerCase() === name.toLowerCase())
  const [wanted, there] = [names(shape.codecs), names(peer)]
  const transcode = wanted.filter((name) => !has(there, name))
  const mask = there.filter((name) => !has(wanted, name))
  if (transcode.length > 0) flags['codec'] = { transcode, mask }
  return flags
}

/** Our end of a leg as rtpengine's SDP has it, with all its crypto lines. */
export function transportOf(reply: NgDictionary): LegTransport {
  const audio = parseAudio(String(reply['sdp']))
  return {
    address: audio.address,
    family: audio.family,
    port: audio.port,
    rtcpPort: audio.rtcpMux ? undefined : (audio.rtcp?.port ?? audio.port + 1),
    rtcpMux: audio.rtcpMux,
    crypto: audio.crypto,
    dtls: audio.dtls,
    ice: audio.ice,
    ssrc: undefined,
    cname: '',
  }
}

/** The transport with the crypto lines and the role our description shall have. */
export function shaped(transport: LegTransport, shape: LegShape): LegTransport {
  const crypto: Crypto[] = []
  for (const suite of shape.keying === 'sdes' ? shape.suites : []) {
    const line = transport.crypto.find((one) => one.suite === suite)
    if (line) crypto.push({ ...line, tag: shape.cryptoTag ?? crypto.length + 1 })
  }
  const dtls = transport.dtls && { ...transport.dtls, setup: shape.setup ?? transport.dtls.setup }
  return { ...transport, crypto, dtls }
}

/**
 * A remote description as an answer to what rtpengine offered: the chosen crypto line under
 * rtpengine's own tag, a settled DTLS role, the settled formats.
 */
export function asAnswer(
  remote: AudioDescription,
  media: LegMedia | undefined,
  offered: LegTransport | undefined,
  suite: Suite | undefined,
): AudioDescription {
  const line = remote.crypto.find((one) => suite === undefined || one.suite === suite)
  const own = line && offered?.crypto.find((one) => one.suite === line.suite)
  const crypto = line ? [{ ...line, tag: own?.tag ?? line.tag }] : []
  const role = remote.dtls?.setup === 'active' ? 'active' : 'passive'
  const dtls = remote.dtls && { ...remote.dtls, setup: role as 'active' | 'passive' }
  const codecs = media ? [media.audio, ...(media.event ? [media.event] : [])] : remote.codecs
  return { ...remote, crypto, dtls, codecs }
}

/** WhatsApp's description as an offer: with the role it has when that is settled. */
export function asOffer(remote: AudioDescription): AudioDescription {
  return { ...remote, direction: 'sendrecv' }
}

/** The shape of a leg to nobody. */
export function plainShape(codecs: readonly Codec[]): LegShape {
  const [keying, cryptoTag, setup] = ['none', undefined, undefined] as const
  return { keying, suites: [], cryptoTag, rtcpMux: false, setup, codecs, external: false }
}

/** A side that is not there yet: it neither sends nor is sent to. */
export function nobody(codecs: readonly Codec[], keying: Keying): AudioDescription {
  const key = new Secret(Buffer.alloc(30, 1).toString('base64'))
  const suite = 'AES_CM_128_HMAC_SHA1_80'
  return {
    address: '0.0.0.0',
    family: 4,
    port: 9,
    rtcp: undefined,
    profile: PROFILES[keying],
    direction: 'sendrecv',
    codecs: [...codecs],
    ptime: 20,
    maxptime: undefined,
    crypto:
      keying === 'sdes'
        ? [{ tag: 1, suite, key, lifetime: undefined, mki: undefined, sessionParameters: '' }]
        : [],
    dtls: undefined,
    ice: undefined,
    rtcpMux: false,
    mid: undefined,
    bundle: false,
    index: 0,
    others: [],
  }
}
