import t from 'tap'
import { Histogram } from '../../src/shared/histogram.ts'

t.test('observations fall into the first bucket that holds them', async (t) => {
  const histogram = new Histogram([0.1, 1, 10])
  for (const value of [0, 0.1, 0.2, 1, 5, 10, 11, 1e9]) histogram.observe(value)
  const { bounds, counts, sum, count } = histogram.state()
  t.same(bounds, [0.1, 1, 10])
  t.same(counts, [2, 2, 2], 'a bound belongs to its bucket, what is larger to none')
  t.equal(count, 8)
  t.equal(sum, 1e9 + 27.3)
})

t.test('a state is a copy', async (t) => {
  const histogram = new Histogram([1])
  const before = histogram.state()
  histogram.observe(1)
  t.same(before, { bounds: [1], counts: [0], sum: 0, count: 0 })
  t.same(histogram.state(), { bounds: [1], counts: [1], sum: 1, count: 1 })
})
