import { ALLOW_PBX, unsupported } from '../headers/allow.ts'
import { coded } from '../outcome/coded.ts'
import { refusalHeaders } from '../outcome/refusal.ts'
import type { Headers, IncomingRequest, OutgoingResponse } from '../sip-port.ts'
import type { EstablishedCall } from './established.ts'

/**
 * Answers what the PBX asks within an answered call. All of it ends here: WhatsApp answers a
 * re-INVITE 500 and knows no other request, so that its leg never hears of any.
 */
export function answerOnPbxLeg(established: EstablishedCall, request: IncomingRequest): void {
  switch (request.method) {
    case 'INVITE':
    case 'UPDATE':
      void renegotiate(established, request)
      break
    case 'OPTIONS':
      respond(established, request, { status: 200, headers: { Allow: ALLOW_PBX } })
      break
    case 'INFO':
      respond(established, request, { status: 200 })
      break
    case 'PRACK':
      respond(established, request, { status: 481 })
      break
    default:
      respond(established, request, { status: 405, headers: { Allow: ALLOW_PBX } })
  }
}

/**
 * Hold, resume, codec change, refresh: our side of the PBX leg is described again (RFC 3264 §8). A
 * refused offer leaves the session as it was (RFC 3261 §14.2).
 */
async function renegotiate(established: EstablishedCall, request: IncomingRequest): Promise<void> {
  const missing = unsupported(request.header('require'))
  if (missing.length > 0) {
    const headers = { Unsupported: missing.join(', ') }
    respond(established, request, { status: 420, headers })
    return
  }
  if (request.method === 'UPDATE' && request.body === '') {
    respond(established, request, { status: 200 })
    return
  }
  if (established.renegotiating) {
    // RFC 3261 §14.2: a second offer before the first is answered.
    respond(established, request, { status: 500, headers: { 'Retry-After': '1' } })
    return
  }
  established.renegotiating = true
  try {
    const body = await established.media.reoffer(request.body === '' ? undefined : request.body)
    const headers: Headers = { 'Content-Type': 'application/sdp', Allow: ALLOW_PBX }
    respond(established, request, { status: 200, headers, body })
  } catch (error) {
    const fault = coded(error)
    established.ctx.log.debug({ err: fault, call: established.call.id }, 're-offer refused')
    const headers = refusalHeaders(fault, established.ctx.directory.config.sip.domain)
    respond(established, request, { status: fault.sip, headers })
  } finally {
    established.renegotiating = false
  }
}

function respond(
  established: EstablishedCall,
  request: IncomingRequest,
  response: OutgoingResponse,
): void {
  established.call.note('pbx', 'out', String(response.status), request.method)
  request.respond(response)
}
