import { CausewayError } from '../../shared/errors/index.ts'
import { unsupported, unsupportedForWhatsApp } from '../headers/allow.ts'
import type { IncomingMessage, IncomingRequest } from '../sip-port.ts'
import type { Side } from './directory.ts'

/** A refusal with headers of its own. */
export interface Refusal {
  error: CausewayError
  headers?: Record<string, string>
}

/** What every INVITE must have before a call is made of it. The PBX may leave the offer to us. */
export function checkInvite(side: Side, request: IncomingRequest): Refusal | undefined {
  const require = request.header('require')
  const missing = side === 'pbx' ? unsupported(require) : unsupportedForWhatsApp(require)
  if (missing.length > 0) {
    const error = new CausewayError('CALL_EXTENSION_UNSUPPORTED', { detail: missing.join(', ') })
    return { error, headers: { Unsupported: missing.join(', ') } }
  }
  if (request.header('contact') === undefined) {
    return { error: new CausewayError('CALL_REQUEST_BAD', { detail: 'no Contact' }) }
  }
  if (request.body === '' && side === 'whatsapp') {
    return { error: new CausewayError('CALL_OFFER_MISSING', { detail: 'no body' }) }
  }
  return checkBody(request)
}

/** The SDP of a message; '' without a body, or with one of another type. */
export function sdpOf(message: IncomingMessage): string {
  const type = message.header('content-type')
  return type === undefined || /^application\/sdp\b/i.test(type) ? message.body : ''
}

/** Refuses a body that is not SDP (RFC 3261 §8.2.3). */
export function checkBody(request: IncomingMessage): Refusal | undefined {
  const type = request.header('content-type')
  if (request.body === '' || type === undefined || /^application\/sdp\b/i.test(type))
    return undefined
  const error = new CausewayError('CALL_BODY_UNSUPPORTED', { detail: type })
  return { error, headers: { Accept: 'application/sdp' } }
}
