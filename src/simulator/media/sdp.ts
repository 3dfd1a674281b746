import { parse } from 'sdp-transform'
import { Secret } from '../../shared/secret.ts'

/** The suite WhatsApp uses under SDES (RFC 4568 §6.2). */
export const SUITE = 'AES_CM_128_HMAC_SHA1_80'

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
  fingerprint: string | undefined
  setup: string | undefined
  direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'
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
  for (const text of (audio.payloads ?? '').split(' ')) {
    const payloadType = Number(text)
    const line = named.get(payloadType)
    const name = canonical(line?.codec ?? staticName(payloadType))
    const rate = line?.rate ?? 8000
    if (name === 'telephone-event') events.set(rate, payloadType)
    else formats.push({ name, payloadType, rate, fmtp: fmtp.get(payloadType) })
  }
  const fingerprint = audio.fingerprint ?? session.fingerprint
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
    fingerprint: fingerprint ? `${fingerprint.type} ${fingerprint.hash}` : undefined,
    setup: audio.setup ?? session.setup,
    direction: (audio.direction ?? session.direction ?? 'sendrecv') as RemoteAudio['direction'],
  }
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

/** What goes into an SDP of ours. */
export interface LocalAudio {
  /** `RTP/AVP` plain, `RTP/SAVP` SDES, `UDP/TLS/RTP/SAVPF` the WhatsApp DTLS shape. */
  profile: 'RTP/AVP' | 'RTP/SAVP' | 'UDP/TLS/RTP/SAVPF'
  /** Origin's session id: WhatsApp uses the epoch in milliseconds. */
  sessionId: number
  /** Origin's version. */
  version: number
  address: string
  port: number
  formats: { name: CodecName; payloadType: number }[]
  telephoneEvent: number | undefined
  /** 40 base64 characters; required with RTP/SAVP. */
  key: Secret | undefined
  cryptoTag: number
  ssrc: number
  /** UUID of the media stream. */
  stream: string
  /** ICE and DTLS lines; required with UDP/TLS/RTP/SAVPF. */
  dtls?: {
    ufrag: string
    password: string
    fingerprint: string
    setup: 'actpass' | 'active' | 'passive'
    /** Address of the second host candidate. */
    ipv6: string
  }
}

const RTPMAP: Record<CodecName, string> = {
  opus: 'opus/48000/2',
  PCMA: 'PCMA/8000',
  PCMU: 'PCMU/8000',
}

const WHATSAPP_OPUS =
  'maxaveragebitrate=20000;maxplaybackrate=16000;minptime=20;sprop-maxcapturerate=16000;useinbandfec=1'

/** An SDP line by line as WhatsApp writes it, offer and answer alike. */
export function whatsappSdp(local: LocalAudio): string {
  const { dtls } = local
  const lines = [
    'v=0',
    `o=- ${local.sessionId} ${local.version} IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    'a=group:BUNDLE audio',
    `a=msid-semantic: WMS ${local.stream}`,
  ]
  if (dtls) lines.push('a=ice-lite')
  lines.push(mediaLine(local), `c=IN IP4 ${local.address}`, 'a=rtcp:9 IN IP4 0.0.0.0')
  if (dtls) lines.push(...iceLines(local, dtls))
  lines.push('a=mid:audio', 'a=sendrecv', `a=msid:${local.stream} WhatsAppTrack1`, 'a=rtcp-mux')
  if (local.key && !dtls) lines.push(cryptoLine(local.cryptoTag, local.key))
  for (const { name, payloadType } of local.formats) {
    lines.push(`a=rtpmap:${payloadType} ${RTPMAP[name]}`)
    if (name !== 'opus') continue
    if (dtls) lines.push(`a=rtcp-fb:${payloadType} transport-cc`)
    lines.push(`a=fmtp:${payloadType} ${WHATSAPP_OPUS}`)
  }
  if (local.telephoneEvent !== undefined) {
    lines.push(`a=rtpmap:${local.telephoneEvent} telephone-event/8000`)
  }
  lines.push('a=maxptime:20', 'a=ptime:20', `a=ssrc:${local.ssrc} cname:WhatsAppAudioStream1`)
  return `${lines.join('\r\n')}\r\n`
}

function iceLines(local: LocalAudio, dtls: NonNullable<LocalAudio['dtls']>): string[] {
  const tail = `${local.port} typ host generation 0 network-cost 50`
  return [
    `a=candidate:3935165743 1 udp 2122260223 ${local.address} ${tail}`,
    `a=candidate:2617197009 1 udp 2122262783 ${dtls.ipv6} ${tail}`,
    `a=ice-ufrag:${dtls.ufrag}`,
    `a=ice-pwd:${dtls.password}`,
    `a=fingerprint:sha-256 ${dtls.fingerprint}`,
    `a=setup:${dtls.setup}`,
  ]
}

/** An SDP as a PBX writes it: no BUNDLE, no msid; crypto only with RTP/SAVP. */
export function pbxSdp(local: LocalAudio): string {
  const lines = [
    'v=0',
    `o=- ${local.sessionId} ${local.version} IN IP4 ${local.address}`,
    's=-',
    `c=IN IP4 ${local.address}`,
    't=0 0',
    mediaLine(local),
  ]
  if (local.key && local.profile === 'RTP/SAVP') lines.push(cryptoLine(local.cryptoTag, local.key))
  for (const { name, payloadType } of local.formats) {
    lines.push(`a=rtpmap:${payloadType} ${RTPMAP[name]}`)
    if (name === 'opus') lines.push(`a=fmtp:${payloadType} useinbandfec=1`)
  }
  if (local.telephoneEvent !== undefined) {
    lines.push(
      `a=rtpmap:${local.telephoneEvent} telephone-event/8000`,
      `a=fmtp:${local.telephoneEvent} 0-16`,
    )
  }
  lines.push('a=ptime:20', 'a=maxptime:20', 'a=sendrecv')
  return `${lines.join('\r\n')}\r\n`
}

function mediaLine(local: LocalAudio): string {
  const payloads = local.formats.map((format) => format.payloadType)
  if (local.telephoneEvent !== undefined) payloads.push(local.telephoneEvent)
  return `m=audio ${local.port} ${local.profile} ${payloads.join(' ')}`
}

function cryptoLine(tag: number, key: Secret): string {
  return `a=crypto:${tag} ${SUITE} inline:${key.reveal()}`
}
