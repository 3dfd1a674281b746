import { CausewayError, type ErrorCode } from '../../shared/errors/index.ts'
import { type Failure, textOf } from './failure.ts'

interface Row {
  status: number
  /** Words the text contains; undefined matches every text of the status. */
  text?: RegExp
  code: ErrorCode
}

/** WhatsApp's final responses to a business-initiated INVITE, first match wins. */
const ROWS: readonly Row[] = [
  {
    status: 400,
    text: /asset not found|business phone number/i,
    code: 'CALL_WHATSAPP_NUMBER_UNKNOWN',
  },
  { status: 403, text: /SIP server .* does not match/i, code: 'CALL_WHATSAPP_SERVER_MISMATCH' },
  { status: 403, text: /no approved call permission/i, code: 'CALL_WHATSAPP_NO_PERMISSION' },
  { status: 403, text: /not authorized/i, code: 'CALL_WHATSAPP_APP_UNAUTHORISED' },
  { status: 403, text: /per day limit/i, code: 'CALL_WHATSAPP_DAILY_LIMIT' },
  { status: 403, text: /duplicate|already (in|has)/i, code: 'CALL_WHATSAPP_DUPLICATE' },
  { status: 403, text: /payment|billing/i, code: 'CALL_WHATSAPP_PAYMENT' },
  { status: 403, text: /\bSDP\b|fingerprint|crypto/i, code: 'CALL_WHATSAPP_SDP_REFUSED' },
  {
    status: 403,
    text: /digest|credential|authenticat|password/i,
    code: 'CALL_CREDENTIALS_REFUSED',
  },
  { status: 403, text: /concurrent|rate limit|too many/i, code: 'CALL_WHATSAPP_BUSY_LIMIT' },
  { status: 403, text: /restricted|paused/i, code: 'CALL_WHATSAPP_PAUSED' },
  {
    status: 403,
    text: /initiated .*(unavailable|not available)|country/i,
    code: 'CALL_WHATSAPP_COUNTRY_BARRED',
  },
  {
    status: 403,
    text: /not enabled|disabled|unavailable|not available/i,
    code: 'CALL_WHATSAPP_CALLING_OFF',
  },
  { status: 403, code: 'CALL_WHATSAPP_FORBIDDEN' },
  { status: 404, code: 'CALL_WHATSAPP_NOT_FOUND' },
  { status: 401, code: 'CALL_CREDENTIALS_REFUSED' },
  { status: 407, code: 'CALL_CREDENTIALS_REFUSED' },
  { status: 408, text: /RTP|media/i, code: 'CALL_WHATSAPP_MEDIA_TIMEOUT' },
  { status: 408, code: 'CALL_WHATSAPP_TIMEOUT' },
  { status: 429, code: 'CALL_WHATSAPP_BUSY_LIMIT' },
  { status: 480, code: 'CALL_WHATSAPP_UNAVAILABLE' },
  { status: 486, code: 'CALL_WHATSAPP_DECLINED' },
  { status: 487, code: 'CALL_WHATSAPP_UNAVAILABLE' },
  { status: 488, code: 'CALL_WHATSAPP_SDP_REFUSED' },
  { status: 600, code: 'CALL_WHATSAPP_DECLINED' },
  { status: 603, code: 'CALL_WHATSAPP_DECLINED' },
]

/** What a failed INVITE to WhatsApp means; the error's SIP status and Q.850 cause go to the PBX. */
export function whatsappOutcome(failure: Failure): CausewayError {
  const text = textOf(failure)
  return new CausewayError(codeFor(failure, text), { detail: `${failure.status} ${text}` })
}

/** Whether a text of 403 is one of the documented ones, so that credentials are not the reason. */
export function isKnownRefusal(failure: Failure): boolean {
  const code = codeFor(failure, textOf(failure))
  return code !== 'CALL_WHATSAPP_FORBIDDEN' && code !== 'CALL_CREDENTIALS_REFUSED'
}

function codeFor({ status, local }: Failure, text: string): ErrorCode {
  if (local) return status === 408 ? 'CALL_WHATSAPP_TIMEOUT' : 'CALL_WHATSAPP_UNREACHABLE'
  const row = ROWS.find((row) => row.status === status && (!row.text || row.text.test(text)))
  if (row) return row.code
  return status >= 500 && status < 600 ? 'CALL_WHATSAPP_FAILED' : 'CALL_WHATSAPP_REFUSED'
}
