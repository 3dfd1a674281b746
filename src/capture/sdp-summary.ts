import { parse } from 'sdp-transform'

/** Codecs of static payload types (RFC 3551 §6). */
const STATIC: Record<string, string> = { 0: 'PCMU', 3: 'GSM', 8: 'PCMA', 9: 'G722', 18: 'G729' }
const DIRECTION = /^a=(sendrecv|sendonly|recvonly|inactive)[ \t]*$/m

/**
 * An SDP in a few words: `opus PCMA, SDES, sendrecv`. Undefined for what is no SDP with audio; never
 * throws.
 */
export function sdpSummary(body: string): string | undefined {
  if (!/^v=0/.test(body)) return undefined
  try {
    const { media } = parse(body)
    const audio = media.find(({ type }) => type === 'audio')
    if (!audio) return undefined
    if (audio.port === 0) return 'audio refused'
    const names = new Map(audio.rtp.map(({ payload, codec }) => [String(payload), codec]))
    const codecs = String(audio.payloads ?? '')
      .split(' ')
      .flatMap((type) => names.get(type) ?? STATIC[type] ?? [])
      .filter((name) => !/^(?:telephone-event|CN)$/i.test(name))
    return [[...new Set(codecs)].join(' ') || 'no codec', keying(body), direction(body)].join(', ')
  } catch {
    return undefined
  }
}

function keying(body: string): string {
  if (/^a=crypto:/m.test(body)) return 'SDES'
  return /^m=audio \S+ \S*TLS/m.test(body) || /^a=fingerprint:/m.test(body) ? 'DTLS' : 'RTP'
}

/** RFC 8866 §6.7: sendrecv unless it is said. */
function direction(body: string): string {
  return DIRECTION.exec(body)?.[1] ?? 'sendrecv'
}
