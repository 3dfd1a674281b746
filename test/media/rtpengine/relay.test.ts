import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { LegShape, MediaEvent } from '../../../src/media/anchor/types.ts'
import { createRtpengineRelay } from '../../../src/media/rtpengine/index.ts'
import { parseAudio } from '../../../src/media/sdp/parse.ts'
import { silentLogger } from '../../../src/shared/log.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import { canned, FakeRtpengine, PORTS, tagOf } from '../../support/fake-rtpengine.ts'

const OFFER = parseAudio(
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 3480 RTP/AVP 8\r\nc=IN IP4 127.0.0.1\r\na=rtpmap:8 PCMA/8000\r\n',
)
const SHAPE: LegShape = {
  keying: 'none',
  suites: [],
  cryptoTag: undefined,
  rtcpMux: false,
  setup: undefined,
  codecs: OFFER.codecs,
  external: false,
}
const MEDIA = {
  audio: OFFER.codecs[0]!,
  accepts: [],
  event: undefined,
  ptime: 20,
  direction: 'sendrecv' as const,
}

/** Lets sockets and promises do what is due, until `done`. */
async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 5000 && !done(); i++) await turn()
  if (!done()) throw new Error('it never came')
}

async function lab(t: Test, count: number) {
  const engines = await Promise.all(Array.from({ length: count }, () => FakeRtpengine.start()))
  const clock = new FakeClock()
  const relay = await createRtpengineRelay({
    addresses: engines.map((engine) => engine.address),
    clock,
    random: new FakeRandom(),
    log: silentLogger(),
  })
  t.teardown(async () => {
    for (const engine of engines) engine.reply = canned
    await relay.close()
    for (const engine of engines) await engine.stop().catch(() => {})
  })
  const events: MediaEvent[] = []
  const call = (id: string) => relay.allocate(id, (event) => events.push(event))
  return { engines, clock, relay, events, call }
}

/** Begins a call from WhatsApp and settles it. */
async function settle(call: ReturnType<Awaited<ReturnType<typeof lab>>['call']>): Promise<void> {
  await call.offer('pbx', SHAPE, OFFER)
  await call.accept('pbx', OFFER, MEDIA)
  await call.answer('whatsapp', OFFER, SHAPE, MEDIA)
}

t.test('new calls go to the instance with the fewest', async (t) => {
  const { relay, call } = await lab(t, 2)
  for (let i = 0; i < 4; i++) await call(`c${i}`).offer('pbx', SHAPE, OFFER)
  t.same(
    relay.status().instances.map(({ calls }) => calls),
    [2, 2],
  )
})

t.test('both legs get rtpengine’s ports; releasing deletes the call', async (t) => {
  const { engines, relay, call } = await lab(t, 1)
  const one = call('one')
  const toPbx = await one.offer('pbx', SHAPE, OFFER)
  t.match(toPbx, { port: PORTS.offer, address: '127.0.0.1', rtcpPort: PORTS.offer + 1 })
  await one.accept('pbx', OFFER, MEDIA)
  t.match(await one.answer('whatsapp', OFFER, SHAPE, MEDIA), { port: PORTS.answer })
  await one.release()
  await one.release()
  t.same(engines[0]!.commands, ['offer', 'answer', 'query', 'delete'])
  t.match(relay.status(), { calls: 0, instances: [{ calls: 0 }] })
})

t.test('a later offer of the PBX repeats WhatsApp’s description and keeps ports', async (t) => {
  const { engines, call } = await lab(t, 1)
  const one = call('one')
  await settle(one)
  engines[0]!.requests.length = 0
  await one.answer('pbx', { ...OFFER, direction: 'sendonly' }, SHAPE, MEDIA)
  const [offer, answer] = engines[0]!.requests
  t.match(offer, { command: 'offer', 'from-tag': 'whatsapp', flags: ['port latching'] })
  t.match(answer, { command: 'answer', 'from-tag': 'whatsapp', flags: ['port latching'] })
  t.match(String(answer!['sdp']), 'a=sendonly')
})

t.test('the first command of a call goes elsewhere when nobody answers', async (t) => {
  const { engines, clock, relay, call } = await lab(t, 2)
  engines[0]!.reply = () => undefined
  const offering = call('one').offer('pbx', SHAPE, OFFER)
  await until(() => engines[0]!.commands.length === 1)
  clock.advance(2000)
  await offering
  t.same(engines[1]!.commands, ['offer'])
  t.same(
    relay.status().instances.map(({ available, calls }) => ({ available, calls })),
    [
      { available: false, calls: 0 },
      { available: true, calls: 1 },
    ],
  )
  t.equal(relay.status().available, true)
})

