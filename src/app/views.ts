import type { BridgeStatus, RegistrationsStatus } from '../bridge/index.ts'
import type { CallRegistry } from '../calls/index.ts'
import type { Config, NumberConfig } from '../config/types.ts'
import type { NumberView, RotationView, TrunkView } from '../http/index.ts'
import type { NumberSettingsState } from '../settings/index.ts'
import { CausewayError } from '../shared/errors/index.ts'
import { registrationViews } from './registrations.ts'

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

/** Trunks as the API shows them. */
export function trunkViews(
  config: Config,
  calls: CallRegistry,
  bridge: BridgeStatus,
  registrations: RegistrationsStatus,
): TrunkView[] {
  const active = new Map<string, number>()
  for (const { trunk } of calls.active()) active.set(trunk, (active.get(trunk) ?? 0) + 1)
  return config.trunks.map((trunk) => ({
    name: trunk.name,
    targets: bridge.targets
      .filter((target) => target.trunk === trunk.name)
      .map(({ uri, reachable }) => ({
        uri,
        status: reachable ? 'pass' : 'fail',
        detail: reachable ? 'reachable when last used' : 'not reached lately; tried last',
      })),
    ...registrationViews(trunk.name, registrations),
    active_calls: active.get(trunk.name) ?? 0,
  }))
}
