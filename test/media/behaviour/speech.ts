import type { LegTransport } from '../../../src/media/anchor/types.ts'
import { formatAudio } from '../../../src/media/sdp/format.ts'
import { parseAudio } from '../../../src/media/sdp/parse.ts'
import type { AudioDescription } from '../../../src/media/sdp/types.ts'
import type { RtpPeer, Said } from '../../support/rtp-peer.ts'

/** Milliseconds between the packets of a speaker. */
const PACE = 20
/** Milliseconds after which what should have happened on loopback has not. */
export const PATIENCE = 5000

/** A peer's end as SDP text; `version` counts its offers. */
export function sdpOf(peer: RtpPeer, changes: Partial<AudioDescription> = {}, version = 1): string {
  return formatAudio(peer.describe(changes), { sessionId: String(peer.port), version })
}

/** Lets a peer send to what a description names, with the keys in it. */
export function connect(peer: RtpPeer, sdp: string): AudioDescription {
  const audio = parseAudio(sdp)
  const transport: LegTransport = {
    address: audio.address,
    family: audio.family,
    port: audio.port,
    rtcpPort: undefined,
    rtcpMux: audio.rtcpMux,
    crypto: audio.crypto,
    dtls: undefined,
    ice: undefined,
    ssrc: undefined,
    cname: '',
  }
  peer.connect(transport)
  return audio
}

/**
 * Speaks in the pace of a telephone until the words, or whatever `enough` says, are heard at the
 * other end.
 */
export async function speak(
  from: RtpPeer,
  to: RtpPeer,
  words: string | Uint8Array,
  how: { format?: Partial<Said>; ticks?: number; enough?: () => boolean } = {},
): Promise<void> {
  const payload = typeof words === 'string' ? Buffer.from(words) : Buffer.from(words)
  const enough = how.enough ?? (() => to.heard.some((one) => one.payload.equals(payload)))
  const timer = setInterval(() => from.say(payload, how.format, how.ticks), PACE)
  let late: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new Error(`not heard: ${payload.toString()}`)), PATIENCE)
  })
  try {
    await Promise.race([to.hear(enough), deadline])
  } finally {
    clearInterval(timer)
    clearTimeout(late)
  }
}
