import t from 'tap'
import type { RotationView } from '../../src/http/index.ts'
import type { JournalEntry } from '../../src/settings/index.ts'
import { CausewayError } from '../../src/shared/errors/index.ts'
import { httpFixture } from './support.ts'

const ROTATION: RotationView = {
  number: 'support',
  state: 'running',
  unfinished: true,
  steps: [],
  calls: 2,
  window_ms: null,
  error: null,
}

t.test('the journal of a number is read, newest first and limited', async (t) => {
  const asked: unknown[] = []
  const entry: JournalEntry = {
    id: 1,
    at: 2,
    number: 'support',
    who: 'start',
    action: 'read',
    before: null,
    after: { status: 'ENABLED' },
    error: null,
  }
  const { app } = httpFixture({
    journal: (number, limit) => {
      asked.push([number, limit])
      if (number !== 'support') throw new CausewayError('APP_NUMBER_UNKNOWN', { place: number })
      return [entry]
    },
  })
  const url = '/api/v1/numbers/support/journal'
  t.same((await app.inject(url)).json(), { entries: [entry] })
  await app.inject(`${url}?limit=7`)
  t.same(asked, [
    ['support', 100],
    ['support', 7],
  ])
  for (const query of ['limit=0', 'limit=1001', 'limit=x']) {
    const answer = await app.inject(`${url}?${query}`)
    t.equal(answer.statusCode, 400, query)
    t.equal(answer.json().error.code, 'APP_HTTP_BAD_REQUEST')
  }
  const unknown = await app.inject('/api/v1/numbers/nobody/journal')
  t.equal(unknown.statusCode, 404)
  t.equal(unknown.json().error.code, 'APP_NUMBER_UNKNOWN')
})

t.test('a rotation is begun with its options, and refused with a code', async (t) => {
  const asked: unknown[] = []
  let refusal: 'APP_NUMBER_UNKNOWN' | 'SETTINGS_ROTATION_RUNNING' | 'SETTINGS_ROTATION_NONE' | '' =
    ''
  const { app } = httpFixture({
    rotate: (number, options) => {
      asked.push([number, options])
      if (refusal) throw new CausewayError(refusal)
      return ROTATION
    },
  })
  const post = (query: string) =>
    app.inject({ method: 'POST', url: `/api/v1/numbers/support/rotate${query}` })
  const begun = await post('')
  t.equal(begun.statusCode, 202)
  t.same(begun.json(), { rotation: ROTATION })
  await post('?wait=5m&resume=true')
  t.same(asked, [
    ['support', { wait: 60_000, resume: false }],
    ['support', { wait: 300_000, resume: true }],
  ])
  for (const query of ['?wait=5', '?wait=long', '?resume=maybe']) {
    t.equal((await post(query)).statusCode, 400, query)
  }
  for (const [code, status] of [
    ['APP_NUMBER_UNKNOWN', 404],
    ['SETTINGS_ROTATION_RUNNING', 409],
    ['SETTINGS_ROTATION_NONE', 404],
  ] as const) {
    refusal = code
    const answer = await post('')
    t.equal(answer.statusCode, status)
    t.equal(answer.json().error.code, code)
  }
})

t.test('both want the token', async (t) => {
  const { app } = httpFixture({}, 'letmein')
  t.equal((await app.inject('/api/v1/numbers/support/journal')).statusCode, 401)
  const post = { method: 'POST', url: '/api/v1/numbers/support/rotate' } as const
  t.equal((await app.inject(post)).statusCode, 401)
})
