import { EventEmitter, once } from 'node:events'
import t, { type Test } from 'tap'
import type { NumberConfig, TrunkConfig } from '../../../src/config/types.ts'
import type { MediaEvent, MediaRelay, MediaSession } from '../../../src/media/index.ts'
import { parseAudio } from '../../../src/media/sdp/parse.ts'
import type { AudioDescription } from '../../../src/media/sdp/types.ts'
import { refusal } from '../../support/anchored-lab.ts'
import { numberConfig, trunkConfig } from '../../support/configs.ts'
import { codec, EVENTS, OPUS, PCMA, RtpPeer } from '../../support/rtp-peer.ts'
import { sdpFixture } from '../../support/sdp-fixtures.ts'
import { connect, PATIENCE, sdpOf, speak } from './speech.ts'
import { tones } from './tones.ts'

/** A relay under test. */
export interface Subject {
  relay: MediaRelay
  close(): Promise<void>
}

/** What a relay can do; what it cannot must be refused by its code. */
export interface Capabilities {
  /** Ends both legs at itself: other keys, numbers and addresses on each. */
  anchors: boolean
  /** Converts G.711 from and to Opus. */
  transcodes: boolean
  /**
   * Makes a stream of its own towards WhatsApp: fed from the moment it may, whether or not the PBX
   * speaks, and of one SSRC whatever the PBX sends.
   */
  feeds: boolean
  /** Sees packets: figures and events. */
  sees: boolean
  /** Tells of keypresses; as {@link sees} unless said. */
  keypresses?: boolean
}

const WHATSAPP_SHAPE: Partial<AudioDescription> = { mid: 'audio', bundle: true, maxptime: 20 }
const PBX_EVENTS = codec(101, 'telephone-event', 8000, undefined)
const G711 = { codecs: [PCMA, PBX_EVENTS] }

interface Stage {
  t: Test
  session: MediaSession
  relay: MediaRelay
  whatsapp: RtpPeer
  pbx: RtpPeer
  /** Resolves with the first event that fits, past or to come. */
  event(fits: (event: MediaEvent) => boolean): Promise<MediaEvent>
  /** Another peer, closed at the end. */
  peer(secure: boolean, seed: number): Promise<RtpPeer>
}

interface Scene {
  srtp?: TrunkConfig['media']['srtp']
  number?: NumberConfig['calling']
}

