import { upcoming } from './diff-features.ts'
import { ownEntry } from './servers.ts'
import type {
  CallHours,
  CallIcons,
  CallingPatch,
  CallingSettings,
  DesiredCallHours,
  DesiredCalling,
  DesiredServer,
  DesiredVoicemail,
  PatchServer,
  SettingsDifference,
  Voicemail,
} from './types.ts'
import { type JsonObject, sendable } from './wire.ts'

/**
 * The smallest write that removes the differences, as one `calling` object. `sip` is never written
 * without the key exchange: WhatsApp has been seen to fall back to DTLS otherwise. A server entry,
 * `call_icons`, `call_hours` and `voicemail` are replaced whole by WhatsApp: what the configuration
 * does not name of them is repeated as it is on the number.
 *
 * @returns undefined when nothing differs.
 */
export function patchFor(
  differences: readonly SettingsDifference[],
  actual: CallingSettings,
  desired: DesiredCalling,
): CallingPatch | undefined {
  if (differences.length === 0) return undefined
  const differs = (field: string): boolean =>
    differences.some(({ path }) => new RegExp(`^calling\\.${field}\\b`).test(path))
  const sip = differs('sip')
  const patch: CallingPatch = {}
  if (differs('status')) patch.status = desired.status
  if (sip || differs('srtp_key_exchange_protocol')) {
    patch.srtp_key_exchange_protocol = desired.srtp_key_exchange_protocol
  }
  if (sip) patch.sip = sipPatch(actual, desired.sip)
  if (differs('audio') && desired.additional_codecs) {
    patch.audio = { additional_codecs: desired.additional_codecs }
  }
  if (differs('call_icon_visibility') && desired.call_icon_visibility) {
    patch.call_icon_visibility = desired.call_icon_visibility
  }
  if (differs('call_icons') && desired.restrict_to_user_countries) {
    patch.call_icons = iconsPatch(actual.call_icons, desired.restrict_to_user_countries)
  }
  if (differs('call_hours') && desired.call_hours) {
    patch.call_hours = hoursPatch(actual.call_hours, desired.call_hours)
  }
  if (differs('callback_permission_status') && desired.callback_permission_status) {
    patch.callback_permission_status = desired.callback_permission_status
  }
  if (differs('voicemail') && desired.voicemail) {
    patch.voicemail = voicemailPatch(actual.voicemail, desired.voicemail)
  }
  if (differs('video') && desired.video) patch.video = { status: desired.video }
  return patch
}

function sipPatch(
  actual: CallingSettings,
  { status, webhook_delivery, server, remove }: DesiredCalling['sip'],
): NonNullable<CallingPatch['sip']> {
  return {
    status,
    ...(webhook_delivery ? { webhook_delivery } : {}),
    ...(server ? { servers: [serverPatch(actual, server)] } : {}),
    ...(remove ? { servers: [] } : {}),
  }
}

/** Unknown fields of an entry are not sent: what WhatsApp adds there is read only so far. */
function serverPatch(actual: CallingSettings, server: DesiredServer): PatchServer {
  const params =
    server.request_uri_user_params ?? ownEntry(actual, server.hostname)?.request_uri_user_params
  return {
    hostname: server.hostname,
    port: server.port,
    ...(params ? { request_uri_user_params: params } : {}),
  }
}

function iconsPatch(actual: CallIcons | undefined, countries: string[]) {
  return { ...sendable(actual?.other), restrict_to_user_countries: countries }
}

function hoursPatch(
  actual: CallHours | undefined,
  desired: DesiredCallHours,
): NonNullable<CallingPatch['call_hours']> {
  const timezone = desired.timezone_id ?? actual?.timezone_id
  const weekly = desired.weekly_operating_hours ?? actual?.weekly_operating_hours ?? []
  return {
    ...sendable(actual?.other),
    status: desired.status,
    ...(timezone === undefined ? {} : { timezone_id: timezone }),
    ...(weekly.length > 0 ? { weekly_operating_hours: weekly } : {}),
    holiday_schedule:
      desired.holiday_schedule ?? upcoming(actual?.holiday_schedule ?? [], desired.today),
  }
}

function voicemailPatch(
  actual: Voicemail | undefined,
  desired: DesiredVoicemail,
): NonNullable<CallingPatch['voicemail']> {
  const triggers = desired.triggers ?? actual?.triggers
  const media = desired.announcement_media_id ?? actual?.announcement_media_id
  const timeout = desired.timeout_seconds ?? actual?.timeout_seconds
  const standard: JsonObject = {
    ...sendable(actual?.otherDefault),
    ...(media === undefined ? {} : { announcement_media_id: asDocumented(media) }),
    ...(timeout === undefined ? {} : { timeout_seconds: timeout }),
  }
  const audio = {
    ...sendable(actual?.otherAudio),
    ...(Object.keys(standard).length > 0 ? { default: standard } : {}),
  }
  return {
    ...sendable(actual?.other),
    status: desired.status,
    ...(triggers ? { triggers } : {}),
    ...(Object.keys(audio).length > 0 ? { audio } : {}),
  }
}

/** Media IDs are documented as numbers; one that a number cannot hold exactly stays text. */
function asDocumented(id: string): number | string {
  const number = Number(id)
  return Number.isSafeInteger(number) && String(number) === id ? number : id
}
