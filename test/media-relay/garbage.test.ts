import t from 'tap'
import type { MediaEvent } from '../../src/media/anchor/types.ts'
import { createEmbeddedRelay } from '../../src/media-relay/index.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { systemRandom } from '../../src/shared/random.ts'
import { FakeRandom } from '../support/fake-random.ts'
import { legMedia, legShape, RtpPeer, SDES } from '../support/rtp-peer.ts'

const ROUNDS = 4000

const RTP = Buffer.from('807e03e80000c35010000002' + '05aa00a0', 'hex')
const EXTENDED = Buffer.from('b27f03e80000c350100000020000000000000000bede000110ff0000', 'hex')
const REPORT = Buffer.from(
  '81c8000c100000020000000000000000000000000000000a000000a010000001' +
    '00000000000000000000000000000000000000' +
    '81ca0003100000020102616200000000',
  'hex',
)
const STUN = Buffer.from('000100082112a442000102030405060708090a0b00060004616263', 'hex')
const SEEDS = [RTP, EXTENDED, REPORT, STUN, Buffer.alloc(0), Buffer.alloc(1500, 0x80)]

/** A seed with octets changed, cut or doubled; sometimes nothing but noise. */
function mutated(random: FakeRandom): Buffer {
  const seed = SEEDS[random.int(0, SEEDS.length)]!
  if (random.int(0, 8) === 0) return random.bytes(random.int(0, 1600))
  const packet = Buffer.from(seed)
  for (let n = random.int(0, 6); n > 0 && packet.length > 0; n--) {
    packet[random.int(0, packet.length)] = random.int(0, 256)
  }
  const cut = packet.subarray(0, random.int(0, packet.length + 1))
  return random.int(0, 3) === 0 ? cut : packet
}

/** Talks until it is heard: some of it may be lost in the flood. */
async function crosses(from: RtpPeer, to: RtpPeer, text: string): Promise<void> {
  const talk = setInterval(() => from.say(text), 5)
  const start = to.heard.length
  await to.hear(() => to.heard.slice(start).some(({ payload }) => `${payload}` === text))
  clearInterval(talk)
}

t.test('no datagram disturbs a call, be it plain or encrypted', async (t) => {
  const relay = await createEmbeddedRelay({
    listen: '127.0.0.1',
    ports: { min: 20_000, max: 29_999 },
    workers: 1,
    transcoding: 1,
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
  pbx.connect(await call.offer('pbx', legShape(), whatsapp.describe()))
  await call.accept('pbx', pbx.describe(), legMedia())
  whatsapp.connect(await call.answer('whatsapp', whatsapp.describe(), SDES, legMedia()))
  call.start()
  // Answered behind it: a datagram may overtake a message.
  await call.query()
  whatsapp.say('before')
  pbx.say('before')
  await pbx.hear(1)

  const random = new FakeRandom(42)
  for (let round = 0; round < ROUNDS; round++) {
    pbx.sendRaw(mutated(random))
    whatsapp.sendRaw(mutated(random))
    // What they did not break goes on. Reading waits for the relay to keep up.
    if (round % 200 === 199) await crosses(whatsapp, pbx, `round ${round}`)
  }
  pbx.ssrc = 0x77
  await crosses(pbx, whatsapp, 'after')

  t.equal(whatsapp.refused, 0, 'what was sent stays in step with its keys')
  t.equal(new Set(whatsapp.heard.map(({ ssrc }) => ssrc)).size, 1)
  t.equal(new Set(pbx.heard.map(({ ssrc }) => ssrc)).size, 1)
  const report = await call.release()
  t.ok(report!.legs.whatsapp!.discarded.auth + report!.legs.whatsapp!.discarded.malformed > 1000)
  t.notOk(events.some(({ type }) => type === 'ended'))
  t.equal(relay.status().ports?.used, 0)
})
