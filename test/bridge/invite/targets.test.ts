import t from 'tap'
import { Hunt } from '../../../src/bridge/invite/targets.ts'
import { TargetHealth } from '../../../src/bridge/trunks/target-health.ts'
import { AVOIDED_FOR } from '../../../src/bridge/trunks/target-state.ts'
import { trunkConfig } from '../../support/configs.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeRandom } from '../../support/fake-random.ts'

const trunk = (name: string, ...weights: number[]) =>
  trunkConfig({
    name,
    targets: weights.map((weight, i) => ({
      uri: `sip:${name}${i}`,
      host: `${name}${i}`,
      port: undefined,
      transport: 'udp' as const,
      weight,
    })),
  })

t.test('equal weights keep the order of the configuration; the avoided come last', async (t) => {
  const clock = new FakeClock()
  const health = new TargetHealth(clock, new FakeRandom())
  const main = trunk('a', 1, 1, 1)
  const order = () => health.order(main).map(({ host }) => host)
  t.same(order(), ['a0', 'a1', 'a2'])
  health.failed(main.targets[0]!)
  t.same(order(), ['a1', 'a2', 'a0'])
  health.worked(main.targets[0]!)
  t.same(order(), ['a0', 'a1', 'a2'])
  health.failed(main.targets[1]!)
  clock.advance(AVOIDED_FOR)
  t.same(order(), ['a0', 'a1', 'a2'])
})

t.test('different weights share the load', async (t) => {
  const health = new TargetHealth(new FakeClock(), new FakeRandom())
  const main = trunk('a', 30, 10)
  t.same(new Set(health.order(main)), new Set(main.targets), 'none is lost')
  let first = 0
  for (let i = 0; i < 1000; i++) {
    if (health.order(main)[0] === main.targets[0]) first++
  }
  t.ok(first > 700 && first < 800, `${first} of 1000 for three quarters`)
})

t.test('a hunt walks all targets of a trunk before the next trunk', async (t) => {
  const health = new TargetHealth(new FakeClock(), new FakeRandom())
  const hunt = new Hunt([trunk('a', 1, 1), trunk('b', 1)], health)
  t.equal(hunt.nextTarget(), undefined, 'not begun')
  t.equal(hunt.nextTrunk()?.target.host, 'a0')
  t.equal(hunt.nextTarget()?.target.host, 'a1')
  t.equal(hunt.nextTarget(), undefined)
  t.match(hunt.nextTrunk(), { trunk: { name: 'b' }, target: { host: 'b0' } })
  t.equal(hunt.nextTrunk(), undefined)
})
