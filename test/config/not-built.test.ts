import t from 'tap'
import { brief, edit, issuesOf, VALID } from '../support/config-file.ts'

const keys: [key: string, text: string, line: number][] = [
  ...[['options', 'options: 30s']].map(([key, line]): [string, string, number] => [
    `trunks[0].${key}`,
    edit(['{ srtp: sdes }', `{ srtp: sdes }\n    ${line}`]),
    23,
  ]),
]

for (const [key, text, line] of keys) {
  t.test(`${key} says that it has no effect yet`, async (t) => {
    const { errors, warnings } = issuesOf(text)
    t.same(errors, [])
    t.equal(warnings.length, 1)
    t.match(brief(warnings[0]!), new RegExp(`^CONFIG_NOT_BUILT ${line}:\\d+ `))
    t.equal(warnings[0]!.path, key)
    t.match(warnings[0]!.detail, `${key}: `)
  })
}

t.test('the folder of the records says nothing', async (t) => {
  t.same(issuesOf(`${VALID}records:\n  path: data/\n`), { errors: [], warnings: [] })
})

t.test('a weight shares the calls, and says nothing', async (t) => {
  const weighted = edit(['"sip:10.0.0.9:5060"', '{ uri: "sip:10.0.0.9", weight: 3 }'])
  t.same(issuesOf(weighted), { errors: [], warnings: [] })
})

t.test('what is switched off says nothing', async (t) => {
  const off = edit([
    '{ srtp: sdes }',
    '{ srtp: sdes }\n    options: 0\n    accept: { registrations: false }',
  ])
  t.same(issuesOf(off), { errors: [], warnings: [] })
})
