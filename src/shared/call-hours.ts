const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
/** How far ahead the next opening is looked for. */
const DAYS_AHEAD = 15

/** A wall clock in a time zone. */
interface LocalTime {
  /** `YYYY-MM-DD` */
  date: string
  /** `MONDAY` … `SUNDAY`. */
  day: string
  /** Minutes since midnight. */
  minute: number
}

/** Opening hours in WhatsApp's own field names: times `HHMM`, dates `YYYY-MM-DD`. */
export interface OpeningHours {
  readonly status: string | undefined
  /** IANA name. */
  readonly timezone_id?: string | undefined
  readonly weekly_operating_hours?: readonly {
    readonly day_of_week: string
    readonly open_time: string
    readonly close_time: string
  }[]
  readonly holiday_schedule?: readonly {
    readonly date: string
    readonly start_time: string
    readonly end_time: string
  }[]
}

/** Whether it is open, and from when if not. */
export interface HoursVerdict {
  open: boolean
  /** When it opens next, milliseconds since the epoch; undefined when open, or not within two weeks. */
  opensAt: number | undefined
}

const ALWAYS: HoursVerdict = { open: true, opensAt: undefined }

/**
 * Judges a moment by `call_hours`: nothing is closed unless its status is ENABLED. A date with an entry in
 * `holiday_schedule` has the hours of its entries instead of the weekly ones (docs/reference/whatsapp.md,
 * Settings API). Hours that cannot be understood, such as those of an unknown time zone, close nothing:
 * WhatsApp itself remains the judge.
 *
 * @param now milliseconds since the epoch
 */
export function judgeHours(hours: OpeningHours | undefined, now: number): HoursVerdict {
  return hours?.status === 'ENABLED' ? judgeSchedule(hours, now) : ALWAYS
}

/**
 * {@link judgeHours} of hours in force or not: of a number whose hours are Causeway's alone, too.
 *
 * @param now milliseconds since the epoch
 */
export function judgeSchedule(hours: OpeningHours | undefined, now: number): HoursVerdict {
  const format = formatFor(hours?.timezone_id)
  if (!hours || !format || !hasWindows(hours)) return ALWAYS
  const known = closed.get(hours)
  if (known && known.from <= now && now < (known.opensAt ?? known.from + DAY)) {
    return { open: false, opensAt: known.opensAt }
  }
  if (isOpen(hours, localTime(format, now))) return ALWAYS
  const opensAt = nextOpening(hours, format, now)
  closed.set(hours, { from: now, opensAt })
  return { open: false, opensAt }
}

/** Whether there are weekly hours at all; without them nothing is ever closed. */
export function hasWindows(hours: OpeningHours | undefined): boolean {
  return (hours?.weekly_operating_hours?.length ?? 0) > 0
}

/** Closed hours stay closed until they open: a dialler that goes on costs no search each time. */
const closed = new WeakMap<OpeningHours, { from: number; opensAt: number | undefined }>()

function isOpen(hours: OpeningHours, local: LocalTime): boolean {
  return windowsOf(hours, local).some(([from, to]) => from <= local.minute && local.minute < to)
}

/** Minutes of opening and closing of a date; closing is exclusive. */
function windowsOf(
  hours: OpeningHours,
  local: Pick<LocalTime, 'date' | 'day'>,
): [number, number][] {
  const holidays = (hours.holiday_schedule ?? []).filter(({ date }) => date === local.date)
  const windows =
    holidays.length > 0
      ? holidays.map(({ start_time, end_time }) => [start_time, end_time] as const)
      : (hours.weekly_operating_hours ?? [])
          .filter(({ day_of_week }) => day_of_week === local.day)
          .map(({ open_time, close_time }) => [open_time, close_time] as const)
  return windows.flatMap(([from, to]) => {
    const start = minuteOf(from)
    const end = minuteOf(to)
    return start === undefined || end === undefined || end <= start ? [] : [[start, end]]
  })
}

/** `HHMM` as minutes; 2359 and 2400 are the end of the day, which has no other spelling. */
function minuteOf(time: string): number | undefined {
  if (time === '2359' || time === '2400') return 1440
  const found = /^([01]\d|2[0-3])([0-5]\d)$/.exec(time)
  return found ? Number(found[1]) * 60 + Number(found[2]) : undefined
}

/**
 * The first minute from `now` on that lies in a window. Steps by the clock of the time zone, so that a
 * change to or from summer time neither hides an opening nor moves it.
 */
function nextOpening(
  hours: OpeningHours,
  format: Intl.DateTimeFormat,
  now: number,
): number | undefined {
  const end = now + DAYS_AHEAD * DAY
  let at = Math.floor(now / MINUTE) * MINUTE
  while (at < end) {
    const local = localTime(format, at)
    if (isOpen(hours, local)) return at
    const ahead = windowsOf(hours, local)
      .map(([from]) => from)
      .filter((from) => from > local.minute)
    // To the next opening, else to midnight. A leap of the clock in between is walked in small steps.
    const target = Math.min(1440, ...ahead)
    const step = (target - local.minute) * MINUTE
    const landed = localTime(format, at + step)
    const straight =
      target === 1440
        ? landed.date !== local.date && landed.minute === 0
        : landed.date === local.date && landed.minute === target
    at += straight ? step : MINUTE
  }
  return undefined
}

const formats = new Map<string, Intl.DateTimeFormat | undefined>()

/** A formatter of a time zone, made once: making one is dear. Undefined for an unknown zone. */
function formatFor(timeZone: string | undefined): Intl.DateTimeFormat | undefined {
  if (timeZone === undefined) return undefined
  if (!formats.has(timeZone)) formats.set(timeZone, makeFormat(timeZone))
  return formats.get(timeZone)
}

function makeFormat(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-GB', {
      timeZone,
      weekday: 'long',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    })
  } catch {
    return undefined
  }
}

function localTime(format: Intl.DateTimeFormat, at: number): LocalTime {
  const parts: Record<string, string> = {}
  for (const { type, value } of format.formatToParts(at)) parts[type] = value
  const { year = '', month = '', day = '', weekday = '', hour = '0', minute = '0' } = parts
  return {
    date: `${year.padStart(4, '0')}-${month}-${day}`,
    day: weekday.toUpperCase(),
    minute: Number(hour) * 60 + Number(minute),
  }
}
