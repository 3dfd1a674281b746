import t, { type Test } from 'tap'
import { DOUBTFUL_INTERVAL, DOWN_INTERVAL, Pinger } from '../../../src/bridge/trunks/pinger.ts'
import { type HealthSurroundings, TargetHealth } from '../../../src/bridge/trunks/target-health.ts'
import type { OptionsConfig } from '../../../src/config/types.ts'
import { trunkConfig } from '../../support/configs.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import { FakePort } from '../../support/fake-sip-port.ts'

const target = (host: string) => ({
  ...{ uri: `sip:${host}`, host, port: undefined, transport: 'tcp' as const, weight: 1 },
})
const options = (change: Partial<OptionsConfig> = {}): OptionsConfig => ({
  ...{ interval: 30_000, timeout: 4000, downAfter: 2, upAfter: 1 },
  ...change,
})

function lab(t: Test, around: HealthSurroundings = {}) {
  const clock = new FakeClock()
  const random = new FakeRandom()
  const port = new FakePort()
  const changes: string[] = []
  const targets = new TargetHealth(clock, random, {
    ...around,
    changed: (uri, { condition, reason }) => {
      changes.push(`${uri} ${condition}${reason ? `: ${reason}` : ''}`)
    },
  })
  const pinger = new Pinger({ port, clock, random, targets })
  t.teardown(() => pinger.stop())
  return { clock, port, targets, pinger, changes }
}

/** Lets time pass until the next OPTIONS is sent, and gives the milliseconds. */
function next({ clock, port }: Lab): number {
  const count = port.sent.length
  const began = clock.monotonic()
  while (port.sent.length === count && clock.monotonic() < began + 600_000) clock.advance(1)
  return clock.monotonic() - began
}

type Lab = ReturnType<typeof lab>

t.test('an OPTIONS in every interval, the first at once', async (t) => {
  const all = lab(t)
  const { clock, port, pinger, targets, changes } = all
  const trunk = trunkConfig({ targets: [target('a')], options: options() })
  pinger.configure([trunk])
  t.ok(next(all) <= 1000)
  t.match(port.last?.request, {
    method: 'OPTIONS',
    uri: 'sip:a;transport=tcp',
    headers: {
      From: /^<sip:causeway@localhost>;tag=/,
      To: '<sip:a>',
      CSeq: '1 OPTIONS',
      Contact: '<sip:causeway@localhost;transport=tcp>',
      Accept: 'application/sdp',
    },
  })
  clock.advance(3)
  port.last!.respond(200)
  t.same(changes, ['sip:a up'])
  t.match(targets.news(trunk.targets[0]!), { condition: 'up', since: clock.now() })
  t.equal(targets.news(trunk.targets[0]!).roundTrip, 3)
  for (let i = 0; i < 5; i++) {
    const waited = next(all)
    t.ok(waited >= 27_000 && waited <= 33_000, `${waited} ms: spread by a tenth`)
    port.last!.respond(200)
  }
  t.same(changes, ['sip:a up'], 'said once')
})

for (const status of [200, 401, 403, 404, 405, 407, 480, 500, 501, 603]) {
  t.test(`${status} is a sign of life`, async (t) => {
    const { clock, port, pinger, changes } = lab(t)
    pinger.configure([trunkConfig({ targets: [target('a')], options: options() })])
    clock.advance(1000)
    port.last!.respond(status)
    t.same(changes, ['sip:a up'])
  })
}

const failures: [name: string, fail: (lab: Lab) => void, reason: RegExp][] = [
  ['silence', ({ clock }) => clock.advance(4000), /no answer to OPTIONS in 4000 ms/],
  ['408', ({ port }) => port.last!.respond(408, 'Request Timeout'), /408 Request Timeout/],
  ['503', ({ port }) => port.last!.respond(503, 'Unavailable'), /503 Unavailable/],
  ['no connection', ({ port }) => port.last!.respond(503, 'x', { local: true }), /no connection/],
  ['no route', ({ port }) => port.last!.fail('no DNS answer'), /no DNS answer/],
]
for (const [name, fail, reason] of failures) {
  t.test(`${name} twice is the end, and one answer the return`, async (t) => {
    const all = lab(t)
    const { port, pinger, targets, changes } = all
    const trunk = trunkConfig({ targets: [target('a')], options: options() })
    pinger.configure([trunk])
    next(all)
    port.last!.respond(200)
    next(all)
    fail(all)
    t.same(changes, ['sip:a up'], 'one is not enough')
    t.ok(next(all) <= DOUBTFUL_INTERVAL * 1.1, 'the second comes soon')
    fail(all)
    t.equal(changes.length, 2)
    t.match(changes[1], reason)
    t.ok(targets.isDead(trunk))
    for (let i = 0; i < 5; i++) {
      t.ok(next(all) <= DOWN_INTERVAL * 1.1, 'its return will be seen within seconds')
      fail(all)
    }
    t.equal(changes.length, 2, 'said once')
    next(all)
    port.last!.respond(404)
    t.equal(changes.at(-1), 'sip:a up')
    t.notOk(targets.isDead(trunk))
  })
}

