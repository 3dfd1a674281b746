import t from 'tap'
import { orderSrv } from '../../../src/embedded-drachtio/resolve/srv.ts'
import type { Random } from '../../../src/shared/random.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import { srv } from './fake-dns.ts'

/** Chooses fixed numbers, and keeps the bounds it was asked for. */
function scripted(...numbers: number[]): Random & { bounds: [number, number][] } {
  const bounds: [number, number][] = []
  const int = (min: number, max: number): number => {
    bounds.push([min, max])
    return numbers.shift() ?? min
  }
  return Object.assign(new FakeRandom(), { int, bounds })
}

t.test('lower priority numbers come first', async (t) => {
  const records = [srv(20, 5, 5060, 'b'), srv(10, 1, 5060, 'a'), srv(30, 9, 5060, 'c')]
  t.same(
    orderSrv(records, new FakeRandom()).map((record) => record.name),
    ['a', 'b', 'c'],
  )
})

t.test('the running sum decides, zero weights standing first (RFC 2782)', async (t) => {
  const records = [srv(0, 3, 1, 'new'), srv(0, 0, 1, 'idle'), srv(0, 1, 1, 'old')]
  const random = scripted(4, 0, 3)
  t.same(
    orderSrv(records, random).map((record) => record.name),
    ['old', 'idle', 'new'],
  )
  t.same(random.bounds, [
    [0, 5],
    [0, 4],
    [1, 4],
  ])
})

t.test('shares follow the weights: the example of RFC 2782 gives 3 to 1', async (t) => {
  const random = new FakeRandom(7)
  let fast = 0
  for (let i = 0; i < 4000; i++) {
    const [first] = orderSrv([srv(0, 1, 9, 'old-slow-box'), srv(0, 3, 9, 'new-fast-box')], random)
    if (first!.name === 'new-fast-box') fast++
  }
  t.ok(fast > 2850 && fast < 3150, `${fast} of 4000`)
})

t.test('weights of zero alone are all tried', async (t) => {
  const records = [srv(0, 0, 1, 'a'), srv(0, 0, 1, 'b')]
  t.same(orderSrv(records, new FakeRandom()).length, 2)
})

t.test('a dot says that the service is not offered', async (t) => {
  t.same(orderSrv([srv(0, 0, 0, '.')], new FakeRandom()), [])
  t.same(orderSrv([srv(0, 0, 0, '')], new FakeRandom()), [])
})

t.test('the records given are left as they are', async (t) => {
  const records = [srv(1, 1, 1, 'a'), srv(0, 0, 1, 'b')]
  orderSrv(records, new FakeRandom())
  t.same(
    records.map((record) => record.name),
    ['a', 'b'],
  )
})
