import type { SettingsDifference } from '../../settings/index.ts'
import { Secret } from '../../shared/secret.ts'
import type { Paint } from '../style.ts'
import { printable } from '../text.ts'

type Fields = Record<string, unknown>

/** A value of the settings on one line: windows, holidays and servers in the words of people. */
export function valueText(value: unknown): string {
  if (value === undefined) return 'not set'
  if (typeof value === 'string') return printable(value)
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(valueText).join(', ')
  if (typeof value !== 'object' || value === null || value instanceof Secret) return String(value)
  const fields = value as Fields
  const { day_of_week, open_time, close_time, date, start_time, end_time, hostname } = fields
  if (day_of_week !== undefined) return printable(`${day_of_week} ${open_time}-${close_time}`)
  if (date !== undefined) return printable(`${date} ${start_time}-${end_time}`)
  if (hostname !== undefined) return serverText(fields)
  const pairs = Object.entries(fields).map(([key, item]) => `${printable(key)}=${valueText(item)}`)
  return pairs.length === 0 ? 'none' : pairs.join(' ')
}

function serverText(server: Fields): string {
  const { hostname, port, request_uri_user_params: params } = server
  const where = printable(`${hostname}${port === undefined ? '' : `:${port}`}`)
  const given = params !== undefined && Object.keys(params as Fields).length > 0
  return given ? `${where} ${valueText(params)}` : where
}

/**
 * A difference in the manner of a diff: `+` what is added, `-` what goes, `~` what changes, lists
 * entry by entry.
 *
 * @param width of the column of paths
 */
export function differenceLines(
  { path, actual, desired }: SettingsDifference,
  width: number,
  paint: Paint,
): string[] {
  const name = printable(path).padEnd(width)
  if (isListOfObjects(actual) || isListOfObjects(desired)) {
    const changed = actual !== undefined && desired !== undefined
    const mark = changed ? paint('yellow', '~') : paint('green', '+')
    return [`${mark} ${name.trimEnd()}`, ...entryLines(actual, desired, paint)]
  }
  if (desired === undefined)
    return [`${paint('red', '-')} ${name}  ${paint('red', valueText(actual))}`]
  const wanted = paint('green', valueText(desired))
  if (actual === undefined) return [`${paint('green', '+')} ${name}  ${wanted}`]
  return [`${paint('yellow', '~')} ${name}  ${paint('red', valueText(actual))} → ${wanted}`]
}

function entryLines(actual: unknown, desired: unknown, paint: Paint): string[] {
  const before = (Array.isArray(actual) ? actual : []).map(valueText)
  const after = (Array.isArray(desired) ? desired : []).map(valueText)
  const gone = before.filter((entry) => !after.includes(entry))
  const come = after.filter((entry) => !before.includes(entry))
  const same = after.length - come.length
  return [
    ...gone.map((entry) => paint('red', `    - ${entry}`)),
    ...come.map((entry) => paint('green', `    + ${entry}`)),
    ...(same > 0
      ? [paint('dim', `      ${same} more as ${same === 1 ? 'it is' : 'they are'}`)]
      : []),
  ]
}

function isListOfObjects(value: unknown): boolean {
  return Array.isArray(value) && value.some((entry) => typeof entry === 'object')
}
