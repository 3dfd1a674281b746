import { CausewayError, type ErrorCode } from '../shared/errors/index.ts'
import { iso } from './policy.ts'
import type { CallPermission, PermissionAction, PermissionLimit } from './types.ts'

const PERIODS: Record<string, string> = { PT24H: '24 hours', P1D: '24 hours', P7D: '7 days' }

/** `24 hours`, `7 days`, or the period as WhatsApp wrote it. */
export function periodText(period: string): string {
  return PERIODS[period] ?? period
}

/** The quota that stands in the way: reached, not over yet, and not contradicted by `can_perform_action`. */
export function reachedLimit(
  action: PermissionAction | undefined,
  now: number,
): PermissionLimit | undefined {
  if (!action || action.allowed === true) return undefined
  const reached = action.limits.filter(
    ({ used, max, until }) => used >= max && (until === undefined || until > now),
  )
  const endOf = ({ until }: PermissionLimit): number => until ?? Number.POSITIVE_INFINITY
  return reached.sort((a, b) => endOf(b) - endOf(a))[0]
}

/** Whether a permission holds at a moment: WhatsApp does not tell when a temporary one ends. */
export function isGranted({ status, expires }: CallPermission, now: number): boolean {
  return status !== 'no_permission' && (expires === undefined || expires > now)
}

/**
 * What the PBX is told of a call under this permission; undefined: the call may go out. The codes are those
 * WhatsApp's own refusals have, because the cause is the same.
 */
export function judgeCall(permission: CallPermission, now: number): CausewayError | undefined {
  if (!isGranted(permission, now)) {
    return new CausewayError('CALL_WHATSAPP_NO_PERMISSION', {
      detail: 'call_permissions says none',
    })
  }
  const limit = reachedLimit(permission.call, now)
  if (limit) return new CausewayError('CALL_WHATSAPP_DAILY_LIMIT', { detail: limitText(limit) })
  if (permission.call?.allowed !== false) return undefined
  const detail = 'call_permissions allows no start_call and names no limit'
  return new CausewayError('CALL_WHATSAPP_CALLING_OFF', { detail })
}

/** Why the consumer may not be asked for permission now; undefined: the message may be sent. */
export function judgeRequest(permission: CallPermission, now: number): CausewayError | undefined {
  const limit = reachedLimit(permission.request, now)
  if (limit) return new CausewayError('CALL_PERMISSION_REQUEST_LIMIT', { detail: limitText(limit) })
  if (permission.request?.allowed !== false) return undefined
  const detail = 'call_permissions allows no request now and names no limit'
  return new CausewayError('CALL_WHATSAPP_NO_PERMISSION', { detail })
}

function limitText({ used, max, period, until }: PermissionLimit): string {
  const end = until === undefined ? '' : `, free again at ${iso(until)}`
  return `${used} of ${max} in ${periodText(period)}${end}`
}

/** Errors of the Graph API that judge the call itself: WhatsApp would refuse it with the same words. */
const JUDGEMENTS: Partial<Record<ErrorCode, ErrorCode>> = {
  SETTINGS_GRAPH_131026: 'CALL_WHATSAPP_UNCALLABLE',
  SETTINGS_GRAPH_138000: 'CALL_WHATSAPP_CALLING_OFF',
  SETTINGS_GRAPH_138001: 'CALL_WHATSAPP_UNCALLABLE',
  SETTINGS_GRAPH_138006: 'CALL_WHATSAPP_NO_PERMISSION',
  SETTINGS_GRAPH_138009: 'CALL_PERMISSION_REQUEST_LIMIT',
  SETTINGS_GRAPH_138012: 'CALL_WHATSAPP_DAILY_LIMIT',
  SETTINGS_GRAPH_138013: 'CALL_WHATSAPP_COUNTRY_BARRED',
  SETTINGS_GRAPH_138014: 'CALL_WHATSAPP_PAUSED',
}

/** The refusal a Graph error stands for; undefined when it says nothing about the call. */
export function judgementOf(error: CausewayError): CausewayError | undefined {
  const code = JUDGEMENTS[error.code]
  if (!code) return undefined
  return new CausewayError(code, {
    cause: error,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    ...(error.place === undefined ? {} : { place: error.place }),
  })
}
