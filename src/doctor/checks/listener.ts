import type { Config } from '../../config/types.ts'
import { formatHostPort } from '../../shared/host-port.ts'
import type { DoctorContext } from '../context.ts'
import { pass, problem, skip } from '../finding.ts'
import { handshake, isOpen } from '../probe/tls.ts'
import type { Check, Finding } from '../types.ts'
import { listenerAddress } from './certificate.ts'

/** The listener under the name and port WhatsApp dials. */
export const listener: Check = {
  id: 'listener',
  area: 'Name and certificate',
  title: 'the listener is reached under its public name',
  needs: ['dns'],
  async run(context) {
    const { config, lab, system } = context
    const { domain, listen } = config.sip
    if (listen.whatsapp.transport !== 'tls') return [skip('the listener is not TLS: see config')]
    const at = await listenerAddress(context)
    const own = at && (await fingerprint(context, at.host, at.port))
    if (!at || !own) return [skip('nothing listens on this machine: start causeway up')]
    if (lab) return [skip('a lab: WhatsApp’s side is told where the name leads')]
    const addresses = await system.resolve(domain)
    const port = publicPort(config) || at.port
    return Promise.all(addresses.map((address) => reach(context, address, port, own)))
  },
}

/** The port WhatsApp dials: that of the settings, which defaults to the listener's. */
function publicPort({ numbers, sip }: Config): number {
  const [first] = numbers.flatMap(({ calling }) => calling.sip?.port || [])
  return first ?? sip.listen.whatsapp.port
}

async function reach(
  context: DoctorContext,
  address: string,
  port: number,
  own: string,
): Promise<Finding> {
  const place = formatHostPort(address, port)
  const seen = await fingerprint(context, address, port)
  if (seen === own) return pass(`${place} is this listener`)
  if (seen === undefined) {
    const evidence = `no TLS connection to ${place} from here`
    const fix = `From another network: nc -zv ${context.config.sip.domain} ${port}. Forward TCP ${port} to this machine. When it works from there, all is well.`
    return problem('warn', 'DOCTOR_LISTENER_UNREACHABLE', { evidence, fix })
  }
  const evidence = `${place} shows another certificate, ${seen.slice(0, 23)}…`
  return problem('fail', 'DOCTOR_LISTENER_OTHER', { evidence })
}

/** The fingerprint of the certificate shown there; undefined when there is no TLS. */
async function fingerprint(
  context: DoctorContext,
  host: string,
  port: number,
): Promise<string | undefined> {
  const { system, config, trust, clock, signal } = context
  const dial = () => system.dial(host, port)
  const outcome = await handshake({ dial, name: config.sip.domain, trust, clock, signal })
  if (!isOpen(outcome)) return undefined
  outcome.socket.destroy()
  return outcome.certificate.fingerprint256
}
