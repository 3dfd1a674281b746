import { isIP } from 'node:net'
import { defaultPort } from '../../config/addresses.ts'
import type { TrunkConfig, TrunkTarget } from '../../config/types.ts'
import { formatHostPort } from '../../shared/host-port.ts'
import type { DoctorContext } from '../context.ts'
import { pass, problem, skip } from '../finding.ts'
import { ask, makeOptions, NoAnswer } from '../probe/sip.ts'
import { trunkTrust } from '../probe/trunk-trust.ts'
import type { Check, Finding } from '../types.ts'

/** Each target of each trunk, by an OPTIONS over its own transport. */
export const pbx: Check = {
  id: 'pbx',
  area: 'PBX',
  title: 'the PBXs answer',
  needs: [],
  async run(context) {
    const { trunks } = context.config
    if (trunks.length === 0) return [skip('no trunks are configured')]
    return (await Promise.all(trunks.map((trunk) => ofTrunk(context, trunk)))).flat()
  },
}

async function ofTrunk(context: DoctorContext, trunk: TrunkConfig): Promise<Finding[]> {
  if (trunk.targets.length === 0) return [skip('it has no targets', `trunk ${trunk.name}`)]
  return Promise.all(trunk.targets.map((target) => ofTarget(context, trunk, target)))
}

async function ofTarget(
  context: DoctorContext,
  { tls }: TrunkConfig,
  target: TrunkTarget,
): Promise<Finding> {
  const { transport } = target
  const { host, port } = await locate(context, target)
  const uri = `sip:${formatHostPort(host, port)};transport=${transport}`
  const request = makeOptions(context, {
    uri,
    from: `<sip:causeway@${context.config.sip.domain}>`,
    to: `<${uri}>`,
  })
  const began = context.clock.monotonic()
  try {
    const { status, reason } = await ask(
      context,
      {
        ...{ host, port, transport, name: tls?.serverName ?? target.host },
        ...(tls && transport === 'tls' ? { trust: trunkTrust(context.config, tls) } : {}),
      },
      request,
    )
    const ms = Math.round(context.clock.monotonic() - began)
    return judgeAnswer(target.uri, status, reason, ms)
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    return judgeSilence(target, error)
  }
}

/** Where a target is: a name without a port may have SRV records (RFC 3263 §4.2). */
async function locate(
  { system }: DoctorContext,
  { host, port, transport }: TrunkTarget,
): Promise<{ host: string; port: number }> {
  if (port !== undefined || isIP(host) !== 0) return { host, port: port ?? defaultPort(transport) }
  const service = transport === 'tls' ? '_sips._tcp' : `_sip._${transport}`
  const [best] = await system.services(`${service}.${host}`)
  return best ? { host: best.name, port: best.port } : { host, port: defaultPort(transport) }
}

/** Any answer is a sign of life; a 5xx or 6xx is the PBX's own trouble. */
export function judgeAnswer(uri: string, status: number, reason: string, ms: number): Finding {
  const said = `${status} ${reason}`.trim()
  // 501: OPTIONS is not implemented, which says nothing about calls.
  if (status >= 500 && status !== 501) {
    const evidence = `OPTIONS is answered ${said}`
    return problem('warn', 'DOCTOR_PBX_TROUBLE', { subject: uri, evidence })
  }
  return pass(`${said} in ${ms} ms`, uri)
}

/** Judges why a target gave no answer. */
function judgeSilence({ uri, transport, host }: TrunkTarget, silence: NoAnswer): Finding {
  const { code, message } = silence
  if (code === 'certificate') {
    const evidence = `for ${host}: ${message}`
    return problem('fail', 'DOCTOR_PBX_TLS', { subject: uri, evidence })
  }
  const why =
    code === 'ECONNREFUSED'
      ? `nothing listens there on ${transport === 'udp' ? 'UDP' : 'TCP'} (ECONNREFUSED)`
      : message
  return problem('fail', 'DOCTOR_PBX_SILENT', { subject: uri, evidence: why })
}
