import type { CausewayError, ErrorCode, Owner } from '../shared/errors/index.ts'

/** Class of a call's end, for metrics and reports. */
export type CallResult =
  | 'completed'
  | 'cancelled'
  | 'busy'
  | 'declined'
  | 'unanswered'
  | 'refused'
  | 'failed'

/** Why a call ended. */
export interface EndCause {
  /** Catalogue code; `NORMAL` when a party hung up an answered call. */
  readonly code: ErrorCode | 'NORMAL'
  readonly result: CallResult
  /** Who ended it or has to act. */
  readonly owner: Owner
  /** SIP status that goes with it; 200 for a normal end. */
  readonly sip: number
  /** Q.850 cause. */
  readonly q850: number
  readonly text: string
}

const RESULTS: Partial<Record<ErrorCode, CallResult>> = {
  CALL_CANCELLED: 'cancelled',
  CALL_DRAINED: 'cancelled',
  CALL_ENDED_BY_OPERATOR: 'cancelled',
  CALL_BUSY: 'busy',
  CALL_DECLINED: 'declined',
  CALL_WHATSAPP_DECLINED: 'declined',
  CALL_NO_ANSWER: 'unanswered',
  CALL_WHATSAPP_UNAVAILABLE: 'unanswered',
  CALL_ANNOUNCED: 'unanswered',
  // A PBX that is not there has not refused.
  CALL_TARGET_SILENT: 'failed',
  // An answered call that breaks was not refused, whatever its status.
  CALL_ACK_TIMEOUT: 'failed',
  CALL_DIALOG_LOST: 'failed',
  CALL_WHATSAPP_MEDIA_TIMEOUT: 'failed',
  CALL_TRANSFER_FAILED: 'failed',
  CALL_ANSWER_MISSING: 'failed',
}

/** The end of an answered call by one of its parties. */
export function hungUpBy(owner: 'whatsapp' | 'pbx', text?: string): EndCause {
  const said = text ?? (owner === 'pbx' ? 'the PBX hung up' : 'the WhatsApp user hung up')
  return { code: 'NORMAL', result: 'completed', owner, sip: 200, q850: 16, text: said }
}

/** The end a coded error makes of a call. */
export function causeOf(error: CausewayError): EndCause {
  const result = RESULTS[error.code] ?? (error.sip >= 500 ? 'failed' : 'refused')
  const text = error.detail ?? error.definition.summary
  const { code, owner, sip, q850 } = error
  return { code, result, owner, sip, q850, text }
}
