import t from 'tap'
import { createAnchoredRelay, type MediaRelay } from '../../src/media/index.ts'
import { NgClient } from '../../src/media/rtpengine/client.ts'
import { createRtpengineRelay } from '../../src/media/rtpengine/index.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { systemRandom } from '../../src/shared/random.ts'
import { behaviour } from '../media/behaviour/suite.ts'
import { FarEnd } from './support/far-end.ts'
import { connectPair, toneAt } from './support/media-pair.ts'
import { type Rtpengine, startRtpengine } from './support/rtpengine.ts'
import { until } from './support/until.ts'

const common = { random: systemRandom, log: silentLogger() }

async function relayOver(engines: readonly Rtpengine[]): Promise<MediaRelay> {
  const anchor = await createRtpengineRelay({
    addresses: engines.map(({ ngPort }) => `udp://127.0.0.1:${ngPort}`),
    clock: systemClock,
    ...common,
  })
  return createAnchoredRelay({ kind: 'rtpengine', anchor, ...common })
}

behaviour(
  'rtpengine',
  { anchors: true, transcodes: true, feeds: false, sees: true, keypresses: false },
  async () => {
    const engines = [await startRtpengine(), await startRtpengine()]
    const relay = await relayOver(engines)
    return {
      relay,
      async close() {
        await relay.close()
        for (const engine of engines) await engine.stop()
      },
    }
  },
)

const engine = await startRtpengine()
const remote = await startRtpengine()
const relay = await relayOver([engine])
t.setTimeout(90_000)
t.teardown(async () => {
  await relay.close()
  await remote.stop()
  await engine.stop()
})

/** Protection of both legs; a PBX with DTLS has ICE or not. */
const legs = [
  { srtp: 'none', ice: undefined },
  { srtp: 'sdes', ice: undefined },
  { srtp: 'dtls', ice: 'full' },
  { srtp: 'dtls', ice: 'none' },
] as const

for (const whatsapp of ['SDES', 'DTLS'] as const) {
  for (const { srtp, ice } of legs) {
    const name = `WhatsApp ${whatsapp}, PBX ${srtp}${ice === 'none' ? ' without ICE' : ''}`
    t.test(`${name}: calls both ways, passed through and converted`, async (t) => {
      // An rtpengine without ICE, as the answerer, begins DTLS before it has answered: no PBX does.
      const sides = ice === 'none' ? (['pbx'] as const) : (['whatsapp', 'pbx'] as const)
      const kinds = sides.flatMap((from) =>
        (['opus', 'PCMA'] as const).map((codec) => ({ from, codec })),
      )
      await Promise.all(
        kinds.map(async ({ from, codec }) => {
          const call = `from ${from}, ${codec}`
          const far = ice && new FarEnd(remote.ngPort, `${name} ${call}`, { ice })
          const pair = await connectPair({ relay, from, whatsapp, srtp, codec, far })
          const { session, pbx } = pair
          try {
            await pair.heard()
            const before = await session.query()
            t.match(before?.legs, {
              whatsapp: { srtp: { mode: whatsapp.toLowerCase() } },
              pbx: { srtp: { mode: srtp } },
            })
            if (!far) {
              for (const direction of ['sendonly', 'inactive'] as const) {
                await pbx.complete(await session.reoffer(pbx.reoffer({ direction })))
              }
              await pbx.move()
              await pbx.complete(await session.reoffer(pbx.reoffer({ direction: 'sendrecv' })))
              await pair.heard()
              const after = await session.query()
              t.equal(after?.legs.whatsapp?.local, before?.legs.whatsapp?.local, `${call}: port`)
            }
            t.same(pair.broken, [], `${call}: WhatsApp's rules were kept`)
          } finally {
            await pair.close()
          }
        }),
      )
    })
  }
}

for (const from of ['whatsapp', 'pbx'] as const) {
  t.test(`G.722 is converted, ${from} calls`, async (t) => {
    const far = new FarEnd(remote.ngPort, `G722 ${from}`, { ice: 'plain', codec: 'G722' })
    const legs = { whatsapp: 'SDES', srtp: 'none', codec: 'PCMA' } as const
    const pair = await connectPair({ relay, from, far, ...legs, codecs: ['G722'] })
    await pair.heard()
    t.same(pair.session.agreed?.codec, { whatsapp: 'opus', pbx: 'G722' })
    await pair.close()
  })
}

t.test('a PBX that says nothing: WhatsApp is fed, and hears it when it speaks', async (t) => {
  const options = {
    relay,
    from: 'whatsapp',
    whatsapp: 'SDES',
    srtp: 'none',
    codec: 'opus',
  } as const
  const pair = await connectPair(options)
  const { whatsapp, pbx } = pair
  await pair.heard()
  pbx.mute(true)
  const fed = (): number => whatsapp.verdict().received.silence
  await until('WhatsApp is fed with silence', () => fed() >= 500, 20_000)
  pbx.mute(false)
  await pair.heard()
  const [before, heard] = [fed(), toneAt(whatsapp, 1000)]
  await until('a second of it', () => toneAt(whatsapp, 1000) >= heard + 1000)
  t.ok(fed() - before < 200, 'the silence ends')
  await pair.close()
})

t.test('rtpengine holds no call in the end', async (t) => {
  t.equal(relay.status().calls, 0)
  const client = new NgClient('127.0.0.1', engine.ngPort, { clock: systemClock, ...common })
  t.same((await client.request('list'))['calls'], [])
  client.close()
})
