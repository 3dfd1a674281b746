import t from 'tap'
import type { CallHours } from '../../src/settings/index.ts'
import { judgeHours, judgeSchedule } from '../../src/shared/call-hours.ts'

const WEEKDAYS = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY']

/** Open on weekdays from 0900 to 1700, changed as asked. */
function hours(change: Partial<CallHours> = {}, open = '0900', close = '1700'): CallHours {
  return {
    status: 'ENABLED',
    timezone_id: 'Europe/Paris',
    weekly_operating_hours: WEEKDAYS.map((day_of_week) => ({
      day_of_week,
      open_time: open,
      close_time: close,
    })),
    holiday_schedule: [],
    ...change,
  }
}

const at = (text: string): number => Date.parse(text)
const opens = (text: string | undefined) => (text === undefined ? undefined : at(text))

t.test('weekly hours in the time zone of the number', async (t) => {
  const rows: [zone: string, now: string, open: boolean, opensAt?: string][] = [
    // Wednesday 10 June 2026: Paris is two hours ahead of UTC.
    ['Europe/Paris', '2026-06-10T06:59:59Z', false, '2026-06-10T07:00:00Z'],
    ['Europe/Paris', '2026-06-10T07:00:00Z', true],
    ['Europe/Paris', '2026-06-10T14:59:59Z', true],
    ['Europe/Paris', '2026-06-10T15:00:00Z', false, '2026-06-11T07:00:00Z'],
    // In winter one hour.
    ['Europe/Paris', '2026-12-09T07:59:00Z', false, '2026-12-09T08:00:00Z'],
    ['Europe/Paris', '2026-12-09T08:00:00Z', true],
    // Friday evening: Monday is next.
    ['Europe/Paris', '2026-06-12T15:00:00Z', false, '2026-06-15T07:00:00Z'],
    // Already tomorrow, still yesterday.
    ['Pacific/Auckland', '2026-06-09T21:00:00Z', true],
    ['America/Los_Angeles', '2026-06-13T00:30:00Z', false, '2026-06-15T16:00:00Z'],
    ['America/Los_Angeles', '2026-06-12T23:59:00Z', true],
    // Half and quarter hours.
    ['Asia/Kolkata', '2026-06-10T03:29:00Z', false, '2026-06-10T03:30:00Z'],
    ['Asia/Kathmandu', '2026-06-10T03:15:00Z', true],
    ['UTC', '2026-06-10T09:00:00Z', true],
  ]
  for (const [timezone_id, now, open, opensAt] of rows) {
    const verdict = judgeHours(hours({ timezone_id }), at(now))
    t.same(verdict, { open, opensAt: opens(opensAt) }, `${timezone_id} ${now}`)
  }
})

t.test('clocks that change meanwhile neither hide an opening nor move it', async (t) => {
  const sundays = (open_time: string, close_time: string) =>
    hours({ weekly_operating_hours: [{ day_of_week: 'SUNDAY', open_time, close_time }] })
  const rows: [CallHours, string, boolean, string?][] = [
    // Summer time begins on Sunday 29 March 2026 at 0200, which is 0300 at once.
    [sundays('0900', '1000'), '2026-03-28T12:00:00Z', false, '2026-03-29T07:00:00Z'],
    [sundays('0230', '0400'), '2026-03-29T00:00:00Z', false, '2026-03-29T01:00:00Z'],
    [sundays('0230', '0400'), '2026-03-29T01:00:00Z', true],
    // It ends on Sunday 25 October at 0300, which is 0200 again: that hour comes twice.
    [sundays('0900', '1000'), '2026-10-24T12:00:00Z', false, '2026-10-25T08:00:00Z'],
    [sundays('0215', '0230'), '2026-10-25T00:20:00Z', true],
    [sundays('0215', '0230'), '2026-10-25T00:40:00Z', false, '2026-10-25T01:15:00Z'],
    [sundays('0215', '0230'), '2026-10-25T01:20:00Z', true],
    // Midnight itself is skipped in Beirut on 29 March 2026.
    [
      { ...sundays('0000', '0130'), timezone_id: 'Asia/Beirut' },
      '2026-03-28T20:00:00Z',
      false,
      '2026-03-28T22:00:00Z',
    ],
  ]
  for (const [calendar, now, open, opensAt] of rows) {
    t.same(judgeHours(calendar, at(now)), { open, opensAt: opens(opensAt) }, now)
  }
})