t.test('no instance left: the call is refused, and taken again later', async (t) => {
  const { engines, clock, relay, call } = await lab(t, 1)
  engines[0]!.reply = () => undefined
  for (const wait of [2300, 2000, 2300, 2000]) {
    clock.advance(wait)
    await turn()
    await turn()
  }
  await until(() => !relay.status().available)
  t.throws(() => call('one'), { code: 'MEDIA_RELAY_UNAVAILABLE' })
  engines[0]!.reply = canned
  clock.advance(2300)
  await until(() => relay.status().available)
  await call('two').offer('pbx', SHAPE, OFFER)
})

t.test('the calls of an instance that stays away are lost; others go on', async (t) => {
  const { engines, clock, events, call } = await lab(t, 2)
  await settle(call('one'))
  await settle(call('two'))
  engines[0]!.reply = () => undefined
  for (let i = 0; i < 60 && events.length === 0; i++) {
    clock.advance(1000)
    for (let j = 0; j < 20; j++) await turn()
  }
  t.match(events, [{ type: 'ended', error: { code: 'MEDIA_RELAY_LOST' } }])
  t.equal(events.length, 1)
})

t.test('an rtpengine that was restarted does not know its calls any more', async (t) => {
  const { engines, clock, events, call } = await lab(t, 1)
  await settle(call('one'))
  engines[0]!.reply = (request) =>
    request['command'] === 'query'
      ? { result: 'error', 'error-reason': 'Unknown call-id' }
      : canned(request)
  clock.advance(250)
  await until(() => events.length > 0)
  t.match(events, [{ type: 'ended', error: { code: 'MEDIA_RELAY_LOST' } }])
})

t.test(
  'packet counters become media-up, and silence a verdict that is cleared again',
  async (t) => {
    const { engines, clock, events, call } = await lab(t, 1)
    const counters = { whatsapp: 0, pbx0: 0 }
    engines[0]!.reply = (request) => {
      if (request['command'] !== 'query') return canned(request)
      const tags = {
        whatsapp: tagOf(PORTS.answer, counters.whatsapp),
        pbx0: tagOf(PORTS.offer, counters.pbx0),
      }
      return { result: 'ok', tags }
    }
    const one = call('one')
    await settle(one)
    const look = async (): Promise<void> => {
      // In small steps, or the query's own timeout would be over with its answer on the way.
      for (const until = clock.now() + 3000; clock.now() < until; ) {
        clock.advance(50)
        for (let i = 0; i < 20; i++) await turn()
      }
    }
    counters.whatsapp = 100
    await look()
    t.match(events, [{ type: 'media-up', leg: 'whatsapp' }])
    for (let i = 0; i < 3; i++) {
      counters.whatsapp += 100
      await look()
    }
    t.match(
      events.find((event) => event.type === 'verdict'),
      { verdict: { code: 'MEDIA_SILENT_PBX', side: 'pbx', owner: 'pbx' }, cleared: false },
    )
    t.match(await one.query(), {
      verdict: 'one-way',
      legs: { whatsapp: { received: { packets: 400 } } },
    })
    counters.whatsapp += 100
    counters.pbx0 = 50
    await look()
    t.match(events.at(-1), { type: 'verdict', cleared: true })
    t.match(await one.query(), { verdict: 'good', verdicts: [{ code: 'MEDIA_SILENT_PBX' }] })
  },
)

t.test('what rtpengine refuses has a code', async (t) => {
  const { engines, call } = await lab(t, 1)
  const refuse = (reason: string): void => {
    engines[0]!.reply = (request) =>
      request['command'] === 'ping' ? canned(request) : { result: 'error', 'error-reason': reason }
  }
  refuse('Ran out of ports')
  await t.rejects(call('a').offer('pbx', SHAPE, OFFER), { code: 'MEDIA_PORTS_EXHAUSTED' })
  refuse('Parallel session limit reached')
  await t.rejects(call('b').offer('pbx', SHAPE, OFFER), { code: 'MEDIA_RELAY_UNAVAILABLE' })
})

t.test('an instance that has ended is noticed at once, and its calls are lost soon', async (t) => {
  const { engines, clock, events, relay, call } = await lab(t, 2)
  await settle(call('one'))
  await settle(call('two'))
  const began = clock.now()
  await engines[0]!.stop()
  for (let i = 0; i < 20 && events.length === 0; i++) {
    clock.advance(500)
    for (let j = 0; j < 50; j++) await turn()
  }
  t.match(events, [{ type: 'ended', error: { code: 'MEDIA_RELAY_LOST' } }])
  t.ok(clock.now() - began < 10_000, 'within seconds')
  t.match(relay.status().instances, [{ available: false, detail: 'nobody listens there' }, {}])
})

