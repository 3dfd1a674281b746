import { isIP } from 'node:net'
import {
  headerValue,
  parseNameAddr,
  parseSipUri,
  type SipRequest,
  type SipUri,
} from '../../embedded-drachtio/message/index.ts'
import { Secret } from '../../shared/secret.ts'
import { judgeSdp, readAudio } from '../media/index.ts'
import { withoutPlus } from '../party.ts'
import type { SimulatedNumber, SimulatorStore, SipTrunkView } from '../store.ts'
import type { ConsumerBook } from './consumers.ts'
import { type DigestGuard, type DigestParams, parseDigest } from './digest.ts'
import { DOMAIN, texts } from './identity.ts'

/** What the admission of a business-initiated INVITE comes to. */
export type Admission =
  | { kind: 'challenge'; stale: boolean }
  | { kind: 'refuse'; status: number; text: string }
  | { kind: 'admit'; number: SimulatedNumber; server: SipTrunkView; consumer: string }

/** What admission needs to look at. */
export interface AdmissionContext {
  store: SimulatorStore
  consumers: ConsumerBook
  guard: DigestGuard
  /** Notes a broken rule that is tolerated. */
  violate: (rule: string, detail: string) => void
}

function refuse(status: number, text: string): Extract<Admission, { kind: 'refuse' }> {
  return { kind: 'refuse', status, text }
}

/** Whether a Request-URI leads nowhere: an IP literal or `sips:`. */
export function isLost(uri: SipUri | undefined): boolean {
  return uri === undefined || uri.scheme === 'sips' || isIP(uri.host) !== 0
}

/** Judges a new INVITE of the business, in the order WhatsApp does. */
export function admit(invite: SipRequest, context: AdmissionContext): Admission {
  const { store, violate } = context
  const uri = parseSipUri(invite.uri)
  if (!uri || isLost(uri)) return refuse(404, 'Not found')
  if (uri.host !== DOMAIN) violate('request-uri', `host is ${uri.host}, not ${DOMAIN}`)
  if (uri.params['transport']?.toLowerCase() !== 'tls') {
    violate('request-uri', 'no ;transport=tls in the Request-URI')
  }
  const sender = authenticate(invite, context)
  if (sender.kind !== 'known') return sender
  const { number, domain, fromUri } = sender
  if (!fromUri?.user?.startsWith('+')) violate('from', 'the From user lacks its +')

  const server = store.sipServerForDomain(number, domain)
  if (!server) return refuse(403, texts.wrongServer(domain, number.phoneNumberId))
  if (!server.authorized) {
    return refuse(403, texts.notAuthorized(server.appId, server.hostname, number.phoneNumberId))
  }
  return admitCall(invite, uri, number, server, context)
}

/** Who sends a request, or what it is answered instead. */
type Sender =
  | { kind: 'known'; number: SimulatedNumber; domain: string; fromUri: SipUri | undefined }
  | Exclude<Admission, { kind: 'admit' }>

/** Judges the credentials and the From user of a request. */
function authenticate(
  request: SipRequest,
  context: Pick<AdmissionContext, 'store' | 'guard'>,
): Sender {
  const { store } = context
  const from = parseNameAddr(headerValue(request.headers, 'from') ?? '')
  const fromUri = from && parseSipUri(from.uri)
  const number = store.lookupNumberByPhone(fromUri?.user ?? '')

  const credentials = parseDigest(headerValue(request.headers, 'proxy-authorization') ?? '')
  if (!credentials) return { kind: 'challenge', stale: false }
  const owner = store.lookupNumberByPhone(credentials['username'] ?? '')
  const domain = fromUri?.host ?? ''
  if (owner) {
    const verdict = checkDigest(owner, domain, credentials, request.method, context)
    if (verdict === 'stale') return { kind: 'challenge', stale: true }
    if (verdict === 'wrong') return refuse(403, texts.badDigest)
  }
  if (!number) return refuse(400, texts.unknownNumber)
  if (owner !== number || credentials['username']?.startsWith('+')) {
    return refuse(403, texts.digestUser)
  }
  return { kind: 'known', number, domain, fromUri }
}

/** Judges an OPTIONS that is challenged: undefined when credentials and From are good. */
export function admitOptions(
  request: SipRequest,
  context: Pick<AdmissionContext, 'store' | 'guard'>,
): Exclude<Admission, { kind: 'admit' }> | undefined {
  const sender = authenticate(request, context)
  if (sender.kind !== 'known') return sender
  const { number, domain } = sender
  if (context.store.sipServerForDomain(number, domain)) return undefined
  return refuse(403, texts.wrongServer(domain, number.phoneNumberId))
}

function checkDigest(
  owner: SimulatedNumber,
  domain: string,
  credentials: DigestParams,
  method: string,
  context: Pick<AdmissionContext, 'store' | 'guard'>,
): 'ok' | 'stale' | 'wrong' {
  const { store, guard } = context
  const server = store.sipServerForDomain(owner, domain) ?? store.sipServerFor(owner)
  const [other] = owner.passwords.values()
  const password = server?.password ?? other
  if (password === undefined) return 'wrong'
  return guard.check(credentials, method, new Secret(password))
}

/** The rules of the number, the consumer and the SDP. */
function admitCall(
  invite: SipRequest,
  uri: SipUri,
  number: SimulatedNumber,
  server: SipTrunkView,
  context: AdmissionContext,
): Admission {
  const { store, consumers, violate } = context
  if (server.status !== 'ENABLED') {
    return refuse(403, texts.callingDisabled(number.phoneNumberId))
  }
  const restricted = number.restrictions.some(
    (restriction) => restriction.type === 'RESTRICTED_BUSINESS_INITIATED_CALLING',
  )
  if (restricted) return refuse(403, texts.restricted)
  if (!number.businessInitiatedAllowed) return refuse(403, texts.unavailable)

  const user = uri.user ?? ''
  if (/^\d+$/.test(user)) violate('request-uri', 'the Request-URI user lacks its +')
  const consumer = consumers.get(withoutPlus(user))
  if (!isPermitted(store, number, consumer.id, consumer.userId)) {
    return refuse(403, texts.noPermission)
  }
  if (store.activeCall(number, consumer.id)) return refuse(403, texts.duplicate)
  if (!store.mayConnect(number, consumer.id)) return refuse(403, texts.dailyLimit)

  const { refusal, violations } = judgeSdp(
    invite.body ? readAudio(invite.body.toString()) : undefined,
    { srtp: server.srtp, codecs: server.codecs },
    'offer',
  )
  for (const violation of violations) violate('sdp', violation)
  if (refusal) return refuse(403, refusal)
  return { kind: 'admit', number, server, consumer: consumer.id }
}

/** A grant may have been recorded under the number or under the BSUID. */
function isPermitted(
  store: SimulatorStore,
  number: SimulatedNumber,
  ...parties: string[]
): boolean {
  return parties.some((party) => store.permission(number, party).status !== 'no_permission')
}
