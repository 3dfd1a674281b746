import t, { type Test } from 'tap'
import type { TrunkConfig } from '../../../src/config/types.ts'
import { type BridgeLab, bare, bridgeLab, settle } from '../../support/bridge-lab.ts'
import { numberConfig, trunkConfig } from '../../support/configs.ts'

const target = (host: string) => ({
  ...{ uri: `sip:${host}:5060`, host, port: 5060, transport: 'udp' as const, weight: 1 },
})
const two = (change: Partial<TrunkConfig> = {}) =>
  trunkConfig({ targets: [target('10.0.0.9'), target('10.0.0.10')], ...change })
const backup = (change: Partial<TrunkConfig> = {}) =>
  trunkConfig({ name: 'backup', targets: [target('10.1.0.9')], ...change })
function overflowing() {
  const inbound = numberConfig().inbound!
  return numberConfig({ inbound: { ...inbound, overflow: [{ ...inbound, trunk: 'backup' }] } })
}

/** Hosts of the INVITEs that were sent, in order. */
function tried({ port }: BridgeLab): string[] {
  return port.sent
    .filter(({ request }) => request.method === 'INVITE')
    .map(({ request }) => /@([^:;]+)/.exec(request.uri)![1]!)
}

async function call(lab: BridgeLab) {
  const invite = lab.fromWhatsApp()
  await settle()
  return invite
}

const stateOf = (lab: BridgeLab, index = 0) => lab.bridge.status().targets[index]!

/** Answers the last INVITE, and ends the call. */
async function finish(t: Test, lab: BridgeLab, invite: Awaited<ReturnType<typeof call>>) {
  lab.port.last!.respond(200, 'OK', { body: 'a' })
  await settle()
  t.equal(invite.last?.status, 200)
  lab.inDialog('BYE', invite.madeDialog)
  return bare(t, lab)
}

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

const pings = { interval: 30_000, timeout: 4000, downAfter: 2, upAfter: 1 }

/** Lets the pings of some hosts fail until they are down; others are answered. */
function pingAll(lab: BridgeLab, down: readonly string[], ms = 60_000): void {
  const answered = new Set()
  for (let waited = 0; waited < ms; waited += 500) {
    for (const sent of lab.port.sent) {
      if (sent.request.method !== 'OPTIONS' || answered.has(sent)) continue
      answered.add(sent)
      if (!down.some((host) => sent.request.uri.includes(host))) sent.respond(200)
    }
    lab.clock.advance(500)
  }
}

t.test('a trunk that pings find dead is passed over at once', async (t) => {
  const trunks = [two({ options: pings }), backup()]
  const lab = await bridgeLab({ trunks, numbers: [overflowing()] })
  pingAll(lab, ['10.0.0.9'])
  t.match(lab.bridge.status().targets, [{ state: 'down', pinged: true }, { state: 'up' }, {}])
  await finishOne(t, lab)
  t.same(tried(lab), ['10.0.0.10'], 'one target is enough')
  pingAll(lab, ['10.0.0.9', '10.0.0.10'])
  await finishOne(t, lab)
  t.same(tried(lab).slice(1), ['10.1.0.9'], 'none: the overflow trunk, without waiting')
  t.match(lab.bridge.status().trunks, [
    { name: 'main', up: false },
    { name: 'backup', up: true },
  ])
  pingAll(lab, [])
  await finishOne(t, lab)
  t.equal(tried(lab).at(-1), '10.0.0.9', 'back')
  await lab.bridge.stop()
  t.equal(lab.clock.pending, 0, 'pings end with the bridge')
})

/** As {@link finish}, while pings go on. */
async function finishOne(t: Test, lab: BridgeLab) {
  const invite = await call(lab)
  lab.port.last!.respond(200, 'OK', { body: 'a' })
  await settle()
  t.equal(invite.last?.status, 200)
  lab.inDialog('BYE', invite.madeDialog)
  await settle()
}

t.test('where no trunk is up the targets are tried all the same', async (t) => {
  const trunks = [two({ options: pings }), backup({ options: pings })]
  const lab = await bridgeLab({ trunks, numbers: [overflowing()] })
  pingAll(lab, ['10.'])
  const invite = await call(lab)
  for (let i = 0; i < 2; i++) {
    lab.clock.advance(5000)
    await settle()
  }
  t.same(tried(lab), ['10.0.0.9', '10.0.0.10', '10.1.0.9'])
  const last = lab.port.sent.findLast(({ request }) => request.method === 'INVITE')!
  last.respond(200, 'OK', { body: 'a' })
  await settle()
  t.equal(invite.last?.status, 200)
  t.equal(stateOf(lab, 2).state, 'up', 'an answered call is better evidence')
  await lab.bridge.stop()
})

t.test('a call that rings where pings find nobody any more goes on elsewhere', async (t) => {
  const lab = await bridgeLab({ trunks: [two({ options: { ...pings, interval: 5000 } })] })
  pingAll(lab, [], 5000)
  const invite = await call(lab)
  const first = lab.port.last!
  first.respond(180)
  pingAll(lab, ['10.0.0.9'], 16_000)
  await settle()
  t.ok(first.cancelled)
  t.same(tried(lab), ['10.0.0.9', '10.0.0.10'])
  const second = lab.port.sent.findLast(({ request }) => request.method === 'INVITE')!
  second.respond(180)
  pingAll(lab, ['10.0.0'], 16_000)
  t.notOk(second.cancelled, 'where nothing else is left it stays')
  second.respond(200, 'OK', { body: 'a' })
  await settle()
  t.same(invite.statuses, [180, 200])
  pingAll(lab, [], 20_000)
  t.equal(lab.calls.size, 1, 'an answered call is left alone')
  await lab.bridge.stop()
  t.equal(lab.clock.pending, 0)
})

