import type { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import type { Anchor, AnchorCall, MediaEvent } from '../../src/media/anchor/types.ts'
import { createEmbeddedRelay } from '../../src/media-relay/index.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { systemRandom } from '../../src/shared/random.ts'
import { legMedia, legShape, RtpPeer } from '../support/rtp-peer.ts'

/** Workers in the order they were started. */
const threads: Worker[] = []
process.on('worker', (worker: Worker) => threads.push(worker))

async function relay(
  t: Test,
  workers: number,
  ports = { min: 20_000, max: 29_999 },
  listen = '127.0.0.1',
): Promise<Anchor> {
  threads.length = 0
  const relay = await createEmbeddedRelay({
    listen,
    ports,
    workers,
    transcoding: 0,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger(),
  })
  t.teardown(() => relay.close())
  return relay
}

interface Party {
  call: AnchorCall
  whatsapp: RtpPeer
  pbx: RtpPeer
  events: MediaEvent[]
  ended: Promise<void>
}

/** A call with audio in both directions. */
async function callOn(t: Test, anchor: Anchor, name: string): Promise<Party> {
  const [whatsapp, pbx] = [await RtpPeer.open({ seed: 1 }), await RtpPeer.open({ seed: 2 })]
  t.teardown(() => Promise.all([whatsapp.close(), pbx.close()]))
  const ended = Promise.withResolvers<void>()
  const events: MediaEvent[] = []
  const call = anchor.allocate(name, (event) => {
    events.push(event)
    if (event.type === 'ended') ended.resolve()
  })
  pbx.connect(await call.offer('pbx', legShape(), whatsapp.describe()))
  await call.accept('pbx', pbx.describe(), legMedia())
  whatsapp.connect(await call.answer('whatsapp', whatsapp.describe(), legShape(), legMedia()))
  call.start()
  // Answered behind it: a datagram may overtake a message.
  await call.query()
  whatsapp.say('hello')
  pbx.say('hello')
  await pbx.hear(1)
  await whatsapp.hear(() => whatsapp.heard.some(({ payload }) => payload.toString() === 'hello'))
  return { call, whatsapp, pbx, events, ended: ended.promise }
}

t.test('a worker that dies takes its calls alone, and is started again', async (t) => {
  const anchor = await relay(t, 2)
  const first = await callOn(t, anchor, 'first')
  const second = await callOn(t, anchor, 'second')
  t.same(
    anchor.status().instances.map(({ calls }) => calls),
    [1, 1],
    'the least loaded worker takes the next call',
  )
  const flood = setInterval(() => {
    for (let i = 0; i < 20; i++) first.whatsapp.say('flood')
  }, 1)
  t.teardown(() => clearInterval(flood))

  // What no code sends: the thread's message handler throws.
  threads[0]!.postMessage(null)
  const asked = first.call.query()
  await t.rejects(asked, { code: 'MEDIA_RELAY_LOST', sip: 503 })
  await first.ended
  t.match(first.events.at(-1), { type: 'ended', error: { code: 'MEDIA_RELAY_LOST' } })
  await t.rejects(first.call.query(), { code: 'MEDIA_RELAY_LOST' })
  t.equal(await first.call.release(), undefined)
  t.match(anchor.status(), { available: true, instances: [{ available: false }, {}] })

  const heard = second.pbx.heard.length
  second.whatsapp.say('still there')
  await second.pbx.hear(heard + 1)
  t.notOk(second.events.some(({ type }) => type === 'ended'))
  const third = await callOn(t, anchor, 'third')
  t.equal(anchor.status().instances[1]!.calls, 2, 'new calls are carried by what is left')

  while (!anchor.status().instances[0]!.available) await new Promise(setImmediate)
  const fourth = await callOn(t, anchor, 'fourth')
  t.same(
    anchor.status().instances.map(({ calls }) => calls),
    [1, 2],
  )
  for (const { call } of [second, third, fourth]) t.ok(await call.release())
  t.match(anchor.status(), { calls: 0, totals: { calls: 4 } })
})

t.test('without a worker there is no call', async (t) => {
  const anchor = await relay(t, 1)
  const { ended } = await callOn(t, anchor, 'call')
  threads[0]!.postMessage(null)
  await ended
  t.throws(() => anchor.allocate('next', () => {}), { code: 'MEDIA_RELAY_UNAVAILABLE', sip: 503 })
  t.equal(anchor.status().available, false)
})

t.test('nothing is told after the release was asked for', async (t) => {
  const anchor = await relay(t, 1)
  const { call, events, whatsapp } = await callOn(t, anchor, 'call')
  const told = events.length
  const releasing = call.release()
  whatsapp.say('late')
  threads[0]!.postMessage(null)
  await releasing
  await t.rejects(call.query(), { code: 'MEDIA_RELAY_LOST' })
  t.equal(events.length, told)
})

t.test('an address of another machine is named at the start', async (t) => {
  const starting = createEmbeddedRelay({
    listen: '192.0.2.1',
    ports: { min: 20_000, max: 29_999 },
    workers: 2,
    transcoding: 0,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger(),
  })
  await t.rejects(starting, { code: 'MEDIA_LISTEN' })
})

t.test('2000 calls of mixed endings leave no port in use', async (t) => {
  const anchor = await relay(t, 2)
  const peer = await RtpPeer.open()
  t.teardown(() => peer.close())
  const remote = peer.describe()
  const endings: ((call: AnchorCall) => Promise<unknown>)[] = [
    // Never offered anything.
    async () => {},
    // Cancelled while ringing.
    async (call) => call.offer('pbx', legShape({ rtcpMux: false }), remote),
    // Released with a question under way.
    async (call) => void call.offer('pbx', legShape(), remote).catch(() => {}),
    // Refused: no key.
    async (call) =>
      call
        .answer('whatsapp', remote, legShape({ keying: 'sdes' }), legMedia())
        .catch(() => 'refused'),
    async (call) => {
      await call.offer('pbx', legShape(), remote)
      await call.accept('pbx', remote, legMedia())
      await call.answer('whatsapp', remote, legShape(), legMedia())
      call.start()
    },
    // Transferred.
    async (call) => {
      await call.offer('pbx', legShape(), remote)
      await call.accept('pbx', remote, legMedia())
      await call.offer('next', legShape(), undefined)
      await call.accept('next', remote, legMedia())
      await call.promote()
    },
    async (call) => {
      await call.offer('pbx', legShape(), remote)
      await call.drop('pbx')
    },
  ]
  for (let batch = 0; batch < 40; batch++) {
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const call = anchor.allocate(`call ${i}`, () => {})
        await endings[i % endings.length]!(call)
        await call.release()
      }),
    )
  }
  const { calls, ports, instances } = anchor.status()
  t.match(
    { calls, ports, instances },
    {
      calls: 0,
      ports: { used: 0 },
      instances: [{ calls: 0 }, { calls: 0 }],
    },
  )
})

t.test('an exhausted range refuses, and leaks nothing', async (t) => {
  // An address of this run's own, so that nobody else is on these ports.
  const listen = `127.1.${systemRandom.int(1, 255)}.${systemRandom.int(1, 255)}`
  const anchor = await relay(t, 1, { min: 20_000, max: 20_003 }, listen)
  const pair = legShape({ rtcpMux: false })
  const call = anchor.allocate('one', () => {})
  await call.offer('pbx', pair, undefined)
  await call.offer('next', pair, undefined)
  const other = anchor.allocate('two', () => {})
  await t.rejects(other.offer('pbx', pair, undefined), { code: 'MEDIA_PORTS_EXHAUSTED', sip: 503 })
  t.match(anchor.status(), { calls: 2, ports: { total: 4, used: 4 } })
  await Promise.all([other.release(), call.release()])
  t.match(anchor.status(), { calls: 0, ports: { used: 0, cooling: 4 } })
})
