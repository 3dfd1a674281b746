import { CausewayError, type ErrorCode } from '../../shared/errors/index.ts'
import { q850Reason, warning399 } from '../../shared/refusal-text.ts'
import { headerLine } from './headers.ts'
import type { Flow, HeaderLine, SipRequest } from './types.ts'

/** What an INVITE is refused for without asking an application, by the status it gets. */
const CODES: Partial<Record<number, ErrorCode>> = {
  400: 'SIP_MESSAGE_MALFORMED',
  408: 'SIP_CALL_NOT_TAKEN',
  413: 'SIP_MESSAGE_MALFORMED',
  414: 'SIP_MESSAGE_MALFORMED',
  422: 'SIP_SESSION_INTERVAL',
  481: 'SIP_DIALOG_UNKNOWN',
  482: 'SIP_REQUEST_MERGED',
  483: 'SIP_TOO_MANY_HOPS',
  491: 'SIP_REQUEST_PENDING',
  500: 'SIP_REQUEST_STALE',
  503: 'SIP_CALL_NOT_TAKEN',
  505: 'SIP_MESSAGE_MALFORMED',
  513: 'SIP_MESSAGE_MALFORMED',
}

/**
 * Reason and Warning of an INVITE that the server refuses by itself, for peers that are told why
 * ({@link Flow.warnAgent}). `detail`: what was wrong with this one.
 */
export function refusalHeaders(
  request: SipRequest,
  flow: Flow,
  status: number,
  detail?: string,
): HeaderLine[] {
  const code = CODES[status]
  if (flow.warnAgent === undefined || request.method !== 'INVITE' || !code) return []
  const error = new CausewayError(code)
  const { summary } = error.definition
  return [
    headerLine('Reason', q850Reason(error.q850, summary)),
    headerLine('Warning', warning399(flow.warnAgent, code, detail ?? summary)),
  ]
}
