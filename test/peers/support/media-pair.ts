import type { MediaEvent, MediaRelay, MediaSession } from '../../../src/media/index.ts'
import { systemClock } from '../../../src/shared/clock.ts'
import { systemRandom } from '../../../src/shared/random.ts'
import { MediaEndpoint, type MediaEndpointOptions } from '../../../src/simulator/media/index.ts'
import { numberConfig, trunkConfig } from '../../support/configs.ts'
import type { FarEnd } from './far-end.ts'
import { until } from './until.ts'

/** A call through a relay, without SIP. */
export interface PairOptions {
  relay: MediaRelay
  /** Who offers first. */
  from: 'whatsapp' | 'pbx'
  whatsapp: 'SDES' | 'DTLS'
  srtp: 'none' | 'sdes' | 'dtls'
  codec: 'opus' | 'PCMA'
  /** Codecs of the trunk. Default Opus and PCMA. */
  codecs?: string[]
  /** Speaks for the PBX. */
  far?: FarEnd | undefined
}

/** A call that is up: a WhatsApp side that holds the relay to its rules, and a PBX. */
export interface Pair {
  session: MediaSession
  whatsapp: MediaEndpoint
  pbx: MediaEndpoint
  events: MediaEvent[]
  /** WhatsApp's rules that were broken. */
  broken: string[]
  /** Each side hears half a second more of the other's tone than it had. */
  heard(): Promise<void>
  close(): Promise<void>
}

/** What each side says, in Hz. */
export const TONES = { whatsapp: 440, pbx: 1000 }

const TRUNK = trunkConfig().targets[0]!
let calls = 0

/** Connects a call; packets flow when it resolves. */
export async function connectPair(options: PairOptions): Promise<Pair> {
  const { relay, from, far, codec } = options
  const broken: string[] = []
  const events: MediaEvent[] = []
  const open = (own: Partial<MediaEndpointOptions> & Pick<MediaEndpointOptions, 'dialect'>) =>
    MediaEndpoint.open({
      clock: systemClock,
      random: systemRandom,
      address: '127.0.0.1',
      profile: 'RTP/AVP',
      codecs: ['opus'],
      tone: { frequency: TONES[own.dialect], level: -16 },
      waits: false,
      ...own,
    })
  const whatsapp = await open({
    dialect: 'whatsapp',
    profile: options.whatsapp === 'SDES' ? 'RTP/SAVP' : 'UDP/TLS/RTP/SAVPF',
    waits: true,
    // How soon is asked elsewhere: a loaded machine is late.
    promises: { firstPacket: 5000, broken: (rule, detail) => broken.push(`${rule}: ${detail}`) },
  })
  const pbx = await open({
    dialect: 'pbx',
    profile: options.srtp === 'sdes' ? 'RTP/SAVP' : 'RTP/AVP',
    codecs: [codec],
    payloadTypes: { opus: 111, telephoneEvent: 126 },
  })
  const session = relay.allocate({
    id: `pair-${calls++}-${Date.now()}`,
    trunk: trunkConfig({
      targets: [{ ...TRUNK, host: '127.0.0.1' }],
      media: { srtp: options.srtp, codecs: options.codecs ?? ['opus', 'PCMA'], dtmf: 'rfc4733' },
    }),
    number: numberConfig({ calling: { srtp_key_exchange_protocol: options.whatsapp } }),
    listener: (event) => events.push(event),
  })
  const close = async (): Promise<void> => {
    await session.release()
    whatsapp.close()
    pbx.close()
    await far?.close()
  }
  try {
    if (from === 'whatsapp') {
      const offer = await session.offer('whatsapp', whatsapp.offer())
      const answer = await pbx.answer(far ? await far.offered(offer) : offer)
      await whatsapp.complete(await session.answer('pbx', far ? await far.answer(answer) : answer))
    } else {
      const offer = await session.offer('pbx', far ? await far.offer(pbx.offer()) : pbx.offer())
      const answer = await session.answer('whatsapp', await whatsapp.answer(offer))
      await pbx.complete(far ? await far.completed(answer) : answer)
    }
  } catch (error) {
    await close()
    throw error
  }
  session.start()
  pbx.start()
  whatsapp.start()
  return {
    session,
    whatsapp,
    pbx,
    events,
    broken,
    async heard() {
      const ms = (): number[] => [toneAt(whatsapp, TONES.pbx), toneAt(pbx, TONES.whatsapp)]
      const before = ms()
      await until('both sides hear the other', () =>
        ms().every((now, side) => now >= before[side]! + 500),
      )
    },
    close,
  }
}

/** Milliseconds of a tone an endpoint has heard. */
export function toneAt(endpoint: MediaEndpoint, frequency: number): number {
  const { tones = [] } = endpoint.verdict().received
  return tones.find((tone) => Math.abs(tone.frequency - frequency) < 20)?.ms ?? 0
}
