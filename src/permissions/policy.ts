import type { CallHours, Restriction } from '../settings/index.ts'
import { CausewayError } from '../shared/errors/index.ts'
import { judgeHours } from './call-hours.ts'

/** WhatsApp's name for paused business-initiated calls. */
export const BUSINESS_RESTRICTED = 'RESTRICTED_BUSINESS_INITIATED_CALLING'

/** What is known of a number when a business-initiated call wants to leave. */
export interface NumberStanding {
  /** As last read from the settings, and as told by events. */
  restrictions: readonly Restriction[]
  call_hours: CallHours | undefined
}

/** The restriction in force on business-initiated calls; of several the one that lasts longest. */
export function restrictionNow(
  restrictions: readonly Restriction[],
  now: number,
): Restriction | undefined {
  let found: Restriction | undefined
  for (const restriction of restrictions) {
    const { type, expiration = Number.POSITIVE_INFINITY } = restriction
    if (type !== BUSINESS_RESTRICTED || expiration * 1000 <= now) continue
    if (!found || expiration > (found.expiration ?? Number.POSITIVE_INFINITY)) found = restriction
  }
  return found
}

/**
 * Whether the number itself may not call now, whatever the consumer permits: it is restricted, or its call
 * hours are closed.
 *
 * @param now milliseconds since the epoch
 */
export function callPolicy(
  number: string,
  standing: NumberStanding,
  now: number,
): CausewayError | undefined {
  const place = `number ${number}`
  const restriction = restrictionNow(standing.restrictions, now)
  if (restriction) {
    const { expiration, reason } = restriction
    const until = expiration === undefined ? 'no end is known' : `until ${iso(expiration * 1000)}`
    const detail = reason ? `${until}: ${reason}` : until
    return new CausewayError('CALL_WHATSAPP_PAUSED', { place, detail })
  }
  const { open, opensAt } = judgeHours(standing.call_hours, now)
  if (open) return undefined
  const zone = standing.call_hours?.timezone_id ?? ''
  const when = opensAt === undefined ? 'no opening within two weeks' : `opens at ${iso(opensAt)}`
  return new CausewayError('CALL_OUTSIDE_HOURS', { place, detail: `${when}, hours of ${zone}` })
}

/** A time in UTC to the second: what a PBX log and a person can read. */
export function iso(at: number): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z')
}
