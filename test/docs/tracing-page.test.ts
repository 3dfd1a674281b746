import { globSync, readFileSync } from 'node:fs'
import t from 'tap'
import { configOf, issuesOf, VALID } from '../support/config-file.ts'

const page = readFileSync('docs/guides/tracing.md', 'utf8')

t.test('its configurations are taken without a warning', async (t) => {
  const blocks = [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text]) => text!)
  t.equal(blocks.length, 3)
  for (const block of blocks) {
    t.same(issuesOf(VALID + block), { errors: [], warnings: [] }, block)
  }
  const { trace, telemetry } = configOf(VALID + blocks.join('').replace('trace:\n  hep', '  hep'))
  t.equal(trace.hep?.id, 2001)
  t.equal(telemetry?.token?.reveal(), 'x')
  const defaults = configOf(VALID).trace
  t.match(trace, { keep: defaults.keep, calls: defaults.calls, memory: defaults.memory })
})

t.test('it names every message the bridge, the trace and the spans log', async (t) => {
  const files = [
    'src/bridge/**/*.ts',
    'src/capture/**/*.ts',
    'src/telemetry/*.ts',
    'src/app/tracing.ts',
  ]
  let seen = 0
  for (const file of globSync(files)) {
    const text = readFileSync(file, 'utf8')
    for (const [call] of text.matchAll(
      /\b(?:#?log|of\([\w.]+\))\.(?:info|warn|error|debug|trace)\([\s\S]*?\)\n/g,
    )) {
      const message = /'([^']+)',?\s*\)\n$/.exec(call)?.[1]
      t.ok(message, `${file}: ${call}`)
      t.ok(page.includes(`\`${message}\``), `${file}: ${message}`)
      seen++
    }
  }
  t.ok(seen > 15, 'they are found at all')
})

t.test('it names every span', async (t) => {
  const text = readFileSync('src/telemetry/plan.ts', 'utf8')
  const names = [...text.matchAll(/span\('(\w+)'|name: '(\w+)'/g)].map(([, a, b]) => a ?? b)
  t.ok(names.length >= 7)
  for (const name of names) t.ok(page.includes(`\`${name}\``), `${name}`)
})
