import { invalid } from './failure.ts'
import { isObject, type JsonObject, objectIn, toggleIn } from './values.ts'

const DAYS = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY']
const MAX_HOLIDAYS = 20
const MAX_WINDOWS = 2

/**
 * Checks `call_hours` by the documented failures: time zone, empty or overlapping weekly hours,
 * more than two windows a day, holidays in the past or misspelt.
 *
 * @param today `YYYY-MM-DD`
 * @returns the object to store; omitted holidays are deleted by the write
 * @throws code 100
 */
export function checkCallHours(value: unknown, today: string): JsonObject {
  const hours = objectIn(value, 'call_hours', [
    'status',
    'timezone_id',
    'weekly_operating_hours',
    'holiday_schedule',
    'day_of_week_start',
  ])
  const status = toggleIn(hours['status'], 'call_hours.status')
  if (!status) throw invalid('call_hours.status is required')
  if (!isTimezone(hours['timezone_id'])) throw invalid('Timezone is invalid in call_hours')
  const weekly = hours['weekly_operating_hours']
  if (!Array.isArray(weekly) || weekly.length === 0) {
    throw invalid('weekly_operating_hours in call_hours cannot be empty')
  }
  checkWeek(weekly)
  const holidays = hours['holiday_schedule'] ?? []
  if (!Array.isArray(holidays) || holidays.length > MAX_HOLIDAYS) {
    throw invalid('Invalid schedule for call_hours')
  }
  for (const holiday of holidays) checkHoliday(holiday, today)
  return { ...hours, status, holiday_schedule: holidays }
}

function checkWeek(weekly: unknown[]): void {
  const byDay = new Map<string, { open: string; close: string }[]>()
  for (const entry of weekly) {
    const day = isObject(entry) ? String(entry['day_of_week']) : ''
    const open = isObject(entry) ? String(entry['open_time']) : ''
    const close = isObject(entry) ? String(entry['close_time']) : ''
    if (!DAYS.includes(day) || !isTime(open) || !isTime(close) || open >= close) {
      throw invalid('Invalid schedule for call_hours')
    }
    const windows = byDay.get(day) ?? []
    windows.push({ open, close })
    byDay.set(day, windows)
  }
  for (const windows of byDay.values()) {
    if (windows.length > MAX_WINDOWS) {
      throw invalid(
        'More than 2 entries not allowed in weekly_operating_hours schedule in call_hours',
      )
    }
    const [first, second] = windows.sort((a, b) => a.open.localeCompare(b.open))
    if (first && second && second.open < first.close) {
      throw invalid('Overlapping schedule in call_hours is not allowed')
    }
  }
}

/** Samples say start_time and end_time, tables open_time and close_time: both are accepted. */
function checkHoliday(holiday: unknown, today: string): void {
  const entry = isObject(holiday) ? holiday : {}
  const date = String(entry['date'])
  if (!/^\d{4}-\d\d-\d\d$/.test(date) || Number.isNaN(Date.parse(date))) {
    throw invalid('Date format in holiday_schedule for call_hours is invalid')
  }
  if (date < today) throw invalid('Holiday given in call_hours is a past date')
  const start = String(entry['start_time'] ?? entry['open_time'])
  const end = String(entry['end_time'] ?? entry['close_time'])
  if (!isTime(start) || !isTime(end) || start >= end) {
    throw invalid('Invalid schedule for call_hours')
  }
}

function isTime(text: string): boolean {
  return /^([01]\d|2[0-3])[0-5]\d$/.test(text)
}

/** A zone of the database; offsets such as `+01:00`, which Node takes as well, are none. */
function isTimezone(value: unknown): boolean {
  if (typeof value !== 'string' || !/^[A-Za-z]/.test(value)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: value })
    return true
  } catch {
    return false
  }
}
