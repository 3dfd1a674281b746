import { CausewayError, type ErrorCode } from '../../shared/errors/index.ts'
import { type Failure, textOf } from './failure.ts'

/** PBX status → code. The code's own SIP status is what WhatsApp is answered. */
const CODES: Readonly<Record<number, ErrorCode>> = {
  401: 'CALL_PBX_AUTH_FAILED',
  404: 'CALL_PBX_NUMBER_UNKNOWN',
  407: 'CALL_PBX_AUTH_FAILED',
  408: 'CALL_PBX_TIMEOUT',
  410: 'CALL_PBX_NUMBER_UNKNOWN',
  415: 'CALL_PBX_MEDIA_REFUSED',
  480: 'CALL_NO_ANSWER',
  484: 'CALL_PBX_NUMBER_UNKNOWN',
  486: 'CALL_BUSY',
  487: 'CALL_NO_ANSWER',
  488: 'CALL_PBX_MEDIA_REFUSED',
  600: 'CALL_BUSY',
  603: 'CALL_DECLINED',
  604: 'CALL_PBX_NUMBER_UNKNOWN',
  606: 'CALL_PBX_MEDIA_REFUSED',
}

/** What a failed INVITE to the PBX means; the error's SIP status goes to WhatsApp. */
export function pbxOutcome(failure: Failure): CausewayError {
  const { status, local } = failure
  return new CausewayError(codeFor(status, local), { detail: `${status} ${textOf(failure)}` })
}

/** Whether the next target of the same trunk is worth trying: this one was not really reached. */
export function tryNextTarget({ status, local }: Failure): boolean {
  return local || status === 408 || status === 503
}

/** Whether the overflow trunk takes the call: unless a person there has decided. */
export function tryOverflow({ status }: Failure): boolean {
  return status !== 486 && status !== 600 && status !== 603
}

function codeFor(status: number, local: boolean): ErrorCode {
  if (local) return status === 408 ? 'CALL_PBX_TIMEOUT' : 'CALL_PBX_UNREACHABLE'
  const code = CODES[status]
  if (code !== undefined) return code
  return status >= 500 && status < 600 ? 'CALL_PBX_FAILED' : 'CALL_PBX_REFUSED'
}
