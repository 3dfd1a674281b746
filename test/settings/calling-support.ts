import type { CallingConfig } from '../../src/config/types.ts'
import { desiredCalling } from '../../src/settings/index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { makeNumber } from './support.ts'

const clock = new FakeClock(Date.UTC(2026, 10, 29, 12))
const base = { domain: 'sip.example.com', port: 5061, clock }
export const wish = (calling: CallingConfig = {}, requests: 'together' | 'apart' = 'together') =>
  desiredCalling(makeNumber({ calling }), { ...base, requests })

export const OWN = {
  app_id: 1,
  hostname: 'sip.example.com',
  port: 5061,
  sip_user_password: 'hunter2',
}
/** A number whose line is as configured. */
export const applied = {
  status: 'ENABLED',
  srtp_key_exchange_protocol: 'SDES',
  sip: { status: 'ENABLED', servers: [OWN] },
}
export const MONDAY = { day_of_week: 'MONDAY', open_time: '0900', close_time: '1730' }
export const TUESDAY = { day_of_week: 'TUESDAY', open_time: '1000', close_time: '1200' }
export const CHRISTMAS = { date: '2026-12-25', start_time: '0000', end_time: '2359' }
const NEW_YEAR = { date: '2027-01-01', start_time: '0000', end_time: '1200' }
export const OVER = { date: '2026-11-28', start_time: '0000', end_time: '2359' }
export const HOURS = {
  status: 'ENABLED',
  timezone_id: 'Europe/Paris',
  weekly_operating_hours: [MONDAY, TUESDAY],
  holiday_schedule: [CHRISTMAS, NEW_YEAR],
} as const satisfies Record<string, unknown>
export const hours = (
  changes: Partial<NonNullable<CallingConfig['call_hours']>> = {},
): CallingConfig => ({
  call_hours: {
    status: 'ENABLED',
    timezone_id: 'Europe/Paris',
    weekly_operating_hours: [MONDAY, TUESDAY],
    holiday_schedule: [CHRISTMAS, NEW_YEAR],
    ...changes,
  },
})
export const MAILBOX = {
  status: 'ENABLED',
  triggers: ['REJECT', 'TIMEOUT'],
  audio: { default: { announcement_media_id: 1013859600285441, timeout_seconds: 20 } },
}
export const voicemail = (
  changes: Partial<NonNullable<CallingConfig['voicemail']>> = {},
): CallingConfig => ({
  voicemail: {
    status: 'ENABLED',
    triggers: ['TIMEOUT', 'REJECT'],
    audio: { default: { announcement_media_id: '1013859600285441', timeout_seconds: 20 } },
    ...changes,
  },
})
