import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import { createEngine } from '../../../src/media-relay/call/engine.ts'
import { Pacer, STEP } from '../../../src/media-relay/call/pacer.ts'
import { systemClock } from '../../../src/shared/clock.ts'
import { silentLogger } from '../../../src/shared/log.ts'
import { systemRandom } from '../../../src/shared/random.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { legMedia, legShape, RtpPeer } from '../../support/rtp-peer.ts'

/** A pacer whose clock may run ahead of its timers, with what waits for the sockets. */
function stalling(): {
  pacer: Pacer
  clock: FakeClock
  stall: { ms: number }
  waiting: (() => void)[]
} {
  const clock = new FakeClock()
  const stall = { ms: 0 }
  const waiting: (() => void)[] = []
  const late = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic() + stall.ms,
    setTimeout: clock.setTimeout.bind(clock),
  }
  return { pacer: new Pacer(late, (then) => waiting.push(then)), clock, stall, waiting }
}

t.test('a tick in time moves calls at once, a late one only when sockets were read', async (t) => {
  const { pacer, clock, stall, waiting } = stalling()
  const ticks: number[] = []
  const member = { tick: (nowMs: number) => ticks.push(nowMs), onFault: () => {} }
  pacer.add(member)
  clock.advance(STEP)
  t.same(ticks, [10])
  t.equal(waiting.length, 0)

  stall.ms = 60
  clock.advance(STEP)
  t.same(ticks, [10], 'not before the sockets')
  stall.ms = 100
  waiting.shift()!()
  t.same(ticks, [10], 'nor after another stall while they were read')
  stall.ms = 102
  waiting.shift()!()
  t.same(ticks, [10, 122], 'then with the time that it is')
  clock.advance(STEP)
  t.equal(ticks.length, 3, 'and in time again')
  t.equal(waiting.length, 0)

  stall.ms = 200
  clock.advance(STEP)
  for (let read = 0; waiting.length > 0; read++, stall.ms += 50) {
    t.ok(read < 20, 'it comes to an end')
    waiting.shift()!()
  }
  t.equal(ticks.length, 4, 'a thread that is always late goes on')
})

t.test('a call that ends while a late tick waits is left alone', async (t) => {
  const { pacer, clock, stall, waiting } = stalling()
  const ticks: number[] = []
  const member = { tick: (nowMs: number) => ticks.push(nowMs), onFault: () => {} }
  pacer.add(member)
  stall.ms = 100
  clock.advance(STEP)
  pacer.remove(member)
  t.equal(clock.pending, 0)
  pacer.add(member)
  waiting.shift()!()
  t.equal(ticks.length, 0)
  t.equal(clock.pending, 1, 'one timer for the next call')
})

t.test('after a stall the packets that wait in the socket are sent, not silence', async (t) => {
  const engine = await createEngine({
    listen: '127.0.0.1',
    externalAddress: undefined,
    ports: { min: 20_000, max: 29_999 },
    transcoding: 0,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger(),
  })
  t.teardown(() => engine.close())
  const whatsapp = await RtpPeer.open({ seed: 1 })
  t.teardown(() => whatsapp.close())
  // Sends at once, though the loop stands still: with a lookup of names it would wait for a turn.
  const pbx = createSocket({ type: 'udp4', lookup: (name, _, callback) => callback(null, name, 4) })
  t.teardown(() => pbx.close())
  const listening = once(pbx, 'listening')
  pbx.bind(0, '127.0.0.1')
  await listening

  const call = engine.allocate('stall', () => {})
  const there = whatsapp.describe()
  const { port } = await call.offer('pbx', legShape(), there)
  await call.accept('pbx', { ...there, port: pbx.address().port }, legMedia())
  whatsapp.connect(await call.answer('whatsapp', there, legShape(), legMedia()))
  let sequence = 0
  const talk = (): void => {
    const packet = Buffer.from('806f00000000000010000002' + '74616c6b', 'hex')
    packet.writeUInt16BE(++sequence, 2)
    packet.writeUInt32BE(sequence * 960, 4)
    pbx.send(packet, port, '127.0.0.1')
  }
  // All of it in one go: the loop reads no socket meanwhile, whatever else the machine does.
  call.start()
  for (let round = 0; round < 6; round++) {
    const until = performance.now() + 20
    while (performance.now() < until);
    talk()
  }
  await whatsapp.hear(7)
  const first = whatsapp.heard.slice(0, 7).map(({ payload }) => payload.toString('latin1'))
  t.same(first.slice(1), Array(6).fill('talk'), 'behind the one frame of silence of the start')
})
