import type { CallHours, Restriction } from '../../settings/index.ts'
import type { DoctorContext } from '../context.ts'
import { pass, problem, skip } from '../finding.ts'
import type { Finding } from '../types.ts'
import { numberCheck } from './per-number.ts'

/** What WhatsApp does to numbers whose calls go unanswered or annoy. */
export const restrictions = numberCheck(
  { id: 'restrictions', title: 'WhatsApp restricts nothing, and the quality is good' },
  async ({ number, subject, settings }, context) => {
    const { restrictions } = settings.actual
    if (restrictions.length > 0) {
      return restrictions.map((one) => judgeRestriction(one, context.clock.now(), subject))
    }
    const rating = await qualityOf(context, number)
    if (rating === 'RED' || rating === 'YELLOW') {
      const evidence = `quality_rating ${rating}`
      return problem('warn', 'DOCTOR_QUALITY', { subject, evidence })
    }
    return pass(`none${rating ? `, quality ${rating}` : ''}`, subject)
  },
)

/** Judges one restriction: what it stops, and until when. */
function judgeRestriction(
  { type, reason, expiration }: Restriction,
  now: number,
  subject: string,
): Finding {
  const until =
    expiration === undefined ? '' : ` until ${new Date(expiration * 1000).toISOString()}`
  const over = expiration !== undefined && expiration * 1000 < now
  const evidence = `${type}${reason ? `, ${reason}` : ''}${until}${over ? ', over by our clock' : ''}`
  return problem('fail', 'SETTINGS_RESTRICTED', { subject, evidence })
}

async function qualityOf(
  { config, graph }: DoctorContext,
  number: Parameters<DoctorContext['graph']['fields']>[0],
): Promise<string | undefined> {
  if (config.whatsapp.provider !== 'meta') return undefined
  const { json } = await graph.fields(number, 'quality_rating')
  const rating = json?.['quality_rating']
  return typeof rating === 'string' && rating !== 'UNKNOWN' ? rating : undefined
}

/** Whether consumers see a way to call. */
export const callButton = numberCheck(
  { id: 'call-button', title: 'consumers see the call button' },
  ({ number, subject, settings }) => {
    const { call_icon_visibility: visibility, call_hours: hours } = settings.actual
    if (number.calling.status === 'DISABLED') return skip('calling is meant to be off', subject)
    const hidden = visibility !== undefined && visibility !== 'DEFAULT'
    if (hidden && number.calling['call_icon_visibility'] !== visibility) {
      const evidence = `call_icon_visibility ${visibility}`
      return problem('warn', 'DOCTOR_CALL_BUTTON', { subject, evidence })
    }
    const shown = hidden ? `${visibility}, as configured` : 'shown'
    return pass(`${shown}${hoursNote(hours)}`, subject)
  },
)

function hoursNote(hours: CallHours | undefined): string {
  if (hours?.status !== 'ENABLED') return ''
  return `; call hours are on (${hours.timezone_id ?? 'no time zone'}, ${hours.weekly_operating_hours.length} windows a week)`
}
