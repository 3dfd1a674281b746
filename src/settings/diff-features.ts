import { same } from './equal.ts'
import type {
  CallHours,
  CallingSettings,
  DesiredCallHours,
  DesiredCalling,
  DesiredVoicemail,
  Holiday,
  OpeningHours,
  SettingsDifference,
  Voicemail,
} from './types.ts'

const DAYS = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY']

type Compare = (path: string, is: unknown, wanted: unknown, unreported?: unknown) => void

/** Compares what surrounds the line: call button, hours, callback, voicemail, video. */
export function diffFeatures(
  actual: CallingSettings,
  desired: DesiredCalling,
): SettingsDifference[] {
  const out: SettingsDifference[] = []
  const compare: Compare = (path, is, wanted, unreported) => {
    if (wanted === undefined || same(is ?? unreported, wanted)) return
    out.push({ path: `calling.${path}`, actual: is, desired: wanted })
  }
  const visibility = desired.call_icon_visibility
  const hidden = actual.call_icon_hidden && visibility !== 'DEFAULT'
  if (!hidden) {
    compare('call_icon_visibility', actual.call_icon_visibility, visibility, 'DEFAULT')
  }
  compare(
    'call_icons.restrict_to_user_countries',
    inOrder(actual.call_icons?.restrict_to_user_countries),
    inOrder(desired.restrict_to_user_countries),
    [],
  )
  if (desired.call_hours) compareHours(compare, actual.call_hours, desired.call_hours)
  compare(
    'callback_permission_status',
    actual.callback_permission_status,
    desired.callback_permission_status,
    'DISABLED',
  )
  if (desired.voicemail) compareVoicemail(compare, actual.voicemail, desired.voicemail)
  compare('video.status', actual.video?.status, desired.video, 'DISABLED')
  return out
}

function compareHours(
  compare: Compare,
  actual: CallHours | undefined,
  desired: DesiredCallHours,
): void {
  compare('call_hours.status', actual?.status, desired.status, 'DISABLED')
  compare('call_hours.timezone_id', actual?.timezone_id, desired.timezone_id)
  const weekly = actual?.weekly_operating_hours ?? []
  compare(
    'call_hours.weekly_operating_hours',
    // WhatsApp refuses an empty list: it means that the hours are not reported.
    weekly.length > 0 ? windowsInOrder(weekly) : undefined,
    desired.weekly_operating_hours && windowsInOrder(desired.weekly_operating_hours),
  )
  compare(
    'call_hours.holiday_schedule',
    actual && holidaysInOrder(upcoming(actual.holiday_schedule, desired.today)),
    desired.holiday_schedule && holidaysInOrder(desired.holiday_schedule),
    [],
  )
}

function compareVoicemail(
  compare: Compare,
  actual: Voicemail | undefined,
  desired: DesiredVoicemail,
): void {
  compare('voicemail.status', actual?.status, desired.status, 'DISABLED')
  compare('voicemail.triggers', inOrder(actual?.triggers), inOrder(desired.triggers))
  const { announcement_media_id, timeout_seconds } = desired
  compare(
    'voicemail.audio.default.announcement_media_id',
    actual?.announcement_media_id,
    announcement_media_id,
  )
  compare('voicemail.audio.default.timeout_seconds', actual?.timeout_seconds, timeout_seconds)
}

/** Holidays that are not over. */
export function upcoming(holidays: readonly Holiday[], today: string): Holiday[] {
  return holidays.filter(({ date }) => date >= today)
}

/** A set of words: neither order nor repetition matters. */
function inOrder(words: readonly string[] | undefined): string[] | undefined {
  return words && [...new Set(words)].sort()
}

function windowsInOrder(windows: readonly OpeningHours[]): OpeningHours[] {
  const key = ({ day_of_week, open_time }: OpeningHours): string =>
    `${DAYS.indexOf(day_of_week)} ${open_time}`
  return [...windows].sort((a, b) => key(a).localeCompare(key(b)))
}

function holidaysInOrder(holidays: readonly Holiday[]): Holiday[] {
  const key = ({ date, start_time }: Holiday): string => `${date} ${start_time}`
  return [...holidays].sort((a, b) => key(a).localeCompare(key(b)))
}
