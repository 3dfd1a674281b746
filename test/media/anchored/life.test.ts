import t from 'tap'
import { createAnchoredRelay } from '../../../src/media/index.ts'
import { CausewayError } from '../../../src/shared/errors/index.ts'
import { silentLogger } from '../../../src/shared/log.ts'
import {
  establishedLab,
  labTrunk,
  openLab,
  refusal,
  whatsAppAnswer,
} from '../../support/anchored-lab.ts'
import { numberConfig } from '../../support/configs.ts'
import { FakeAnchor } from '../../support/fake-anchor.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import { editedSdp, sdpFixture } from '../../support/sdp-fixtures.ts'

t.test('the relay shows its anchor’s state and closes it', async (t) => {
  const anchor = new FakeAnchor()
  const log = silentLogger()
  const relay = createAnchoredRelay({ kind: 'rtpengine', anchor, random: new FakeRandom(), log })
  t.equal(relay.kind, 'rtpengine')
  t.match(relay.status(), { available: true, calls: 0 })
  await relay.close()
  t.equal(relay.status().available, false)
})

t.test('offers and answers out of turn are refused, and nothing is asked', async (t) => {
  const fresh: [string, (lab: ReturnType<typeof openLab>) => Promise<unknown>][] = [
    ['answer', ({ session }) => session.answer('pbx', sdpFixture('asterisk-answer'))],
    ['early', ({ session }) => session.early(sdpFixture('asterisk-answer'))],
    ['acknowledge', ({ session }) => session.acknowledge(sdpFixture('asterisk-answer'))],
    ['retarget', ({ session }) => session.retarget(labTrunk())],
    ['answerAlone', ({ session }) => session.answerAlone()],
    ['reoffer', ({ session }) => session.reoffer(undefined)],
    ['replace', ({ session }) => session.replace(undefined)],
  ]
  for (const [name, act] of fresh) {
    const lab = openLab()
    t.equal(await refusal(act(lab)), 'MEDIA_STATE 491', name)
    t.strictSame(lab.call.story, [], name)
  }
  const { session } = openLab()
  t.equal(await refusal(session.offer('whatsapp', undefined)), 'MEDIA_NO_OFFER 488')
  await session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  const offer = session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  t.equal(await refusal(offer), 'MEDIA_STATE 491', 'a second offer')
  const crossed = session.answer('whatsapp', whatsAppAnswer(111, 126))
  t.equal(await refusal(crossed), 'MEDIA_STATE 491', 'an answer of the offerer')
  await session.answer('pbx', sdpFixture('asterisk-answer'))
  const second = session.answer('pbx', sdpFixture('asterisk-answer'))
  t.equal(await refusal(second), 'MEDIA_STATE 491', 'a second answer')
})

t.test('overlapping events of one call do not interleave', async (t) => {
  const { session, call } = await establishedLab()
  const open = call.hold()
  const hold = session.reoffer(editedSdp('asterisk-offer', ['sendrecv', 'sendonly']))
  const resume = session.reoffer(sdpFixture('asterisk-offer'))
  const replace = session.replace(undefined)
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  t.strictSame(call.story.slice(3), ['answer pbx'], 'one at a time')
  open()
  t.match(await hold, /^a=recvonly\r$/m)
  t.match(await resume, /^a=sendrecv\r$/m)
  t.match((await replace).sdp, /^m=audio/m)
  t.strictSame(call.story.slice(3), ['answer pbx', 'answer pbx', 'offer next'])
})

t.test('one failed operation does not stop the next', async (t) => {
  const { session, call } = openLab()
  await session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  call.failNext = { what: 'accept', error: new CausewayError('MEDIA_PORTS_EXHAUSTED') }
  const bad = session.answer('pbx', sdpFixture('asterisk-answer'))
  const good = session.answer('pbx', sdpFixture('asterisk-answer'))
  t.equal(await refusal(bad), 'MEDIA_PORTS_EXHAUSTED 503')
  t.match(await good, /^m=audio/m)
})

