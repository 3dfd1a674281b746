import type { Test } from 'tap'
import { brief, edit, issuesOf } from '../support/config-file.ts'
import { FakeClock } from '../support/fake-clock.ts'

/** 2026-11-29, 06:13 in UTC and 20:13 of the day before in Honolulu. */
export const clock = new FakeClock(Date.UTC(2026, 10, 29, 6, 13))

/** The valid file with lines put first into `calling:`; they start on line 15. */
export function calling(...lines: string[]): string {
  return edit([
    '    calling:\n',
    `    calling:\n${lines.map((line) => `      ${line}\n`).join('')}`,
  ])
}

/** Call hours that are right but for one part. */
export function hours(change: {
  timezone?: string
  weekly?: string[]
  holidays?: string[]
}): string {
  const { timezone = 'Europe/Paris', weekly = [window('MONDAY', '0900', '1730')] } = change
  const { holidays } = change
  return calling(
    'call_hours:',
    '  status: ENABLED',
    `  timezone_id: ${timezone}`,
    `  weekly_operating_hours: [${weekly.join(', ')}]`,
    ...(holidays ? [`  holiday_schedule: [${holidays.join(', ')}]`] : []),
  )
}

export function window(day: string, open: string, close: string): string {
  return `{ day_of_week: ${day}, open_time: "${open}", close_time: "${close}" }`
}

export function holiday(date: string, start = '0000', end = '2359'): string {
  return `{ date: ${date}, start_time: "${start}", end_time: "${end}" }`
}

export const AT = 'numbers[0].calling'

/** A value that is refused: the one issue it draws, and what that says. */
export interface Row {
  name: string
  text: string
  is: string
  found?: string | RegExp
  expected?: RegExp
  nearest?: string
}

/** Each row is one error with its place, what was found and what is expected. */
export function refuses(t: Test, rows: readonly Row[]): void {
  for (const { name, text, is, found, expected, nearest } of rows) {
    t.test(`${name} is refused with its place`, async (t) => {
      const { errors } = issuesOf(text, { clock })
      t.same(errors.map(brief), [is])
      const [issue] = errors
      t.equal(issue?.nearest, nearest)
      if (found !== undefined) t.match(issue?.found, found)
      if (expected) t.match(issue?.expected, expected)
      t.equal(issue?.place, `/etc/causeway/c.yaml:${is.split(' ').slice(1).join(' ')}`)
      t.ok(issue?.definition.fix)
    })
  }
}
