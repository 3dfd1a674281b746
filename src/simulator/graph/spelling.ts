import { isObject, type JsonObject } from './values.ts'

/**
 * `meta`: the documented Graph API. `v23`: the same paths in the lower-case spelling of the v23
 * mirror. `360dialog`: Meta's spelling behind 360dialog's path and key header.
 */
export type GraphDialect = 'meta' | 'v23' | '360dialog'

/** How one dialect prints the values of the `calling` object. */
export interface Spelling {
  toggle(value: string): string
  srtp(value: string): string
  visibility(value: string): string
  passwordKey: 'sip_user_password' | 'password'
  /** Meta reports app IDs as numbers, the mirror as strings. */
  appId(value: string): string | number
  /** The features around the line: call icons, hours, voicemail, video. */
  features(stored: JsonObject): JsonObject
  restrictions(list: readonly { type: string; reason: string; expiration: number }[]): JsonObject
}

const META: Spelling = {
  toggle: (value) => value,
  srtp: (value) => value,
  visibility: (value) => value,
  passwordKey: 'sip_user_password',
  appId: (value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value),
  features: (stored) => stored,
  restrictions: (list) => ({ restrictions_list: list }),
}

const MIRROR: Spelling = {
  toggle: (value) => value.toLowerCase(),
  srtp: (value) => `${value}-SRTP`,
  visibility: (value) => (value === 'DEFAULT' ? 'visible' : 'hidden'),
  passwordKey: 'password',
  appId: (value) => value,
  features: (stored) =>
    Object.fromEntries(
      Object.entries(stored).map(([name, feature]) => [name, mirrored(name, feature)]),
    ),
  restrictions: (list) => ({
    restrictions: list.map(({ type, expiration }) => ({ type: type.toLowerCase(), expiration })),
  }),
}

/** Lower case, times as numbers, `timezone`, and holidays that open and close. */
function mirrored(name: string, feature: unknown): unknown {
  if (name !== 'call_hours' || !isObject(feature)) return lowered(feature)
  const { timezone_id, weekly_operating_hours, holiday_schedule, ...rest } = feature
  const objects = (list: unknown): JsonObject[] =>
    Array.isArray(list) ? list.filter(isObject) : []
  return {
    ...(lowered(rest) as JsonObject),
    timezone: timezone_id,
    weekly_operating_hours: objects(weekly_operating_hours).map((window) => ({
      day_of_week: String(window['day_of_week']).toLowerCase(),
      open_time: Number(window['open_time']),
      close_time: Number(window['close_time']),
    })),
    holiday_schedule: objects(holiday_schedule).map((holiday) => ({
      date: holiday['date'],
      open_time: Number(holiday['start_time'] ?? holiday['open_time']),
      close_time: Number(holiday['end_time'] ?? holiday['close_time']),
    })),
  }
}

/** Words in lower case at any depth; country codes, two letters, stay as they are. */
function lowered(value: unknown): unknown {
  if (typeof value === 'string') return value.length > 2 ? value.toLowerCase() : value
  if (Array.isArray(value)) return value.map(lowered)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, lowered(item)]))
}

/** The spelling a dialect answers in. */
export function spellingOf(dialect: GraphDialect): Spelling {
  return dialect === 'v23' ? MIRROR : META
}
