import t from 'tap'
import { chooseExposition, expose } from '../../src/http/exposition.ts'
import type { MetricFamily } from '../../src/http/index.ts'
import { parseOpenMetrics } from '../support/openmetrics.ts'

const families: MetricFamily[] = [
  {
    name: 'calls',
    help: 'Calls "ended" \\ so far.',
    type: 'counter',
    samples: [{ labels: { target: 'a"b\\c\nd', n: '1' }, value: 3 }],
  },
  { name: 'empty', help: 'Nothing.', type: 'gauge', samples: [] },
  {
    name: 'wait_seconds',
    help: 'Waits.',
    type: 'histogram',
    samples: [
      { part: 'bucket', labels: { le: '0.5' }, value: 1 },
      { part: 'bucket', labels: { le: '+Inf' }, value: 2 },
      { part: 'sum', labels: {}, value: 1.25 },
      { part: 'count', labels: {}, value: 2 },
    ],
  },
  {
    name: 'odd',
    help: 'Odd values.',
    type: 'gauge',
    samples: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 1e21, -0.5].map(
      (value, index) => ({ labels: { index: String(index) }, value }),
    ),
  },
]

t.test('OpenMetrics text', async (t) => {
  const text = expose(families, 'x_')
  t.match(text, /^x_calls_total\{target="a\\"b\\\\c\\nd",n="1"\} 3$/m)
  t.match(text, /^# TYPE x_calls counter$/m)
  t.match(text, /^x_odd\{index="0"\} \+Inf$/m)
  t.notMatch(text, 'empty', 'a family without samples is left out')
  const [calls, waits, odd] = parseOpenMetrics(text)
  t.match(calls, {
    name: 'x_calls',
    type: 'counter',
    help: 'Calls "ended" \\ so far.',
    samples: [{ name: 'x_calls_total', labels: { target: 'a"b\\c\nd', n: '1' }, value: 3 }],
  })
  t.equal(waits?.samples.length, 4)
  t.same(
    odd?.samples.map(({ value }) => String(value)),
    ['Infinity', '-Infinity', 'NaN', '1e+21', '-0.5'],
  )
})

t.test('the format before it names counters in full and has no end mark', async (t) => {
  const text = expose(families, 'x_', 'text')
  t.match(text, /^# TYPE x_calls_total counter$/m)
  t.match(text, /^# TYPE x_wait_seconds histogram$/m)
  t.notMatch(text, 'EOF')
  t.ok(text.endsWith('\n'))
})

t.test('who gets which format', async (t) => {
  for (const [accept, format] of [
    [undefined, 'openmetrics'],
    ['', 'openmetrics'],
    ['*/*', 'openmetrics'],
    ['application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5', 'openmetrics'],
    ['text/plain', 'text'],
    ['Text/Plain;version=0.0.4', 'text'],
    ['application/json', 'openmetrics'],
  ] as const) {
    t.equal(chooseExposition(accept), format, String(accept))
  }
})

t.test('the strict parser refuses what is wrong', async (t) => {
  const whole = '# HELP a b\n# TYPE a gauge\na 1\n# EOF\n'
  t.doesNotThrow(() => parseOpenMetrics(whole))
  const gauge = '# TYPE a gauge\n'
  const wait = '# TYPE w histogram\n'
  for (const [what, text] of [
    ['no end', '# TYPE a gauge\na 1\n'],
    ['a sample twice', `${gauge}a 1\na 2\n# EOF\n`],
    ['the same labels in another order', `${gauge}a{b="1",c="2"} 1\na{c="2",b="1"} 1\n# EOF\n`],
    ['a family twice', `${gauge}a 1\n# TYPE b gauge\nb 1\n${gauge}# EOF\n`],
    ['a counter without _total', '# TYPE a counter\na 1\n# EOF\n'],
    ['a counter named in full', '# TYPE a_total counter\na_total 1\n# EOF\n'],
    ['a foreign sample', `${gauge}b 1\n# EOF\n`],
    ['a quote that is not escaped', `${gauge}a{b="c"d"} 1\n# EOF\n`],
    ['an unknown escape', `${gauge}a{b="\\x"} 1\n# EOF\n`],
    ['empty labels', `${gauge}a{} 1\n# EOF\n`],
    ['a trailing comma', `${gauge}a{b="c",} 1\n# EOF\n`],
    ['no number', `${gauge}a one\n# EOF\n`],
    ['an empty line', `${gauge}\na 1\n# EOF\n`],
    ['an unknown type', '# TYPE a thing\na 1\n# EOF\n'],
    ['no +Inf', `${wait}w_bucket{le="1"} 1\nw_sum 1\nw_count 1\n# EOF\n`],
    ['falling', `${wait}w_bucket{le="1"} 2\nw_bucket{le="+Inf"} 1\nw_sum 1\nw_count 1\n# EOF\n`],
    ['another count', `${wait}w_bucket{le="+Inf"} 1\nw_sum 1\nw_count 2\n# EOF\n`],
  ] as const) {
    t.throws(() => parseOpenMetrics(text), what)
  }
})
