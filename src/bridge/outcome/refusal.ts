import type { CausewayError } from '../../shared/errors/index.ts'
import { q850Reason, warning399 } from '../../shared/refusal-text.ts'

export { q850Reason }

/** Seconds a peer is asked to wait after a refusal for lack of room. */
export const RETRY_AFTER = '10'

const OVERLOAD = new Set([
  'CALL_LIMIT',
  'CALL_NUMBER_LIMIT',
  'CALL_TRUNK_LIMIT',
  'CALL_NUMBER_FULL',
  'CALL_RATE_LIMIT',
  'CALL_DRAINING',
  'CALL_NUMBER_ROTATING',
  'CALL_SIP_SERVER_LOST',
  'CALL_WHATSAPP_FAILED',
  'CALL_CREDENTIALS_MISSING',
  'MEDIA_RELAY_UNAVAILABLE',
  'MEDIA_RELAY_LOST',
  'MEDIA_PORTS_EXHAUSTED',
])

/** What the PBX gets with a BYE or CANCEL that an error has led to. */
export function reasonOf(error: CausewayError): Record<string, string> {
  return { Reason: q850Reason(error.q850, error.definition.summary) }
}

/** `Retry-After` for refusals that pass by themselves, else nothing. */
export function retryHeaders(error: CausewayError): Record<string, string> {
  return OVERLOAD.has(error.code) && error.sip !== 486 ? { 'Retry-After': RETRY_AFTER } : {}
}

/** What the PBX gets with a final response that ends its call: Reason, Warning, Retry-After. */
export function refusalHeaders(error: CausewayError, host: string): Record<string, string> {
  const said = error.detail ?? error.definition.summary
  return {
    ...reasonOf(error),
    Warning: warning399(host, error.code, said),
    ...retryHeaders(error),
  }
}

/** A peer's Reason header (RFC 3326) to be passed on: one line, not long. */
export function passReason(reason: string | undefined): Record<string, string> {
  if (reason === undefined) return {}
  return { Reason: reason.slice(0, 512).replace(/[\x00-\x1f\x7f]+/g, ' ') }
}

/** The text of a Reason header, or all of it when it has none. */
export function textOfReason(reason: string | undefined): string | undefined {
  return reason === undefined ? undefined : (/text="([^"]*)"/.exec(reason)?.[1] ?? reason)
}
