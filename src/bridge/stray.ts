import { CausewayError } from '../shared/errors/index.ts'
import type { BridgeContext } from './context.ts'
import { ALLOW_PBX, ALLOW_WHATSAPP } from './headers/allow.ts'
import { refusalHeaders } from './outcome/refusal.ts'
import type { IncomingRequest } from './sip-port.ts'

/** Answers a request that is neither a new call nor part of one (RFC 3261 §8.2.1, §12.2.2). */
export function answerStray(ctx: BridgeContext, request: IncomingRequest): void {
  const { method } = request
  if (method === 'ACK' || method === 'CANCEL' || request.local) return
  if (request.dialogId !== '' || inDialog(request)) {
    // The SIP server knows the dialog, the call has ended: BYEs that crossed.
    request.respond({ status: method === 'BYE' && request.dialogId !== '' ? 200 : 481 })
    return
  }
  const side = ctx.directory.sideOf(request)
  const allow = { Allow: side === 'pbx' ? ALLOW_PBX : ALLOW_WHATSAPP }
  if (method === 'OPTIONS') {
    request.respond({ status: 200, headers: { ...allow, Accept: 'application/sdp' } })
    return
  }
  const error = new CausewayError('CALL_METHOD_UNSUPPORTED', { detail: method })
  const said = side === 'pbx' ? refusalHeaders(error, ctx.directory.config.sip.domain) : {}
  request.respond({ status: error.sip, headers: { ...allow, ...said } })
}

function inDialog(request: IncomingRequest): boolean {
  return /;\s*tag=/i.test(request.header('to') ?? '')
}