t.test('a file goes along with the command, and its end is told', async (t) => {
  const { engines, clock, events, call } = await lab(t, 1)
  const file = join(t.testdir({ 'tone.wav': 'RIFF' }), 'tone.wav')
  engines[0]!.reply = (request) =>
    request['command'] === 'play media' ? { result: 'ok', duration: 1500 } : canned(request)
  const one = call('one')
  await settle(one)
  engines[0]!.requests.length = 0
  await one.play('whatsapp', { file, loop: false })
  t.match(engines[0]!.requests, [
    { command: 'block media', 'from-tag': 'pbx0' },
    { command: 'play media', 'from-tag': 'whatsapp', blob: 'RIFF', 'repeat-times': 1 },
  ])
  clock.advance(1499)
  t.notMatch(events, [{ type: 'played' }])
  clock.advance(1)
  t.match(events.at(-1), { type: 'played', leg: 'whatsapp', file })
  await until(() => engines[0]!.commands.includes('unblock media'))
})

t.test('a file that is not here may be on the machine of rtpengine', async (t) => {
  const { engines, call } = await lab(t, 1)
  const one = call('one')
  await settle(one)
  await one.play('whatsapp', { file: '/nowhere/tone.wav', loop: true })
  t.match(engines[0]!.requests.at(-1), { command: 'play media', file: '/nowhere/tone.wav' })
  engines[0]!.reply = (request) =>
    request['command'] === 'stop media'
      ? { result: 'error', 'error-reason': 'Not currently playing media' }
      : canned(request)
  await one.play('whatsapp', undefined)
  t.equal(engines[0]!.commands.at(-1), 'unblock media', 'nothing to stop is no failure')
})

t.test('WhatsApp is fed with silence while the PBX is silent', async (t) => {
  const { engines, clock, call } = await lab(t, 1)
  let packets = 0
  engines[0]!.reply = (request) => {
    if (request['command'] !== 'query') return canned(request)
    const tags = { whatsapp: tagOf(PORTS.answer, 0), pbx0: tagOf(PORTS.offer, packets) }
    return { result: 'ok', tags }
  }
  const pass = async (ms: number, speaks: boolean): Promise<void> => {
    for (const end = clock.now() + ms; clock.now() < end; ) {
      if (speaks) packets++
      clock.advance(50)
      for (let i = 0; i < 20; i++) await turn()
    }
  }
  const one = call('one')
  await settle(one)
  one.start()
  await pass(2500, false)
  t.match(
    engines[0]!.requests.filter(({ command }) => command === 'play media'),
    [{ 'from-tag': 'whatsapp', blob: /^RIFF/ }],
  )
  await pass(1500, true)
  t.equal(engines[0]!.commands.filter((name) => name === 'stop media').length, 1, 'PBX speaks')
  await pass(8000, false)
  t.equal(engines[0]!.commands.filter((name) => name === 'play media').length, 1, 'a pause')
  await pass(6000, false)
  t.equal(engines[0]!.commands.filter((name) => name === 'play media').length, 2, 'a hold')
})

t.test(
  'a leg that offers with ICE meets a lite agent; one that was offered does not',
  async (t) => {
    const { engines, call } = await lab(t, 1)
    const fingerprints = [{ algorithm: 'sha-256', value: 'AB' }]
    const ice = { ufrag: 'u', password: new Secret('p'), lite: false, candidates: [] }
    const secure = { ...OFFER, dtls: { fingerprints, setup: 'actpass' as const }, ice }
    const shape = { ...SHAPE, keying: 'dtls' as const }
    const one = call('one')
    await one.offer('whatsapp', SHAPE, secure)
    await one.accept('whatsapp', OFFER, MEDIA)
    await one.answer('pbx', secure, shape, MEDIA)
    const two = call('two')
    await two.offer('pbx', shape, OFFER)
    await two.accept('pbx', secure, MEDIA)
    const kinds = engines[0]!.requests
      .filter(({ command }) => command === 'offer')
      .map((request) => [request['call-id'], request['ICE'], request['ICE-lite']])
    t.same(kinds, [
      ['one', 'force', 'forward'],
      ['one', 'force', 'forward'],
      ['two', 'force', undefined],
    ])
    await one.offer('next', shape, OFFER)
    t.equal(engines[0]!.requests.at(-1)?.['ICE-lite'], undefined, 'nor one of a transfer')
  },
)
