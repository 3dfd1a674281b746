import t from 'tap'
import { Streaks } from '../../src/permissions/streaks.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { CONSUMER, granted, HOUR, NOW, PAIR, permissionLab } from './support.ts'

t.test('two in a row nudge, three are the last warning, four revoke', async (t) => {
  const streaks = new Streaks(new FakeClock(NOW))
  const stages = () => streaks.missed(PAIR).stage
  t.same([stages(), stages(), stages(), stages()], ['none', 'nudged', 'last', 'revoked'])
  t.equal(streaks.size, 0, 'WhatsApp counts anew')
  t.equal(stages(), 'none')
  streaks.reset(PAIR)
  t.equal(stages(), 'none', 'an answered call ends a streak')
})

t.test('a streak is told in the log, with its code', async (t) => {
  const { watch, lines, facts, book, client, number } = permissionLab()
  client.instant = granted()
  await book.read(number, CONSUMER)
  for (let call = 0; call < 4; call++) watch.onBusinessCall(facts(), 'missed')
  t.match(
    lines.map(({ code, inARow }) => [code, inARow]),
    [
      ['PERMISSION_STREAK', 2],
      ['PERMISSION_STREAK', 3],
      ['PERMISSION_STREAK_REVOKED', 4],
    ],
  )
  t.match(lines[1], { level: 40, number: 'support', party: CONSUMER, next: /one more/ })
  t.equal(book.known(number, CONSUMER), undefined, 'the permission is gone')
  t.match(watch.stages, [
    { number: 'support', what: 'nudged', count: 1 },
    { what: 'last', count: 1 },
    { what: 'revoked', count: 1 },
  ])
})

t.test('an answered call of either side, and a new permission, end a streak', async (t) => {
  for (const end of ['onUserCall', 'onGranted', 'answered'] as const) {
    const { watch, lines, facts } = permissionLab()
    watch.onBusinessCall(facts(), 'missed')
    if (end === 'onUserCall') watch.onUserCall(facts())
    else if (end === 'onGranted') watch.onGranted(facts().phoneNumberId, [CONSUMER])
    else watch.onBusinessCall(facts(), 'answered')
    t.equal(watch.size, 0)
    watch.onBusinessCall(facts(), 'missed')
    t.same(lines, [], end)
  }
})

t.test('the pickup rate needs enough calls of one day', async (t) => {
  const clock = new FakeClock(NOW)
  const streaks = new Streaks(clock)
  const count = (answered: boolean, times: number): void => {
    for (let call = 0; call < times; call++) streaks.count('support', answered)
  }
  count(false, 19)
  t.same(streaks.pickup('support'), { calls: 19, answered: 0, low: false })
  count(false, 1)
  t.ok(streaks.pickup('support').low)
  count(true, 5)
  t.same(streaks.pickup('support'), { calls: 25, answered: 5, low: false }, 'a fifth is enough')
  count(false, 1)
  t.ok(streaks.pickup('support').low)
  clock.advance(24 * HOUR)
  t.same(streaks.pickup('support'), { calls: 0, answered: 0, low: false }, 'yesterday is over')
  count(true, 1000)
  t.equal(streaks.pickup('support').calls, 500, 'memory is bounded')
  t.same(streaks.pickup('other'), { calls: 0, answered: 0, low: false })
})

t.test('a low rate is told once, and again after it was good', async (t) => {
  const { watch, lines, facts } = permissionLab()
  const call = (outcome: 'answered' | 'missed', times: number): void => {
    for (let n = 0; n < times; n++) watch.onBusinessCall(facts(`+3319900${n}`), outcome)
  }
  const told = () => lines.filter(({ code }) => code === 'PERMISSION_PICKUP_LOW')
  call('missed', 30)
  t.match(told(), [{ level: 40, number: 'support', calls: 20, answered: 0 }])
  call('answered', 10)
  call('missed', 30)
  t.equal(told().length, 2)
})

t.test('many consumers: the oldest streaks are forgotten', async (t) => {
  const streaks = new Streaks(new FakeClock(NOW))
  for (let consumer = 0; consumer < 20_010; consumer++) streaks.missed(`${consumer}`)
  t.equal(streaks.size, 20_000)
})