t.test('a 503 with Retry-After is busy for that time', async (t) => {
  const { clock, port, pinger, targets, changes } = lab(t)
  const trunk = trunkConfig({ targets: [target('a')], options: options() })
  pinger.configure([trunk])
  clock.advance(1000)
  port.last!.respond(503, 'Full', { headers: { 'retry-after': '20 (later)' } })
  t.same(changes, ['sip:a busy: OPTIONS is answered 503 Full'])
  t.ok(targets.isAvoided(trunk.targets[0]!))
  t.notOk(targets.isDead(trunk), 'busy is not dead')
  clock.advance(20_000)
  t.notOk(targets.isAvoided(trunk.targets[0]!))
})

t.test('a late answer, and one after the end, change nothing', async (t) => {
  const { clock, port, pinger, changes } = lab(t)
  const trunk = trunkConfig({ targets: [target('a')], options: options({ downAfter: 1 }) })
  pinger.configure([trunk])
  clock.advance(1000)
  const late = port.last!
  clock.advance(4000)
  t.equal(changes.length, 1)
  late.respond(200)
  t.equal(changes.length, 1)
  clock.advance(2200)
  const last = port.last!
  pinger.stop()
  last.respond(200)
  t.equal(changes.length, 1)
  t.equal(clock.pending, 0, 'no timer is left')
})

t.test('without a SIP server of our own nothing is learnt', async (t) => {
  const all = lab(t)
  const { clock, port, pinger, changes } = all
  pinger.configure([trunkConfig({ targets: [target('a')], options: options() })])
  port.connected = false
  clock.advance(300_000)
  t.equal(port.sent.length, 0)
  port.connected = true
  next(all)
  port.connected = false
  port.last!.fail('the connection was lost')
  t.same(changes, [])
})

t.test('a contact that a PBX has registered is not pinged', async (t) => {
  const { clock, port, pinger, targets } = lab(t, { registered: () => [target('contact')] })
  pinger.configure([trunkConfig({ targets: [target('a')], options: options({}) })])
  clock.advance(1000)
  t.same(
    port.sent.map(({ request }) => request.uri),
    ['sip:a;transport=tcp'],
  )
  t.notOk(targets.isAvoided(target('contact')))
})

t.test('a reload starts, changes and ends pings', async (t) => {
  const all = lab(t)
  const { clock, port, pinger, targets } = all
  const [a, b] = [target('a'), target('b')]
  const trunk = (interval: number, ...all: (typeof a)[]) =>
    trunkConfig({ targets: all, options: options({ interval }) })
  pinger.configure([trunk(0, a, b)])
  clock.advance(600_000)
  t.equal(port.sent.length, 0, 'off by default')
  t.equal(clock.pending, 0)
  pinger.configure([trunk(300_000, a), { ...trunk(60_000, a), name: 'other' }])
  clock.advance(1000)
  port.last!.respond(200)
  t.equal(port.sent.length, 1, 'one target of two trunks is pinged once')
  t.ok(next(all) <= 66_000, 'at the shorter interval')
  port.last!.respond(200)
  pinger.configure([trunk(10_000, a, b)])
  clock.advance(1000)
  t.equal(port.sent.length, 4, 'a shorter interval does not wait for the end of the former')
  port.sent.at(-1)!.respond(200)
  port.sent.at(-2)!.respond(200)
  for (let i = 0; i < 8; i++) clock.advance(10_000)
  t.ok(targets.isDead(trunk(0, a, b)))
  pinger.configure([trunk(10_000, b)])
  t.notOk(targets.isAvoided(a), 'a call may find out what nobody pings')
  t.notOk(pinger.pings(a))
  pinger.configure([])
  t.equal(clock.pending, 0, 'no timer is left')
})
