import type { CallDirection } from './call.ts'
import type { EndCause } from './cause.ts'

/**
 * Who ended a call. `caller` and `callee` are the people: the WhatsApp user and whoever sits behind the PBX.
 * `pbx`, `whatsapp` and `causeway` are the systems, which refused, failed or were told to hang up.
 */
export type EndedBy = 'caller' | 'callee' | 'pbx' | 'whatsapp' | 'causeway'

/** The called person's doing, or the want of it. */
const CALLEE: ReadonlySet<EndCause['code']> = new Set([
  'CALL_BUSY',
  'CALL_DECLINED',
  'CALL_NO_ANSWER',
  'CALL_ANNOUNCED',
  'CALL_WHATSAPP_DECLINED',
  'CALL_WHATSAPP_UNAVAILABLE',
])

/** WhatsApp's doing, though somebody else has to act on it. */
const WHATSAPP = /^CALL_WHATSAPP_/

const OURS: ReadonlySet<EndCause['code']> = new Set([
  'CALL_ENDED_BY_OPERATOR',
  'CALL_WHATSAPP_UNREACHABLE',
])

/**
 * Who ended a call of this direction for this cause. The cause's own `owner` says who has to act, which is
 * not the same: WhatsApp refuses a call, and whoever runs Causeway has to ask for the permission.
 *
 * @param asked whether WhatsApp had any part in the call; without, a refusal is Causeway's own
 */
export function endedBy(
  direction: CallDirection,
  { code, owner, text }: EndCause,
  asked: boolean,
): EndedBy {
  if (code === 'NORMAL') {
    const byUser = owner === 'whatsapp'
    return byUser === (direction === 'user-initiated') ? 'caller' : 'callee'
  }
  if (code === 'CALL_CANCELLED') return 'caller'
  if (WHATSAPP.test(code) && !asked) return 'causeway'
  if (CALLEE.has(code)) return 'callee'
  if (OURS.has(code)) return 'causeway'
  // The leg whose dialog broke is named in the text.
  if (code === 'CALL_ACK_TIMEOUT' || code === 'CALL_DIALOG_LOST') {
    return text.startsWith('whatsapp') ? 'whatsapp' : 'pbx'
  }
  if (WHATSAPP.test(code)) return 'whatsapp'
  return owner === 'user' ? 'causeway' : owner
}
