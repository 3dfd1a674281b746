import { detach } from '../../shared/detach.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import { parseNameAddr, parseSipAddress, splitValues } from '../address/contacts.ts'
import type { IncomingRequest } from '../sip-port.ts'

/** Shortest, longest and usual lifetime of a binding, seconds. */
export const LIFETIME = { min: 60, max: 3600, usual: 3600 }

/** One Contact of a REGISTER. */
export interface AskedContact {
  uri: string
  q: number
  /** Seconds; 0 removes it. */
  expires: number
  /** `instance|reg-id` (RFC 5626). */
  flow: string | undefined
}

/** What a REGISTER asks for (RFC 3261 §10.3). */
export interface AskedChange {
  /** `all` removes every contact; [] only asks for them. */
  contacts: 'all' | AskedContact[]
  callId: string
  cseq: number
  path: string[]
  /** Whether the client supports RFC 5626. */
  outbound: boolean
  userAgent: string
}

/**
 * Reads a REGISTER. Lifetimes above the maximum are cut to it; one below the minimum is refused.
 *
 * @returns TRUNK_REGISTRAR_REQUEST_BAD or TRUNK_REGISTRAR_INTERVAL_BRIEF when it cannot be taken
 */
export function readRegister(request: IncomingRequest): AskedChange | CausewayError {
  const cseq = Number(/^\s*(\d{1,10})\s+REGISTER\b/i.exec(request.header('cseq') ?? '')?.[1])
  if (!Number.isInteger(cseq) || request.callId === '') return bad('CSeq or Call-ID')
  const expires = secondsOf(request.header('expires'))
  const values = splitValues(request.header('contact') ?? '')
  const paths: string[] = []
  for (const value of splitValues(request.header('path') ?? '')) {
    const parsed = parseNameAddr(value)
    if (!parsed || !parseSipAddress(parsed.uri)) return bad(`Path ${value.slice(0, 200)}`)
    paths.push(detach(parsed.uri))
  }
  const change = {
    callId: detach(request.callId),
    cseq,
    path: paths,
    outbound: /\boutbound\b/i.test(request.header('supported') ?? ''),
    userAgent: detach((request.header('user-agent') ?? '').slice(0, 128)),
  }
  if (values.includes('*')) {
    if (values.length > 1 || expires !== 0) return bad('Contact: * needs Expires: 0, alone')
    return { ...change, contacts: 'all' }
  }
  const contacts: AskedContact[] = []
  for (const value of values) {
    const contact = readContact(value, expires)
    if (!contact) return bad(`Contact ${value.slice(0, 200)}`)
    if (contact.expires > 0 && contact.expires < LIFETIME.min) {
      return new CausewayError('TRUNK_REGISTRAR_INTERVAL_BRIEF', { detail: `${contact.expires} s` })
    }
    contacts.push(contact)
  }
  return { ...change, contacts }
}

function readContact(value: string, fallback: number | undefined): AskedContact | undefined {
  const parsed = parseNameAddr(value)
  // A URI that is kept and shown; none is longer in earnest.
  if (!parsed || parsed.uri.length > 512 || !parseSipAddress(parsed.uri)) return undefined
  const { params } = parsed
  const asked = secondsOf(params['expires']) ?? fallback ?? LIFETIME.usual
  const instance = params['+sip.instance']?.slice(0, 256)
  const regId = /^\d{1,9}$/.exec(params['reg-id'] ?? '')?.[0]
  return {
    uri: detach(parsed.uri),
    q: preference(params['q']),
    expires: Math.min(asked, LIFETIME.max),
    flow: instance && regId ? detach(`${instance}|${regId}`) : undefined,
  }
}

/** RFC 3261 §20.10: 0 to 1 with three decimals; without one, 1 as most servers take it. */
function preference(q: string | undefined): number {
  return q !== undefined && /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(q) ? Number(q) : 1
}

function secondsOf(value: string | undefined): number | undefined {
  const text = value?.trim() ?? ''
  // RFC 3261 §20.19: up to 2^32 - 1; a malformed one counts as none.
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined
}

function bad(detail: string): CausewayError {
  return new CausewayError('TRUNK_REGISTRAR_REQUEST_BAD', { detail })
}
