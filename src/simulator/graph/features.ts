import { checkCallHours } from './call-hours.ts'
import { invalid } from './failure.ts'
import { isObject, type JsonObject, objectIn, oneOf, toggleIn } from './values.ts'

const MAX_TIMEOUT = 30

/**
 * Checks and stores the features around a line: call button, hours, callback, voicemail, video.
 * An object that is written replaces the stored one whole.
 *
 * @param other the stored features, changed in place
 * @param today `YYYY-MM-DD`, for holidays
 * @throws code 100
 */
export function writeFeatures(other: JsonObject, body: JsonObject, today: string): void {
  const visibility = oneOf(body['call_icon_visibility'], 'call_icon_visibility', {
    DEFAULT: 'DEFAULT',
    DISABLE_ALL: 'DISABLE_ALL',
    HIDE_IN_CHAT: 'HIDE_IN_CHAT',
    VISIBLE: 'DEFAULT',
    HIDDEN: 'DISABLE_ALL',
  })
  if (visibility) other['call_icon_visibility'] = visibility
  const callback = toggleIn(body['callback_permission_status'], 'callback_permission_status')
  if (callback) other['callback_permission_status'] = callback
  if (body['call_icons'] !== undefined) other['call_icons'] = callIconsIn(body['call_icons'])
  if (body['call_hours'] !== undefined) {
    other['call_hours'] = checkCallHours(body['call_hours'], today)
  }
  if (body['voicemail'] !== undefined) other['voicemail'] = voicemailIn(body['voicemail'])
  if (body['video'] !== undefined) other['video'] = videoIn(body['video'])
  if (isOn(other['voicemail']) && isOn(other['call_hours'])) {
    throw invalid('Voicemail cannot be enabled while call_hours is enabled')
  }
}

/** Whether a stored feature is enabled. */
export function isOn(feature: unknown): boolean {
  return isObject(feature) && feature['status'] === 'ENABLED'
}

function callIconsIn(value: unknown): JsonObject {
  const icons = objectIn(value, 'call_icons', ['restrict_to_user_countries'])
  const countries = icons['restrict_to_user_countries']
  if (
    !Array.isArray(countries) ||
    !countries.every((code) => typeof code === 'string' && /^[A-Z]{2}$/.test(code))
  ) {
    throw invalid('restrict_to_user_countries must be an array of ISO 3166-1 alpha-2 codes')
  }
  return icons
}

function voicemailIn(value: unknown): JsonObject {
  const voicemail = objectIn(value, 'voicemail', ['status', 'triggers', 'audio'])
  const status = toggleIn(voicemail['status'], 'voicemail status')
  if (!status) throw invalid('voicemail.status is required')
  const audio = objectIn(voicemail['audio'] ?? {}, 'voicemail[audio]', ['default'])
  const keys = ['announcement_media_id', 'timeout_seconds']
  const standard = objectIn(audio['default'] ?? {}, 'voicemail[audio][default]', keys)
  const triggers = voicemail['triggers'] ?? []
  if (!Array.isArray(triggers)) throw invalid('voicemail triggers must be an array')
  for (const trigger of triggers) {
    oneOf(trigger, 'voicemail trigger', { REJECT: 'REJECT', TIMEOUT: 'TIMEOUT' })
  }
  const timeout = standard['timeout_seconds']
  const seconds = Number(timeout ?? 0)
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > MAX_TIMEOUT) {
    throw invalid('Invalid voicemail timeout_seconds')
  }
  if (status === 'ENABLED') {
    if (triggers.length === 0) throw invalid('voicemail needs at least one trigger')
    if (standard['announcement_media_id'] === undefined) {
      throw invalid('voicemail needs an announcement_media_id')
    }
    if (triggers.includes('TIMEOUT') && timeout === undefined) {
      throw invalid('voicemail trigger TIMEOUT needs timeout_seconds')
    }
  }
  return { ...voicemail, status }
}

function videoIn(value: unknown): JsonObject {
  const status = toggleIn(objectIn(value, 'video', ['status'])['status'], 'video status')
  if (!status) throw invalid('video.status is required')
  return { status }
}
