import type { Test } from 'tap'
import type { CallingConfig } from '../../../src/config/types.ts'
import type { MediaRelay, MediaSession } from '../../../src/media/index.ts'
import { systemClock } from '../../../src/shared/clock.ts'
import { systemRandom } from '../../../src/shared/random.ts'
import { MediaEndpoint, type MediaEndpointOptions } from '../../../src/simulator/media/index.ts'
import { numberConfig, trunkConfig } from '../../support/configs.ts'

type Change = Partial<MediaEndpointOptions>

/** What WhatsApp and the PBX hear of each other, Hz. */
const WHATSAPP_TONE = 440
const PBX_TONE = 880
/** Milliseconds until both must have heard half a second of tone. */
const PATIENCE = 8000

function open(change: Change): Promise<MediaEndpoint> {
  return MediaEndpoint.open({
    clock: systemClock,
    random: systemRandom,
    dialect: 'pbx',
    profile: 'RTP/AVP',
    address: '127.0.0.1',
    codecs: ['opus'],
    tone: { frequency: PBX_TONE, level: -12 },
    waits: false,
    ...change,
  })
}

interface Case {
  title: string
  from: 'whatsapp' | 'pbx'
  whatsapp: Change & { profile: MediaEndpointOptions['profile'] }
  pbx?: Change
}

const DTLS = { profile: 'UDP/TLS/RTP/SAVPF' } as const
const SDES = { profile: 'RTP/SAVP' } as const

const cases: Case[] = [
  { title: 'WhatsApp by DTLS calls a plain PBX', from: 'whatsapp', whatsapp: DTLS },
  { title: 'a plain PBX calls WhatsApp by DTLS, passive', from: 'pbx', whatsapp: DTLS },
  {
    title: 'a plain PBX calls WhatsApp by DTLS, active',
    from: 'pbx',
    whatsapp: { ...DTLS, dtlsRole: 'active' },
  },
  {
    title: 'WhatsApp calls a PBX that has G.711 alone',
    from: 'whatsapp',
    whatsapp: SDES,
    pbx: { codecs: ['PCMA'] },
  },
  {
    title: 'a PBX with G.711 of 30 ms calls WhatsApp',
    from: 'pbx',
    whatsapp: SDES,
    pbx: { codecs: ['PCMU'], ptime: 30 },
  },
]

/**
 * Tones through an anchor between simulated ends, DTLS and conversion included.
 *
 * @param strict whether every packet must be one the ends can use, from the first
 */
export async function tones(t: Test, relay: MediaRelay, strict: boolean): Promise<void> {
  for (const { title, from, whatsapp: whatsappChange, pbx: pbxChange = {} } of cases) {
    await t.test(title, async (t) => {
      const whatsapp = await open({
        dialect: 'whatsapp',
        tone: { frequency: WHATSAPP_TONE, level: -12 },
        waits: true,
        ...whatsappChange,
      })
      const pbx = await open(pbxChange)
      const session = allocate(relay, title, whatsappChange.profile)
      try {
        if (from === 'whatsapp') await connect(session, from, whatsapp, pbx)
        else await connect(session, from, pbx, whatsapp)
        session.start()
        whatsapp.start()
        pbx.start()
        await heard(whatsapp, pbx)
        const [atWhatsApp, atPbx] = [whatsapp.verdict(), pbx.verdict()]
        t.equal(atWhatsApp.received.tone?.frequency, PBX_TONE, 'WhatsApp hears the PBX')
        t.equal(atPbx.received.tone?.frequency, WHATSAPP_TONE, 'the PBX hears WhatsApp')
        if (strict) t.equal(atWhatsApp.rejected + atPbx.rejected, 0, 'nothing but RTP')
      } finally {
        whatsapp.close()
        pbx.close()
        await session.release()
      }
    })
  }
}

function allocate(relay: MediaRelay, id: string, profile: string): MediaSession {
  const protocol: CallingConfig['srtp_key_exchange_protocol'] =
    profile === SDES.profile ? 'SDES' : 'DTLS'
  return relay.allocate({
    id,
    trunk: trunkConfig({
      targets: [{ ...trunkConfig().targets[0]!, host: '127.0.0.1' }],
      media: { srtp: 'none', codecs: ['opus', 'PCMA', 'PCMU'], dtmf: 'rfc4733' },
    }),
    number: numberConfig({ calling: { srtp_key_exchange_protocol: protocol } }),
    listener: () => {},
  })
}

async function connect(
  session: MediaSession,
  from: 'whatsapp' | 'pbx',
  caller: MediaEndpoint,
  callee: MediaEndpoint,
): Promise<void> {
  const offer = await session.offer(from, caller.offer())
  const answer = await callee.answer(offer)
  await caller.complete(await session.answer(from === 'pbx' ? 'whatsapp' : 'pbx', answer))
}

/** Resolves when both hear a tone, or patience has ended. */
async function heard(...ends: MediaEndpoint[]): Promise<void> {
  const deadline = performance.now() + PATIENCE
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const all = ends.every((end) => end.verdict().heard)
      if (!all && performance.now() < deadline) return
      clearInterval(timer)
      resolve()
    }, 50)
  })
}
