import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { catalogue } from '../../src/shared/errors/index.ts'
import { issuesOf, VALID } from '../support/config-file.ts'

const guide = readFileSync('docs/guides/trunks.md', 'utf8')

t.test('the samples of the guide are valid configuration', async (t) => {
  const samples = [...guide.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text]) => text!)
  t.ok(samples.length >= 4)
  const { media: _none, ...base } = parse(VALID)
  for (const sample of samples) {
    const env = { env: { WA_TOKEN: 'x' } }
    const text = stringify({ ...base, ...parse(sample) })
    t.same(issuesOf(text, env), { errors: [], warnings: [] }, sample)
  }
})

t.test('every code that the guide names exists', async (t) => {
  const codes = [...guide.matchAll(/`((?:CALL|CONFIG|SIP)_[A-Z_]+)`/g)]
  t.ok(codes.length > 0)
  for (const [, code] of codes) t.ok(code! in catalogue, code!)
})
