import t from 'tap'
import { systemRandom } from '../../src/shared/random.ts'

t.test(
  'bytes are of the length asked for and do not repeat across refills of the pool',
  async (t) => {
    const seen = new Set<string>()
    for (let i = 0; i < 5000; i++) seen.add(systemRandom.hex(16))
    t.equal(seen.size, 5000)
    for (const n of [0, 1, 16, 511, 512, 513, 5000]) t.equal(systemRandom.bytes(n).length, n)
    t.match(systemRandom.hex(4), /^[0-9a-f]{8}$/)
    t.match(systemRandom.uuid(), /^[0-9a-f-]{36}$/)
  },
)

t.test('integers lie in the range and reach both of its ends', async (t) => {
  const counts = new Map<number, number>()
  for (let i = 0; i < 6000; i++) {
    const value = systemRandom.int(-1, 2)
    counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  t.strictSame(
    [...counts.keys()].sort((a, b) => a - b),
    [-1, 0, 1],
  )
  for (const count of counts.values()) t.ok(count > 1600 && count < 2400, `${count} of 6000`)
  for (let i = 0; i < 50; i++) {
    const wide = systemRandom.int(1, 2 ** 47)
    t.ok(wide >= 1 && wide < 2 ** 47 && Number.isInteger(wide))
  }
})
