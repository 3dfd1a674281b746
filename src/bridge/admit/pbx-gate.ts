import type { NumberConfig, TrunkConfig } from '../../config/types.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import { consumerOf } from '../address/consumer.ts'
import { fillTemplate } from '../address/template.ts'
import { parseParty, parseUri } from '../address/uri.ts'
import type { BridgeContext } from '../context.ts'
import { credentialsFor, verify } from '../digest/verify.ts'
import type { IncomingRequest } from '../sip-port.ts'
import type { Directory } from './directory.ts'
import type { Entry } from './whatsapp-gate.ts'

/**
 * Which trunk a request of the PBX belongs to: by its source address, else by digest where a trunk has
 * credentials for it.
 */
export function admitPbx(ctx: BridgeContext, request: IncomingRequest): Entry<TrunkConfig> {
  const { directory } = ctx
  const known = directory.trunkAt(request.sourceAddress)
  if (known) return { kind: 'in', value: known }
  if (!directory.challengesPbx) {
    const detail = request.sourceAddress
    return { kind: 'refused', error: new CausewayError('CALL_PBX_SOURCE_REFUSED', { detail }) }
  }
  const credentials = credentialsFor(
    directory.config.sip.domain,
    request.header('proxy-authorization'),
    request.header('authorization'),
  )
  if (!credentials) {
    ctx.digests.checked('pbx', 'challenged')
    return { kind: 'challenge', stale: false }
  }
  const trunk = directory.trunkOf(credentials.username)
  const password = trunk?.accept.password
  const account = password && { usernames: [credentials.username], password }
  const verdict = account ? verify(credentials, account, request.method, ctx.nonces) : 'wrong'
  ctx.digests.checked('pbx', verdict)
  if (trunk && verdict === 'good') return { kind: 'in', value: trunk }
  if (verdict === 'stale') return { kind: 'challenge', stale: true }
  const detail = `user ${credentials.username}`
  return { kind: 'refused', error: new CausewayError('CALL_PBX_CHALLENGE_FAILED', { detail }) }
}

/** Who calls whom, out of an INVITE of the PBX. */
export interface DialledCall {
  number: NumberConfig
  /** `+E.164` or BSUID. */
  consumer: string
}

/**
 * Reads the consumer out of the Request-URI and the business number out of P-Asserted-Identity, From
 * or the trunk, in this order.
 */
export function readDialled(
  directory: Directory,
  trunk: TrunkConfig,
  request: IncomingRequest,
): DialledCall | CausewayError {
  const dialled = parseUri(request.uri)?.user ?? ''
  const number = businessNumber(directory, trunk, request)
  if (!number) {
    const detail = `trunk ${trunk.name}, From ${request.header('from') ?? ''}`
    return new CausewayError('CALL_BUSINESS_NUMBER_MISSING', { detail })
  }
  const values = { business: number.phoneNumber, caller: number.phoneNumber, dialed: dialled }
  const consumer = consumerOf(fillTemplate(trunk.outbound.to, values))
  if (consumer === undefined) {
    return new CausewayError('CALL_DIALLED_INVALID', { detail: dialled || request.uri })
  }
  return { number, consumer }
}

function businessNumber(
  directory: Directory,
  trunk: TrunkConfig,
  request: IncomingRequest,
): NumberConfig | undefined {
  for (const name of ['p-asserted-identity', 'from']) {
    // P-Asserted-Identity may hold a SIP and a tel URI (RFC 3325 §9.1).
    const parties = request.header(name)?.split(/,\s*(?=["<]|sips?:|tel:)/) ?? []
    for (const party of parties) {
      const number = directory.numberOf(parseParty(party)?.user ?? '')
      if (number) return number
    }
  }
  const { number } = trunk.outbound
  return number === undefined ? undefined : directory.number(number)
}
