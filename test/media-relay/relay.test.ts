import t from 'tap'
import type { MediaEvent } from '../../src/media/anchor/types.ts'
import { createEmbeddedRelay } from '../../src/media-relay/index.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { systemRandom } from '../../src/shared/random.ts'
import { legMedia, legShape, RtpPeer, SDES } from '../support/rtp-peer.ts'

t.test('audio crosses a worker between an SDES leg and a plain one', async (t) => {
  const relay = await createEmbeddedRelay({
    listen: '127.0.0.1',
    ports: { min: 41_000, max: 41_999 },
    workers: 1,
    transcoding: 0,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger(),
  })
  t.teardown(() => relay.close())
  const whatsapp = await RtpPeer.open({ secure: true, seed: 1 })
  const pbx = await RtpPeer.open({ seed: 2 })
  t.teardown(() => Promise.all([whatsapp.close(), pbx.close()]))
  const events: MediaEvent[] = []
  const call = relay.allocate('call', (event) => events.push(event))

  const offer = whatsapp.describe()
  pbx.connect(await call.offer('pbx', legShape(), offer))
  await call.accept('pbx', pbx.describe(), legMedia())
  whatsapp.connect(await call.answer('whatsapp', offer, SDES, legMedia()))
  call.start()
  await whatsapp.hear(1)
  t.match(whatsapp.heard[0], { payloadType: 111, marker: true }, 'silence at once')

  const said = whatsapp.say('from WhatsApp')
  await pbx.hear(1)
  t.same(pbx.heard[0]?.payload, said.payload)
  pbx.say('from the PBX')
  await whatsapp.hear(() => whatsapp.heard.at(-1)?.payload.toString() === 'from the PBX')
  t.equal(new Set(whatsapp.heard.map(({ ssrc }) => ssrc)).size, 1)
  t.equal(whatsapp.refused, 0)

  const report = await call.release()
  t.match(report?.legs, {
    whatsapp: { codec: 'opus', srtp: { mode: 'sdes' }, received: { packets: 1 } },
    pbx: { srtp: { mode: 'none' }, received: { packets: 1 }, sent: { packets: 1 } },
  })
  t.same(
    events.map(({ type }) => type),
    ['media-up', 'media-up'],
  )
  t.equal(relay.status().ports?.used, 0)
})
