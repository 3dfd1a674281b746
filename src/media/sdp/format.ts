import { formatCrypto } from './crypto.ts'
import type { AudioDescription, Dtls, Ice } from './types.ts'

/** The o= line of a description (RFC 8866 §5.2): one session id for a leg, a version for each change. */
export interface Origin {
  sessionId: string
  version: number
}

/**
 * Writes a description as SDP text with CRLF. Lines come in the order WhatsApp's own samples have;
 * the refused m-lines of an answer keep their places (RFC 3264 §6).
 */
export function formatAudio(audio: AudioDescription, origin: Origin): string {
  const ip = `IN IP${audio.family} ${audio.address}`
  const head = `v=0\r\no=- ${origin.sessionId} ${origin.version} ${ip}\r\ns=-\r\nt=0 0\r\n`
  const group = audio.bundle && audio.mid !== undefined ? `a=group:BUNDLE ${audio.mid}\r\n` : ''
  const lite = audio.ice?.lite ? 'a=ice-lite\r\n' : ''
  const lines = audio.others.map((line) => `m=${line.type} 0 ${line.protocol} ${line.formats}\r\n`)
  lines.splice(audio.index, 0, formatMedia(audio, ip))
  return head + group + lite + lines.join('')
}

function formatMedia(audio: AudioDescription, ip: string): string {
  const types = audio.codecs.map((codec) => codec.payloadType).join(' ')
  let out = `m=audio ${audio.port} ${audio.profile} ${types}\r\nc=${ip}\r\n`
  if (audio.rtcp) out += formatRtcp(audio.rtcp, audio.family)
  if (audio.ice) out += formatIce(audio.ice)
  if (audio.dtls) out += formatDtls(audio.dtls)
  if (audio.mid !== undefined) out += `a=mid:${audio.mid}\r\n`
  out += `a=${audio.direction}\r\n`
  if (audio.rtcpMux) out += 'a=rtcp-mux\r\n'
  for (const crypto of audio.crypto) out += `a=crypto:${formatCrypto(crypto)}\r\n`
  for (const codec of audio.codecs) {
    const channels = codec.channels === undefined ? '' : `/${codec.channels}`
    out += `a=rtpmap:${codec.payloadType} ${codec.name}/${codec.clockRate}${channels}\r\n`
    if (codec.fmtp !== undefined) out += `a=fmtp:${codec.payloadType} ${codec.fmtp}\r\n`
  }
  if (audio.maxptime !== undefined) out += `a=maxptime:${audio.maxptime}\r\n`
  if (audio.ptime !== undefined) out += `a=ptime:${audio.ptime}\r\n`
  if (audio.source) out += `a=ssrc:${audio.source.ssrc} cname:${audio.source.cname}\r\n`
  return out
}

function formatRtcp({ port, address }: NonNullable<AudioDescription['rtcp']>, family: 4 | 6) {
  return address === undefined
    ? `a=rtcp:${port}\r\n`
    : `a=rtcp:${port} IN IP${family} ${address}\r\n`
}

function formatIce({ candidates, ufrag, password }: Ice): string {
  let out = ''
  for (const one of candidates) {
    out += `a=candidate:${one.foundation} ${one.component} udp ${one.priority} ${one.address} ${one.port} typ ${one.type}\r\n`
  }
  return `${out}a=ice-ufrag:${ufrag}\r\na=ice-pwd:${password.reveal()}\r\n`
}

function formatDtls({ fingerprints, setup }: Dtls): string {
  const lines = fingerprints.map((one) => `a=fingerprint:${one.algorithm} ${one.value}\r\n`)
  return `${lines.join('')}a=setup:${setup}\r\n`
}