t.test('a release during an offer ends it, and frees at once', async (t) => {
  const { session, call } = openLab()
  const open = call.hold()
  const offer = session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  const answer = session.answer('pbx', sdpFixture('asterisk-answer'))
  await Promise.resolve()
  await Promise.resolve()
  t.strictSame(call.story, ['offer pbx'])
  await session.release()
  t.equal(call.released, true, 'without waiting for the offer')
  const ended = [offer.catch(() => 'ended'), refusal(answer)]
  open()
  t.strictSame(await Promise.all(ended), ['ended', 'MEDIA_STATE 491'])
  t.strictSame(call.story, ['offer pbx', 'release'])
  t.equal(call.legs.size, 0)
})

t.test('a release is final even where the anchor finishes what it had begun', async (t) => {
  const { session, call } = openLab()
  call.forgiving = true
  let open = call.hold()
  const offer = session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  await Promise.resolve()
  await session.release()
  open()
  t.equal(await refusal(offer), 'MEDIA_STATE 491')
  t.equal(await session.query(), undefined)

  const other = openLab()
  other.call.forgiving = true
  await other.session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  open = other.call.hold()
  const answer = other.session.answer('pbx', sdpFixture('asterisk-answer'))
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  await other.session.release()
  open()
  t.equal(await refusal(answer), 'MEDIA_STATE 491')
  t.strictSame(other.call.story, ['offer pbx', 'accept pbx', 'release'], 'WhatsApp is not answered')
})

t.test('a release between two steps of an answer stops the second', async (t) => {
  const { session, call } = openLab()
  await session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  const open = call.hold()
  const answer = session.answer('pbx', sdpFixture('asterisk-answer'))
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  const released = session.release()
  open()
  await t.rejects(answer)
  await released
  t.strictSame(call.story, ['offer pbx', 'accept pbx', 'release'])
})

t.test('release gives the last figures, once and for all', async (t) => {
  const { session, call } = await establishedLab()
  t.match(await session.query(), { transcoding: true })
  const report = await session.release()
  t.match(report, { transcoding: false })
  t.equal(await session.release(), report)
  t.equal(call.story.filter((one) => one === 'release').length, 1)
  t.equal(await session.query(), undefined)
  t.equal(await refusal(session.reoffer(undefined)), 'MEDIA_STATE 491')
  t.equal(await refusal(session.play('pbx', undefined)), 'MEDIA_STATE 491')
  session.start()
  t.notOk(call.story.includes('start'))
})

t.test('a release that fails does not reject', async (t) => {
  const { session, call } = await establishedLab()
  call.release = async () => {
    throw new CausewayError('MEDIA_RELAY_LOST')
  }
  t.equal(await session.release(), undefined)
})

t.test('figures of a lost call are missing, not an error', async (t) => {
  const { session, call } = await establishedLab()
  call.query = async () => {
    throw new CausewayError('MEDIA_RELAY_LOST')
  }
  t.equal(await session.query(), undefined)
})

t.test('start and play reach the anchor', async (t) => {
  const { session, call } = await establishedLab()
  session.start()
  await session.play('pbx', { file: '/srv/moh.wav', loop: false })
  await session.play('pbx', undefined)
  t.strictSame(call.story.slice(3), ['start', 'play pbx', 'play pbx'])
  t.equal(call.last('play').playback, undefined)
})

t.test('events are told until the release, and a listener that fails harms nobody', async (t) => {
  const { session, call, events } = await establishedLab()
  call.listener({ type: 'media-up', leg: 'pbx', afterMs: 12 })
  t.strictSame(events, [{ type: 'media-up', leg: 'pbx', afterMs: 12 }])
  await session.release()
  call.listener({ type: 'one-way', silent: 'pbx' })
  t.equal(events.length, 1)

  const anchor = new FakeAnchor()
  const log = silentLogger()
  const relay = createAnchoredRelay({ kind: 'embedded', anchor, random: new FakeRandom(), log })
  relay.allocate({
    id: 'call',
    trunk: labTrunk(),
    number: numberConfig(),
    listener: () => {
      throw new Error('listener')
    },
  })
  t.doesNotThrow(() => anchor.calls[0]?.listener({ type: 'one-way', silent: 'pbx' }))
})
