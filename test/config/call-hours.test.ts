import t from 'tap'
import { brief, issuesOf } from '../support/config-file.ts'
import { AT, calling, clock, holiday, hours, refuses, window } from './calling-support.ts'

const MANY = Array.from({ length: 21 }, (_, day) =>
  holiday(`2027-01-${String(day + 1).padStart(2, '0')}`),
)
const WEEKLY = `${AT}.call_hours.weekly_operating_hours`
const HOLIDAYS = `${AT}.call_hours.holiday_schedule`

refuses(t, [
  {
    name: 'hours without status',
    text: calling('call_hours: {}'),
    is: `CONFIG_MISSING_KEY 15:7 ${AT}.call_hours.status`,
    found: 'nothing',
  },
  {
    name: 'enabled hours without time zone',
    text: calling(
      `call_hours: { status: ENABLED, weekly_operating_hours: [${window('MONDAY', '0900', '1000')}] }`,
    ),
    is: `CONFIG_CALL_HOURS_INCOMPLETE 15:7 ${AT}.call_hours.timezone_id`,
    found: 'nothing',
    expected: /IANA/,
  },
  {
    name: 'a time zone that is none',
    text: hours({ timezone: 'Mars/Olympus' }),
    is: `CONFIG_BAD_VALUE 17:22 ${AT}.call_hours.timezone_id`,
    found: 'Mars/Olympus',
    expected: /IANA/,
  },
  {
    name: 'a misspelt time zone',
    text: hours({ timezone: 'Europe/Pariis' }),
    is: `CONFIG_BAD_VALUE 17:22 ${AT}.call_hours.timezone_id`,
    nearest: 'Europe/Paris',
  },
  {
    name: 'a time zone in lower case',
    text: hours({ timezone: 'europe/paris' }),
    is: `CONFIG_BAD_VALUE 17:22 ${AT}.call_hours.timezone_id`,
    nearest: 'Europe/Paris',
  },
  {
    name: 'an offset for a time zone',
    text: hours({ timezone: '"+01:00"' }),
    is: `CONFIG_BAD_VALUE 17:22 ${AT}.call_hours.timezone_id`,
    found: '"+01:00"',
  },
  {
    name: 'no weekly hours at all',
    text: hours({ weekly: [] }),
    is: `CONFIG_BAD_VALUE 18:33 ${WEEKLY}`,
    found: 'a list',
    expected: /at least one/,
  },
  {
    name: 'a day that is none',
    text: hours({ weekly: [window('Monday', '0900', '1730')] }),
    is: `CONFIG_BAD_VALUE 18:49 ${WEEKLY}[0].day_of_week`,
    found: 'Monday',
    nearest: 'MONDAY',
  },
  {
    name: 'a time without quotes',
    text: hours({ weekly: ['{ day_of_week: MONDAY, open_time: 0900, close_time: "1730" }'] }),
    is: `CONFIG_NOT_QUOTED 18:68 ${WEEKLY}[0].open_time`,
    found: '0900',
    nearest: '"0900"',
  },
  {
    name: 'a time with a colon',
    text: hours({ weekly: [window('MONDAY', '9:00', '1730')] }),
    is: `CONFIG_BAD_VALUE 18:68 ${WEEKLY}[0].open_time`,
    expected: /"0000" to "2359"/,
    nearest: '"0900"',
  },
  {
    name: 'the end of the day',
    text: hours({ weekly: [window('MONDAY', '0900', '2400')] }),
    is: `CONFIG_BAD_VALUE 18:88 ${WEEKLY}[0].close_time`,
    nearest: '"2359"',
  },
  {
    name: 'a window that ends before it begins',
    text: hours({ weekly: [window('MONDAY', '1730', '0900')] }),
    is: `CONFIG_HOURS_BACKWARDS 18:88 ${WEEKLY}[0].close_time`,
    found: '0900',
    expected: /after open_time, 1730/,
  },
  {
    name: 'a window without length',
    text: hours({ weekly: [window('MONDAY', '0900', '0900')] }),
    is: `CONFIG_HOURS_BACKWARDS 18:88 ${WEEKLY}[0].close_time`,
  },
  {
    name: 'windows of a day that overlap',
    text: hours({ weekly: [window('MONDAY', '0900', '1300'), window('MONDAY', '1200', '1730')] }),
    is: `CONFIG_HOURS_OVERLAP 18:98 ${WEEKLY}[1]`,
    found: '1200-1730',
    expected: /0900-1300.*\[0\]/,
  },
  {
    name: 'a third window of a day',
    text: hours({
      weekly: ['0900', '1100', '1300'].map((open) =>
        window('MONDAY', open, `${Number(open) + 100}`.padStart(4, '0')),
      ),
    }),
    is: `CONFIG_HOURS_TOO_MANY 18:162 ${WEEKLY}[2]`,
    found: 'window 3 of MONDAY',
    expected: /at most 2/,
  },
  {
    name: 'more than 20 holidays',
    text: hours({ holidays: MANY }),
    is: `CONFIG_BAD_VALUE 19:27 ${HOLIDAYS}`,
    found: 'a list',
    expected: /at most 20/,
  },
  {
    name: 'a date in another order',
    text: hours({ holidays: [holiday('25.12.2026')] }),
    is: `CONFIG_BAD_VALUE 19:36 ${HOLIDAYS}[0].date`,
    found: '25.12.2026',
    nearest: '2026-12-25',
  },
  {
    name: 'a date the calendar lacks',
    text: hours({ holidays: [holiday('2027-02-29')] }),
    is: `CONFIG_BAD_VALUE 19:36 ${HOLIDAYS}[0].date`,
    found: '2027-02-29',
  },
  {
    name: 'a holiday in the past',
    text: hours({ holidays: [holiday('2026-11-28')] }),
    is: `CONFIG_HOLIDAY_PAST 19:36 ${HOLIDAYS}[0].date`,
    found: '2026-11-28',
    expected: /2026-11-29 or later/,
  },
  {
    name: 'a date twice',
    text: hours({ holidays: [holiday('2026-12-25', '0000', '1200'), holiday('2026-12-25')] }),
    is: `CONFIG_LISTED_TWICE 19:96 ${HOLIDAYS}[1].date`,
    found: '2026-12-25',
  },
  {
    name: 'a holiday that ends before it begins',
    text: hours({ holidays: [holiday('2026-12-25', '1200', '0000')] }),
    is: `CONFIG_HOURS_BACKWARDS 19:78 ${HOLIDAYS}[0].end_time`,
    found: '0000',
  },
  {
    name: 'a holiday without end',
    text: hours({ holidays: ['{ date: 2026-12-25, start_time: "0000" }'] }),
    is: `CONFIG_MISSING_KEY 19:28 ${HOLIDAYS}[0].end_time`,
  },
  {
    name: 'a key of another dialect',
    text: calling('call_hours: { status: DISABLED, timezone: Europe/Paris }'),
    is: `CONFIG_UNKNOWN_KEY 15:39 ${AT}.call_hours.timezone`,
    found: 'timezone',
    nearest: 'timezone_id',
  },
])

