import { parse } from 'sdp-transform'
import { Secret } from '../../shared/secret.ts'
import type { Fingerprint } from './certificate.ts'

/** An SDP that cannot be used; the message says why. */
export class SdpError extends Error {
  override readonly name = 'SdpError'
}

/** The suite WhatsApp uses under SDES (RFC 4568 §6.2). */
export const SUITE = 'AES_CM_128_HMAC_SHA1_80'

/** RFC 3264 direction, as the sender of the SDP sees it. */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

/** Audio codecs the simulator and the toy PBX speak. */
export type CodecName = 'opus' | 'PCMA' | 'PCMU'

/** One audio format of an m-line. */
export interface AudioFormat {
  /** Canonical spelling for known codecs, else as written. */
  name: string
  payloadType: number
  rate: number
  /** The `a=fmtp` parameters, raw. */
  fmtp: string | undefined
}

/** A format both sides speak. */
export interface NamedFormat {
  name: CodecName
  payloadType: number
}

/** An `a=crypto` line (RFC 4568). */
export interface CryptoLine {
  tag: number
  suite: string
  /** The 40 base64 characters after `inline:` (30 bytes: master key and salt). */
  key: Secret
  /** Whether lifetime, MKI or session parameters follow. */
  extra: boolean
}

/** What the other side's SDP says about its audio. */
export interface RemoteAudio {
  /** How many m-lines of any kind the SDP has. */
  mediaCount: number
  /** `RTP/AVP`, `RTP/SAVP`, `UDP/TLS/RTP/SAVPF`. */
  profile: string
  address: string
  port: number
  /** In order of preference, telephone-event left out. */
  formats: AudioFormat[]
  /** RFC 4733 events at 8000 Hz. */
  telephoneEvent: number | undefined
  /** Whether telephone-event is offered at 48000 Hz and not at 8000 Hz. */
  telephoneEventAt48k: boolean
  /** Milliseconds. */
  ptime: number | undefined
  cryptos: CryptoLine[]
  /** Every `a=fingerprint` line. */
  fingerprints: Fingerprint[]
  setup: string | undefined
  /** ICE credentials; undefined without both of them. */
  ice: { ufrag: string; password: Secret } | undefined
  rtcpMux: boolean
  direction: Direction
}

/** Reads an SDP. Undefined when it has no audio line or no address. */
export function readAudio(sdp: string): RemoteAudio | undefined {
  const session = parse(sdp)
  const audio = session.media.find((media) => media.type === 'audio')
  const address = audio?.connection?.ip ?? session.connection?.ip
  if (!audio || !address) return undefined
  const fmtp = new Map(audio.fmtp.map((line) => [line.payload, line.config]))
  const named = new Map(audio.rtp.map((line) => [line.payload, line]))
  const formats: AudioFormat[] = []
  const events = new Map<number, number>()
  // A single payload type comes as a number.
  for (const text of String(audio.payloads ?? '').split(' ')) {
    const payloadType = Number(text)
    const line = named.get(payloadType)
    const name = canonical(line?.codec ?? staticName(payloadType))
    const rate = line?.rate ?? 8000
    if (name === 'telephone-event') events.set(rate, payloadType)
    else formats.push({ name, payloadType, rate, fmtp: fmtp.get(payloadType) })
  }
  const ufrag = audio.iceUfrag ?? session.iceUfrag
  const password = audio.icePwd ?? session.icePwd
  return {
    mediaCount: session.media.length,
    profile: audio.protocol,
    address,
    port: audio.port,
    formats,
    telephoneEvent: events.get(8000),
    telephoneEventAt48k: events.has(48000) && !events.has(8000),
    ptime: audio.ptime === undefined ? undefined : Number(audio.ptime),
    cryptos: (audio.crypto ?? []).map((line) => readCrypto(line.id, line.suite, line.config)),
    fingerprints: fingerprintsOf(sdp),
    setup: audio.setup ?? session.setup,
    ice:
      ufrag && password
        ? { ufrag: String(ufrag), password: new Secret(String(password)) }
        : undefined,
    rtcpMux: audio.rtcpMux !== undefined,
    direction: (audio.direction ?? session.direction ?? 'sendrecv') as Direction,
  }
}

/** By hand: the parser keeps only the last one of several. */
function fingerprintsOf(sdp: string): Fingerprint[] {
  return [...sdp.matchAll(/^a=fingerprint:(\S+) +(\S+)/gim)].map(
    ([, algorithm = '', value = '']) => ({
      algorithm: algorithm.toLowerCase(),
      value,
    }),
  )
}

function readCrypto(tag: number, suite: string, config: string): CryptoLine {
  const [key = '', ...rest] = config.replace(/^inline:/, '').split(/[| ]/)
  return { tag, suite, key: new Secret(key), extra: rest.length > 0 }
}

function staticName(payloadType: number): string {
  return { 0: 'PCMU', 8: 'PCMA', 9: 'G722' }[payloadType] ?? `payload-${payloadType}`
}

function canonical(name: string): string {
  const upper = name.toUpperCase()
  if (upper === 'OPUS') return 'opus'
  if (upper === 'TELEPHONE-EVENT') return 'telephone-event'
  return upper
}
