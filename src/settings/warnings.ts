import type { NumberConfig } from '../config/types.ts'
import { CausewayError, type ErrorCode } from '../shared/errors/index.ts'
import { place } from './dialect.ts'
import { foreignServers } from './servers.ts'
import type { CallingSettings, DesiredCalling, SettingsDifference } from './types.ts'

/**
 * What should be noticed about a number's settings and cannot be put right by a write: other apps'
 * servers, restrictions, fields that cannot be compared, features that exclude each other.
 */
export function observe(
  actual: CallingSettings,
  desired: DesiredCalling,
  number: NumberConfig,
  unreported: readonly SettingsDifference[],
): CausewayError[] {
  const warnings: CausewayError[] = []
  const warn = (code: ErrorCode, detail: string): void => {
    warnings.push(new CausewayError(code, { place: place(number), detail }))
  }
  if (unreported.length > 0) {
    warn('SETTINGS_UNVERIFIED', unreported.map(({ path }) => path).join(', '))
  }
  for (const other of foreignServers(actual, desired.sip.hostname)) {
    const app = other.app_id === undefined ? '' : ` (app ${other.app_id})`
    warn('SETTINGS_FOREIGN_SERVER', `${other.hostname}${app}`)
  }
  const { call_hours: hours, voicemail } = desired
  const hoursStay = !hours && actual.call_hours?.status === 'ENABLED'
  const voicemailStays = !voicemail && actual.voicemail?.status === 'ENABLED'
  if (voicemail?.status === 'ENABLED' && hoursStay) {
    warn('SETTINGS_VOICEMAIL_CALL_HOURS', 'call hours are enabled on the number')
  }
  if (hours?.status === 'ENABLED' && voicemailStays) {
    warn('SETTINGS_VOICEMAIL_CALL_HOURS', 'voicemail is enabled on the number')
  }
  for (const { type, reason, expiration } of actual.restrictions) {
    const until = expiration === undefined ? '' : `, until ${dateOf(expiration)}`
    warn('SETTINGS_RESTRICTED', `${type}${reason ? `: ${reason}` : ''}${until}`)
  }
  return warnings
}

/** Unix seconds as people read them; what is no date stays a number. */
export function dateOf(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace('.000Z', 'Z')
}
