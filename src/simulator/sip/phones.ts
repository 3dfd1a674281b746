import type { Clock } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'
import {
  type CodecName,
  type DtlsCertificate,
  MediaEndpoint,
  makeDtlsCertificate,
  type PromiseRule,
  StallMeter,
} from '../media/index.ts'
import type { SipTrunkView } from '../store.ts'
import type { Behaviour } from './behaviour.ts'

/** Media of the consumers' phones, or rather of the relay in front of them. */
export interface PhoneOptions {
  /** Address of the RTP sockets. Default 127.0.0.1. */
  address?: string
  /** Address in SDP, when it differs. */
  advertise?: string
  /** Ports tried first; WhatsApp's are 3478 3480 3482 3484 40012. */
  ports?: readonly number[]
  /** The consumer's voice. Default 440 Hz at -16 dB. */
  tone?: { frequency: number; level: number }
  /** Milliseconds the system under test has stood still lately for want of a processor. Default 0. */
  stalled?: () => number
  /** Recognise what is heard. Default true; false counts only, for load. */
  analyse?: boolean
}

/** Called the first time the business breaks a rule of the media path. */
export type Broken = (rule: PromiseRule | 'dtls', detail: string) => void

/** Opens the media of one call as the number's settings and the behaviour of the moment have it. */
export function createPhones(options: {
  clock: Clock
  random: Random
  media: PhoneOptions
  behaviour: Readonly<Behaviour>
}): (server: SipTrunkView, broken: Broken) => Promise<MediaEndpoint> {
  const { clock, random, media, behaviour } = options
  const stalls = new StallMeter(clock)
  let certificate: DtlsCertificate | undefined
  return (server, broken) => {
    const dtls = server.srtp === 'DTLS'
    if (dtls) certificate ??= makeDtlsCertificate({ clock, random })
    return MediaEndpoint.open({
      clock,
      random,
      dialect: 'whatsapp',
      profile: dtls ? 'UDP/TLS/RTP/SAVPF' : 'RTP/SAVP',
      address: media.address ?? '127.0.0.1',
      ...(media.advertise ? { advertise: media.advertise } : {}),
      ...(media.ports ? { ports: media.ports } : {}),
      codecs: codecsOf(server, behaviour),
      tone: media.tone ?? { frequency: 440, level: -16 },
      waits: true,
      analyse: media.analyse ?? true,
      dtlsRole: behaviour.dtlsRole,
      dtlsDelay: behaviour.dtlsDelay,
      ...(certificate ? { certificate } : {}),
      loss: behaviour.loss,
      promises: {
        firstPacket: behaviour.firstPacket,
        ahead: behaviour.ahead,
        broken,
        stalled: () => Math.max(stalls.lately(), media.stalled?.() ?? 0),
      },
    })
  }
}

/** Codecs of a number's WhatsApp leg: Opus always, G.711 as enabled; their order is not known. */
function codecsOf({ codecs }: SipTrunkView, { codecOrder }: Readonly<Behaviour>): CodecName[] {
  return codecOrder === 'g711-first' ? [...codecs, 'opus'] : ['opus', ...codecs]
}
