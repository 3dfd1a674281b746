import t from 'tap'
import { retryAfterOf, seconds } from '../../../src/bridge/headers/seconds.ts'

t.test('seconds of headers', async (t) => {
  for (const [value, expected] of [
    ['120', 120],
    [' 18 (in a meeting);duration=3600', 18],
    ['0', 0],
    ['4294967295', 4_294_967_295],
    ['99999999999', undefined],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ] as const) {
    t.equal(seconds(value), expected, value ?? 'none')
    const retryAfter = retryAfterOf({ header: (name) => (name === 'retry-after' ? value : 'x') })
    t.equal(retryAfter, expected === undefined ? undefined : expected * 1000)
  }
  t.equal(retryAfterOf(undefined), undefined)
})
