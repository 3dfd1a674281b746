import type { SipRequest, SipResponse } from '../message/types.ts'

/** What the branch of every Via by RFC 3261 §8.1.1.7 starts with. */
export const magicCookie = 'z9hG4bK'

/**
 * Key of the server transaction a request belongs to: branch, sent-by and method (RFC 3261
 * §17.2.3). Without the magic cookie the peer speaks RFC 2543, whose transactions are told apart by
 * Request-URI, From tag, Call-ID, CSeq and top Via; the To tag is left out, as the ACK has one that
 * the INVITE had not. `method` names the transaction wanted: INVITE for an ACK and a CANCEL.
 */
export function serverKey(request: SipRequest, method: string): string {
  const via = request.via
  const port = via.port ?? ''
  if (via.branch.length > magicCookie.length && via.branch.startsWith(magicCookie)) {
    return `${via.branch}|${via.host}|${port}|${method}`
  }
  const sentBy = `${via.transport}|${via.host}|${port}|${via.branch}`
  return `~${request.callId}|${request.cseq}|${request.fromTag}|${request.uri}|${sentBy}|${method}`
}

/**
 * Key of what makes two requests the same one on two paths (RFC 3261 §8.2.2.2); for an INVITE also
 * what ties the ACK for its 2xx, which has a branch of its own, to it (RFC 3261 §13.3.1.4).
 */
export function callKey(request: SipRequest, method: string): string {
  return `${request.callId}|${request.cseq}|${request.fromTag}|${method}`
}

/** Key of the client transaction a response belongs to (RFC 3261 §17.1.3). */
export function clientKey(message: SipRequest | SipResponse): string {
  const branch = message.via.branch
  // A CANCEL shares the branch of its INVITE (RFC 3261 §9.1); all other branches are unique.
  return message.method === 'CANCEL' ? `${branch}|CANCEL` : branch
}
