import type { LegReport, StreamReport } from '../anchor/report.ts'
import { isDictionary, type NgDictionary, type NgValue } from './bencode.ts'

/** What a reply to `query` tells of a call's legs. Versions before 12 do not count what they send. */
export function readLegs(
  reply: NgDictionary,
  pbxTag: string,
): { whatsapp: LegReport | undefined; pbx: LegReport | undefined; transcoding: boolean } {
  const tags = dictionary(reply['tags'])
  const voices = dictionary(reply['SSRC'])
  const whatsapp = legOf(tags['whatsapp'], voices)
  const pbx = legOf(tags[pbxTag], voices)
  if (whatsapp && pbx) {
    // What one side sent went to the other, as far as these versions tell.
    if (!counts(tags['whatsapp'])) whatsapp.sent = pbx.received
    if (!counts(tags[pbxTag])) pbx.sent = whatsapp.received
  }
  const named = whatsapp?.codec !== undefined && pbx?.codec !== undefined
  return { whatsapp, pbx, transcoding: named && whatsapp.codec !== pbx.codec }
}

function counts(tag: NgValue | undefined): boolean {
  return 'stats_out' in streamIn(tag)
}

function mediaIn(tag: NgValue | undefined): NgDictionary {
  return dictionary(list(dictionary(tag)['medias'])[0])
}

function streamIn(tag: NgValue | undefined): NgDictionary {
  return dictionary(list(mediaIn(tag)['streams'])[0])
}

function legOf(tag: NgValue | undefined, voices: NgDictionary): LegReport | undefined {
  const media = mediaIn(tag)
  const stream = streamIn(tag)
  if (stream['local port'] === undefined) return undefined
  const stats = dictionary(stream['stats'])
  const endpoint = dictionary(stream['endpoint'])
  const flags = list(media['flags']).map(String)
  const protocol = String(media['protocol'] ?? '')
  const dtls = flags.includes('DTLS-SRTP')
  const mode = dtls ? 'dtls' : protocol.includes('SAVP') ? 'sdes' : 'none'
  const role = flags.find((flag) => flag.startsWith('DTLS role '))?.slice(10) ?? ''
  const suite = text(stream['crypto suite'])
  return {
    codec: text(media['codec'])?.split('/')[0],
    payloadType: undefined,
    ptimeReceived: undefined,
    srtp: { mode, suite },
    local: `${stream['local address']}:${stream['local port']}`,
    remote:
      endpoint['port'] === undefined ? undefined : `${endpoint['address']}:${endpoint['port']}`,
    ice: undefined,
    dtls: dtls ? { role, cipher: undefined, state: suite ? 'connected' : '' } : undefined,
    received: { ...streamOf(stats), ...qualityOf(stream, voices) },
    sent: streamOf(dictionary(stream['stats_out'])),
    rttMs: undefined,
    discarded: {
      auth: number(stats['errors']),
      replayed: 0,
      wrongSource: 0,
      wrongPayloadType: 0,
      malformed: 0,
    },
    silenceInserted: 0,
    held: !flags.includes('send'),
  }
}

/** What the remote's stream was like; rtpengine knows once both sides have sent reports (RTCP). */
function qualityOf(stream: NgDictionary, voices: NgDictionary): Partial<StreamReport> {
  const ingress = list(stream['ingress SSRCs'])
  const ssrc = stream['SSRC'] ?? dictionary(ingress[ingress.length - 1])['SSRC']
  const voice = dictionary(voices[String(ssrc)])
  const average = dictionary(voice['average MOS'])
  if (typeof average['MOS'] !== 'number') return {}
  return {
    lost: number(voice['cumulative loss']),
    lossRate: number(average['packet loss']) / 100,
    jitterMs: number(average['jitter']),
    mos: average['MOS'] / 10,
  }
}

function streamOf(stats: NgDictionary): StreamReport {
  return {
    packets: number(stats['packets']),
    octets: number(stats['bytes']),
    lost: 0,
    lossRate: 0,
    burstRate: 0,
    jitterMs: 0,
    reordered: 0,
    duplicates: 0,
    firstPacketAfterMs: undefined,
    longestGapMs: 0,
    mos: undefined,
  }
}

function dictionary(value: NgValue | undefined): NgDictionary {
  return isDictionary(value) ? value : {}
}

function list(value: NgValue | undefined): NgValue[] {
  return Array.isArray(value) ? value : []
}

function number(value: NgValue | undefined): number {
  return typeof value === 'number' ? value : 0
}

function text(value: NgValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
