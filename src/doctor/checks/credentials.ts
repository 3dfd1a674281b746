import { answerChallenge, chooseChallenge } from '../../bridge/digest/answer.ts'
import type { NumberConfig } from '../../config/types.ts'
import { headerValue, type SipResponse } from '../../embedded-drachtio/message/index.ts'
import { desiredCalling, desiredContext, ownServer } from '../../settings/index.ts'
import type { Secret } from '../../shared/secret.ts'
import { type DoctorContext, proxyOf } from '../context.ts'
import { pass, problem, skip } from '../finding.ts'
import { ask, makeOptions, NoAnswer } from '../probe/sip.ts'
import type { Check, Finding } from '../types.ts'
import { fits } from './settings.ts'

/**
 * The SIP password, by a digest that rings nowhere: an OPTIONS from the number, answered with the
 * same code that answers WhatsApp's challenge of an INVITE. Where WhatsApp does not challenge
 * OPTIONS nothing is proven, and the check says so; an INVITE would disturb somebody.
 */
export const credentials: Check = {
  id: 'credentials',
  area: 'WhatsApp SIP',
  title: 'WhatsApp accepts the SIP password',
  needs: ['whatsapp-tls'],
  run: async (context) =>
    Promise.all(context.config.numbers.map((number) => ofNumber(context, number))),
}

async function ofNumber(context: DoctorContext, number: NumberConfig): Promise<Finding> {
  const { config, graph } = context
  const subject = `number ${number.name}`
  const desired = desiredCalling(number, desiredContext(config))
  if (desired.sip.server === undefined) return skip('SIP is meant to be off', subject)
  let password = number.sipPassword
  if (!password) {
    const { settings } = await graph.settings(number)
    if (!settings) return skip('its settings cannot be read: see token', subject)
    const { domain } = config.sip
    const own =
      ownServer(settings.actual, domain) ??
      settings.actual.sip.servers.find(({ hostname }) => fits(hostname, domain))
    if (!own) return skip(`no server ${config.sip.domain} is stored: see sip-server`, subject)
    password = own.sip_user_password
  }
  if (!password) {
    const evidence = `Graph shows no password for ${config.sip.domain} to this token`
    return problem('fail', 'SETTINGS_CREDENTIALS_MISSING', { subject, evidence })
  }
  const source = number.sipPassword ? 'sip_password' : 'the fetched password'
  try {
    return judge(await dryRun(context, number, password), source, subject)
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    const known = `${source} is known, and unproven until the first call`
    return skip(`WhatsApp does not answer OPTIONS (${error.message}): ${known}`, subject)
  }
}

interface DryRun {
  challenged: boolean
  response: SipResponse
}

async function dryRun(
  context: DoctorContext,
  number: NumberConfig,
  password: Secret,
): Promise<DryRun> {
  const { config, random } = context
  const { sipDomain } = config.whatsapp
  const { host, port, transport } = proxyOf(config)
  const place = { host, port: port ?? 5061, transport, name: sipDomain }
  const uri = `sip:${sipDomain};transport=tls`
  const parts = {
    uri,
    from: `<sip:${number.phoneNumber}@${config.sip.domain}>`,
    to: `<sip:${sipDomain}>`,
    callId: `doctor-${random.hex(12)}`,
  }
  const response = await ask(context, place, makeOptions(context, parts))
  if (response.status !== 401 && response.status !== 407) return { challenged: false, response }
  const challenge = chooseChallenge({
    www: challenges(response, 'www-authenticate'),
    proxy: challenges(response, 'proxy-authenticate'),
  })
  if (!challenge) return { challenged: true, response }
  const account = { username: number.phoneNumber.replace(/^\+/, ''), password }
  const cnonce = random.hex(12)
  const value = answerChallenge(challenge, account, { method: 'OPTIONS', uri, count: 1, cnonce })
  const authorization = { header: challenge.header, value }
  const again = makeOptions(context, { ...parts, cseq: 2, authorization })
  return { challenged: true, response: await ask(context, place, again) }
}

/** Every challenge of a kind in one text, as the digest code reads them. */
function challenges(response: SipResponse, key: string): string | undefined {
  const values = response.headers.filter((line) => line.key === key).map((line) => line.value)
  return values.length > 0 ? values.join(', ') : headerValue(response.headers, key)
}

function judge({ challenged, response }: DryRun, source: string, subject: string): Finding {
  const { status, reason } = response
  if (!challenged) {
    const known = `${source} is known, and unproven until the first call`
    return skip(`WhatsApp answers OPTIONS with ${status} unchallenged: ${known}`, subject)
  }
  const server = /does not match any SIP server/i.test(reason)
  if (server) return pass(`${source} is accepted; the host of From is not: see sip-server`, subject)
  if (status === 401 || status === 403 || status === 407) {
    const evidence = `${source} is answered ${status} ${reason}`
    return problem('fail', 'DOCTOR_PASSWORD_REFUSED', { subject, evidence })
  }
  return pass(`${source} is accepted (${status} after a challenge)`, subject)
}
