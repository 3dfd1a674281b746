import { upcoming } from './diff-features.ts'
import { ownEntry, sameHost } from './servers.ts'
import type { CallingPatch, CallingSettings, DesiredCalling } from './types.ts'
import { type JsonObject, sendable } from './wire.ts'

/** Something of the number that a write would take away, and what becomes of it. */
export interface PlanNote {
  /** In Meta's names: `calling.call_hours.holiday_schedule`. */
  path: string
  /** As it is on the number. Holds no secret. */
  value: unknown
  /** `carried`: written again as it is; `replaced`: by what is wanted; `lost`: it goes. */
  fate: 'carried' | 'replaced' | 'lost'
  why: string
}

const WHOLE = 'WhatsApp replaces the whole object, and the configuration does not name it'
const UNKNOWN = 'this version does not know the field'

/** What the patch for these differences carries over, replaces or loses. */
export function notesFor(
  patch: CallingPatch,
  actual: CallingSettings,
  desired: DesiredCalling,
): PlanNote[] {
  const notes: PlanNote[] = []
  const note = (path: string, value: unknown, fate: PlanNote['fate'], why: string): void => {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return
    notes.push({ path: `calling.${path}`, value, fate, why })
  }
  const unknown = (path: string, other: JsonObject | undefined, kept = true): void => {
    const sent = kept ? sendable(other) : {}
    for (const [key, value] of Object.entries(other ?? {})) {
      const carried = Object.hasOwn(sent, key)
      note(`${path}.${key}`, value, carried ? 'carried' : 'lost', carried ? WHOLE : UNKNOWN)
    }
  }
  if (patch.sip?.servers?.length) serverNotes(actual, desired, note, unknown)
  if (patch.call_icons) unknown('call_icons', actual.call_icons?.other)
  if (patch.call_hours && desired.call_hours) {
    const { call_hours: hours } = actual
    const { timezone_id, weekly_operating_hours, holiday_schedule, today } = desired.call_hours
    if (!timezone_id) note('call_hours.timezone_id', hours?.timezone_id, 'carried', WHOLE)
    if (!weekly_operating_hours) {
      const field = 'call_hours.weekly_operating_hours'
      note(field, hours?.weekly_operating_hours, 'carried', WHOLE)
    }
    if (!holiday_schedule) {
      const field = 'call_hours.holiday_schedule'
      const all = hours?.holiday_schedule ?? []
      note(field, upcoming(all, today), 'carried', WHOLE)
      const over = all.filter(({ date }) => date < today)
      note(field, over, 'lost', 'the date is over, and WhatsApp refuses it')
    }
    unknown('call_hours', hours?.other)
  }
  if (patch.voicemail && desired.voicemail) {
    const { voicemail } = actual
    const { triggers, announcement_media_id: media, timeout_seconds } = desired.voicemail
    const standard = 'voicemail.audio.default'
    if (!triggers) note('voicemail.triggers', voicemail?.triggers, 'carried', WHOLE)
    if (!media) {
      const field = `${standard}.announcement_media_id`
      note(field, voicemail?.announcement_media_id, 'carried', WHOLE)
    }
    if (timeout_seconds === undefined) {
      note(`${standard}.timeout_seconds`, voicemail?.timeout_seconds, 'carried', WHOLE)
    }
    unknown('voicemail', voicemail?.other)
    unknown('voicemail.audio', voicemail?.otherAudio)
    unknown(standard, voicemail?.otherDefault)
  }
  return notes
}

function serverNotes(
  actual: CallingSettings,
  desired: DesiredCalling,
  note: (path: string, value: unknown, fate: PlanNote['fate'], why: string) => void,
  unknown: (path: string, other: JsonObject | undefined, kept: boolean) => void,
): void {
  const { server } = desired.sip
  const own = server && ownEntry(actual, server.hostname)
  if (!own) return
  const path = `sip.servers[${own.hostname}]`
  if (!sameHost(own.hostname, server.hostname)) {
    note(
      path,
      own.hostname,
      'replaced',
      'the entry of our own app; WhatsApp keeps one for each app',
    )
  }
  if (!server.request_uri_user_params) {
    const params = own.request_uri_user_params
    const field = `${path}.request_uri_user_params`
    if (params && Object.keys(params).length > 0) note(field, params, 'carried', WHOLE)
  }
  unknown(path, own.other, false)
}