t.test('a holiday has its own hours instead of those of the week', async (t) => {
  const entry = (date: string, start_time: string, end_time: string) => ({
    date,
    start_time,
    end_time,
  })
  const calendar = hours({
    holiday_schedule: [
      entry('2026-06-10', '1000', '1100'),
      entry('2026-06-10', '1400', '1500'),
      entry('2026-06-11', '0000', '0000'),
      entry('2026-06-13', '0000', '2359'),
    ],
  })
  const rows: [string, boolean, string?][] = [
    ['2026-06-10T07:30:00Z', false, '2026-06-10T08:00:00Z'],
    ['2026-06-10T08:30:00Z', true],
    ['2026-06-10T10:00:00Z', false, '2026-06-10T12:00:00Z'],
    // Thursday is closed altogether.
    ['2026-06-10T13:00:00Z', false, '2026-06-12T07:00:00Z'],
    ['2026-06-11T10:00:00Z', false, '2026-06-12T07:00:00Z'],
    // Saturday is open to its last minute.
    ['2026-06-12T22:00:00Z', true],
    ['2026-06-13T21:59:30Z', true],
    ['2026-06-13T22:00:00Z', false, '2026-06-15T07:00:00Z'],
  ]
  for (const [now, open, opensAt] of rows) {
    t.same(judgeHours(calendar, at(now)), { open, opensAt: opens(opensAt) }, now)
  }
})

t.test('two windows a day, and a day that ends at 2359', async (t) => {
  const windows = (...times: [string, string][]) =>
    hours({
      timezone_id: 'UTC',
      weekly_operating_hours: times.map(([open_time, close_time]) => ({
        day_of_week: 'WEDNESDAY',
        open_time,
        close_time,
      })),
    })
  const two = windows(['0800', '1200'], ['1330', '1800'])
  t.same(judgeHours(two, at('2026-06-10T12:00:00Z')), {
    open: false,
    opensAt: at('2026-06-10T13:30:00Z'),
  })
  t.ok(judgeHours(two, at('2026-06-10T13:30:00Z')).open)
  t.ok(judgeHours(windows(['0000', '2359']), at('2026-06-10T23:59:59Z')).open)
})

t.test('hours that are off or make no sense close nothing', async (t) => {
  const sunday = at('2026-06-14T12:00:00Z')
  t.notOk(judgeHours(hours(), sunday).open)
  t.ok(judgeHours(undefined, sunday).open)
  t.ok(judgeHours(hours({ status: 'DISABLED' }), sunday).open)
  t.ok(judgeHours(hours({ status: undefined }), sunday).open)
  t.ok(judgeHours(hours({ timezone_id: 'Mars/Olympus' }), sunday).open)
  t.ok(judgeHours(hours({ timezone_id: undefined }), sunday).open)
  t.ok(judgeHours(hours({ weekly_operating_hours: [] }), sunday).open)
})

t.test('a schedule counts whatever its status is', async (t) => {
  const sunday = at('2026-06-14T12:00:00Z')
  const off = hours({ status: 'DISABLED' })
  t.same(judgeSchedule(off, sunday), { open: false, opensAt: at('2026-06-15T07:00:00Z') })
  t.ok(judgeSchedule(off, at('2026-06-15T07:00:00Z')).open)
  t.ok(judgeSchedule({ status: 'ENABLED', timezone_id: 'Europe/Paris' }, sunday).open)
  t.ok(judgeSchedule(undefined, sunday).open)
})

t.test('nothing opens ever when every window is broken', async (t) => {
  const never = hours({}, '1700', '0900')
  t.same(judgeHours(never, at('2026-06-10T12:00:00Z')), { open: false, opensAt: undefined })
  t.same(judgeHours(hours({}, 'noon', '99'), at('2026-06-10T12:00:00Z')), {
    open: false,
    opensAt: undefined,
  })
})
