import t from 'tap'
import { createAnchoredRelay } from '../../src/media/index.ts'
import { createEmbeddedRelay } from '../../src/media-relay/index.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { systemRandom } from '../../src/shared/random.ts'
import { FarEnd } from './support/far-end.ts'
import { connectPair } from './support/media-pair.ts'
import { rtpRange } from './support/ports.ts'
import { startRtpengine } from './support/rtpengine.ts'

// rtpengine in front of a plain endpoint is a DTLS-SRTP party with an ICE-lite agent, as WhatsApp's
// relay is one: here the embedded relay meets an implementation that shares nothing with it.
const common = { random: systemRandom, log: silentLogger() }
const remote = await startRtpengine()
const { first, last } = rtpRange(400)
const anchor = await createEmbeddedRelay({
  listen: '127.0.0.1',
  externalAddress: undefined,
  ports: { min: first, max: last },
  workers: 1,
  transcoding: 10,
  clock: systemClock,
  ...common,
})
const relay = createAnchoredRelay({ kind: 'embedded', anchor, ...common })
t.teardown(async () => {
  await relay.close()
  await remote.stop()
})

for (const from of ['whatsapp', 'pbx'] as const) {
  for (const ice of ['lite', 'full'] as const) {
    for (const whatsapp of ['SDES', 'DTLS'] as const) {
      const offerer = from === 'pbx' ? 'it offers' : 'we offer'
      t.test(`${offerer}, ICE ${ice}, WhatsApp by ${whatsapp}: heard both ways`, async (t) => {
        const far = new FarEnd(remote.ngPort, `${from} ${ice} ${whatsapp}`, { ice })
        const options = { relay, from, whatsapp, srtp: 'dtls', codec: 'opus', far } as const
        const pair = await connectPair(options)
        t.teardown(() => pair.close())
        await pair.heard()
        const report = await pair.session.query()
        t.match(report?.legs.pbx, {
          srtp: { mode: 'dtls' },
          dtls: { state: 'connected' },
          discarded: { auth: 0 },
        })
        t.comment(JSON.stringify(report?.legs.pbx?.dtls), JSON.stringify(report?.legs.pbx?.ice))
        t.same(pair.broken, [], "WhatsApp's rules were kept")
        const up = pair.events.find((event) => event.type === 'media-up' && event.leg === 'pbx')
        t.ok(up, `first packet after ${up?.type === 'media-up' && up.afterMs} ms`)
      })
    }
  }
}

t.test('nothing is left', async (t) => {
  t.match(relay.status(), { calls: 0, ports: { used: 0 } })
})
