import t from 'tap'
import { type Call, CallRegistry, causeOf, hungUpBy } from '../../src/calls/index.ts'
import type { EventTarget } from '../../src/config/types.ts'
import { CallEvents, EventPublisher, eventSchema } from '../../src/events/index.ts'
import { CausewayError } from '../../src/shared/errors/index.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { emptyReport } from '../support/fake-media.ts'
import { FakeRandom } from '../support/fake-random.ts'
import { SECRET } from './support.ts'

interface Published {
  type: string
  time: string
  sequence?: number
  number?: object
  data: Record<string, unknown>
}

/** Calls whose events are collected; each is checked against the schema. */
function lab(events?: EventTarget['events']) {
  const clock = new FakeClock()
  const calls = new CallRegistry(clock)
  const published: Published[] = []
  const publisher = new EventPublisher({
    folder: '/nowhere',
    clock,
    random: new FakeRandom(),
    log: silentLogger(),
    post: async (_url, _headers, body) => {
      published.push(eventSchema.parse(JSON.parse(body)) as Published)
      return { ok: true, status: 200 }
    },
  })
  publisher.configure([{ url: 'https://crm.example.com/', secret: SECRET, events }])
  const numberOf = (name: string) => ({
    name,
    phoneNumber: '+441632960123',
    phoneNumberId: '106540352242922',
  })
  const callEvents = new CallEvents({ publisher, clock, numberOf })
  calls.subscribe(callEvents)
  const begin = (id = 'a'): Call =>
    calls.begin({
      id,
      direction: 'user-initiated',
      number: 'support',
      business: '+441632960123',
      consumer: '+33199001234',
      trunk: 'main',
      whatsapp: { wacid: `wacid.${id}`, displayName: 'Camille' },
    })
  const types = async (): Promise<string[]> => {
    // Deliveries of one call follow each other, a few turns of the loop apart.
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
    return published.map(({ type, sequence }) => `${type} ${sequence}`)
  }
  return { clock, calls, published, callEvents, begin, types }
}

t.test('a call from its start to its end', async (t) => {
  const { clock, begin, published, types } = lab()
  const call = begin()
  t.equal(published.length, 0, 'nothing happens while the signalling is at work')
  call.moveTo('calling')
  clock.advance(100)
  call.moveTo('ringing')
  call.moveTo('calling')
  call.moveTo('ringing')
  clock.advance(900)
  call.moveTo('answered')
  clock.advance(42_000)
  call.judge(
    { code: 'MEDIA_SILENT_PBX', side: 'pbx', owner: 'pbx', detail: '', fix: '', since: 0 },
    false,
  )
  call.end(hungUpBy('whatsapp'))
  t.same(
    await types(),
    ['call.started 1', 'call.ringing 2', 'call.answered 3'],
    'the end waits for the figures of the media',
  )
  call.complete({ ...emptyReport(), verdict: 'one-way' })
  t.same((await types()).slice(3), ['call.ended 4'])
  t.match(published[0], {
    time: '2023-11-14T22:13:20.000Z',
    number: { name: 'support', phoneNumber: '+441632960123' },
    data: {
      id: 'a',
      wacid: 'wacid.a',
      state: 'preparing',
      consumer: '+33199001234',
      business: '+441632960123',
      displayName: 'Camille',
      trunk: 'main',
    },
  })
  t.equal(published[2]?.data['state'], 'answered')
  t.match(published[3], {
    time: '2023-11-14T22:14:03.000Z',
    data: {
      talkSeconds: 42,
      cause: { code: 'NORMAL', result: 'completed', owner: 'whatsapp' },
      media: { verdict: 'one-way', verdicts: [{ code: 'MEDIA_SILENT_PBX', side: 'pbx' }] },
    },
  })
  t.equal(clock.pending, 0)
})

t.test('a call that nobody answered ends at once', async (t) => {
  const { begin, published, types, clock } = lab()
  const call = begin()
  call.moveTo('calling')
  call.end(causeOf(new CausewayError('CALL_BUSY')))
  t.same(await types(), ['call.started 1', 'call.ended 2'])
  t.match(published[1]?.data, { talkSeconds: 0, cause: { code: 'CALL_BUSY', result: 'busy' } })
  t.equal(clock.pending, 0)
})

t.test('figures that never come hold the end up for two seconds', async (t) => {
  const { begin, types, clock, published } = lab()
  const call = begin()
  call.moveTo('calling')
  call.moveTo('answered')
  call.end(hungUpBy('pbx'))
  clock.advance(1999)
  t.notMatch(await types(), ['call.started 1', 'call.answered 2', 'call.ended 3'])
  clock.advance(1)
  t.same(await types(), ['call.started 1', 'call.answered 2', 'call.ended 3'])
  t.same(published[2]?.data['media'], { verdicts: [] })
  call.complete(emptyReport())
  t.equal((await types()).length, 3, 'the end is told once')
})

t.test("WhatsApp's account keeps its place, before the end and after it", async (t) => {
  const before = lab()
  const first = before.begin()
  first.moveTo('calling')
  before.calls.tell('wacid.a', { createdAt: 1 })
  before.calls.tell('wacid.a', { status: 'COMPLETED', duration: 3 })
  before.calls.tell('wacid.a', { voicemail: '77' })
  first.end(hungUpBy('whatsapp'))
  t.same(await before.types(), [
    'call.started 1',
    'call.reported 2',
    'call.voicemail 3',
    'call.ended 4',
  ])
  t.match(before.published[1]?.data, { report: { status: 'COMPLETED', duration: 3, errors: [] } })
  t.equal(before.published[2]?.data['mediaId'], '77')

  const after = lab()
  const second = after.begin()
  second.moveTo('calling')
  second.moveTo('answered')
  second.end(hungUpBy('whatsapp'))
  after.calls.tell('wacid.a', {
    status: 'FAILED',
    errors: [{ code: 138021, title: 'Media receive timeout', details: undefined }],
  })
  t.same(await after.types(), ['call.started 1', 'call.answered 2'])
  second.complete(emptyReport())
  t.same((await after.types()).slice(2), ['call.ended 3', 'call.reported 4'])
  t.match(after.published[3]?.data, {
    report: { status: 'FAILED', errors: [{ code: 138021, title: 'Media receive timeout' }] },
  })
})

t.test('sequence counts what a target does not want, too', async (t) => {
  const { begin, types } = lab(['call.ended'])
  const call = begin()
  call.moveTo('calling')
  call.moveTo('ringing')
  call.end(hungUpBy('pbx'))
  t.same(await types(), ['call.ended 3'])
})

t.test('when the process stops, ends that wait are told', async (t) => {
  const { begin, types, callEvents, clock } = lab()
  const call = begin()
  call.moveTo('calling')
  call.moveTo('answered')
  call.end(hungUpBy('pbx'))
  callEvents.flush()
  t.same(await types(), ['call.started 1', 'call.answered 2', 'call.ended 3'])
  t.equal(clock.pending, 0)
})

t.test('what is remembered of ended calls is bounded', async (t) => {
  const { begin, calls, types, published } = lab(['call.reported'])
  for (let i = 0; i < 1001; i++) begin(`${i}`).end(causeOf(new CausewayError('CALL_BUSY')))
  calls.tell('wacid.1000', { status: 'COMPLETED' })
  calls.tell('wacid.1', { status: 'COMPLETED' })
  await types()
  t.same(published.map(({ data, sequence }) => `${data['id']} ${sequence}`).sort(), [
    '1 3',
    '1000 3',
  ])
})
