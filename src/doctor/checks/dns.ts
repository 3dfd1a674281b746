import { isIP } from 'node:net'
import type { Config } from '../../config/types.ts'
import { isPrivate, sameAddress } from '../addresses.ts'
import { pass, problem, skip } from '../finding.ts'
import type { Check, Finding } from '../types.ts'

/** The name WhatsApp dials, in DNS. */
export const dns: Check = {
  id: 'dns',
  area: 'Name and certificate',
  title: 'sip.domain leads here',
  needs: [],
  async run({ config, lab, system }) {
    const { domain } = config.sip
    if (isIP(domain) !== 0) return [skip(`${domain} is an address: see config`)]
    let found: string[]
    try {
      found = await system.resolve(domain)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      return [problem('warn', 'DOCTOR_DNS_SILENT', { evidence: `${domain}: ${code ?? message}` })]
    }
    if (lab) {
      const where = found.length > 0 ? `leads to ${found.join(', ')}` : 'is not in DNS'
      return [skip(`a lab, whose WhatsApp is told where ${domain} is (it ${where})`)]
    }
    return judgeDns(config, found, system.addresses())
  },
}

/**
 * Judges the addresses of `sip.domain`.
 *
 * @param own addresses of this machine
 */
function judgeDns(config: Config, found: readonly string[], own: readonly string[]): Finding[] {
  const { domain, externalAddress, listen } = config.sip
  if (found.length === 0) {
    const evidence = `${domain} has no A and no AAAA record`
    const fix = `Add an A record for ${domain}${externalAddress ? ` with ${externalAddress}` : ' with your public address'}.`
    return [problem('fail', 'DOCTOR_DNS_MISSING', { evidence, fix })]
  }
  const leads = `${domain} → ${found.join(', ')}`
  const hidden = found.filter(isPrivate)
  if (hidden.length > 0) return [problem('fail', 'DOCTOR_DNS_PRIVATE', { evidence: leads })]
  const wanted = externalAddress ? [externalAddress, ...own] : own
  const ours = found.filter((address) => wanted.some((one) => sameAddress(one, address)))
  if (ours.length === 0) {
    const evidence = externalAddress
      ? `${leads}; sip.external_address is ${externalAddress}`
      : `${leads}; this machine has ${own.filter((one) => one !== '127.0.0.1' && one !== '::1').join(', ') || 'no address of its own'}, and sip.external_address is not set`
    return [problem(externalAddress ? 'fail' : 'warn', 'DOCTOR_DNS_ELSEWHERE', { evidence })]
  }
  const six = found.filter((address) => isIP(address) === 6)
  if (six.length > 0 && isIP(listen.whatsapp.host) === 4 && config.sip.server.kind === 'embedded') {
    const evidence = `${leads}; the listener is ${listen.whatsapp.host}:${listen.whatsapp.port}`
    return [problem('warn', 'DOCTOR_DNS_IPV6', { evidence })]
  }
  return [pass(leads)]
}
