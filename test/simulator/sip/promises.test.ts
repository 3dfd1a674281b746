import t from 'tap'
import { headerValue } from '../../../src/embedded-drachtio/message/index.ts'
import { systemClock } from '../../../src/shared/clock.ts'
import { systemRandom } from '../../../src/shared/random.ts'
import { MediaEndpoint, type MediaEndpointOptions } from '../../../src/simulator/media/index.ts'
import type { Behaviour, CallRecord } from '../../../src/simulator/sip/index.ts'
import { until } from '../../support/until.ts'
import { BUSINESS, CONSUMER, HOST, type Lab, type Received, reply, startLab } from './lab.ts'

const CONTACT = `Contact: <sip:${BUSINESS}@${HOST};transport=tls>`

interface Scene {
  lab: Lab
  call: CallRecord
  invite: Received
  business: MediaEndpoint
}

/** A user-initiated call in real time, up to its INVITE, and a business with media by SDES. */
async function scene(
  t: { teardown(fn: () => void): void },
  behaviour: Partial<Behaviour>,
  options: Partial<MediaEndpointOptions> = {},
): Promise<Scene> {
  const lab = await startLab(t, {
    clock: systemClock,
    random: systemRandom,
    // Only the tests of it are to depend on how busy the machine is.
    behaviour: { firstPacket: 20_000, ...behaviour },
  })
  lab.number.calling.additionalCodecs = ['PCMA']
  const business = await MediaEndpoint.open({
    clock: systemClock,
    random: systemRandom,
    dialect: 'pbx',
    profile: 'RTP/SAVP',
    address: '127.0.0.1',
    codecs: ['opus'],
    tone: { frequency: 880, level: -20 },
    waits: false,
    rtcpMux: true,
    ...options,
  })
  t.teardown(() => business.close())
  const call = lab.simulator.placeCall({ from: CONSUMER, to: BUSINESS })
  const invite = await lab.peer.expect('INVITE')
  return { lab, call, invite, business }
}

/** Answers, and speaks at once. */
async function answer({ lab, invite, business }: Scene): Promise<void> {
  const body = await business.answer(invite.message.body!.toString())
  invite.write(
    reply(invite.message, '200 OK', CONTACT, { body: body.replace(/ptime:30/g, 'ptime:20') }),
  )
  await lab.peer.expect('ACK')
  business.start()
}

const heard = (call: CallRecord, packets: number): Promise<void> =>
  until('audio', () => (call.media?.verdict().received.packets ?? 0) >= packets)

const breaches: {
  rule: string
  options?: Partial<MediaEndpointOptions>
  behaviour?: Partial<Behaviour>
  run: (scene: Scene) => Promise<void>
}[] = [
  {
    rule: 'ssrc',
    async run(scene) {
      await answer(scene)
      await heard(scene.call, 5)
      scene.business.restart()
    },
  },
  { rule: 'ptime', options: { codecs: ['PCMA'], ptime: 30 }, run: answer },
  {
    rule: 'first-packet',
    behaviour: { firstPacket: 40 },
    async run({ lab, invite, business }) {
      const body = await business.answer(invite.message.body!.toString())
      invite.write(reply(invite.message, '200 OK', CONTACT, { body }))
      await lab.peer.expect('ACK')
      systemClock.setTimeout(() => business.start(), 80)
    },
  },
  {
    rule: 'early-media',
    async run({ lab, invite, business, call }) {
      const body = await business.answer(invite.message.body!.toString())
      business.start()
      await call.until(() => call.violations.length > 0)
      invite.write(reply(invite.message, '200 OK', CONTACT, { body }))
      await lab.peer.expect('ACK')
    },
  },
]

for (const { rule, options, behaviour, run } of breaches) {
  t.test(`${rule}: the call ends with a BYE that names it`, async (t) => {
    const one = await scene(t, behaviour ?? {}, options)
    await run(one)
    const bye = await one.lab.peer.expect('BYE')
    bye.write(reply(bye.message, '200 OK'))
    await one.call.until(() => false)
    // On a busy machine the BYE's own answer may come too late to count.
    const [violation, ...more] = one.call.violations.filter((each) => each.rule !== 'bye')
    t.same(more, [])
    t.equal(violation?.rule, rule)
    const reason = `${rule}: ${violation?.detail}`
    t.match(one.call.outcome, { by: 'whatsapp', reason })
    t.equal(headerValue(bye.message.headers, 'reason'), `SIP;cause=500;text="${reason}"`)
  })

  t.test(`${rule}: only noted when not strict`, async (t) => {
    const one = await scene(t, { ...behaviour, strict: false }, options)
    await run(one)
    await heard(one.call, 10)
    t.equal(one.call.state, 'answered')
    t.same(
      one.call.violations.map((violation) => violation.rule),
      [rule],
    )
    t.match(one.call.view().media?.promises?.broken, { [rule]: Number })
  })
}

t.test('a stream that keeps every promise, with figures', async (t) => {
  const one = await scene(t, {})
  await answer(one)
  one.business.dtmf('7')
  await until('audio', () => Boolean(one.call.media?.verdict().heard))
  await until('a digit', () => one.call.media?.verdict().received.digits.length === 1)
  t.same(one.call.violations, [])
  const { promises, received } = one.call.view().media!
  t.match(promises, { pauses: 0, silence: 0, broken: {} })
  t.same(Object.keys(promises!.frames), ['20'])
  t.ok(promises!.firstPacket! < 20_000 && promises!.longestGap > 0)
  t.ok(received.rtcp > 0, 'reports came')
})

t.test('early media where it is accepted', async (t) => {
  const one = await scene(t, { earlyMedia: 'accept' })
  const { lab, invite, business, call } = one
  const body = await business.answer(invite.message.body!.toString())
  invite.write(reply(invite.message, '183 Session Progress', CONTACT, { body }))
  await call.until(() => call.media?.verdict().codec !== undefined || call.state === 'ringing')
  business.start()
  await heard(call, 20)
  t.equal(call.state, 'ringing')
  t.equal(business.verdict().received.packets, 0, 'the consumer is not heard before the answer')
  invite.write(reply(invite.message, '200 OK', CONTACT, { body }))
  await lab.peer.expect('ACK')
  await until('audio', () => business.verdict().received.packets > 5)
  t.ok(business.verdict().received.packets > 5)
  t.same(call.violations, [])
  t.equal(call.media?.verdict().promises?.firstPacket, 0)
})

t.test('the answer of the 200 has to be that of the 183', async (t) => {
  const one = await scene(t, { earlyMedia: 'accept' })
  const { lab, invite, business, call } = one
  const body = await business.answer(invite.message.body!.toString())
  invite.write(reply(invite.message, '183 Session Progress', CONTACT, { body }))
  await call.until((call) => call.state === 'ringing')
  const other = body
    .replace(/m=audio \d+/, 'm=audio 40000')
    .replace(/^o=.*$/m, 'o=- 1 9 IN IP4 127.0.0.1')
  invite.write(reply(invite.message, '200 OK', CONTACT, { body: other }))
  await lab.peer.expect('ACK')
  t.match(call.violations, [{ rule: 'sdp', detail: /another one than in the 183/ }])
})

t.test('loss that the simulator makes itself breaks nothing', async (t) => {
  const one = await scene(t, { loss: 0.3 })
  await answer(one)
  await heard(one.call, 60)
  t.same(one.call.violations, [])
  t.ok(one.call.media!.verdict().received.lost > 3)
  t.ok(one.business.verdict().received.lost > 3)
})
