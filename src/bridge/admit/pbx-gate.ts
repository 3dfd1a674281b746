import type { NumberConfig, TrunkConfig } from '../../config/types.ts'
import {
  chooseNumber,
  fillTemplate,
  type LeavingCall,
  type NumberChoice,
  withoutPlus,
} from '../../routing/index.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import { consumerOf } from '../address/consumer.ts'
import { splitValues } from '../address/contacts.ts'
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

function knownTrunk(ctx: BridgeContext, request: IncomingRequest): TrunkConfig | undefined {
  const { directory, registrations, registrar } = ctx
  const { sourceAddress, uri } = request
  const related =
    registrations.trunkByToken(request) ??
    registrar.trunkAt(request) ??
    // Several accounts at one PBX: without the token, the user part tells which.
    registrations.trunkByContact(sourceAddress, parseUri(uri)?.user ?? '')
  const trunk = related === undefined ? undefined : directory.trunk(related)
  if (trunk) return trunk
  const listed = directory.trunkAt(sourceAddress)
  if (listed) return listed
  const registered = registrations.trunkByRegistrar(sourceAddress)
  return registered === undefined ? undefined : directory.trunk(registered)
}

/** What of an INVITE says who calls whom. */
export type DialledMessage = Pick<IncomingRequest, 'uri' | 'header'>

/** Who calls whom, out of an INVITE of the PBX. */
export interface DialledCall {
  number: NumberConfig
  /** `+E.164` or BSUID. */
  consumer: string
  /** What named the number, for the record of the call. */
  route: string
}

/**
 * Reads the consumer out of what the PBX dialled, and the business number out of what the trunk looks at
 * (`outbound.by`).
 */
export function readDialled(
  directory: Directory,
  trunk: TrunkConfig,
  message: DialledMessage,
): DialledCall | CausewayError {
  const choice = chooseNumberOf(directory, trunk, message)
  const number = choice.number === undefined ? undefined : directory.number(choice.number)
  if (!number) {
    const detail = `trunk ${trunk.name}, From ${message.header('from') ?? 'missing'}`
    return new CausewayError('CALL_BUSINESS_NUMBER_MISSING', { detail })
  }
  const { dialled, route } = choice
  const user = fillTemplate(trunk.outbound.to, {
    business: number.phoneNumber,
    'business:digits': withoutPlus(number.phoneNumber),
    dialed: dialled,
  })
  const consumer = consumerOf(user, trunk.presentation)
  if (consumer === undefined) {
    // Without its parameters: our Contact has a token among them.
    const detail = dialled || message.uri.split(';', 1)[0]!
    return new CausewayError('CALL_DIALLED_INVALID', { detail })
  }
  return { number, consumer, route }
}

/**
 * The user part that was dialled. A PBX that calls a registered contact as it is says whom it means in
 * P-Called-Party-ID (RFC 7315 §4.2) or To.
 */
function dialledUser({ register }: TrunkConfig, message: DialledMessage): string {
  const user = parseUri(message.uri)?.user ?? ''
  if (!register || !isOurContact(user, register)) return user
  for (const name of CALLED) {
    const called = parseParty(message.header(name) ?? '')?.user ?? ''
    if (called !== '' && !isOurContact(called, register)) return called
  }
  return user
}

/** The number a call of the PBX leaves from, with everything that was looked at for it. */
export function chooseNumberOf(
  directory: Directory,
  trunk: TrunkConfig,
  message: DialledMessage,
): NumberChoice {
  const { outbound, presentation } = trunk
  const numberOf = (user: string): string | undefined =>
    (directory.numberOf(user) ?? directory.numberOf(consumerOf(user, presentation) ?? ''))?.name
  return chooseNumber(
    outbound,
    { dialled: dialledUser(trunk, message), parties: partiesOf(message) },
    numberOf,
  )
}

/**
 * The users of the headers that may name the business. P-Asserted-Identity may hold a SIP and a tel URI
 * (RFC 3325 §9.1); the first Diversion is the latest (RFC 5806 §6), and so is the last History-Info
 * (RFC 7044 §5).
 */
function partiesOf(message: DialledMessage): LeavingCall['parties'] {
  const users = (name: string): string[] =>
    splitValues(message.header(name) ?? '').flatMap((value) => parseParty(value)?.user || [])
  return {
    pai: users('p-asserted-identity'),
    from: users('from'),
    diversion: users('diversion'),
    'history-info': users('history-info').reverse(),
  }
}
