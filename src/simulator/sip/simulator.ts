import {
  parseNameAddr,
  parseSipUri,
  type SipMessage,
} from '../../embedded-drachtio/message/index.ts'
import type { Clock } from '../../shared/clock.ts'
import type { Logger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { withoutPlus } from '../party.ts'
import type { SimulatorStore } from '../store.ts'
import { admit, admitOptions, isLost } from './admission.ts'
import { type Behaviour, DEFAULT_BEHAVIOUR } from './behaviour.ts'
import { BusinessCall } from './business-call.ts'
import { clientContext, type TlsIdentity } from './connection.ts'
import { ConsumerBook } from './consumers.ts'
import type { SimulatorContext } from './context.ts'
import { required } from './dialog.ts'
import { DigestGuard } from './digest.ts'
import { type EndpointUser, type ServerTransaction, SipEndpoint } from './endpoint.ts'
import { DOMAIN } from './identity.ts'
import { createPhones, type PhoneOptions } from './phones.ts'
import { CallRecord, CallRegister } from './record.ts'
import type { Session } from './session.ts'
import { challengeResponse, plainResponse, refusal } from './shapes.ts'
import { UserCall, type UserCallOptions } from './user-call.ts'
import { makeWacid } from './wacid.ts'

/** Milliseconds a business has to answer a challenge before its call counts as over. */
const CHALLENGE_LIFE = 32_000

/** How WhatsApp's SIP side is set up. */
export interface WhatsAppSimulatorOptions {
  store: SimulatorStore
  clock: Clock
  random: Random
  log: Logger
  /** Where to listen; port 0 lets the system choose. */
  host: string
  port: number
  tls: {
    /** Certificate for `wa.meta.vc`. */
    identity: TlsIdentity
    /** PEM trust anchors for the business's certificate. */
    trust: readonly string[]
    /** Certificate given to a server that asks for one (CN client.sip.fbclientcerts.com). */
    client?: TlsIdentity
  }
  /** Where host names lead in a lab; certificates are verified for the name all the same. */
  dialTo?: Record<string, { host: string; port?: number }>
  media?: PhoneOptions
  behaviour?: Partial<Behaviour>
}

/** WhatsApp's SIP side, running. */
export interface WhatsAppSimulator {
  readonly address: { host: string; port: number }
  readonly behaviour: Readonly<Behaviour>
  readonly consumers: ConsumerBook
  readonly calls: CallRegister
  /** Changes behaviour for calls to come. */
  change(behaviour: Partial<Behaviour>): void
  /** Makes a consumer call a business. Throws RangeError when the number is unknown. */
  placeCall(options: UserCallOptions): CallRecord
  /** Ends a call from the consumer's side; false when it is unknown or over. */
  hangup(id: string): boolean
  /** Sends digits to the business; false when the call is not up. RangeError for no digit. */
  dtmf(id: string, digits: string): boolean
  close(): Promise<void>
}

/** Starts WhatsApp's SIP side: listener, calls and media. */
export async function createWhatsAppSimulator(
  options: WhatsAppSimulatorOptions,
): Promise<WhatsAppSimulator> {
  const { store, clock, random, log } = options
  const behaviour: Behaviour = { ...DEFAULT_BEHAVIOUR, ...options.behaviour }
  const calls = new CallRegister()
  const consumers = new ConsumerBook(random)
  const guard = new DigestGuard({ clock, random, realm: DOMAIN })
  const sessions = new Map<string, Session>()

  const user: EndpointUser = {
    request: (transaction) => dispatch(transaction),
    ack: (request) => {
      const session = sessions.get(request.callId)
      if (session instanceof BusinessCall && session.owns(request)) session.ack(request)
    },
    cancelled: ({ request }) => {
      const session = sessions.get(request.callId)
      if (session instanceof BusinessCall) session.cancelled()
    },
    trace: (direction, message) => note(direction, message),
  }
  const { identity, trust, client } = options.tls
  const endpoint = new SipEndpoint({ clock, log, context: clientContext(trust, client), user })

  const context: SimulatorContext = {
    store,
    clock,
    random,
    log,
    endpoint,
    consumers,
    guard,
    behaviour,
    target(host, port, hostname) {
      const override = options.dialTo?.[host]
      const known = options.dialTo ? host in options.dialTo : false
      const to = override ?? { host }
      // An address in a Contact is covered by no certificate: the configured name is.
      const name = known || /[a-z]/i.test(host.replace(/:/g, '')) ? host : hostname
      return { host: to.host, port: to.port ?? port ?? 5061, hostname: name }
    },
    openMedia: createPhones({ clock, random, media: options.media ?? {}, behaviour }),
  }

  function note(direction: 'sent' | 'received', message: SipMessage): void {
    let call = calls.byCallId(message.callId)
    const opens =
      direction === 'received' &&
      message.kind === 'request' &&
      message.method === 'INVITE' &&
      message.toTag === ''
    if (!call && opens) {
      call = begin(
        message.callId,
        userOf(required(message, 'from')),
        userOf(required(message, 'to')),
      )
    }
    call?.note(direction, message)
  }

  /** A business-initiated call is known from its first INVITE, refused or not. */
  function begin(callId: string, business: string, consumer: string): CallRecord {
    const id = makeWacid({ user: consumer, business, businessInitiated: true }, random)
    const direction = 'BUSINESS_INITIATED'
    const call = new CallRecord({
      id,
      callId,
      direction,
      business: `+${business}`,
      consumer,
      clock,
    })
    calls.add(call)
    return call
  }

  function dispatch(transaction: ServerTransaction): void {
    const { request } = transaction
    const session = sessions.get(request.callId)
    if (session?.owns(request)) {
      session.inDialog(transaction)
      return
    }
    const answer = (status: number, reason?: string): void =>
      transaction.respond(plainResponse(request, status, random.uuid(), reason))
    switch (request.method) {
      case 'INVITE':
        if (isLost(parseSipUri(request.uri))) answer(404, 'Not found')
        else if (request.toTag !== '') answer(500, 'Internal Server Error')
        else invite(transaction)
        return
      case 'REGISTER':
        answer(403, 'Forbidden')
        return
      case 'OPTIONS':
        if (behaviour.options === 'answer') answer(200)
        else if (behaviour.options === 'challenge') challenged(transaction)
        return
      case 'BYE':
        answer(481)
        return
      default:
        answer(405)
    }
  }

  function challenged(transaction: ServerTransaction): void {
    const { request } = transaction
    const verdict = admitOptions(request, { store, guard })
    if (!verdict) transaction.respond(plainResponse(request, 200, random.uuid()))
    else if (verdict.kind === 'challenge') {
      const challenges = guard.challenge(behaviour.digest, verdict.stale)
      transaction.respond(challengeResponse(request, challenges))
    } else {
      transaction.respond(refusal(request, verdict.status, verdict.text, random.uuid()))
    }
  }

  function invite(transaction: ServerTransaction): void {
    const { request } = transaction
    const record = calls.byCallId(request.callId)
    if (!record) return
    if (record.state === 'ended' || sessions.has(request.callId)) {
      transaction.respond(plainResponse(request, 482, random.uuid()))
      return
    }
    const violate = (rule: string, detail: string): void => record.violate(rule, detail)
    const verdict = admit(request, { store, consumers, guard, violate })
    if (verdict.kind === 'challenge') {
      record.enter('challenged')
      const challenges = guard.challenge(behaviour.digest, verdict.stale)
      transaction.respond(challengeResponse(request, challenges))
      clock.setTimeout(() => {
        if (sessions.has(request.callId)) return
        record.end({ by: 'business', status: 407, reason: 'challenge not answered' })
      }, CHALLENGE_LIFE)
      return
    }
    if (verdict.kind === 'refuse') {
      const { status, text } = verdict
      transaction.respond(refusal(request, status, text, random.uuid()))
      record.end({ by: 'whatsapp', status, reason: text })
      return
    }
    const { number, server } = verdict
    const consumer = consumers.get(verdict.consumer)
    record.business = number.phoneNumber
    record.consumer = consumer.id
    const session = new BusinessCall({ context, record, number, server, consumer })
    track(session)
    session.ring(transaction)
  }

  function track(session: Session): void {
    const { callId } = session.record
    sessions.set(callId, session)
    void session.record.until(() => false).then(() => sessions.delete(callId))
  }

  function placeCall(call: UserCallOptions): CallRecord {
    const number = store.lookupNumberByPhone(call.to)
    if (!number) throw new RangeError(`${call.to} is no number of this simulator`)
    const consumer = consumers.get(call.from)
    const id = makeWacid(
      { user: consumer.id, business: number.digits, businessInitiated: false },
      random,
    )
    const record = new CallRecord({
      id,
      callId: `outgoing:${id}`,
      direction: 'USER_INITIATED',
      business: number.phoneNumber,
      consumer: consumer.id,
      clock,
    })
    calls.add(record)
    const server = store.sipServerFor(number)
    const restricted = number.restrictions.some(
      (restriction) => restriction.type === 'RESTRICTED_USER_INITIATED_CALLING',
    )
    const drop = (reason: string): CallRecord => {
      record.end({ by: 'whatsapp', reason: `call dropped, no INVITE: ${reason}` })
      return record
    }
    if (!server) return drop('no SIP server is configured for the number')
    if (server.status !== 'ENABLED') return drop('calling or SIP is disabled on the number')
    if (restricted) return drop('user-initiated calling is restricted on the number')
    if (store.activeCall(number, consumer.id)) return drop('a call of this user is in progress')
    const session = new UserCall({ context, record, number, server, consumer })
    track(session)
    void session.place(call)
    return record
  }

  const address = await endpoint.listen({ identity, host: options.host, port: options.port })
  const find = (id: string): Session | undefined => {
    const call = calls.get(id)
    return call && sessions.get(call.callId)
  }
  return {
    address,
    behaviour,
    consumers,
    calls,
    change: (changes) => void Object.assign(behaviour, changes),
    placeCall,
    hangup(id) {
      const session = find(id)
      session?.hangup()
      return session !== undefined
    },
    dtmf(id, digits) {
      const session = find(id)
      if (session?.record.state !== 'answered') return false
      session.dtmf(digits)
      return true
    },
    async close() {
      for (const session of [...sessions.values()]) session.abandon()
      await endpoint.close()
    },
  }
}

/** Digits or BSUID of the user part of a From or To, RFC 4904 parameters left out. */
function userOf(value: string): string {
  const address = parseNameAddr(value)
  const uri = address && parseSipUri(address.uri)
  return withoutPlus((uri?.user ?? '').split(';')[0]!)
}
