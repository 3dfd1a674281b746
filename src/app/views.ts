import type { CallRegistry } from '../calls/index.ts'
import type { Config, NumberConfig } from '../config/types.ts'
import type { NumberView, RotationView } from '../http/index.ts'
import type { NumberSettingsState } from '../settings/index.ts'
import { CausewayError } from '../shared/errors/index.ts'

const iso = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString()

/** Numbers as the API shows them; passwords are only told to be there. */
export function numberViews(
  config: Config,
  calls: CallRegistry,
  sources: {
    state: (name: string) => NumberSettingsState | undefined
    /** Whether the SIP password is known. */
    credentials: (name: string) => boolean
    /** When a call last used it, milliseconds since the epoch. */
    usedAt: (name: string) => number | undefined
    rotation: (name: string) => RotationView | undefined
  },
): NumberView[] {
  return config.numbers.map((number) => {
    const state = sources.state(number.name)
    return {
      name: number.name,
      phone_number: number.phoneNumber,
      phone_number_id: number.phoneNumberId,
      manage: number.manage,
      status: number.manage === 'off' ? 'off' : (state?.status ?? 'pending'),
      credentials: sources.credentials(number.name),
      credentials_at: iso(state?.credentialsAt),
      credentials_used_at: iso(sources.usedAt(number.name)),
      rotation: sources.rotation(number.name) ?? null,
      last_checked: iso(state?.lastChecked),
      drift: state?.drift ?? [],
      error: state?.error ?? null,
      active_calls: calls.activeOf(number.name),
    }
  })
}

/**
 * The number of a name.
 *
 * @throws APP_NUMBER_UNKNOWN
 */
export function knownNumber(config: Config, name: string): NumberConfig {
  const number = config.numbers.find((one) => one.name === name)
  if (!number) throw new CausewayError('APP_NUMBER_UNKNOWN', { place: name })
  return number
}