/** The behaviour every media relay owes, over real sockets on loopback. */
export function behaviour(name: string, can: Capabilities, start: () => Promise<Subject>): void {
  t.test(name, async (t) => {
    const subject = await start()
    t.teardown(() => subject.close())
    const scene = (
      title: string,
      play: (stage: Stage) => Promise<void>,
      { srtp = 'sdes', number = { srtp_key_exchange_protocol: 'SDES' } }: Scene = {},
    ): Promise<unknown> =>
      t.test(title, async (t) => {
        const peers: RtpPeer[] = []
        const peer = async (secure: boolean, seed: number): Promise<RtpPeer> => {
          const made = await RtpPeer.open({ secure, seed })
          peers.push(made)
          return made
        }
        const happened = new EventEmitter()
        const events: MediaEvent[] = []
        const event: Stage['event'] = async (fits) => {
          for (;;) {
            const found = events.find(fits)
            if (found) return found
            await once(happened, 'event', { signal: AbortSignal.timeout(PATIENCE) })
          }
        }
        const session = subject.relay.allocate({
          id: title,
          trunk: trunkConfig({
            targets: [{ ...trunkConfig().targets[0]!, host: '127.0.0.1' }],
            media: { srtp, codecs: ['opus', 'PCMA', 'PCMU'], dtmf: 'rfc4733' },
          }),
          number: numberConfig({ calling: number }),
          listener: (event) => {
            events.push(event)
            happened.emit('event')
          },
        })
        const whatsapp = await peer(true, 1)
        const pbx = await peer(srtp === 'sdes', 2)
        try {
          await play({ t, session, relay: subject.relay, whatsapp, pbx, event, peer })
        } finally {
          await session.release()
          await Promise.all(peers.map((one) => one.close()))
        }
      })

    await scene('user-initiated, SDES on both sides: heard both ways', async (stage) => {
      await userInitiated(stage)
      await conversation(stage)
      stage.t.match(stage.session.agreed, {
        codec: { whatsapp: 'opus', pbx: 'opus' },
        srtp: { whatsapp: 'AES_CM_128_HMAC_SHA1_80', pbx: 'AES_CM_128_HMAC_SHA1_80' },
      })
    })

    await scene('business-initiated, SDES on both sides: heard both ways', async (stage) => {
      await businessInitiated(stage)
      await conversation(stage)
    })

    await scene('hold and resume are answered, and the call is heard again', async (stage) => {
      const { t, session, pbx } = stage
      await businessInitiated(stage)
      await conversation(stage, 'before')
      const held = parseAudio(await session.reoffer(sdpOf(pbx, { direction: 'sendonly' }, 2)))
      t.equal(held.direction, 'recvonly')
      t.equal(
        parseAudio(await session.reoffer(sdpOf(pbx, { direction: 'inactive' }, 3))).direction,
        'inactive',
      )
      const again = await session.reoffer(sdpOf(pbx, {}, 4))
      t.equal(parseAudio(again).direction, 'sendrecv')
      t.equal(await session.reoffer(sdpOf(pbx, {}, 4)), again, 'a refresh changes nothing')
      await conversation(stage, 'after')
      if (can.feeds) oneStream(stage)
    })

    await scene('keypresses reach the PBX', async (stage) => {
      const { t, whatsapp, pbx, event } = stage
      const pbxSide = await userInitiated(stage)
      await conversation(stage)
      const number = pbxSide.codecs.find((one) => one.name === 'telephone-event')?.payloadType
      // RFC 4733 §2.3: event 5, end bit, volume 10, 160 ms, thrice (§2.5.1.4) with one timestamp.
      const { timestamp } = whatsapp
      const press = () =>
        whatsapp.say(
          Buffer.from([5, 0x8a, 5, 0]),
          { payloadType: EVENTS.payloadType, timestamp },
          0,
        )
      press()
      press()
      press()
      await pbx.hear(() => pbx.heard.some((one) => one.payloadType === number))
      const heard = pbx.heard.find((one) => one.payloadType === number)
      t.equal(heard?.payload[0], 5)
      if (can.keypresses ?? can.sees) {
        t.match(await event((one) => one.type === 'dtmf'), { leg: 'whatsapp', digit: '5' })
      }
    })

    await scene(
      'a plain PBX',
      async (stage) => {
        const { t, session, whatsapp, pbx } = stage
        if (!can.anchors) {
          const refused = session.offer('pbx', sdpOf(pbx))
          t.equal(await refusal(refused), 'MEDIA_NO_SRTP 488')
          return
        }
        await businessInitiated(stage)
        await conversation(stage)
        t.equal(session.agreed?.srtp.pbx, 'none')
        t.equal(whatsapp.refused, 0)
      },
      { srtp: 'none' },
    )

    await scene('a PBX with G.711 alone', async (stage) => {
      const { t, session, whatsapp, pbx } = stage
      if (!can.transcodes) {
        const refused = session.offer('pbx', sdpOf(pbx, G711))
        t.equal(await refusal(refused), 'MEDIA_NO_COMMON_CODEC 488')
        return
      }
      await businessInitiated(stage, G711)
      t.strictSame(session.agreed?.codec, { whatsapp: 'opus', pbx: 'PCMA' })
      const tone = Buffer.alloc(160, 0x55).map((_, at) => (at % 8 < 4 ? 0x2a : 0xaa))
      await speak(pbx, whatsapp, tone, {
        format: { payloadType: PCMA.payloadType },
        ticks: 160,
        enough: () =>
          whatsapp.heard.some(
            (one) => one.payloadType === OPUS.payloadType && one.payload.length > 20,
          ),
      })
      // An Opus frame of 20 ms without sound, as the other side has it (RFC 6716 §3.1).
      await speak(whatsapp, pbx, Buffer.from([0xf8, 0xff, 0xfe]), {
        enough: () =>
          pbx.heard.some(
            (one) => one.payloadType === PCMA.payloadType && one.payload.length === 160,
          ),
      })
      t.pass('converted both ways')
    })

    await scene('the PBX’s media moves to another address', async (stage) => {
      const { t, session, peer } = stage
      await businessInitiated(stage)
      await conversation(stage, 'before')
      const elsewhere = await peer(true, 3)
      const moved = session.reoffer(sdpOf(elsewhere, {}, 2))
      if (!can.anchors) {
        t.equal(await refusal(moved), 'MEDIA_RENEGOTIATION 488')
        await conversation(stage, 'still')
        return
      }
      connect(elsewhere, await moved)
      await conversation({ ...stage, pbx: elsewhere }, 'after')
      if (can.feeds) oneStream(stage)
    })

    await scene('an INVITE of the PBX without offer', async (stage) => {
      const { t, session, whatsapp, pbx } = stage
      const offer = session.offer('pbx', undefined)
      if (!can.anchors) {
        t.equal(await refusal(offer), 'MEDIA_NO_OFFER 488')
        return
      }
      connect(whatsapp, await offer)
      const toPbx = await session.answer('whatsapp', sdpOf(whatsapp, numbersOf(await offer)))
      const ours = connect(pbx, toPbx)
      await session.acknowledge(sdpOf(pbx, { ...numbersOf(toPbx), rtcpMux: ours.rtcpMux }))
      session.start()
      await conversation(stage)
    })

    await scene('WhatsApp is answered before the PBX', async (stage) => {
      const { t, session, whatsapp, pbx } = stage
      const offer = await session.offer('whatsapp', sdpOf(whatsapp, WHATSAPP_SHAPE))
      const alone = session.answerAlone()
      if (!can.anchors) {
        t.equal(await refusal(alone), 'MEDIA_NEEDS_RELAY 488')
        return
      }
      connect(whatsapp, await alone)
      session.start()
      if (can.feeds) await whatsapp.hear(3)
      connect(pbx, offer)
      const later = await session.answer('pbx', sdpOf(pbx, { ...numbersOf(offer), rtcpMux: false }))
      t.equal(later, await alone)
      await conversation(stage)
      if (can.feeds) oneStream(stage)
    })

    await scene('another dialog of the PBX takes over', async (stage) => {
      const { t, session, peer } = stage
      await businessInitiated(stage)
      await conversation(stage, 'before')
      const replacing = session.replace(undefined)
      if (!can.anchors) {
        t.equal(await refusal(replacing), 'MEDIA_NEEDS_RELAY 488')
        await conversation(stage, 'still')
        return
      }
      const next = await replacing
      const target = await peer(true, 4)
      const ours = connect(target, next.sdp)
      await next.commit(sdpOf(target, { ...numbersOf(next.sdp), rtcpMux: ours.rtcpMux }))
      await conversation({ ...stage, pbx: target }, 'after')
      if (can.feeds) oneStream(stage)
    })

    await scene('WhatsApp by DTLS-SRTP', async (stage) => {
      const { t, session, pbx } = stage
      const offer = session.offer('whatsapp', sdpFixture('whatsapp-dtls-offer'))
      if (!can.anchors) {
        t.equal(await refusal(offer), 'MEDIA_DTLS_WHATSAPP 488')
        return
      }
      const answer = await session.answer(
        'pbx',
        sdpOf(pbx, { ...numbersOf(await offer), rtcpMux: false }),
      )
      t.match(parseAudio(answer), {
        profile: 'UDP/TLS/RTP/SAVPF',
        mid: 'audio',
        bundle: true,
        rtcpMux: true,
        dtls: { setup: 'active', fingerprints: [{ algorithm: 'sha-256' }] },
        ice: { lite: false },
      })
      t.ok(parseAudio(answer).ice?.candidates.length, 'with candidates')
    })

    await scene('what cannot be taken is refused, and the call goes on', async (stage) => {
      const { t, session, pbx } = stage
      await businessInitiated(stage)
      const alien = { codecs: [codec(18, 'G729', 8000, undefined)] }
      const code = can.anchors ? 'MEDIA_NO_COMMON_CODEC 488' : 'MEDIA_RENEGOTIATION 488'
      t.equal(await refusal(session.reoffer(sdpOf(pbx, alien, 2))), code)
      t.equal(await refusal(session.reoffer('hello')), 'MEDIA_SDP_INVALID 488')
      t.equal(await refusal(session.answer('whatsapp', sdpOf(pbx))), 'MEDIA_STATE 491')
      await conversation(stage)
    })

    await scene('figures and events', async (stage) => {
      const { t, session, event } = stage
      t.equal(session.agreed, undefined)
      await businessInitiated(stage)
      await conversation(stage)
      const report = await session.query()
      if (!can.sees) {
        t.equal(report, undefined)
        t.equal(await session.release(), undefined)
        return
      }
      t.ok(report?.legs.whatsapp?.received.packets, 'from WhatsApp')
      t.ok(report?.legs.pbx?.received.packets, 'from the PBX')
      for (const leg of ['whatsapp', 'pbx']) {
        await event((one) => one.type === 'media-up' && one.leg === leg)
      }
      t.ok((await session.release())?.legs.pbx?.received.packets, 'the last figures')
    })

    await scene('a release frees everything, at any moment, once', async (stage) => {
      const { t, session, relay, whatsapp, pbx } = stage
      await userInitiated(stage)
      const { calls } = relay.status()
      await session.release()
      await session.release()
      t.equal(relay.status().calls, calls - 1)
      t.equal(await refusal(session.reoffer(sdpOf(pbx))), 'MEDIA_STATE 491')

      const hasty = relay.allocate({
        id: 'hasty',
        trunk: trunkConfig(),
        number: numberConfig(),
        listener: () => {},
      })
      const offer = hasty.offer('whatsapp', sdpOf(whatsapp, WHATSAPP_SHAPE)).catch(() => 'ended')
      await hasty.release()
      await offer
      t.equal(relay.status().calls, calls - 1)
    })

    if (can.transcodes) await tones(t, subject.relay, can.feeds)
    t.equal(subject.relay.status().calls, 0, 'no call is left')
    t.equal(subject.relay.status().ports?.used ?? 0, 0, 'no port is left')
  })
}

