import type { TrunkFacts } from '../types.ts'

/** Names of the things of one trunk in Asterisk, the same in every file. */
export interface Names {
  /** Endpoint, identify, registration; what is dialled: `PJSIP/+44…@causeway-main`. */
  endpoint: string
  /** Its addresses. */
  aor: string
  /** What Asterisk asks Causeway for. */
  authIn: string
  /** What Asterisk answers Causeway. */
  authOut: string
  /** Context of calls from WhatsApp. */
  from: string
  /** Context of calls to WhatsApp. */
  to: string
  /** Context with an extension for each cause of a failure. */
  failed: string
  /** Subroutine that dials a WhatsApp user. */
  dial: string
  /** Subroutine that reads the headers of a call. */
  headers: string
}

/** The names of a trunk. Who registers is known by the name of its account (From, To, digest). */
export function namesOf({ name, registers }: TrunkFacts): Names {
  const own = registers ?? `causeway-${name}`
  return {
    endpoint: own,
    aor: own,
    authIn: `causeway-${name}-in`,
    authOut: `causeway-${name}-out`,
    from: `from-whatsapp-${name}`,
    to: `to-whatsapp-${name}`,
    failed: `whatsapp-failed-${name}`,
    dial: `whatsapp-dial-${name}`,
    headers: `whatsapp-headers-${name}`,
  }
}
