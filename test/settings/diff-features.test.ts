import t from 'tap'
import type { CallingConfig } from '../../src/config/types.ts'
import { diffSettings, parseCalling } from '../../src/settings/index.ts'
import {
  applied,
  CHRISTMAS,
  HOURS,
  hours,
  MAILBOX,
  MONDAY,
  OVER,
  voicemail,
  wish,
} from './calling-support.ts'

t.test('what differs of the features around the line', async (t) => {
  const rows: [string, CallingConfig, Record<string, unknown>, string[]][] = [
    ['a button as it is at first', { call_icon_visibility: 'DEFAULT' }, {}, []],
    [
      'a hidden button',
      { call_icon_visibility: 'HIDE_IN_CHAT' },
      { call_icon_visibility: 'DISABLE_ALL' },
      ['call_icon_visibility'],
    ],
    [
      'a button that is hidden somehow',
      { call_icon_visibility: 'HIDE_IN_CHAT' },
      { call_icon_visibility: 'hidden' },
      [],
    ],
    [
      'a button that is hidden and should not be',
      { call_icon_visibility: 'DEFAULT' },
      { call_icon_visibility: 'hidden' },
      ['call_icon_visibility'],
    ],
    [
      'countries in another order',
      { call_icons: { restrict_to_user_countries: ['FR', 'BE'] } },
      { call_icons: { restrict_to_user_countries: ['BE', 'FR'] } },
      [],
    ],
    ['no countries, none reported', { call_icons: { restrict_to_user_countries: [] } }, {}, []],
    [
      'countries to be lifted',
      { call_icons: { restrict_to_user_countries: [] } },
      { call_icons: { restrict_to_user_countries: ['BE'] } },
      ['call_icons.restrict_to_user_countries'],
    ],
    ['countries unmanaged', {}, { call_icons: { restrict_to_user_countries: ['BE'] } }, []],
    ['callback off, not reported', { callback_permission_status: 'DISABLED' }, {}, []],
    [
      'callback',
      { callback_permission_status: 'ENABLED' },
      { callback_permission_status: 'DISABLED' },
      ['callback_permission_status'],
    ],
    ['video off, not reported', { video: { status: 'DISABLED' } }, {}, []],
    ['video', { video: { status: 'ENABLED' } }, {}, ['video.status']],
    ['hours as they are', hours(), { call_hours: HOURS }, []],
    [
      'hours in another order, times as numbers',
      hours(),
      {
        call_hours: {
          status: 'enabled',
          timezone: 'Europe/Paris',
          weekly_operating_hours: [
            { day_of_week: 'tuesday', open_time: 1000, close_time: 1200 },
            { day_of_week: 'monday', open_time: 900, close_time: 1730 },
          ],
          holiday_schedule: [
            { date: '2027-01-01', open_time: 0, close_time: 1200 },
            { date: '2026-12-25', open_time: '0000', close_time: '23:59' },
          ],
        },
      },
      [],
    ],
    [
      'hours of a fresh number',
      hours(),
      {},
      [
        'call_hours.status',
        'call_hours.timezone_id',
        'call_hours.weekly_operating_hours',
        'call_hours.holiday_schedule',
      ],
    ],
    ['hours off, none reported', { call_hours: { status: 'DISABLED' } }, {}, []],
    [
      'hours off',
      { call_hours: { status: 'DISABLED' } },
      { call_hours: HOURS },
      ['call_hours.status'],
    ],
    [
      'another window',
      hours({ weekly_operating_hours: [MONDAY] }),
      { call_hours: HOURS },
      ['call_hours.weekly_operating_hours'],
    ],
    [
      'another zone',
      hours({ timezone_id: 'Europe/Berlin' }),
      { call_hours: HOURS },
      ['call_hours.timezone_id'],
    ],
    [
      'no holidays',
      hours({ holiday_schedule: [] }),
      { call_hours: HOURS },
      ['call_hours.holiday_schedule'],
    ],
    [
      'a holiday that is over counts on neither side',
      hours({ holiday_schedule: [OVER, CHRISTMAS] }),
      { call_hours: { ...HOURS, holiday_schedule: [{ ...OVER, date: '2026-01-01' }, CHRISTMAS] } },
      [],
    ],
    ['voicemail as it is', voicemail(), { voicemail: MAILBOX }, []],
    ['voicemail off, not reported', { voicemail: { status: 'DISABLED' } }, {}, []],
    [
      'voicemail of a fresh number',
      voicemail(),
      {},
      [
        'voicemail.status',
        'voicemail.triggers',
        'voicemail.audio.default.announcement_media_id',
        'voicemail.audio.default.timeout_seconds',
      ],
    ],
    [
      'a trigger',
      voicemail({ triggers: ['REJECT'] }),
      { voicemail: MAILBOX },
      ['voicemail.triggers'],
    ],
    [
      'seconds',
      voicemail({ audio: { default: { timeout_seconds: 0 } } }),
      { voicemail: MAILBOX },
      ['voicemail.audio.default.timeout_seconds'],
    ],
  ]
  for (const [name, config, changes, paths] of rows) {
    const found = diffSettings(parseCalling({ ...applied, ...changes }), wish(config))
    t.same(
      found.map(({ path }) => path),
      paths.map((path) => `calling.${path}`),
      name,
    )
  }
})
