import t from 'tap'
import { startToyPbx, type ToyPbx, type ToyPbxOptions } from '../../src/simulator/toy-pbx/index.ts'
import { until } from '../support/until.ts'

async function start(
  t: { teardown(fn: () => unknown): void },
  options: ToyPbxOptions = {},
): Promise<ToyPbx> {
  const pbx = await startToyPbx({ ringMs: 10, ...options })
  t.teardown(() => pbx.close())
  return pbx
}

for (const [srtp, codec] of [
  ['sdes', 'opus'],
  ['none', 'PCMA'],
] as const) {
  t.test(`two toy PBXs talk by ${codec}, srtp ${srtp}`, async (t) => {
    const callee = await start(t, { srtp, codecs: [codec] })
    const caller = await start(t, { srtp, codecs: [codec], trunk: callee.uri })
    const ringing = callee.next()
    const out = caller.call('+33199001234', { from: '100', headers: { 'X-Test': 'yes' } })
    const inc = await ringing
    t.equal(inc.to, '+33199001234')
    t.equal(inc.from, '100')
    t.equal(inc.headers['x-test'], 'yes')
    await out.until((call) => call.state === 'answered')
    await until('audio', () => Boolean(out.media?.heard && inc.media?.heard))
    t.equal(out.media?.received.tone?.frequency, 880)
    t.equal(inc.media?.received.tone?.frequency, 1000)
    t.equal(out.media?.codec, codec)
    out.hangup()
    await inc.until(() => false)
    t.equal(inc.reason, 'hung up by the trunk')
    t.match(out.view(), { state: 'ended', reason: 'hung up here', media: { heard: true } })
  })
}

t.test('a refused call says why', async (t) => {
  const callee = await start(t, { refuse: 486 })
  const caller = await start(t, { trunk: callee.uri })
  const call = caller.call('+33199001234')
  await call.until(() => false)
  t.equal(call.status, 486)
  t.match(call.reason, /^486/)
  t.ok(call.headers['cseq'])
})

t.test('an outgoing call is cancelled while it rings', async (t) => {
  const callee = await start(t, { ringMs: 60_000 })
  const caller = await start(t, { trunk: callee.uri })
  const ringing = callee.next()
  const out = caller.call('+33199001234')
  const inc = await ringing
  // The INVITE is cancelled only once a provisional response has come (RFC 3261 §9.1).
  out.hangup()
  await inc.until(() => false)
  await out.until(() => false)
  t.equal(inc.reason, 'cancelled by the trunk')
  t.equal(out.status, 487)
})

t.test('encryption on one side only is refused', async (t) => {
  const callee = await start(t, { srtp: 'none' })
  const caller = await start(t, { trunk: callee.uri })
  const call = caller.call('+33199001234')
  await call.until(() => false)
  t.equal(call.status, 488)
  t.match(callee.calls[0]!.reason, /profile RTP\/SAVP meets RTP\/AVP/)
})

t.test('without a trunk there are no calls', async (t) => {
  const pbx = await start(t)
  t.throws(() => pbx.call('+33199001234'), /no trunk/)
})
