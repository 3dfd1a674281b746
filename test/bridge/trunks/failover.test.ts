import t from 'tap'
import { bare, bridgeLab, settle } from '../../support/bridge-lab.ts'
import { numberConfig, trunkConfig } from '../../support/configs.ts'
import { backup, call, finish, overflowing, stateOf, target, tried, two } from './lab.ts'

t.test('a target that answers nothing is left for the next within the call', async (t) => {
  const lab = await bridgeLab({ trunks: [two()] })
  const invite = await call(lab)
  const first = lab.port.last!
  lab.clock.advance(4999)
  await settle()
  t.equal(lab.port.sent.length, 1)
  lab.clock.advance(1)
  await settle()
  t.match(first.cancelled?.['Reason'], /cause=18/)
  t.same(tried(lab), ['10.0.0.9', '10.0.0.10'])
  t.match(stateOf(lab), { state: 'down', reason: 'nothing within 5 s', reachable: false })
  t.equal(lab.bridge.status().trunks[0]?.failovers, 1)
  t.same(invite.statuses, [], 'WhatsApp hears nothing of it')
  const record = await finish(t, lab, invite)
  t.match(
    record.ladder
      .filter(({ leg }) => leg === 'pbx')
      .map(({ what, note }) => `${what} ${note ?? ''}`),
    ['INVITE sip:10.0.0.9:5060', 'CANCEL nothing within 5 s', 'INVITE sip:10.0.0.10:5060'],
  )
  t.match(
    lab.lines.find(({ msg }) => msg === 'next target'),
    { from: 'sip:10.0.0.9:5060', to: 'sip:10.0.0.10:5060', why: 'nothing within 5 s' },
  )
})

t.test('its late answer is acknowledged and hung up; it is slow, not dead', async (t) => {
  const lab = await bridgeLab({ trunks: [two()] })
  const invite = await call(lab)
  const first = lab.port.last!
  lab.clock.advance(5000)
  await settle()
  t.equal(stateOf(lab).state, 'down')
  const second = lab.port.last!
  first.respond(200, 'OK', { body: 'late' })
  t.equal(first.acked, 1)
  t.match(lab.port.last?.request, { method: 'BYE', dialogId: first.madeDialog })
  t.equal(stateOf(lab).state, 'up')
  second.respond(200, 'OK', { body: 'b' })
  await settle()
  t.equal(invite.last?.status, 200)
  lab.inDialog('BYE', invite.madeDialog)
  await bare(t, lab)
})

t.test('a target that rings has all the time there is', async (t) => {
  const lab = await bridgeLab({ trunks: [two()] })
  const invite = await call(lab)
  lab.port.last!.respond(180)
  lab.clock.advance(44_000)
  await settle()
  t.same(tried(lab), ['10.0.0.9'])
  await finish(t, lab, invite)
})

t.test('a target that is trying has its share of the time, and is not down after it', async (t) => {
  const lab = await bridgeLab({ trunks: [two()] })
  const invite = await call(lab)
  const first = lab.port.last!
  lab.clock.advance(4000)
  first.respond(100, 'Trying')
  lab.clock.advance(18_499)
  await settle()
  t.same(tried(lab), ['10.0.0.9'], 'half of the 45 s, from the INVITE')
  t.same(invite.statuses, [], 'a 100 does not ring')
  lab.clock.advance(1)
  await settle()
  t.match(first.cancelled?.['Reason'], /cause=18/)
  t.same(tried(lab), ['10.0.0.9', '10.0.0.10'])
  t.equal(stateOf(lab).state, 'up')
  const record = await finish(t, lab, invite)
  t.match(
    record.ladder.find(({ what }) => what === 'CANCEL'),
    { note: 'no more than 100 Trying within 22.5 s' },
  )
})

t.test('a target that rings after its 100 is left alone', async (t) => {
  const lab = await bridgeLab({ trunks: [two()] })
  const invite = await call(lab)
  lab.port.last!.respond(100, 'Trying')
  lab.clock.advance(20_000)
  lab.port.last!.respond(180)
  lab.port.last!.respond(100, 'Trying')
  lab.clock.advance(24_000)
  await settle()
  t.same(tried(lab), ['10.0.0.9'])
  t.same(invite.statuses, [180])
  await finish(t, lab, invite)
})

t.test('a challenge is an answer, too', async (t) => {
  const lab = await bridgeLab({ trunks: [two()] })
  const invite = await call(lab)
  lab.port.last!.respond(401, 'Unauthorized')
  await settle()
  t.equal(invite.last?.status, 480, 'there are no credentials')
  t.equal(stateOf(lab).state, 'up', 'but it is there')
  await bare(t, lab)
})

t.test('the time is shared where there is little of it, and the last gets the rest', async (t) => {
  const number = numberConfig({ inbound: { ...numberConfig().inbound!, ringTimeout: 6000 } })
  const targets = ['10.0.0.9', '10.0.0.10', '10.0.0.11'].map(target)
  const lab = await bridgeLab({ trunks: [two({ targets })], numbers: [number] })
  const invite = await call(lab)
  lab.clock.advance(2000)
  await settle()
  lab.clock.advance(2000)
  await settle()
  t.same(tried(lab), ['10.0.0.9', '10.0.0.10', '10.0.0.11'])
  lab.clock.advance(1999)
  await settle()
  t.same(invite.statuses, [])
  lab.clock.advance(1)
  await settle()
  t.equal(invite.last?.status, 480)
  t.equal((await bare(t, lab)).cause?.code, 'CALL_TARGET_SILENT')
})

