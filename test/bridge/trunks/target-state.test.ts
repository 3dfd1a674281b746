import t from 'tap'
import {
  AVOIDED_AT_MOST,
  AVOIDED_FOR,
  BUSY_AT_MOST,
  BUSY_FOR,
  TargetState,
} from '../../../src/bridge/trunks/target-state.ts'

const ping = { downAfter: 2, upAfter: 1 }

t.test('calls that do not reach it open the breaker for growing times', async (t) => {
  const state = new TargetState()
  t.ok(state.available(0), 'nothing is known of it')
  let now = 0
  for (const time of [1, 2, 4, 8, 16, 32].map((n) => Math.min(AVOIDED_AT_MOST, n * AVOIDED_FOR))) {
    state.failed(now, '408 Request Timeout')
    t.equal(state.condition, 'down')
    t.notOk(state.available(now + time - 1))
    t.ok(state.available(now + time), `${time} ms`)
    now += time
    state.take(now)
    t.equal(state.condition, 'probing')
    t.notOk(state.available(now), 'one call tries it, the others do not')
  }
  state.worked()
  t.equal(state.condition, 'up')
  state.failed(now, 'again')
  t.ok(state.available(now + AVOIDED_FOR), 'an answer ends the growth')
})

t.test('calls that were under way when it opened are no further news', async (t) => {
  const state = new TargetState()
  for (let i = 0; i < 20; i++) state.failed(i, '503 no connection')
  t.ok(state.available(AVOIDED_FOR))
})

t.test('a call that tries it and is never heard of leaves the place to another', async (t) => {
  const state = new TargetState()
  state.failed(0, 'x')
  state.take(AVOIDED_FOR)
  t.notOk(state.available(AVOIDED_FOR + 30_000))
  t.ok(state.available(AVOIDED_FOR + 40_000))
})

const retries: [name: string, retryAfter: number | undefined, time: number][] = [
  ['without Retry-After', undefined, BUSY_FOR],
  ['as asked', 42_000, 42_000],
  ['of nothing', 0, 1000],
  ['of a day', 86_400_000, BUSY_AT_MOST],
]
for (const [name, retryAfter, time] of retries) {
  t.test(`busy ${name}`, async (t) => {
    const state = new TargetState()
    state.busy(0, '503 Busy', retryAfter)
    t.equal(state.condition, 'busy')
    t.notOk(state.available(time - 1))
    state.pingAnswered(time - 1, 2, ping)
    t.equal(state.condition, 'busy', 'a ping does not change what it asked for')
    t.ok(state.available(time))
    state.pingAnswered(time, 2, ping)
    t.equal(state.condition, 'up')
  })
}

t.test('pings change what is thought only several in a row', async (t) => {
  const state = new TargetState()
  const slow = { downAfter: 3, upAfter: 2 }
  state.pingAnswered(0, 5, slow)
  t.equal(state.condition, 'up', 'the first answer says enough of an unknown one')
  t.equal(state.roundTrip, 5)
  state.pingFailed('a', slow)
  state.pingFailed('b', slow)
  state.pingAnswered(0, 6, slow)
  state.pingFailed('c', slow)
  state.pingFailed('d', slow)
  t.equal(state.condition, 'up', 'never three in a row')
  t.equal(state.doubt, 'doubtful')
  state.pingFailed('e', slow)
  t.match(state, { condition: 'down', reason: 'e', byPing: true, doubt: 'down' })
  t.notOk(state.available(Number.MAX_SAFE_INTEGER), 'no time passes by itself')
  state.pingAnswered(0, 7, slow)
  t.equal(state.condition, 'down')
  state.pingAnswered(0, 7, slow)
  t.match(state, { condition: 'up', reason: '', byPing: false, doubt: 'none' })
})

t.test('an answered ping closes what calls have opened', async (t) => {
  const state = new TargetState()
  state.failed(0, 'x')
  state.pingAnswered(1, 2, ping)
  t.equal(state.condition, 'up')
})

t.test('a call that is answered is better evidence than pings', async (t) => {
  const state = new TargetState()
  state.pingFailed('x', ping)
  state.pingFailed('x', ping)
  state.failed(0, 'a call that was tried all the same')
  t.ok(state.byPing)
  state.worked()
  t.match(state, { condition: 'up', byPing: false })
})

t.test('pings that end leave no former time to wait for', async (t) => {
  const state = new TargetState()
  state.failed(0, 'x')
  state.pingFailed('y', ping)
  state.pingFailed('y', ping)
  state.unpinged(1000)
  t.ok(state.available(1000))
})

t.test('without pings any more, a call may find out', async (t) => {
  const state = new TargetState()
  state.pingFailed('x', ping)
  state.pingFailed('x', ping)
  state.unpinged(1000)
  t.equal(state.condition, 'down')
  t.ok(state.available(1000))
  state.take(1000)
  t.equal(state.condition, 'probing')
})
