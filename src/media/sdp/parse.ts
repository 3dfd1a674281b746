import { isIP } from 'node:net'
import { type MediaDescription, parse, type SessionDescription } from 'sdp-transform'
import { CausewayError } from '../../shared/errors/index.ts'
import { parseCrypto } from './crypto.ts'
import { parseDtls, parseIce } from './transport.ts'
import type { AudioDescription, Codec, Direction } from './types.ts'

/** Static payload types of RFC 3551 §6 that a telephone call meets without an rtpmap. */
const STATIC: Record<number, { name: string; clockRate: number }> = {
  0: { name: 'PCMU', clockRate: 8000 },
  3: { name: 'GSM', clockRate: 8000 },
  8: { name: 'PCMA', clockRate: 8000 },
  9: { name: 'G722', clockRate: 8000 },
  18: { name: 'G729', clockRate: 8000 },
}

const DIRECTIONS: readonly string[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive']

/**
 * Reads an SDP body into the one audio description a call needs. The first audio line that is not
 * refused (port 0) counts; all other lines are kept in {@link AudioDescription.others}.
 *
 * @throws CausewayError `MEDIA_SDP_INVALID` for text that is no SDP, `MEDIA_NO_AUDIO` without a
 * usable audio line
 */
export function parseAudio(text: string): AudioDescription {
  if (!/^v=0\r?$/m.test(text))
    throw new CausewayError('MEDIA_SDP_INVALID', { detail: 'no v=0 line' })
  let session: SessionDescription
  try {
    session = parse(text)
  } catch (cause) {
    throw new CausewayError('MEDIA_SDP_INVALID', { cause })
  }
  const index = session.media.findIndex((line) => line.type === 'audio' && line.port !== 0)
  const media = session.media[index]
  if (!media) throw new CausewayError('MEDIA_NO_AUDIO', { detail: describeLines(session) })

  const others = session.media
    .filter((_, at) => at !== index)
    .map((line) => ({
      type: String(line.type),
      protocol: String(line.protocol),
      formats: String(line.payloads ?? '0'),
    }))
  return {
    ...connectionOf(media, session),
    port: portOf(media),
    rtcp: rtcpOf(media),
    profile: String(media.protocol),
    direction: directionOf(media, session),
    codecs: codecsOf(media),
    ptime: milliseconds(media.ptime),
    maxptime: milliseconds(media.maxptime),
    crypto: (media.crypto ?? []).map(parseCrypto),
    dtls: parseDtls(text, index, media.setup ?? session.setup),
    ice: parseIce(media, session),
    rtcpMux: media.rtcpMux !== undefined,
    mid: media.mid === undefined ? undefined : String(media.mid),
    bundle: (session.groups ?? []).some((group) => group.type === 'BUNDLE'),
    index,
    others,
  }
}

/** sdp-transform gives text where digits are missing, and numbers where text is all digits. */
function portOf({ port }: MediaDescription): number {
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new CausewayError('MEDIA_SDP_INVALID', { detail: `port ${port}` })
}

function milliseconds(value: unknown): number | undefined {
  const number = Number(value)
  return number > 0 ? number : undefined
}

function connectionOf(
  media: MediaDescription,
  session: SessionDescription,
): Pick<AudioDescription, 'address' | 'family'> {
  const connection = media.connection ?? session.connection
  if (!connection) throw new CausewayError('MEDIA_SDP_INVALID', { detail: 'no c= line' })
  // A TTL or count after a slash belongs to multicast (RFC 8866 §5.7) and is not part of the address.
  const address = String(connection.ip).split('/')[0]!
  const family = isIP(address)
  if (family === 4 || family === 6) return { address, family }
  throw new CausewayError('MEDIA_SDP_INVALID', { detail: `c= line with ${address}` })
}

function directionOf(media: MediaDescription, session: SessionDescription): Direction {
  const value = media.direction ?? session.direction ?? 'sendrecv'
  return DIRECTIONS.includes(value) ? (value as Direction) : 'sendrecv'
}

/** Port 9 is the placeholder of a browser, and of WhatsApp (RFC 8840 §4.1.1), and says nothing. */
function rtcpOf({ rtcp }: MediaDescription): AudioDescription['rtcp'] {
  if (!rtcp || rtcp.port === 9 || !(rtcp.port > 0 && rtcp.port < 65_536)) return undefined
  const address = isIP(String(rtcp.address ?? '')) ? String(rtcp.address) : undefined
  return { port: rtcp.port, address }
}

function codecsOf(media: MediaDescription): Codec[] {
  const codecs: Codec[] = []
  for (const text of String(media.payloads ?? '').split(' ')) {
    const payloadType = Number(text)
    if (text === '' || !Number.isInteger(payloadType) || payloadType > 127) continue
    const rtpmap = media.rtp.find((line) => line.payload === payloadType)
    const known = rtpmap
      ? { name: String(rtpmap.codec), clockRate: Number(rtpmap.rate) }
      : STATIC[payloadType]
    // A dynamic payload type without an rtpmap says nothing (RFC 3264 §5.1); leave it out.
    if (!known) continue
    codecs.push({
      payloadType,
      name: known.name,
      clockRate: known.clockRate,
      channels: rtpmap?.encoding === undefined ? undefined : Number(rtpmap.encoding),
      fmtp: parametersOf(media, payloadType),
    })
  }
  return codecs
}

function parametersOf(media: MediaDescription, payloadType: number): string | undefined {
  const line = media.fmtp.find((one) => one.payload === payloadType)
  return line && String(line.config)
}

function describeLines(session: SessionDescription): string {
  const lines = session.media.map((line) => `m=${line.type} ${line.port}`)
  return lines.length > 0 ? `found ${lines.join(', ')}` : 'found no m= line'
}
