import { CausewayError } from '../shared/errors/index.ts'
import type { BridgeContext } from './context.ts'
import { ALLOW_PBX, ALLOW_WHATSAPP } from './headers/allow.ts'
import { refusalHeaders } from './outcome/refusal.ts'
import type { IncomingRequest } from './sip-port.ts'

/** Answers a request that is neither a new call nor part of one (RFC 3261 §8.2.1, §12.2.2). */
export function answerStray(ctx: BridgeContext, request: IncomingRequest): void {
  const { method } = request
  if (method === 'ACK' || method === 'CANCEL' || request.local) return
  const side = ctx.directory.sideOf(request)
  const { domain } = ctx.directory.config.sip
  if (request.dialogId !== '' || inDialog(request)) {
    // The SIP server knows the dialog, the call has ended: BYEs that crossed.
    const bye = method === 'BYE' && request.dialogId !== ''
    const unknown = new CausewayError('SIP_DIALOG_UNKNOWN')
    const why = method === 'INVITE' && side === 'pbx' ? refusalHeaders(unknown, domain) : {}
    request.respond({ status: bye ? 200 : 481, headers: why })
    return
  }
  const allow = { Allow: side === 'pbx' ? ALLOW_PBX : ALLOW_WHATSAPP }
  if (method === 'OPTIONS') {
    request.respond({ status: 200, headers: { ...allow, Accept: 'application/sdp' } })
    return
  }
  const error = new CausewayError('CALL_METHOD_UNSUPPORTED', { detail: method })
  const said = side === 'pbx' ? refusalHeaders(error, domain) : {}
  request.respond({ status: error.sip, headers: { ...allow, ...said } })
}

function inDialog(request: IncomingRequest): boolean {
  return /;\s*tag=/i.test(request.header('to') ?? '')
}
