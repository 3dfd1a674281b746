import t, { type Test } from 'tap'
import { type BridgeLab, bridgeLab, settle } from '../../support/bridge-lab.ts'
import { backup, call, overflowing, stateOf, tried, two } from './lab.ts'

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
