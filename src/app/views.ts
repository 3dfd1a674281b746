import type { BridgeStatus } from '../bridge/index.ts'
import type { CallRegistry } from '../calls/index.ts'
import type { Config } from '../config/types.ts'
import type { NumberView, TrunkView } from '../http/index.ts'
import type { NumberSettingsState } from '../settings/index.ts'

const iso = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString()

/** Numbers as the API shows them; passwords are only told to be there. */
export function numberViews(
  config: Config,
  calls: CallRegistry,
  settings: (name: string) => NumberSettingsState | undefined,
  credentials: (name: string) => boolean,
): NumberView[] {
  return config.numbers.map((number) => {
    const state = settings(number.name)
    return {
      name: number.name,
      phone_number: number.phoneNumber,
      phone_number_id: number.phoneNumberId,
      manage: number.manage,
      status: number.manage === 'off' ? 'off' : (state?.status ?? 'pending'),
      credentials: credentials(number.name),
      credentials_at: iso(state?.credentialsAt),
      last_checked: iso(state?.lastChecked),
      drift: state?.drift ?? [],
      error: state?.error ?? null,
      active_calls: calls.activeOf(number.name),
    }
  })
}

/** Trunks as the API shows them. */
export function trunkViews(config: Config, calls: CallRegistry, bridge: BridgeStatus): TrunkView[] {
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
    active_calls: active.get(trunk.name) ?? 0,
  }))
}
