import { readFileSync } from 'node:fs'
import t from 'tap'
import { checks, pitfalls } from '../../src/doctor/index.ts'
import { DOCTOR_PAGE, doctorPage } from '../tools/doctor-page.ts'

t.test('the tables of the page are those of the code', async (t) => {
  const page = readFileSync(DOCTOR_PAGE, 'utf8')
  t.ok(page === doctorPage(page), `${DOCTOR_PAGE} is stale: run node test/tools/doctor-page.ts`)
})

t.test(
  'each of the thirty pitfalls has a check that exists, or is ruled out with a reason',
  async (t) => {
    t.equal(pitfalls.length, 30)
    const known = new Set(checks.map(({ id }) => id))
    for (const { symptom, checks: named, answer } of pitfalls) {
      for (const id of named) t.ok(known.has(id), `${symptom}: ${id}`)
      t.ok(answer.length > 10, `${symptom}: ${answer}`)
    }
  },
)

t.test('ids are unique, and needs come from among them', async (t) => {
  const ids = checks.map(({ id }) => id)
  t.equal(new Set(ids).size, ids.length)
  for (const { id, needs } of checks) {
    for (const need of needs) t.ok(ids.includes(need) && need !== id, `${id} needs ${need}`)
  }
})
