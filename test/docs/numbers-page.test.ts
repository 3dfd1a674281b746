import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { systemClock } from '../../src/shared/clock.ts'
import { catalogue } from '../../src/shared/errors/index.ts'
import { createGraphSimulator } from '../../src/simulator/graph/index.ts'
import { causeway } from '../support/cli.ts'
import { FakeRandom } from '../support/fake-random.ts'
import { blocksOf } from '../support/markdown.ts'

const GUIDE = 'docs/guides/numbers.md'
const guide = readFileSync(GUIDE, 'utf8')

t.test('the plan of the guide is the plan of its configuration, and can be applied', async (t) => {
  const graph = createGraphSimulator({
    numbers: [
      {
        phoneNumberId: '106540352242922',
        phoneNumber: '+441632960123',
        accessToken: 'token',
        appId: '634974688087057',
      },
    ],
    clock: systemClock,
    random: new FakeRandom(),
  })
  await graph.start()
  t.teardown(() => graph.stop())
  const cwd = t.testdir({ tls: { 'cert.pem': 'x', 'key.pem': 'x' } })
  const [configuration = ''] = blocksOf(GUIDE, 'yaml')
  const file = `whatsapp: { graph_url: ${graph.url} }\n${configuration}`
  writeFileSync(join(cwd, 'causeway.yaml'), file)
  const env = { WA_TOKEN: 'token' }
  const plan = await causeway(['numbers', 'plan'], { cwd, env })
  const [printed] = blocksOf(GUIDE, 'text')
  t.equal(plan.stdout, printed)
  t.equal(plan.code, 2)
  t.match(await causeway(['numbers', 'apply'], { cwd, env }), { code: 0 })
  writeFileSync(
    join(cwd, 'causeway.yaml'),
    file
      .replace(/( +- \{ day_of_week: TUESDAY.*)1730/, '$11800')
      .replace(/ +holiday_schedule:\n.*\n/, ''),
  )
  const changed = await causeway(['numbers', 'plan'], { cwd, env })
  const [, carried = ''] = blocksOf(GUIDE, 'text')
  t.ok(changed.stdout.includes(carried), 'so is what a write carries over')
})

t.test('every code that the guide names exists', async (t) => {
  const codes = [...guide.matchAll(/`((?:SETTINGS|CONFIG)_[A-Z_]+)`/g)].map(([, code]) => code!)
  t.ok(codes.length > 3)
  for (const code of codes) t.ok(code in catalogue, code)
})
