import { globSync, readFileSync } from 'node:fs'
import t from 'tap'
import { brief, issuesOf } from '../support/config-file.ts'

/** Every variable is set, an address where the name says so; every file is there. */
const env: Record<string, string> = new Proxy(
  {},
  { get: (_, name) => (String(name).endsWith('HOST') ? '10.0.0.9' : `value-of-${String(name)}`) },
)
const everything = { env, readFile: () => 'content' }

function problems(text: string): string[] {
  const { errors, warnings } = issuesOf(text, everything)
  return [...errors, ...warnings].map((issue) => `${brief(issue)} ${issue.detail}`)
}

const examples = globSync('config/*.yaml').sort()

t.test('there are examples for the PBXs and a minimal one', async (t) => {
  for (const name of ['asterisk', 'freeswitch', 'minimal']) {
    t.ok(examples.includes(`config/${name}.yaml`), name)
  }
  const lines = readFileSync('config/minimal.yaml', 'utf8').trim().split('\n')
  t.ok(lines.length <= 25, 'the minimal one stays minimal')
})

for (const file of examples) {
  t.test(`${file} loads without errors and warnings`, async (t) => {
    const text = readFileSync(file, 'utf8')
    t.match(text, /^# yaml-language-server: \$schema=causeway\.schema\.json\n/)
    t.same(problems(text), [])
  })
}

t.test('every configuration in the documentation loads without errors', async (t) => {
  let found = 0
  for (const file of [...globSync('README.md'), ...globSync('docs/**/*.md')].sort()) {
    for (const [, info, text] of readFileSync(file, 'utf8').matchAll(
      /^```(yaml[^\n]*)\n([\s\S]*?)^```/gm,
    )) {
      const marked = /\bcauseway\b/.test(info!) || /^# causeway\n/.test(text!)
      if (!marked && !/^sip:/m.test(text!)) continue
      found++
      t.same(issuesOf(text!, everything).errors.map(brief), [], file)
    }
  }
  t.ok(found > 0, 'the reference has at least one')
})
