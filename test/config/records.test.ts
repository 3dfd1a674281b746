import t from 'tap'
import { formatConfig } from '../../src/config/index.ts'
import { brief, configOf, issuesOf, VALID } from '../support/config-file.ts'

const records = (keys: string): string => `${VALID}records: ${keys}\n`
const calls = (keys: string) => configOf(records(keys)).records.calls

t.test('what is kept by default, and otherwise', async (t) => {
  const day = 86_400_000
  t.same(configOf(VALID).records.calls, {
    keep: 90 * day,
    maxSize: 1024 ** 3,
    maxCalls: 0,
    push: undefined,
  })
  t.match(calls('{ keep: 12h, max_size: 64MiB, max_calls: 5 }'), {
    keep: day / 2,
    maxSize: 64 * 1024 ** 2,
    maxCalls: 5,
  })
  t.match(calls('{ keep: 0, max_size: 0 }'), { keep: 0, maxSize: 0 })
  t.equal(calls('{ history: false }'), undefined)
  t.match(calls('{ push: { url: "https://cdr.example.com/x", secret: s } }')?.push, {
    url: 'https://cdr.example.com/x',
  })
})

for (const [name, keys, errors, warnings] of [
  ['a number without unit', '{ keep: "90" }', ['CONFIG_BAD_VALUE 24:18 records.keep'], []],
  ['a size without unit', '{ max_size: 5 }', ['CONFIG_BAD_VALUE 24:22 records.max_size'], []],
  [
    'a push without secret',
    '{ push: { url: "https://cdr.example.com/x" } }',
    ['CONFIG_EVENT_SECRET 24:12 records.push'],
    [],
  ],
  [
    'a push without history',
    '{ history: false, push: { url: "https://cdr.example.com/x", secret: s } }',
    ['CONFIG_RECORDS_PUSH 24:28 records.push'],
    [],
  ],
  [
    'a push in the clear',
    '{ push: { url: "http://cdr.example.com/x", secret: s } }',
    [],
    ['CONFIG_EVENT_PLAIN 24:25 records.push.url'],
  ],
  ['a push on this machine', '{ push: { url: "http://127.0.0.1:1/x", secret: s } }', [], []],
] as [string, string, string[], string[]][]) {
  t.test(name, async (t) => {
    const found = issuesOf(records(keys))
    t.same(found.errors.map(brief), errors)
    t.same(found.warnings.map(brief), warnings)
  })
}

t.test('it is printed in the notation of the file', async (t) => {
  const text = formatConfig(
    configOf(
      records('{ keep: 24h, max_size: 2048KiB, push: { url: "https://h/x?k=v", secret: s } }'),
    ),
  )
  t.match(text, /keep: 1d\n {2}max_size: 2MiB\n {2}max_calls: 0\n {2}push:\n/)
  t.match(text, 'https://h/x?[redacted]')
  t.notMatch(text, /secret: s$/m)
})
