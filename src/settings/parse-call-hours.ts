import { toggleOf } from './parse.ts'
import type { CallHours } from './types.ts'
import { isObject, objectsOf, restOf, textOf } from './wire.ts'

const KNOWN = ['status', 'timezone_id', 'timezone', 'weekly_operating_hours', 'holiday_schedule']

/**
 * Reads `call_hours`. Holidays are printed with start/end in samples and open/close in tables, the
 * v23 mirror says `timezone`, and times may come as numbers (400 for `0400`): all are accepted.
 */
export function parseCallHours(value: unknown): CallHours | undefined {
  if (!isObject(value)) return undefined
  const other = restOf(value, KNOWN)
  return {
    status: toggleOf(value['status']),
    timezone_id: textOf(value['timezone_id']) ?? textOf(value['timezone']),
    weekly_operating_hours: objectsOf(value['weekly_operating_hours']).map((entry) => ({
      day_of_week: (textOf(entry['day_of_week']) ?? '').toUpperCase(),
      open_time: timeOf(entry['open_time']),
      close_time: timeOf(entry['close_time']),
    })),
    holiday_schedule: objectsOf(value['holiday_schedule']).map((entry) => ({
      date: textOf(entry['date']) ?? '',
      start_time: timeOf(entry['start_time'] ?? entry['open_time']),
      end_time: timeOf(entry['end_time'] ?? entry['close_time']),
    })),
    ...(Object.keys(other).length > 0 ? { other } : {}),
  }
}

function timeOf(value: unknown): string {
  return (textOf(value) ?? '').replace(':', '').padStart(4, '0')
}
