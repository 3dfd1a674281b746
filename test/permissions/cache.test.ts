import t from 'tap'
import { lifetime, PermissionCache, REFUSAL, REREAD } from '../../src/permissions/cache.ts'
import type { PermissionReply } from '../../src/permissions/index.ts'
import { RequestLog } from '../../src/permissions/request-log.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { granted, HOUR, NOW, PAIR, permission } from './support.ts'

const reply = (change: Partial<PermissionReply> = {}): PermissionReply => ({
  phoneNumberId: '106540352242922',
  consumers: ['33199001234'],
  response: 'accept',
  permanent: false,
  expires: undefined,
  at: NOW,
  ...change,
})

t.test('how long an answer may be believed', async (t) => {
  const week = NOW + 168 * HOUR
  const used = { allowed: false, limits: [{ period: 'PT24H', max: 1, used: 1, until: week }] }
  const rows: [string, Parameters<typeof lifetime>[0], number][] = [
    ['temporary: to its end', granted({ status: 'temporary', expires: week }), 168 * HOUR],
    ['temporary without an end', granted({ status: 'temporary' }), REREAD],
    ['temporary, over', granted({ status: 'temporary', expires: NOW }), REFUSAL],
    ['permanent: read again after hours', granted(), REREAD],
    ['no permission: shortly', permission(), REFUSAL],
    ['limit reached: shortly', granted({ call: used }), REFUSAL],
    ['without actions', granted({ call: undefined, request: undefined }), REREAD],
  ]
  for (const [name, given, expected] of rows) t.equal(lifetime(given, NOW), expected, name)
})

t.test('what is known, until it is stale', async (t) => {
  const clock = new FakeClock(NOW)
  const cache = new PermissionCache(clock)
  t.equal(cache.get(PAIR), undefined)
  cache.read(PAIR, permission(), NOW)
  clock.advance(REFUSAL - 1)
  t.match(cache.get(PAIR), { status: 'no_permission' })
  clock.advance(1)
  t.equal(cache.get(PAIR), undefined)
  cache.read(PAIR, granted({ status: 'temporary', expires: clock.now() + HOUR }), clock.now())
  clock.advance(HOUR - 1)
  t.match(cache.get(PAIR), { status: 'temporary' })
  clock.advance(1)
  t.equal(cache.get(PAIR), undefined, 'no webhook tells of the end')
})

t.test('replies in order, repeated and late', async (t) => {
  const clock = new FakeClock(NOW)
  const cache = new PermissionCache(clock)
  t.ok(cache.apply(PAIR, reply()))
  t.match(cache.get(PAIR), { status: 'temporary', expires: NOW + 168 * HOUR })
  t.ok(cache.apply(PAIR, reply({ at: NOW + 5000, permanent: true })))
  t.match(cache.get(PAIR), { status: 'permanent', expires: undefined })
  t.notOk(cache.apply(PAIR, reply()), 'an older event changes nothing')
  t.match(cache.get(PAIR), { status: 'permanent' })
  t.ok(cache.apply(PAIR, reply({ at: NOW + 9000, response: 'reject' })))
  t.equal(cache.get(PAIR), undefined, 'asked anew by the next call')
  t.notOk(cache.apply(PAIR, reply({ at: NOW + 5000 })), 'not even after that')
  t.equal(cache.get(PAIR), undefined)
  const expires = NOW + HOUR
  t.ok(cache.apply(PAIR, reply({ at: NOW + 10_000, expires })))
  t.match(cache.get(PAIR), { expires })
})

t.test('an event of the same second as a read is not older', async (t) => {
  const clock = new FakeClock(NOW + 700)
  const cache = new PermissionCache(clock)
  cache.read(PAIR, permission(), clock.now())
  t.ok(cache.apply(PAIR, reply({ at: NOW })))
  t.match(cache.get(PAIR), { status: 'temporary' })
})

t.test('an answer that was under way when the event came does not undo it', async (t) => {
  const clock = new FakeClock(NOW)
  const cache = new PermissionCache(clock)
  clock.advance(1000)
  cache.apply(PAIR, reply())
  t.match(cache.read(PAIR, permission(), NOW), { status: 'temporary' })
  t.match(cache.get(PAIR), { status: 'temporary' })
  t.match(cache.read(PAIR, permission(), clock.now()), { status: 'no_permission' })
})

t.test('connected calls and requests use up the quotas', async (t) => {
  const clock = new FakeClock(NOW)
  const cache = new PermissionCache(clock)
  const call = {
    allowed: true,
    limits: [{ period: 'PT24H', max: 2, used: 0, until: undefined }],
  }
  cache.read(PAIR, granted({ call }), NOW)
  cache.connected(PAIR, true)
  t.match(cache.get(PAIR), { call: { limits: [{ used: 1 }] } })
  cache.connected(PAIR, false)
  t.match(cache.get(PAIR), { call: { limits: [{ used: 1 }] } }, 'the consumer’s own does not count')
  cache.connected(PAIR, true)
  t.equal(cache.get(PAIR), undefined, 'the last one: asked anew')

  cache.read(PAIR, permission(), NOW)
  cache.requested(PAIR)
  t.match(cache.get(PAIR), {
    request: { allowed: false, limits: [{ used: 1, until: NOW + 24 * HOUR }, { used: 1 }] },
  })
  cache.connected(PAIR, false)
  t.equal(cache.get(PAIR), undefined, 'a call from the consumer may have granted permission')

  const used = { allowed: false, limits: [{ period: 'PT24H', max: 1, used: 1, until: NOW + HOUR }] }
  cache.read(PAIR, granted({ request: used }), NOW)
  cache.connected(PAIR, true)
  t.match(cache.get(PAIR), { request: { limits: [{ used: 0, until: undefined }] } })
})

t.test('memory is bounded; the oldest go', async (t) => {
  const cache = new PermissionCache(new FakeClock(NOW), 3)
  for (const consumer of ['1', '2', '3', '1', '4']) cache.read(consumer, granted(), NOW)
  t.equal(cache.size, 3)
  t.equal(cache.get('2'), undefined)
  t.ok(cache.get('1') && cache.get('3') && cache.get('4'))
})

t.test('without figures of the API the rule is kept by memory', async (t) => {
  const clock = new FakeClock(NOW)
  const log = new RequestLog(clock)
  t.equal(log.judge(PAIR), undefined)
  log.sent(PAIR)
  t.match(log.judge(PAIR), {
    code: 'CALL_PERMISSION_REQUEST_LIMIT',
    detail: 'asked once in 7 days, free again at 2026-06-11T12:00:00Z',
  })
  clock.advance(24 * HOUR)
  t.equal(log.judge(PAIR), undefined)
  log.sent(PAIR)
  clock.advance(24 * HOUR)
  t.match(log.judge(PAIR), {
    detail: 'asked 2 times in 7 days, free again at 2026-06-17T12:00:00Z',
  })
  clock.advance(5 * 24 * HOUR)
  t.equal(log.judge(PAIR), undefined)
  log.sent(PAIR)
  log.reset(PAIR)
  t.equal(log.judge(PAIR), undefined, 'a call connected')
})