t.test('a PBX that is not there is told apart from one where nobody answers', async (t) => {
  const number = numberConfig({ inbound: { ...numberConfig().inbound!, ringTimeout: 15_000 } })
  const lab = await bridgeLab({
    trunks: [two({ targets: [target('10.0.0.9')] })],
    numbers: [number],
  })
  const invite = await call(lab)
  lab.clock.advance(15_000)
  await settle()
  t.equal(invite.last?.status, 480)
  t.match(lab.calls.ended()[0]?.cause, {
    code: 'CALL_TARGET_SILENT',
    result: 'failed',
    text: 'nothing within 15 s',
  })
  t.match(stateOf(lab), { state: 'down', reason: 'nothing within 15 s' })
  await call(lab)
  lab.port.last!.respond(100)
  lab.clock.advance(15_000)
  await settle()
  t.match(lab.calls.ended()[0]?.cause, { code: 'CALL_NO_ANSWER', result: 'unanswered' })
  t.equal(stateOf(lab).state, 'up')
  await bare(t, lab)
})

t.test('with a timeout of 0 a silent target has the time to ring', async (t) => {
  const lab = await bridgeLab({ trunks: [two({ failover: { timeout: 0 } })] })
  const invite = await call(lab)
  lab.clock.advance(44_999)
  await settle()
  t.same(tried(lab), ['10.0.0.9'])
  lab.clock.advance(1)
  await settle()
  t.equal(invite.last?.status, 480)
  await bare(t, lab)
})

t.test('the only target of a trunk with an overflow trunk is left as well', async (t) => {
  const lab = await bridgeLab({ trunks: [trunkConfig(), backup()], numbers: [overflowing()] })
  const invite = await call(lab)
  lab.clock.advance(5000)
  await settle()
  t.same(tried(lab), ['10.0.0.9', '10.1.0.9'])
  await finish(t, lab, invite)
})

t.test('the caller hangs up while a target is silent: no timer is left', async (t) => {
  const lab = await bridgeLab({ trunks: [two()] })
  const invite = await call(lab)
  invite.cancel()
  await settle()
  t.ok(lab.port.last?.cancelled)
  await bare(t, lab)
  lab.clock.advance(60_000)
  t.same(tried(lab), ['10.0.0.9'])
})

t.test('503 makes a target busy for its Retry-After, then one call tries it', async (t) => {
  const lab = await bridgeLab({ trunks: [two()] })
  const invite = await call(lab)
  lab.port.last!.respond(503, 'Full', { headers: { 'retry-after': '60' } })
  await settle()
  t.match(stateOf(lab), { state: 'busy', reason: '503 Full' })
  await finish(t, lab, invite)
  await finish(t, lab, await call(lab))
  t.same(tried(lab), ['10.0.0.9', '10.0.0.10', '10.0.0.10'])
  lab.clock.advance(60_000)
  await call(lab)
  const probe = lab.port.last!
  t.equal(stateOf(lab).state, 'probing')
  await call(lab)
  t.same(tried(lab).slice(-2), ['10.0.0.9', '10.0.0.10'], 'the others do not wait for it')
  probe.respond(180)
  t.equal(stateOf(lab).state, 'up')
  await call(lab)
  t.equal(tried(lab).at(-1), '10.0.0.9')
})

t.test('a 408 of something behind a target says nothing of the target', async (t) => {
  const lab = await bridgeLab({ trunks: [two()] })
  const invite = await call(lab)
  lab.port.last!.respond(503, 'Full', { headers: { 'retry-after': '60' } })
  await settle()
  await finish(t, lab, invite)
  lab.clock.advance(60_000)
  await call(lab)
  t.equal(stateOf(lab).state, 'probing')
  lab.port.last!.respond(408, 'Request Timeout')
  await settle()
  t.equal(stateOf(lab).state, 'probing', 'neither back nor gone')
})

t.test('log lines say once that a target is gone, and that it is back', async (t) => {
  const lab = await bridgeLab({ trunks: [two()] })
  for (let i = 0; i < 3; i++) {
    const invite = await call(lab)
    for (const sent of lab.port.sent.slice(-1)) sent.respond(503, 'no', { local: true })
    await settle()
    if (i === 0) await finish(t, lab, invite)
    lab.clock.advance(400_000)
  }
  const said = () => lab.lines.filter(({ msg }) => /^target is/.test(String(msg)))
  t.equal(said().filter(({ target }) => target === 'sip:10.0.0.9:5060').length, 1)
  t.match(said()[0], {
    level: 40,
    msg: 'target is down',
    trunk: 'main',
    reason: /^no connection/,
  })
  await call(lab)
  lab.port.last!.respond(180)
  t.match(said().at(-1), { msg: 'target is back', trunk: 'main' })
})
