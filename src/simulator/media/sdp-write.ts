import { isIPv6 } from 'node:net'
import type { Secret } from '../../shared/secret.ts'
import type { Setup } from './dtls.ts'
import { type CodecName, type Direction, SUITE } from './sdp.ts'

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
  dtls?: DtlsLines
  /** Default sendrecv; WhatsApp knows no other. */
  direction?: Direction
  /** Milliseconds, default 20; WhatsApp knows no other. */
  ptime?: number
  /** `a=rtcp-mux` in a PBX's SDP; WhatsApp's always has it. */
  rtcpMux?: boolean
}

/** The ICE and DTLS lines of an SDP. */
export interface DtlsLines {
  ufrag: string
  password: Secret
  /** SHA-256: `AA:BB:…`. */
  fingerprint: string
  setup: Setup
  /** Address of the second host candidate, on the same port; undefined without one. */
  second: string | undefined
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
  lines.push(mediaLine(local), `c=${connection(local.address)}`, 'a=rtcp:9 IN IP4 0.0.0.0')
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

/** Foundation and priority of a host candidate by family, as in every live capture. */
const CANDIDATE = { 4: '3935165743 1 udp 2122260223', 6: '2617197009 1 udp 2122262783' }

function iceLines(local: LocalAudio, dtls: DtlsLines): string[] {
  const candidates = [local.address, dtls.second]
    .filter((address) => address !== undefined)
    .map((address) => {
      const kind = CANDIDATE[isIPv6(address) ? 6 : 4]
      return `a=candidate:${kind} ${address} ${local.port} typ host generation 0 network-cost 50`
    })
  return [
    ...candidates,
    `a=ice-ufrag:${dtls.ufrag}`,
    `a=ice-pwd:${dtls.password.reveal()}`,
    `a=fingerprint:sha-256 ${dtls.fingerprint}`,
    `a=setup:${dtls.setup}`,
  ]
}

/** An SDP as a PBX writes it: no BUNDLE, no msid; crypto only with RTP/SAVP. */
export function pbxSdp(local: LocalAudio): string {
  const lines = [
    'v=0',
    `o=- ${local.sessionId} ${local.version} ${connection(local.address)}`,
    's=-',
    `c=${connection(local.address)}`,
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
  const { ptime = 20, direction = 'sendrecv' } = local
  lines.push(`a=ptime:${ptime}`, `a=maxptime:${ptime}`, `a=${direction}`)
  if (local.rtcpMux) lines.push('a=rtcp-mux')
  return `${lines.join('\r\n')}\r\n`
}

function connection(address: string): string {
  return `IN IP${isIPv6(address) ? 6 : 4} ${address}`
}

function mediaLine(local: LocalAudio): string {
  const payloads = local.formats.map((format) => format.payloadType)
  if (local.telephoneEvent !== undefined) payloads.push(local.telephoneEvent)
  return `m=audio ${local.port} ${local.profile} ${payloads.join(' ')}`
}

function cryptoLine(tag: number, key: Secret): string {
  return `a=crypto:${tag} ${SUITE} inline:${key.reveal()}`
}
