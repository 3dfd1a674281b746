/** Lines joined as SDP wants them. */
const lines = (...all: string[]): string => `${all.join('\r\n')}\r\n`

const KEY_META = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd'
const KEY_PBX = 'HRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEA'

/** WhatsApp's SDES description (dossier 7.3); `codecs` are the payload numbers of opus and DTMF. */
export function metaSdp(opus = 111, dtmf = 126): string {
  return lines(
    'v=0',
    'o=- 1789000000123 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE audio',
    'a=msid-semantic: WMS 3b6f1d52-6b0e-4f5e-9a77-0d2f6f6b1a01',
    `m=audio 3480 RTP/SAVP ${opus} ${dtmf}`,
    'c=IN IP4 198.51.100.130',
    'a=rtcp:9 IN IP4 0.0.0.0',
    'a=mid:audio',
    'a=sendrecv',
    'a=msid:3b6f1d52-6b0e-4f5e-9a77-0d2f6f6b1a01 WhatsAppTrack1',
    'a=rtcp-mux',
    `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY_META}`,
    `a=rtpmap:${opus} opus/48000/2`,
    `a=fmtp:${opus} maxaveragebitrate=20000;maxplaybackrate=16000;minptime=20;sprop-maxcapturerate=16000;useinbandfec=1`,
    `a=rtpmap:${dtmf} telephone-event/8000`,
    'a=maxptime:20',
    'a=ptime:20',
    'a=ssrc:1615009994 cname:WhatsAppAudioStream1',
  )
}

/** The PBX's SDES description. */
export function pbxSdp(
  options: {
    opus?: number
    dtmf?: number
    port?: number
    direction?: string
    version?: number
  } = {},
): string {
  const { opus = 107, dtmf = 101, port = 19534, direction = 'sendrecv', version = 1 } = options
  return lines(
    'v=0',
    `o=pbx 4611 ${version} IN IP4 192.0.2.77`,
    's=call',
    'c=IN IP4 192.0.2.77',
    't=0 0',
    `m=audio ${port} RTP/SAVP ${opus} ${dtmf}`,
    `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY_PBX}`,
    `a=rtpmap:${opus} opus/48000/2`,
    `a=fmtp:${opus} useinbandfec=1`,
    `a=rtpmap:${dtmf} telephone-event/8000`,
    `a=fmtp:${dtmf} 0-16`,
    'a=ptime:20',
    `a=${direction}`,
  )
}
