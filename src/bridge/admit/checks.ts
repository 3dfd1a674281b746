import { CausewayError } from '../../shared/errors/index.ts'
import { unsupported } from '../headers/allow.ts'
import type { IncomingRequest } from '../sip-port.ts'

/** A refusal with headers of its own. */
export interface Refusal {
  error: CausewayError
  headers?: Record<string, string>
}

/** What every INVITE must have before a call is made of it. */
export function checkInvite(request: IncomingRequest): Refusal | undefined {
  const missing = unsupported(request.header('require'))
  if (missing.length > 0) {
    const error = new CausewayError('CALL_EXTENSION_UNSUPPORTED', { detail: missing.join(', ') })
    return { error, headers: { Unsupported: missing.join(', ') } }
  }
  if (request.header('contact') === undefined) {
    return { error: new CausewayError('CALL_REQUEST_BAD', { detail: 'no Contact' }) }
  }
  const type = request.header('content-type')
  if (request.body === '' || (type !== undefined && !/^application\/sdp\b/i.test(type))) {
    return { error: new CausewayError('CALL_OFFER_MISSING', { detail: type ?? 'no body' }) }
  }
  return undefined
}
