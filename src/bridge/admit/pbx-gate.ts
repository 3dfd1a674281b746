import type { NumberConfig, TrunkConfig } from '../../config/types.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import { consumerOf } from '../address/consumer.ts'
import { fillTemplate } from '../address/template.ts'
import { parseParty, parseUri } from '../address/uri.ts'
import type { BridgeContext } from '../context.ts'
import { credentialsFor, verify } from '../digest/verify.ts'
import { CALLED, isOurContact } from '../registration/contact.ts'
import type { IncomingRequest } from '../sip-port.ts'
import type { Directory } from './directory.ts'
import type { Entry } from './whatsapp-gate.ts'

/**
 * Which trunk a request of the PBX belongs to: by the token of our Contact it was sent to, by where a
 * PBX registered from, by its source address, by the registrar it comes from, else by digest where a
 * trunk has credentials for it.
 */
export function admitPbx(ctx: BridgeContext, request: IncomingRequest): Entry<TrunkConfig> {
  const { directory } = ctx
  const known = knownTrunk(ctx, request)
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
  if (!credentials) return { kind: 'challenge', stale: false }
  const trunk = directory.trunkOf(credentials.username)
  const password = trunk?.accept.password
  const account = password && { usernames: [credentials.username], password }
  const verdict = account ? verify(credentials, account, request.method, ctx.nonces) : 'wrong'
  if (trunk && verdict === 'good') return { kind: 'in', value: trunk }
  if (verdict === 'stale') return { kind: 'challenge', stale: true }
  const detail = `user ${credentials.username}`
  return { kind: 'refused', error: new CausewayError('CALL_PBX_CHALLENGE_FAILED', { detail }) }
}

function knownTrunk(ctx: BridgeContext, request: IncomingRequest): TrunkConfig | undefined {
  const { directory, registrations, registrar } = ctx
  const related = registrations.trunkByToken(request) ?? registrar.trunkAt(request)
  const trunk = related === undefined ? undefined : directory.trunk(related)
  if (trunk) return trunk
  const listed = directory.trunkAt(request.sourceAddress)
  if (listed) return listed
  const registered = registrations.trunkByRegistrar(request.sourceAddress)
  return registered === undefined ? undefined : directory.trunk(registered)
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
  const dialled = dialledUser(trunk, request)
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

/**
 * The user part that was dialled. A PBX that calls a registered contact as it is says whom it means in
 * P-Called-Party-ID (RFC 7315 §4.2) or To.
 */
function dialledUser({ register }: TrunkConfig, request: IncomingRequest): string {
  const user = parseUri(request.uri)?.user ?? ''
  if (!register || !isOurContact(user, register)) return user
  for (const name of CALLED) {
    const called = parseParty(request.header(name) ?? '')?.user ?? ''
    if (called !== '' && !isOurContact(called, register)) return called
  }
  return user
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
