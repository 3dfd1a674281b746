import type { SimulatedApp, SimulatedNumber } from '../store.ts'
import { GraphFailure, invalid } from './failure.ts'
import { healthStatus } from './health.ts'

const TIERS: [number, string][] = [
  [50, 'TIER_50'],
  [250, 'TIER_250'],
  [1000, 'TIER_1K'],
  [2000, 'TIER_2K'],
  [10_000, 'TIER_10K'],
  [100_000, 'TIER_100K'],
]

/** The answer to `GET /{phone-number-id}?fields=…`; an unknown field is refused with code 100. */
export function numberNode(
  number: SimulatedNumber,
  app: SimulatedApp,
  fields: string,
): Record<string, unknown> {
  const { messagingLimit } = number
  const tier = TIERS.find(([most]) => messagingLimit <= most)?.[1] ?? 'TIER_UNLIMITED'
  const values: Record<string, unknown> = {
    id: number.phoneNumberId,
    display_phone_number: number.phoneNumber,
    quality_rating: number.quality,
    messaging_limit_tier: tier,
    whatsapp_business_manager_messaging_limit: tier,
    ...healthStatus(number, app),
  }
  const asked = fields === '' ? ['display_phone_number'] : fields.split(',')
  const node: Record<string, unknown> = { id: number.phoneNumberId }
  for (const field of asked) {
    if (!(field in values)) throw invalid(`Tried accessing nonexisting field (${field})`)
    node[field] = values[field]
  }
  return node
}

/** The answer to `GET /me/permissions` with the token of an app. */
export function permissionsOf(app: SimulatedApp | undefined): Record<string, unknown> {
  if (!app) throw new GraphFailure(401, 190, 'Invalid OAuth access token')
  const messaging = app.messaging ? 'granted' : 'declined'
  return {
    data: [
      { permission: 'whatsapp_business_management', status: 'granted' },
      { permission: 'whatsapp_business_messaging', status: messaging },
    ],
  }
}
