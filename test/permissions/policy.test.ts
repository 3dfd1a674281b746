import t from 'tap'
import { AccountEvents, callPolicy, restrictionsNow } from '../../src/permissions/index.ts'
import type { CallHours, Restriction } from '../../src/settings/index.ts'
import { FakeClock } from '../support/fake-clock.ts'

const NOW = Date.parse('2026-06-14T12:00:00Z')
const DAY = 86_400_000
const BUSINESS = 'RESTRICTED_BUSINESS_INITIATED_CALLING'
const CLOSED: CallHours = {
  status: 'ENABLED',
  timezone_id: 'Europe/Paris',
  weekly_operating_hours: [{ day_of_week: 'MONDAY', open_time: '0900', close_time: '1700' }],
  holiday_schedule: [],
}

function restriction(change: Partial<Restriction> = {}): Restriction {
  return { type: BUSINESS, reason: 'LOW_QUALITY', expiration: (NOW + DAY) / 1000, ...change }
}

t.test('restricted, closed, or neither', async (t) => {
  const open = { restrictions: [], call_hours: undefined }
  t.equal(callPolicy('support', open, NOW), undefined)
  t.match(callPolicy('support', { ...open, restrictions: [restriction()] }, NOW), {
    code: 'CALL_WHATSAPP_PAUSED',
    sip: 403,
    q850: 52,
    place: 'number support',
    detail: 'until 2026-06-15T12:00:00Z: LOW_QUALITY',
  })
  t.match(callPolicy('support', { ...open, call_hours: CLOSED }, NOW), {
    code: 'CALL_OUTSIDE_HOURS',
    sip: 480,
    q850: 63,
    detail: 'opens at 2026-06-15T07:00:00Z, hours of Europe/Paris',
    fix: /numbers\[\]\.calling\.call_hours/,
  })
  const both = { restrictions: [restriction()], call_hours: CLOSED }
  t.match(callPolicy('support', both, NOW), { code: 'CALL_WHATSAPP_PAUSED' }, 'what lasts longer')
})

t.test('which restriction counts', async (t) => {
  const other = restriction({ type: 'RESTRICTED_USER_INITIATED_CALLING' })
  const over = restriction({ expiration: NOW / 1000 })
  const long = restriction({ expiration: (NOW + 2 * DAY) / 1000 })
  const endless = restriction({ expiration: undefined })
  t.same(restrictionsNow([other, over], NOW), [other])
  t.same(restrictionsNow([restriction(), long, other], NOW), [long, other], 'one of a type')
  t.same(restrictionsNow([long, endless, long], NOW), [endless])
  t.same(restrictionsNow([], NOW), [])
  const user = { restrictions: [other], call_hours: undefined }
  t.equal(callPolicy('s', user, NOW), undefined, 'of calls from consumers')
  const standing = { restrictions: [endless], call_hours: undefined }
  t.match(callPolicy('s', standing, NOW), { detail: 'no end is known: LOW_QUALITY' })
})

t.test('events stand until they expire, seven days when they do not say', async (t) => {
  const clock = new FakeClock(NOW)
  const events = new AccountEvents(clock)
  const event = {
    phoneNumber: '+441632960123',
    kind: 'restriction' as const,
    type: BUSINESS,
    expires: undefined,
    remediation: 'answer calls',
    at: NOW,
  }
  t.ok(events.apply(event))
  t.notOk(events.apply(event), 'a repetition is no news')
  t.notOk(events.apply({ ...event, at: NOW - 1000 }), 'nor is an older one')
  const seven = (NOW + 7 * DAY) / 1000
  t.same(events.restrictions('441632960123'), [
    { type: BUSINESS, reason: 'answer calls', expiration: seven },
  ])
  t.same(events.restrictions('+441632960124'), [], 'of another number')
  t.ok(events.apply({ ...event, at: NOW + 1000, expires: NOW + DAY }), 'a newer one replaces it')
  t.equal(events.of('+441632960123').length, 1)
  clock.advance(DAY)
  t.same(events.of('+441632960123'), [])
  t.notOk(events.apply({ ...event, expires: NOW }), 'one that is over is no news')
})

t.test('an event without a number warns of each and restricts none', async (t) => {
  const events = new AccountEvents(new FakeClock(NOW))
  const event = {
    phoneNumber: undefined,
    kind: 'restriction' as const,
    type: BUSINESS,
    expires: undefined,
    remediation: undefined,
    at: NOW,
  }
  t.ok(events.apply(event))
  for (const number of ['+441632960123', '+441632960124']) {
    t.match(events.of(number), [{ named: false, kind: 'restriction' }])
    t.same(events.restrictions(number), [], 'it may be about another number')
  }
  const violation = { ...event, phoneNumber: '441632960123', kind: 'violation' as const, type: 'X' }
  t.ok(events.apply(violation))
  t.match(events.of('+441632960123'), [{ named: true, kind: 'violation' }, { named: false }])
  t.same(events.restrictions('+441632960123'), [], 'a violation restricts nothing yet')
})
