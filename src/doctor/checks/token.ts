import type { NumberConfig } from '../../config/types.ts'
import type { DoctorContext } from '../context.ts'
import { fromError, pass, problem, skip } from '../finding.ts'
import type { Check, Finding } from '../types.ts'

const NEEDED = ['whatsapp_business_management', 'whatsapp_business_messaging']

/** The access tokens: alive, allowed to see their number, with both permissions where Graph tells. */
export const token: Check = {
  id: 'token',
  area: 'Graph API and settings',
  title: 'the access tokens are valid and have their permissions',
  needs: ['config'],
  async run(context) {
    const { numbers } = context.config
    if (numbers.length === 0) return [skip('no numbers are configured')]
    return Promise.all(numbers.map((number) => ofNumber(context, number)))
  },
}

async function ofNumber(context: DoctorContext, number: NumberConfig): Promise<Finding> {
  const { config, graph } = context
  const subject = `number ${number.name}`
  if (!number.accessToken) return skip('it has no access_token', subject)
  const { error } = await graph.settings(number)
  if (error) return fromError('fail', error, subject)
  if (config.whatsapp.provider !== 'meta') return pass('the settings can be read', subject)
  const { json } = await graph.permissions(number)
  const granted = json && grantedOf(json)
  if (!granted || granted.length === 0) {
    return pass('the settings can be read; Graph does not tell the token’s permissions', subject)
  }
  const missing = NEEDED.filter((name) => !granted.includes(name))
  if (missing.length === 0) return pass(`granted: ${NEEDED.join(', ')}`, subject)
  const evidence = `${missing.join(' and ')} not granted`
  return problem('fail', 'DOCTOR_TOKEN_SCOPE', { subject, evidence })
}

/** Names of the granted permissions in the answer of `GET /me/permissions`. */
export function grantedOf(json: Record<string, unknown>): string[] {
  const { data } = json
  if (!Array.isArray(data)) return []
  return data.flatMap((entry: unknown) => {
    const { permission, status } = (entry ?? {}) as Record<string, unknown>
    return typeof permission === 'string' && status === 'granted' ? [permission] : []
  })
}