t.test('a start that nobody watches is not kept from by a holiday that is over', async (t) => {
  const text = hours({ holidays: [holiday('2026-11-28')] })
  const { errors, warnings } = issuesOf(text, { clock, expired: 'warning' })
  t.same(errors, [])
  t.same(warnings.map(brief), [`CONFIG_HOLIDAY_PAST 19:36 ${HOLIDAYS}[0].date`])
})

t.test('rules hold back where a value could not be read', async (t) => {
  const text = hours({
    weekly: [window('MONDAY', '9:00', '0800'), window('MUNDAY', '1000', '1100')],
    holidays: [holiday('soon', '1200', '1300')],
  })
  t.same(
    issuesOf(text, { clock }).errors.map(({ code }) => code),
    ['CONFIG_BAD_VALUE', 'CONFIG_BAD_VALUE', 'CONFIG_BAD_VALUE'],
  )
})

t.test('hours that are switched off may lack a part, which is told', async (t) => {
  const text = calling('call_hours: { status: DISABLED, timezone_id: Europe/Paris }')
  const { errors, warnings } = issuesOf(text, { clock })
  t.same(errors.map(brief), [])
  t.same(warnings.map(brief), [
    `CONFIG_CALL_HOURS_INCOMPLETE 15:7 ${AT}.call_hours.weekly_operating_hours`,
  ])
  t.match(warnings[0]?.detail, /nothing but status: DISABLED is written/)
})
