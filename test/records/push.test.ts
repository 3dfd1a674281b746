import { createHmac } from 'node:crypto'
import t from 'tap'
import type { Post, PostOutcome } from '../../src/events/index.ts'
import { PUSH_DELAY, RecordPush } from '../../src/records/push.ts'
import { CallStore } from '../../src/records/store.ts'
import { parseRecord, storedCall } from '../../src/records/stored.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { Secret } from '../../src/shared/secret.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeRandom } from '../support/fake-random.ts'
import { record, records, START, settled } from './support.ts'

const failed = (status: number | undefined, final = false): PostOutcome => ({
  ok: false,
  reason: status === undefined ? 'connection' : 'status',
  status,
  detail: status === undefined ? 'ECONNREFUSED' : `status ${status}`,
  final,
  retryAfter: undefined,
})

/** A store, and what is pushed out of it to a target that answers as told. */
function pushing(folder: string, clock = new FakeClock(START)) {
  const store = new CallStore(folder)
  const got: { id: string; headers: Record<string, string>; body: string }[] = []
  const state = { answer: (_id: string): PostOutcome => ({ ok: true, status: 200 }) }
  const post: Post = async (_url, headers, body) => {
    const { id } = parseRecord(body)
    got.push({ id, headers, body })
    return state.answer(id)
  }
  const push = new RecordPush({
    history: {
      due: async (limit, except) => store.due(clock.now(), limit, except),
      pushed: async (done) => {
        for (const one of done) store.pushed(one)
        return store.waiting()
      },
    },
    target: { url: 'https://cdr.example.com/calls', secret: new Secret('key') },
    clock,
    random: new FakeRandom(),
    log: silentLogger(),
    post,
  })
  const write = (...calls: ReturnType<typeof records>): void =>
    store.write(calls.map(storedCall), clock.now() + PUSH_DELAY)
  /** Time goes by, a second at a time. */
  const pass = async (seconds: number): Promise<void> => {
    for (let n = 0; n < seconds; n++) {
      clock.advance(1000)
      await settled(6)
    }
  }
  return { store, push, clock, got, state, write, pass }
}

t.test(
  'each record goes out once its delay is over, signed, and again after a change',
  async (t) => {
    const { push, got, write, pass, store } = pushing(t.testdir({}))
    const [first, second] = records(2)
    write(first!, second!)
    await pass(4)
    t.same(got, [])
    await pass(3)
    t.same(
      got.map(({ id }) => id),
      ['c0', 'c1'],
    )
    const { headers, body } = got[0]!
    t.same(JSON.parse(body), JSON.parse(JSON.stringify(first)))
    const stamp = headers['x-causeway-timestamp']
    const signature = createHmac('sha256', 'key').update(`${stamp}.${body}`).digest('hex')
    t.match(headers, {
      'x-causeway-event': 'call.record',
      'x-causeway-id': 'c0-1',
      'x-causeway-signature-256': `sha256=${signature}`,
    })
    t.equal(store.waiting(), 0)
    write({ ...first!, ladderDropped: 3 })
    await pass(7)
    t.match(got.slice(2), [{ id: 'c0', headers: { 'x-causeway-id': 'c0-2' } }])
    t.same(push.status(), { attempts: [{ result: 'delivered', count: 3 }], failing: undefined })
    await push.stop()
    store.close()
  },
)

t.test(
  'a target that is away is tried again, less and less often, and loses nothing',
  async (t) => {
    const { push, got, state, write, pass, store } = pushing(t.testdir({}))
    state.answer = () => failed(undefined)
    write(...records(20))
    await pass(60)
    const early = got.length
    t.ok(early >= 4 && early < 20, `${early} attempts in the first minute`)
    t.match(push.status().failing, {
      code: 'APP_RECORDS_PUSH_FAILED',
      detail: /^cdr\.example\.com, \d+ attempts failed in a row: ECONNREFUSED$/,
    })
    for (let seconds = 0; seconds < 240; seconds++) {
      const before = got.length
      await pass(1)
      t.ok(got.length - before <= 1, 'one alone finds out')
    }
    t.ok(got.length - early < 6, 'less often')
    state.answer = () => ({ ok: true, status: 204 })
    await pass(700)
    t.equal(store.waiting(), 0)
    t.equal(new Set(got.map(({ id }) => id)).size, 20)
    t.equal(push.status().failing, undefined)
    await push.stop()
    store.close()
  },
)

t.test('a target that says when it wants to be asked again is not asked before', async (t) => {
  const { push, got, state, write, pass, store } = pushing(t.testdir({}))
  state.answer = () => ({ ...failed(503), retryAfter: 90_000 }) as PostOutcome
  write(record('a'))
  await pass(90)
  t.equal(got.length, 1)
  await pass(10)
  t.equal(got.length, 2)
  await push.stop()
  store.close()
})

t.test('a record that is refused for good holds up no other, and is offered again', async (t) => {
  const { push, got, state, write, pass, store } = pushing(t.testdir({}))
  state.answer = (id) => (id === 'c1' ? failed(422, true) : { ok: true, status: 200 })
  write(...records(5))
  await pass(10)
  t.equal(store.waiting(), 1)
  t.match(push.status(), {
    attempts: [
      { result: 'delivered', count: 4 },
      { result: 'refused', count: 1 },
    ],
    failing: { detail: 'cdr.example.com refuses 1 records: status 422' },
  })
  const before = got.length
  await pass(60)
  t.equal(got.length, before)
  state.answer = () => ({ ok: true, status: 200 })
  await pass(3600)
  t.equal(store.waiting(), 0)
  await push.stop()
  store.close()
})

t.test('a target that refuses everything is left alone in the end', async (t) => {
  const { push, got, state, write, pass, store } = pushing(t.testdir({}))
  state.answer = () => failed(422, true)
  write(...records(520))
  await pass(150)
  t.match(push.status().failing?.detail, /attempts failed in a row: status 422$/)
  const before = got.length
  t.ok(before > 500 && before < 520, `${before} offered`)
  await pass(60)
  t.ok(got.length - before < 5, 'no longer one after the other')
  t.equal(store.waiting(), 520, 'and nothing is lost')
  await push.stop()
  store.close()
})

t.test('what was not delivered when the process ended goes out after the next start', async (t) => {
  const folder = t.testdir({})
  const first = pushing(folder)
  first.state.answer = (id) => (id === 'c0' ? { ok: true, status: 200 } : failed(503))
  first.write(...records(3))
  await first.pass(8)
  await first.push.stop()
  first.store.close()
  const second = pushing(folder, first.clock)
  await second.pass(3)
  t.same(second.got.map(({ id }) => id).sort(), ['c1', 'c2'])
  await second.push.stop()
  second.store.close()
})

t.test('an answer that crosses the end is not taken for a delivery that failed', async (t) => {
  const { push, state, write, pass, store } = pushing(t.testdir({}))
  state.answer = () => ({ ...failed(undefined), reason: 'stopped' }) as PostOutcome
  write(record('a'))
  await pass(7)
  t.same(push.status().attempts, [{ result: 'delivered', count: 0 }])
  t.equal(store.waiting(), 1)
  await push.stop()
  store.close()
})
