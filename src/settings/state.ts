import type { CausewayError } from '../shared/errors/index.ts'
import type { CallingSettings, SettingsDifference } from './types.ts'

/** Where a number's settings stand. */
export interface NumberSettingsState {
  /**
   * `pending` before the first attempt ended, `ok` as configured, `drift` differing under
   * `manage: verify`, `failed` with an `error`.
   */
  status: 'pending' | 'ok' | 'drift' | 'failed'
  /** As last read; undefined while never read. */
  actual: CallingSettings | undefined
  /** What differs from the configuration. */
  drift: SettingsDifference[]
  /** Warnings of the catalogue, such as SETTINGS_FOREIGN_SERVER. */
  warnings: CausewayError[]
  error: CausewayError | undefined
  /** When the SIP password was last read, milliseconds since the epoch. */
  credentialsAt: number | undefined
  /** When the last attempt ended, milliseconds since the epoch. */
  lastChecked: number | undefined
}

/** The state before anything is known. */
export function pendingState(): NumberSettingsState {
  return {
    status: 'pending',
    actual: undefined,
    drift: [],
    warnings: [],
    error: undefined,
    credentialsAt: undefined,
    lastChecked: undefined,
  }
}
