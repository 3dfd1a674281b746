import { ALLOW_WHATSAPP } from '../headers/allow.ts'
import type { IncomingRequest } from '../sip-port.ts'
import type { EstablishedCall } from './established.ts'

/** Answers what WhatsApp asks within an answered call, other than BYE: it never renegotiates. */
export function answerOnWhatsAppLeg(established: EstablishedCall, request: IncomingRequest): void {
  const status = statusFor(request.method)
  const headers = { Allow: ALLOW_WHATSAPP }
  established.call.note('whatsapp', 'out', String(status), request.method)
  request.respond({ status, headers })
}

function statusFor(method: string): number {
  if (method === 'OPTIONS') return 200
  return method === 'INVITE' ? 488 : 405
}
