import { describeDifferences, foreignServers, ownServer } from '../../settings/index.ts'
import { pass, problem, skip } from '../finding.ts'
import type { Finding } from '../types.ts'
import { numberCheck, type ReadNumber } from './per-number.ts'

/** Fields that have a check of their own, which says more than that they differ. */
function hasOwnCheck(path: string, domain: string): boolean {
  return [
    'calling.status',
    'calling.sip.status',
    'calling.srtp_key_exchange_protocol',
    `calling.sip.servers[${domain}]`,
  ].includes(path)
}

/** The settings against the configuration. */
export const settings = numberCheck(
  { id: 'settings', title: 'the settings are as configured' },
  ({ number, subject, settings }, { config }) => {
    if (number.manage === 'off') return skip('manage: off', subject)
    const { domain } = config.sip
    // Port 0: without a running instance nobody knows which port the system will choose.
    const drift = settings.drift.filter(
      ({ path, desired }) =>
        !hasOwnCheck(path, domain) && !(path.endsWith('].port') && desired === 0),
    )
    if (drift.length === 0) return pass('as configured', subject)
    const fix =
      number.manage === 'apply'
        ? 'Start Causeway, or causeway reload: manage: apply writes what differs. Or take the change into numbers[].calling.'
        : 'Set manage: apply and causeway reload, or take the change into numbers[].calling.'
    return problem('warn', 'SETTINGS_DRIFT', { subject, evidence: describeDifferences(drift), fix })
  },
)

/** The servers stored on the number: ours, whose name From has to carry, and nobody else's. */
export const sipServer = numberCheck(
  { id: 'sip-server', title: 'From’s host is a server of the number, and no other app has one' },
  (read, { config }) => {
    const { subject, desired } = read
    if (!desired.sip.server) return skip('SIP is meant to be off', subject)
    return judgeServers(read, config.sip.domain)
  },
)

/** Judges the stored servers against the host of From, `sip.domain`. */
function judgeServers(
  { subject, settings }: Pick<ReadNumber, 'subject' | 'settings'>,
  domain: string,
): Finding[] {
  const { servers } = settings.actual.sip
  if (servers.length === 0) return [skip('no server is stored: see calling', subject)]
  const named = (list: typeof servers): string =>
    list.map(({ hostname, app_id }) => `${hostname}${app_id ? ` (app ${app_id})` : ''}`).join(', ')
  const own = ownServer(settings.actual, domain)
  if (!own && !servers.some(({ hostname }) => fits(hostname, domain))) {
    const evidence = `stored ${named(servers)}; From has ${domain}`
    return [problem('fail', 'DOCTOR_FROM_HOST', { subject, evidence })]
  }
  const others = foreignServers(settings.actual, domain)
  if (own && others.length > 0) {
    const evidence = `beside ours: ${named(others)}`
    const apps = others.map(({ app_id }) => app_id ?? 'unknown').join(', ')
    const fix = `With the token of app ${apps}: POST /PHONE_NUMBER_ID/settings {"calling":{"sip":{"servers":[]}}}.`
    return [problem('warn', 'SETTINGS_FOREIGN_SERVER', { subject, evidence, fix })]
  }
  return [pass(named(servers), subject)]
}

/** WhatsApp's rule: the stored name is the host of From, or a name below it. */
export function fits(hostname: string, domain: string): boolean {
  const [stored, from] = [hostname, domain].map((name) => name.toLowerCase().replace(/\.$/, ''))
  return stored === from || stored!.endsWith(`.${from}`)
}

/** SDES or DTLS: what the number has against what is configured and what the relay can do. */
export const keyExchange = numberCheck(
  { id: 'key-exchange', title: 'SDES or DTLS as configured, and the relay can do it' },
  ({ subject, settings, desired, number }, { config }) => {
    if (desired.status === 'DISABLED') return skip('calling is meant to be off', subject)
    if (settings.actual.status !== 'ENABLED') return skip('calling is off: see calling', subject)
    const reported = settings.actual.srtp_key_exchange_protocol
    const actual = reported ?? 'DTLS'
    const said = reported ? reported : 'DTLS (not set)'
    const none = config.media.relay === 'none'
    if (none && actual === 'DTLS') {
      const evidence = `the number has ${said}; without a relay only SDES works`
      return problem('fail', 'DOCTOR_SRTP_MISFIT', { subject, evidence })
    }
    const wanted = desired.srtp_key_exchange_protocol
    if (number.manage !== 'off' && actual !== wanted) {
      const evidence = `the number has ${said}, configured is ${wanted}: never applied, or reset by a write elsewhere`
      const fix = `calling: { srtp_key_exchange_protocol: ${wanted} } and manage: apply, then causeway reload.`
      return problem('warn', 'DOCTOR_SRTP_MISFIT', { subject, evidence, fix })
    }
    return pass(`${said}, relay ${config.media.relay}`, subject)
  },
)
