import type { NumberConfig } from '../../config/types.ts'
import { ownServer } from '../../settings/index.ts'
import { objectOf } from '../../shared/json.ts'
import type { DoctorContext } from '../context.ts'
import { pass, problem, skip } from '../finding.ts'
import type { Finding } from '../types.ts'
import { messagingLimit } from './limits.ts'
import { numberCheck, type ReadNumber } from './per-number.ts'

/** One reason why `can_receive_call_sip` is not AVAILABLE. */
export interface HealthTrouble {
  /** `PHONE_NUMBER`, `WABA`, `APP`. */
  entity: string
  state: string
  code: number | undefined
  text: string
}

/** Calling and SIP are on, by the settings and by WhatsApp's own health status. */
export const calling = numberCheck(
  { id: 'calling', title: 'calling and SIP are on: health_status can_receive_call_sip' },
  async (read, context) => {
    const { number, subject, settings, desired } = read
    if (desired.status === 'DISABLED' || desired.sip.status === 'DISABLED') {
      return pass('meant to be off', subject)
    }
    const { status, sip } = settings.actual
    const on = status === 'ENABLED' && sip.status === 'ENABLED'
    const limit = on ? undefined : await messagingLimit(context, number)
    if (limit !== undefined && limit < 2000) {
      return skip(`calling is off and cannot be enabled: see messaging-limit`, subject)
    }
    const troubles = await healthOf(context, number)
    if (!on) {
      const evidence = `status ${status ?? 'not set'}, sip.status ${sip.status ?? 'not set'}${told(troubles, 138024)}`
      return problem('fail', 'SETTINGS_GRAPH_138024', { subject, evidence, fix: fixOf(number) })
    }
    if (sip.servers.length === 0) {
      const evidence = `no SIP server is stored${told(troubles, 138025)}`
      return problem('fail', 'SETTINGS_GRAPH_138025', { subject, evidence, fix: fixOf(number) })
    }
    return judgeHealth(read, context.config.sip.domain, troubles)
  },
)

/** Judges the health status of a number that is on and has a server. */
function judgeHealth(
  { subject, settings }: ReadNumber,
  domain: string,
  troubles: readonly HealthTrouble[] | undefined,
): Finding[] {
  if (!troubles) return [pass('on; this provider has no health status', subject)]
  // A server of another name or another app: sip-server names it.
  const ours = ownServer(settings.actual, domain) !== undefined
  const left = troubles.filter(({ code }) => code !== 138025 || ours)
  if (left.length === 0) {
    return [pass(troubles.length > 0 ? 'on; see sip-server' : 'on, AVAILABLE', subject)]
  }
  return left.map(({ entity, state, code, text }) => {
    const reason = code === undefined ? text : `${code} ${text}`
    const evidence = `${entity} ${state}${reason.trim() ? `: ${reason}` : ''}`
    return problem('fail', code === 138025 ? 'SETTINGS_GRAPH_138025' : 'DOCTOR_HEALTH', {
      subject,
      evidence,
    })
  })
}

/** Undefined where the provider has no such endpoint or does not answer it. */
async function healthOf(
  { config, graph }: DoctorContext,
  number: NumberConfig,
): Promise<HealthTrouble[] | undefined> {
  if (config.whatsapp.provider !== 'meta') return undefined
  const { json } = await graph.fields(number, 'health_status')
  return json && readHealth(json)
}

/** Reads `health_status`: entities that cannot receive calls by SIP, with their reasons. */
export function readHealth(json: Record<string, unknown>): HealthTrouble[] {
  const { entities } = objectOf(json['health_status'])
  return listOf(entities).flatMap((entry) => {
    const state = entry['can_receive_call_sip']
    if (state === undefined || state === 'AVAILABLE') return []
    const entity = String(entry['entity_type'] ?? 'entity')
    const base = { entity, state: String(state) }
    const errors = listOf(entry['errors']).map((error) => ({
      ...base,
      code: Number.isInteger(error['error_code']) ? Number(error['error_code']) : undefined,
      text: [error['error_description'], error['possible_solution']].filter(Boolean).join('; '),
    }))
    return errors.length > 0 ? errors : [{ ...base, code: undefined, text: '' }]
  })
}

function told(troubles: readonly HealthTrouble[] | undefined, code: number): string {
  return troubles?.some((trouble) => trouble.code === code) ? `; health status ${code}` : ''
}

function fixOf({ manage }: NumberConfig): string {
  return manage === 'apply'
    ? 'Start Causeway, or causeway reload: manage: apply enables calling and SIP and stores the server.'
    : 'Set manage: apply and start Causeway, or enable calling and SIP by POST /PHONE_NUMBER_ID/settings.'
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(objectOf) : []
}
