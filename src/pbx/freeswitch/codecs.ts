const NAMES: Readonly<Record<string, string>> = {
  opus: 'OPUS@48000h@20i',
  PCMA: 'PCMA@20i',
  PCMU: 'PCMU@20i',
  G722: 'G722@20i',
}

/** A codec string of FreeSWITCH, with the 20 ms WhatsApp demands. */
export function codecString(codecs: readonly string[]): string {
  return codecs.map((codec) => NAMES[codec] ?? codec).join(',')
}

/** Variables that ask for the protection of the media on a leg: `name=value` each. */
export function mediaVariables(
  srtp: 'none' | 'sdes' | 'dtls',
  leg: 'inbound' | 'outbound',
): string[] {
  if (srtp === 'sdes') {
    const name = leg === 'inbound' ? 'rtp_secure_media_inbound' : 'rtp_secure_media'
    return [`${name}=mandatory:AES_CM_128_HMAC_SHA1_80`]
  }
  // An offer with DTLS-SRTP and ICE is recognised by itself.
  return srtp === 'dtls' && leg === 'outbound' ? ['media_webrtc=true'] : []
}

/** The way keypresses travel. */
export function dtmfVariable(dtmf: 'rfc4733' | 'info'): string {
  return `dtmf_type=${dtmf === 'info' ? 'info' : 'rfc2833'}`
}
