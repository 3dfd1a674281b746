/**
 * The name of a time zone as the IANA database spells it; undefined for anything that is none,
 * such as an offset or an abbreviation of summer time.
 */
export function timeZoneNamed(name: string): string | undefined {
  if (!/^[A-Za-z]/.test(name)) return undefined
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions()
    // An alias stays as it is: `Asia/Calcutta` is a name of the database, too.
    return timeZone.toLowerCase() === name.toLowerCase() ? timeZone : name
  } catch {
    return undefined
  }
}

/**
 * The date in a time zone.
 *
 * @param now milliseconds since the epoch
 * @param timeZone IANA name; an unknown one counts as UTC
 * @returns `YYYY-MM-DD`
 */
export function dateIn(timeZone: string | undefined, now: number): string {
  const known = timeZone === undefined ? undefined : timeZoneNamed(timeZone)
  const parts = new Intl.DateTimeFormat('en', {
    timeZone: known ?? 'UTC',
    calendar: 'iso8601',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(now)
  const part = (type: string): string => parts.find((it) => it.type === type)?.value ?? ''
  return `${part('year')}-${part('month')}-${part('day')}`
}

/** Whether a text is a date of the calendar in the form `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}

/** Whether a text is a time of day in the form `HHMM`, `0000` to `2359`. */
export function isTimeOfDay(text: string): boolean {
  return /^([01]\d|2[0-3])[0-5]\d$/.test(text)
}

/**
 * The moment a clock in a time zone shows a date and time. A time that summer time skips counts on from
 * the leap; one that comes twice is the first of the two.
 *
 * @param text `YYYY-MM-DDTHH:MM`, with seconds or without
 * @param timeZone IANA name; undefined: that of this machine
 * @returns milliseconds since the epoch; undefined when the text is none
 */
export function momentIn(text: string, timeZone: string | undefined): number | undefined {
  const found = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?$/.exec(text)
  if (!found || !isDate(found[1]!) || !isTimeOfDay(found[2]!.replace(':', ''))) return undefined
  const wall = Date.parse(`${found[1]}T${found[2]}${found[3] ?? ':00'}Z`)
  if (Number.isNaN(wall)) return undefined
  // The offset before the moment and the one after it differ around a leap of the clock.
  const early = wall - offsetAt(wall - DAY, timeZone)
  const late = wall - offsetAt(wall + DAY, timeZone)
  const shows = (at: number): boolean => offsetAt(at, timeZone) === wall - at
  return !shows(early) && shows(late) ? late : early
}

const DAY = 24 * 60 * 60 * 1000

/** How far the clock of a time zone is ahead of UTC, milliseconds. */
function offsetAt(at: number, timeZone: string | undefined): number {
  const parts = new Intl.DateTimeFormat('en', {
    ...(timeZone === undefined ? {} : { timeZone }),
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at)
  const part = (type: string): number => Number(parts.find((it) => it.type === type)?.value ?? 0)
  const wall = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  )
  return wall - Math.floor(at / 1000) * 1000
}
