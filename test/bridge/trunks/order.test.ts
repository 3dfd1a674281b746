import t from 'tap'
import { type Patience, patienceWith } from '../../../src/bridge/trunks/budget.ts'
import { inOrder } from '../../../src/bridge/trunks/order.ts'
import { FakeRandom } from '../../support/fake-random.ts'

const target = (host: string, weight = 1, priority?: number) => ({
  ...{ uri: `sip:${host}`, host, port: undefined, transport: 'udp' as const, weight },
  ...(priority === undefined ? {} : { priority }),
})
const hosts = (targets: { host: string }[]) => targets.map(({ host }) => host).join(' ')

t.test('the lowest priority value comes first, whatever its place and weight', async (t) => {
  const targets = [target('c', 100, 2), target('a', 1, 0), target('d', 1, 9), target('b', 1, 1)]
  t.equal(hosts(inOrder(targets, new FakeRandom())), 'a b c d')
  t.equal(hosts(inOrder([target('b', 1, 1), target('a')], new FakeRandom())), 'a b', 'none is 0')
  t.equal(hosts(inOrder([], new FakeRandom())), '')
})

t.test('equal weights keep the order within a priority', async (t) => {
  const targets = [target('a', 7, 1), target('b', 7, 1), target('c', 7, 1)]
  t.equal(hosts(inOrder(targets, new FakeRandom())), 'a b c')
})

t.test('weights share within one priority, and never across', async (t) => {
  const random = new FakeRandom()
  const targets = [target('x', 50, 2), target('a', 30, 1), target('b', 10, 1), target('y', 1, 2)]
  const first = new Map<string, number>()
  for (let i = 0; i < 2000; i++) {
    const order = inOrder(targets, random)
    t.equal(new Set(order).size, 4)
    t.same(new Set(order.slice(0, 2).map(({ host }) => host)), new Set(['a', 'b']))
    first.set(order[0]!.host, (first.get(order[0]!.host) ?? 0) + 1)
  }
  const share = first.get('a')! / 2000
  t.ok(share > 0.72 && share < 0.78, `${share} for three quarters`)
})

const shares: [
  name: string,
  share: Parameters<typeof patienceWith>[0],
  ms: Patience | undefined,
][] = [
  [
    'the limit, and half of the time with a 100',
    { limit: 5000, left: 45_000, targets: 1, trunks: false },
    { silent: 5000, trying: 22_500 },
  ],
  [
    'an even share of a short time',
    { limit: 5000, left: 6000, targets: 2, trunks: false },
    { silent: 2000, trying: 2000 },
  ],
  ['the rest for the last', { limit: 5000, left: 45_000, targets: 0, trunks: false }, undefined],
  [
    'a trunk that follows has a time of its own',
    { limit: 5000, left: 45_000, targets: 0, trunks: true },
    { silent: 5000, trying: 45_000 },
  ],
  ['no limit', { limit: 0, left: 45_000, targets: 3, trunks: true }, undefined],
  [
    'a time that is over',
    { limit: 5000, left: -1, targets: 1, trunks: false },
    { silent: 0, trying: 0 },
  ],
]
for (const [name, share, ms] of shares) {
  t.test(`the time of a target to ring: ${name}`, async (t) => t.same(patienceWith(share), ms))
}
