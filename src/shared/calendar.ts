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
