import type { CodecName, RemoteAudio } from './sdp.ts'
import { SUITE } from './sdp.ts'
import { isKey } from './srtp.ts'

/** What the number's settings allow on its WhatsApp leg. */
export interface MediaPolicy {
  srtp: 'DTLS' | 'SDES'
  /** G.711 laws enabled beside Opus. */
  codecs: readonly ('PCMA' | 'PCMU')[]
}

/** The outcome of looking at a business SDP. */
export interface SdpFindings {
  /** Text of the refusal; undefined when the call can go on. */
  refusal: string | undefined
  /** Rules broken that WhatsApp tolerates or that damage the call later. */
  violations: string[]
}

/**
 * Judges a business offer or answer by WhatsApp's rules: one m=audio, Opus or enabled G.711, 20 ms,
 * a fingerprint under DTLS, a crypto line under SDES, telephone-event at 8000 Hz.
 */
export function judgeSdp(
  remote: RemoteAudio | undefined,
  policy: MediaPolicy,
  role: 'offer' | 'answer',
): SdpFindings {
  const violations: string[] = []
  const refuse = (refusal: string): SdpFindings => ({ refusal, violations })
  if (!remote) return refuse('SDP Validation error: No audio media found in SDP')
  if (remote.mediaCount !== 1)
    return refuse('SDP Validation error: More than one media line in SDP')
  if (remote.port === 0) return refuse('SDP Validation error: Audio media rejected in SDP')
  const codecs = new Set<string>(['opus', ...policy.codecs])
  if (!remote.formats.some((format) => codecs.has(format.name))) {
    return refuse('SDP Validation error: No supported audio codec found in SDP')
  }
  if (remote.ptime !== undefined && remote.ptime !== 20) {
    violations.push(`ptime is ${remote.ptime}, not 20`)
    return refuse('SDP Validation error: Unsupported ptime in SDP')
  }
  const opus = remote.formats.find((format) => format.name === 'opus')
  if (opus && opus.rate !== 48000) violations.push(`Opus at ${opus.rate} Hz, not 48000`)
  if (remote.telephoneEventAt48k) violations.push('telephone-event/48000 is unsupported')
  if (remote.direction !== 'sendrecv') violations.push(`audio is ${remote.direction}`)
  return policy.srtp === 'DTLS'
    ? judgeDtls(remote, violations, role)
    : judgeSdes(remote, violations, role)
}

function judgeDtls(
  remote: RemoteAudio,
  violations: string[],
  role: 'offer' | 'answer',
): SdpFindings {
  if (remote.fingerprints.length === 0) {
    return { refusal: 'No fingerprint found in SDP', violations }
  }
  // The text is not published; without credentials no check can be authenticated.
  if (!remote.ice) {
    return { refusal: 'SDP Validation error: No ICE credentials found in SDP', violations }
  }
  if (!remote.profile.startsWith('UDP/TLS/')) {
    violations.push(`profile ${remote.profile} under DTLS`)
  }
  if (!remote.rtcpMux) violations.push('no rtcp-mux under DTLS')
  const { setup } = remote
  if (role === 'answer' && setup !== 'active') {
    violations.push(`a=setup:${setup ?? 'none'} answers actpass: WhatsApp starts no handshake`)
  }
  if (role === 'offer' && setup !== 'actpass') {
    violations.push(`a=setup:${setup ?? 'none'} in an offer (RFC 5763 §5 wants actpass)`)
  }
  return { refusal: undefined, violations }
}

function judgeSdes(
  remote: RemoteAudio,
  violations: string[],
  role: 'offer' | 'answer',
): SdpFindings {
  const usable = remote.cryptos.find((line) => line.suite === SUITE && isKey(line.key))
  if (!usable || !remote.profile.startsWith('RTP/SAVP')) {
    return {
      refusal: 'SDP Validation error: No supported crypto attribute found in SDP',
      violations,
    }
  }
  if (remote.cryptos.length > 1) violations.push(`${remote.cryptos.length} crypto lines, not one`)
  if (usable.extra) violations.push('crypto line with lifetime, MKI or session parameters')
  if (role === 'answer' && usable.tag !== 1) {
    violations.push(`crypto tag ${usable.tag} answers an offer of tag 1`)
  }
  return { refusal: undefined, violations }
}

/** The formats both sides speak, in the order of `remote`, ours by name. */
export function commonFormats(
  remote: RemoteAudio,
  ours: readonly CodecName[],
): { name: CodecName; payloadType: number }[] {
  const common: { name: CodecName; payloadType: number }[] = []
  for (const { name, payloadType } of remote.formats) {
    const codec = ours.find((own) => own === name)
    if (codec && !common.some((format) => format.name === codec)) {
      common.push({ name: codec, payloadType })
    }
  }
  return common
}
