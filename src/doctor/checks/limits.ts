import type { Config, NumberConfig } from '../../config/types.ts'
import type { DoctorContext } from '../context.ts'
import { pass, problem, skip } from '../finding.ts'
import type { Check, Finding } from '../types.ts'
import { numberCheck } from './per-number.ts'

/** Calling needs a messaging limit of this many recipients a day. */
const NEEDED = 2000

/** The messaging limit that calling needs. */
export const limit = numberCheck(
  { id: 'messaging-limit', title: 'the messaging limit allows calling' },
  async ({ number, subject, settings }, context) => {
    const found = await messagingLimit(context, number)
    if (found === undefined) return pass('Graph does not tell it', subject)
    if (found >= NEEDED) return pass(`${found} recipients a day`, subject)
    const on = settings.actual.status === 'ENABLED'
    const evidence = `${found} recipients a day${on ? '; calling is on, and could not be enabled again' : ''}`
    return problem(on ? 'warn' : 'fail', 'DOCTOR_MESSAGING_LIMIT', { subject, evidence })
  },
)

/**
 * Recipients a day; undefined where the provider does not tell. The field is that of v24.0 and
 * newer, and `messaging_limit_tier` before.
 */
export async function messagingLimit(
  { config, graph }: Pick<DoctorContext, 'config' | 'graph'>,
  number: NumberConfig,
): Promise<number | undefined> {
  const { provider, graphVersion } = config.whatsapp
  if (provider !== 'meta') return undefined
  const old = Number.parseInt(graphVersion.slice(1), 10) < 24
  const field = old ? 'messaging_limit_tier' : 'whatsapp_business_manager_messaging_limit'
  const { json } = await graph.fields(number, field)
  return readTier(json?.[field])
}

/** `TIER_250` → 250, `TIER_2K` → 2000; Infinity for TIER_UNLIMITED, undefined for anything else. */
export function readTier(tier: unknown): number | undefined {
  if (tier === 'TIER_UNLIMITED') return Number.POSITIVE_INFINITY
  const [, digits, thousand] = /^TIER_(\d+)(K?)$/.exec(String(tier)) ?? []
  return digits === undefined ? undefined : Number(digits) * (thousand ? 1000 : 1)
}

/** Countries whose numbers may not place calls: a matter of the number alone. */
export const country: Check = {
  id: 'country',
  area: 'Graph API and settings',
  title: 'WhatsApp lets the number place calls',
  needs: [],
  async run({ config }) {
    if (config.numbers.length === 0) return [skip('no numbers are configured')]
    return config.numbers.map((number) => judgeCountry(config, number, `number ${number.name}`))
  },
}

/** Judges the country of a number that trunks call from. */
export function judgeCountry(config: Config, number: NumberConfig, subject: string): Finding {
  const barred = barredCountry(number.phoneNumber)
  if (!barred) return pass(`nothing is known against ${masked(number.phoneNumber)}`, subject)
  const trunks = config.trunks.filter(({ outbound }) => outbound.number === number.name)
  if (trunks.length === 0)
    return pass(`${barred}: it takes calls only, and no trunk names it`, subject)
  const evidence = `a number of ${barred}, and trunk ${trunks.map(({ name }) => name).join(', ')} calls from it`
  return problem('warn', 'DOCTOR_COUNTRY', { subject, evidence })
}

const BARRED: [string, string][] = [
  ['+20', 'Egypt'],
  ['+84', 'Vietnam'],
  ['+234', 'Nigeria'],
]
/** Area codes of +1 that belong to other countries than the USA and Canada. */
const ISLANDS =
  /^\+1(242|246|264|268|284|340|345|441|473|649|658|664|670|671|684|721|758|767|784|787|809|829|849|868|869|876|939)/

/** The country whose numbers may not place calls, by the number; undefined for all others. */
export function barredCountry(phoneNumber: string): string | undefined {
  if (phoneNumber.startsWith('+1')) {
    return ISLANDS.test(phoneNumber) ? undefined : 'the USA or Canada'
  }
  return BARRED.find(([prefix]) => phoneNumber.startsWith(prefix))?.[1]
}

function masked(phoneNumber: string): string {
  return `${phoneNumber.slice(0, 3)}…`
}