t.test('a reload changes who is pinged', async (t) => {
  const lab = await bridgeLab({ trunks: [two({ options: pings })] })
  pingAll(lab, [])
  t.ok(stateOf(lab).pinged)
  lab.bridge.reconfigure({ ...lab.config, trunks: [two()] })
  t.equal(lab.clock.pending, 0)
  t.notOk(stateOf(lab).pinged)
})

t.test('a redirection within the trunk is followed, before the other targets', async (t) => {
  const lab = await bridgeLab({ trunks: [two()] })
  const invite = await call(lab)
  const contact = '<sip:201@10.0.0.10>;q=0.1, <sip:200@10.0.0.9:5070;transport=tcp>'
  lab.port.last!.respond(302, 'Moved Temporarily', { headers: { contact } })
  await settle()
  t.equal(lab.port.last!.request.uri, 'sip:200@10.0.0.9:5070;transport=tcp')
  lab.port.last!.respond(503, 'x', { local: true })
  await settle()
  t.equal(lab.port.last!.request.uri, 'sip:201@10.0.0.10;transport=udp')
  lab.port.last!.respond(408, 'Request Timeout')
  await settle()
  t.equal(lab.port.last!.request.uri, 'sip:+441632960123@10.0.0.10:5060;transport=udp')
  await finish(t, lab, invite)
})

t.test('a redirection elsewhere goes to the overflow trunk, and says so without one', async (t) => {
  const moved = { headers: { contact: '<sip:+900123@203.0.113.66>' } }
  const lab = await bridgeLab({ trunks: [two(), backup()], numbers: [overflowing()] })
  const invite = await call(lab)
  lab.port.last!.respond(302, 'Moved', moved)
  await settle()
  t.same(tried(lab), ['10.0.0.9', '10.0.0.10'], 'the other target of the trunk may know better')
  lab.port.last!.respond(302, 'Moved', moved)
  await settle()
  t.equal(tried(lab).at(-1), '10.1.0.9')
  await finish(t, lab, invite)

  const alone = await bridgeLab()
  const other = await call(alone)
  alone.port.last!.respond(302, 'Moved', moved)
  await settle()
  t.equal(other.last?.status, 480)
  t.match((await bare(t, alone)).cause, {
    code: 'CALL_PBX_REDIRECT_REFUSED',
    text: /203\.0\.113\.66/,
  })
  t.same(tried(alone), ['10.0.0.9'])
})

t.test('redirections that go round and round end', async (t) => {
  const lab = await bridgeLab()
  const invite = await call(lab)
  for (let i = 0; i < 20 && invite.responses.length === 0; i++) {
    const headers = { contact: `<sip:${i}@10.0.0.9>` }
    lab.port.last!.respond(302, 'Moved', { headers })
    await settle()
  }
  t.equal(invite.last?.status, 480)
  t.equal(tried(lab).length, 6)
  await bare(t, lab)
})

t.test('a full trunk hands the call on, both directions count', async (t) => {
  const trunks = [two({ limits: { calls: 1, status: 503 } }), backup()]
  const lab = await bridgeLab({ trunks, numbers: [overflowing()] })
  const first = await call(lab)
  const second = await call(lab)
  t.same(tried(lab), ['10.0.0.9', '10.1.0.9'])
  t.match(
    lab.lines.filter(({ msg }) => msg === 'trunk is full'),
    [{ level: 40, trunk: 'main', detail: 'trunk main has 1 call', fix: /limits/ }],
  )
  const refused = lab.fromPbx()
  await settle()
  t.match(refused.last, {
    status: 503,
    headers: { 'Retry-After': '10', Warning: /CALL_TRUNK_LIMIT: trunk main has 1 call/ },
  })
  t.match(lab.bridge.status().trunks, [{ name: 'main', calls: 1, limit: 1 }, { calls: 1 }])
  for (const invite of [first, second]) invite.cancel()
  await settle()
  lab.fromPbx()
  await settle()
  t.match(lab.bridge.status().trunks, [{ calls: 1 }])
  await call(lab)
  t.equal(tried(lab).at(-1), '10.1.0.9', 'a call from the PBX fills it, too')
})

for (const status of [503, 486] as const) {
  t.test(`a full trunk without overflow answers ${status}`, async (t) => {
    const lab = await bridgeLab({ trunks: [two({ limits: { calls: 1, status } })] })
    await call(lab)
    const invite = await call(lab)
    t.equal(invite.last?.status, status)
    t.equal(invite.last?.headers?.['Retry-After'], status === 503 ? '10' : undefined)
    t.equal(lab.calls.size, 1)
    t.equal(lab.calls.ended()[0]?.cause?.code, 'CALL_TRUNK_LIMIT')
    const outgoing = lab.fromPbx()
    await settle()
    t.equal(outgoing.last?.status, status)
  })

  t.test(`a full number answers ${status}`, async (t) => {
    const number = numberConfig({ limits: { calls: 1, status } })
    const lab = await bridgeLab({ numbers: [number] })
    await call(lab)
    const invite = await call(lab)
    t.equal(invite.last?.status, status)
    const outgoing = lab.fromPbx()
    await settle()
    t.equal(outgoing.last?.status, status)
    t.match(lab.bridge.status().refusals, [
      { side: 'whatsapp', code: 'CALL_NUMBER_FULL' },
      { side: 'pbx', code: 'CALL_NUMBER_FULL' },
    ])
  })
}
