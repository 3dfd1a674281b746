import { formatNameAddr, headerValue, parseNameAddr, setHeader } from '../message/index.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'

/** Puts a To tag into a response, in place of the one it may have. */
export function retag(response: SipResponse, tag: string): void {
  const to = parseNameAddr(headerValue(response.headers, 'to') ?? '')
  if (!to) return
  to.params['tag'] = tag
  setHeader(response.headers, 'To', formatNameAddr(to))
  response.toTag = tag
}

/**
 * To tag of a response given without a transaction: the same for a repeated request, as RFC 3261
 * §8.2.7 asks, and different in every process (`seed`, a 32-bit integer). FNV-1a over what stays.
 */
export function statelessTag(request: SipRequest, seed: number): string {
  let hash = seed ^ 0x811c9dc5
  const text = `${request.callId}|${request.cseq}|${request.via.branch}`
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return `s${(hash >>> 0).toString(36)}`
}
