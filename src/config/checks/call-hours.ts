import { dateIn } from '../../shared/calendar.ts'
import type { Draft } from '../schema-walk.ts'
import { formatPath, type Path } from '../source.ts'
import type { CheckContext } from './context.ts'

type Calling = NonNullable<NonNullable<NonNullable<Draft['numbers']>[number]>['calling']>
type Hours = Calling['call_hours']
type Window = NonNullable<NonNullable<NonNullable<Hours>['weekly_operating_hours']>[number]>

/** Windows WhatsApp takes for one day. */
const MAX_WINDOWS = 2

/** What WhatsApp would refuse in `call_hours`, beyond the form of each value. */
export function callHours(context: CheckContext, hours: Hours, path: Path): void {
  if (!hours) return
  complete(context, hours, path)
  weeklyHours(context, hours.weekly_operating_hours ?? [], [...path, 'weekly_operating_hours'])
  holidays(context, hours, [...path, 'holiday_schedule'])
}

/** Hours are written whole; switched off, what is there of them is left out. */
function complete(context: CheckContext, hours: NonNullable<Hours>, path: Path): void {
  const needed = {
    timezone_id: 'an IANA time zone such as Europe/Paris',
    weekly_operating_hours: 'at least one window',
  }
  const off = hours.status === 'DISABLED'
  const bare = !['timezone_id', 'weekly_operating_hours', 'holiday_schedule'].some((key) =>
    context.given([...path, key]),
  )
  if (bare && hours.status !== 'ENABLED') return
  for (const [key, expected] of Object.entries(needed)) {
    const at = [...path, key]
    if (context.given(at) || context.isWrong(at)) continue
    const what = { path: at, atKey: true, found: 'nothing', expected }
    const detail = `call_hours.${key}`
    if (off) {
      const only = `${detail}; nothing but status: DISABLED is written`
      context.warn('CONFIG_CALL_HOURS_INCOMPLETE', { ...what, detail: only })
    } else context.error('CONFIG_CALL_HOURS_INCOMPLETE', { ...what, detail })
  }
}

function weeklyHours(
  context: CheckContext,
  windows: readonly (Window | undefined)[],
  path: Path,
): void {
  const days = new Map<string, { open: string; close: string; at: Path }[]>()
  for (const [index, window] of windows.entries()) {
    const { day_of_week: day, open_time: open, close_time: close } = window ?? {}
    if (open === undefined || close === undefined) continue
    const at = [...path, index]
    if (backwards(context, open, close, [...at, 'close_time'], 'open_time') || !day) continue
    const earlier = days.get(day) ?? []
    const clash = earlier.find((other) => open < other.close && other.open < close)
    if (earlier.length >= MAX_WINDOWS) {
      context.error('CONFIG_HOURS_TOO_MANY', {
        path: at,
        detail: day,
        found: `window ${earlier.length + 1} of ${day}`,
        expected: `at most ${MAX_WINDOWS} windows a day`,
      })
    } else if (clash) {
      context.error('CONFIG_HOURS_OVERLAP', {
        path: at,
        detail: `${day} ${open}-${close} and ${clash.open}-${clash.close}`,
        found: `${open}-${close}`,
        expected: `a time outside of ${clash.open}-${clash.close}, which ${formatPath(clash.at)} has`,
      })
    }
    days.set(day, [...earlier, { open, close, at }])
  }
}

function holidays(context: CheckContext, hours: NonNullable<Hours>, path: Path): void {
  const today = dateIn(hours.timezone_id, context.now)
  const first = new Map<string, number>()
  for (const [index, holiday] of (hours.holiday_schedule ?? []).entries()) {
    const { date, start_time: start, end_time: end } = holiday ?? {}
    const at = [...path, index]
    if (start !== undefined && end !== undefined) {
      backwards(context, start, end, [...at, 'end_time'], 'start_time')
    }
    if (date === undefined) continue
    const earlier = first.get(date)
    if (earlier === undefined) first.set(date, index)
    else {
      context.error('CONFIG_LISTED_TWICE', {
        path: [...at, 'date'],
        detail: `${date} is also ${formatPath([...path, earlier])}`,
        found: date,
        expected: 'each date once',
      })
    }
    if (date >= today) continue
    const facts = {
      path: [...at, 'date'],
      detail: `${date}; today is ${today}${hours.timezone_id ? ` in ${hours.timezone_id}` : ''}`,
      found: date,
      expected: `${today} or later`,
    }
    if (context.expired === 'error') context.error('CONFIG_HOLIDAY_PAST', facts)
    else context.warn('CONFIG_HOLIDAY_PAST', facts)
  }
}

/** Complains about an end that does not come after its begin. */
function backwards(
  context: CheckContext,
  from: string,
  to: string,
  path: Path,
  begin: string,
): boolean {
  if (from < to) return false
  context.error('CONFIG_HOURS_BACKWARDS', {
    path,
    detail: `${from} to ${to}`,
    found: to,
    expected: `a time after ${begin}, ${from}`,
  })
  return true
}
