import type { CallHours, Restriction } from '../settings/index.ts'
import { judgeHours } from '../shared/call-hours.ts'
import { CausewayError } from '../shared/errors/index.ts'

/** WhatsApp's name for paused business-initiated calls. */
export const BUSINESS_RESTRICTED = 'RESTRICTED_BUSINESS_INITIATED_CALLING'

/** What is known of a number when a business-initiated call wants to leave. */
export interface NumberStanding {
  /** As last read from the settings, and as told by events. */
  restrictions: readonly Restriction[]
  call_hours: CallHours | undefined
}

/** The restrictions in force, one of a type: the one that lasts longest. */
export function restrictionsNow(
  restrictions: readonly Restriction[],
  now: number,
): readonly Restriction[] {
  if (restrictions.length === 0) return restrictions
  const found = new Map<string, Restriction>()
  for (const restriction of restrictions) {
    const known = found.get(restriction.type)
    if (endOf(restriction) * 1000 <= now) continue
    if (!known || endOf(restriction) > endOf(known)) found.set(restriction.type, restriction)
  }
  return [...found.values()]
}

function endOf({ expiration }: Restriction): number {
  return expiration ?? Number.POSITIVE_INFINITY
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
  const restriction = restrictionsNow(standing.restrictions, now).find(
    ({ type }) => type === BUSINESS_RESTRICTED,
  )
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