/** What an answer has to repeat of an offer: the first audio format and the events. */
function numbersOf(sdp: string): { codecs: AudioDescription['codecs'] } {
  const { codecs } = parseAudio(sdp)
  const opus = codecs.find((one) => one.name === 'opus')
  const events = codecs.find((one) => one.name === 'telephone-event')
  return { codecs: [opus, events].filter((one) => one !== undefined) }
}

/** WhatsApp calls, the PBX answers; gives what the PBX was offered. */
async function userInitiated({ session, whatsapp, pbx }: Stage): Promise<AudioDescription> {
  const offer = await session.offer('whatsapp', sdpOf(whatsapp, WHATSAPP_SHAPE))
  const ours = connect(pbx, offer)
  const answer = await session.answer(
    'pbx',
    sdpOf(pbx, { ...numbersOf(offer), rtcpMux: ours.rtcpMux }),
  )
  connect(whatsapp, answer)
  session.start()
  return ours
}

/** The PBX calls, WhatsApp answers. */
async function businessInitiated(
  { session, whatsapp, pbx }: Stage,
  changes: Partial<AudioDescription> = {},
): Promise<void> {
  const offer = await session.offer('pbx', sdpOf(pbx, changes))
  connect(whatsapp, offer)
  connect(
    pbx,
    await session.answer('whatsapp', sdpOf(whatsapp, { ...WHATSAPP_SHAPE, ...numbersOf(offer) })),
  )
  session.start()
}

/** Both are heard by the other; media up to then may be silence of the relay's own. */
async function conversation({ t, whatsapp, pbx }: Stage, when = 'hello'): Promise<void> {
  await Promise.all([
    speak(pbx, whatsapp, `from the PBX: ${when}`),
    speak(whatsapp, pbx, `from WhatsApp: ${when}`),
  ])
  t.equal(whatsapp.refused + pbx.refused, 0, `heard both ways: ${when}`)
}

/** WhatsApp has heard one SSRC for the whole call (dossier 6). */
function oneStream({ t, whatsapp }: Stage): void {
  t.equal(new Set(whatsapp.heard.map(({ ssrc }) => ssrc)).size, 1, 'one SSRC towards WhatsApp')
}
