import t from 'tap'
import { CausewayError } from '../../../src/shared/errors/index.ts'
import { establishedLab, openLab, refusal } from '../../support/anchored-lab.ts'
import { editedSdp, sdpFixture, sdpVersion } from '../../support/sdp-fixtures.ts'

t.test('a transfer: our offer, its answer, and the new leg takes over', async (t) => {
  const { session, call, answer } = await establishedLab()
  const next = await session.replace(undefined)
  t.match(next.sdp, /^m=audio 30004 RTP\/AVP 111 8 0 101\r$/m)
  t.equal(sdpVersion(next.sdp), 1)
  const id = (text: string) => /^o=- (\d+) /m.exec(text)?.[1]
  t.not(id(next.sdp), id(answer), 'a dialog of its own')
  t.strictSame(session.agreed?.codec.pbx, 'opus', 'the old leg is up until the commit')
  await next.commit(sdpFixture('asterisk-answer'))
  t.strictSame(call.story.slice(3), ['offer next', 'accept next', 'promote'])
  t.strictSame(session.agreed?.codec, { whatsapp: 'opus', pbx: 'PCMA' })
  t.strictSame([...call.legs.keys()], ['whatsapp', 'pbx'])
})

t.test('after the commit later offers go to the new leg', async (t) => {
  const { session, call } = await establishedLab()
  const next = await session.replace(undefined)
  await next.commit(sdpFixture('asterisk-answer'))
  const held = await session.reoffer(editedSdp('asterisk-offer', ['sendrecv', 'sendonly']))
  t.match(held, /^m=audio 30004 /m)
  t.equal(call.last('answer').leg, 'pbx')
  t.equal(sdpVersion(held), 2)
})

t.test(
  'an INVITE with Replaces: its offer is answered, and committed without an answer',
  async (t) => {
    const { session, call } = await establishedLab()
    const next = await session.replace(editedSdp('asterisk-offer', ['15822', '15900']))
    t.match(next.sdp, /^m=audio 30004 RTP\/AVP 107 101\r$/m)
    await next.commit(undefined)
    t.strictSame(call.story.slice(3), ['answer next', 'promote'])
  },
)

t.test('what came to nothing leaves the old leg and the way for another', async (t) => {
  const { session, call } = await establishedLab()
  const next = await session.replace(undefined)
  t.equal(await refusal(session.replace(undefined)), 'MEDIA_STATE 491', 'one at a time')
  await session.reoffer(editedSdp('asterisk-offer', ['sendrecv', 'sendonly']))
  await next.abandon()
  await next.abandon()
  t.equal(await refusal(next.commit(sdpFixture('asterisk-answer'))), 'MEDIA_STATE 491')
  t.strictSame(call.story.slice(3), ['offer next', 'answer pbx', 'drop next'])
  await (await session.replace(undefined)).commit(sdpFixture('asterisk-answer'))
})

const failures: [string, 'offer' | 'accept' | 'promote'][] = [
  ['the anchor has no port', 'offer'],
  ['the anchor refuses the answer', 'accept'],
  ['the anchor refuses the change', 'promote'],
]
for (const [name, what] of failures) {
  t.test(`a replacement that fails is dropped: ${name}`, async (t) => {
    const { session, call } = await establishedLab()
    const attempt = async (): Promise<void> => {
      call.failNext = { what, error: new CausewayError('MEDIA_PORTS_EXHAUSTED') }
      await (await session.replace(undefined)).commit(sdpFixture('asterisk-answer'))
    }
    t.equal(await refusal(attempt()), 'MEDIA_PORTS_EXHAUSTED 503')
    t.equal(call.story.at(-1), 'drop next')
    t.equal(session.agreed?.codec.pbx, 'opus')
    await (await session.replace(undefined)).abandon()
  })
}

t.test('a bad answer or none ends the replacement', async (t) => {
  for (const [sdp, expected] of [
    [editedSdp('asterisk-answer', ['8 101', '18 101']), 'MEDIA_NO_COMMON_CODEC 488'],
    [undefined, 'MEDIA_STATE 491'],
  ] as const) {
    const { session, call } = await establishedLab()
    const next = await session.replace(undefined)
    t.equal(await refusal(next.commit(sdp)), expected)
    t.equal(call.story.at(-1), 'drop next')
  }
})

t.test('no replacement before the call is up', async (t) => {
  const { session } = openLab()
  t.equal(await refusal(session.replace(undefined)), 'MEDIA_STATE 491')
  await session.offer('pbx', sdpFixture('asterisk-offer'))
  t.equal(await refusal(session.replace(undefined)), 'MEDIA_STATE 491')
})
