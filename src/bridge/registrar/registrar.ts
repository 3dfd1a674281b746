import type { TrunkConfig } from '../../config/types.ts'
import type { Clock, Timer } from '../../shared/clock.ts'
import { detach } from '../../shared/detach.ts'
import { CausewayError, isCausewayError } from '../../shared/errors/index.ts'
import { formatHostPort } from '../../shared/host-port.ts'
import type { Logger } from '../../shared/log.ts'
import type { Notices } from '../../shared/notices.ts'
import type { Secret } from '../../shared/secret.ts'
import { parseParty } from '../address/uri.ts'
import type { Directory } from '../admit/directory.ts'
import type { Algorithm } from '../digest/algorithm.ts'
import { challengeValue } from '../digest/challenge.ts'
import type { NonceSource } from '../digest/nonce.ts'
import { credentialsFor, verify } from '../digest/verify.ts'
import type { EndedFlow } from '../ended-flow.ts'
import { refusalHeaders } from '../outcome/refusal.ts'
import type { Headers, IncomingRequest } from '../sip-port.ts'
import { type Binding, type RegisteredTarget, type Source, targetsOf } from './binding.ts'
import { type BindingChange, Bindings } from './bindings.ts'
import { Brake } from './brake.ts'
import { type AskedChange, LIFETIME, readRegister } from './request.ts'
import type { RegistrationStore } from './store.ts'

/** What the registrar works with. */
export interface RegistrarDeps {
  clock: Clock
  log: Logger
  notices: Notices
  nonces: NonceSource
  directory: () => Directory
}

/** The contacts of a trunk, as others see them. */
export interface ContactsStatus {
  trunk: string
  contacts: readonly Binding[]
}

/** Extensions a REGISTER may require (RFC 3327, RFC 5626). */
const TAKEN = new Set(['path', 'outbound'])

/** Algorithms asked for, the preferred first (RFC 8760 §2.4). */
const ASKED: readonly Algorithm[] = ['SHA-256', 'MD5']

/** Seconds within which a client that uses RFC 5626 has to use its connection. */
const FLOW_TIMER = 120

/** Takes the registrations of the PBXs whose trunks allow it (RFC 3261 §10.3). */
export class Registrar {
  readonly #deps: RegistrarDeps
  readonly #bindings: Bindings
  readonly #brake: Brake
  readonly #requests = new Map<string, { trunk: string; result: string; count: number }>()
  /** Accounts contacts were registered with: a changed one ends them. */
  #accounts = new Map<string, { username: string; password: Secret }>()
  #timer: Timer | undefined

  constructor(store: RegistrationStore, deps: RegistrarDeps) {
    this.#deps = deps
    this.#bindings = new Bindings(deps.clock, store)
    this.#brake = new Brake(deps.clock)
  }

  /** Begins with what was kept, minus what has expired. */
  start(): void {
    this.reconfigured()
  }

  /**
   * The directory has changed: trunks that take no registrations any more, or those of another
   * account, lose theirs.
   */
  reconfigured(): void {
    const accounts = new Map(
      this.#open().map(({ name, accept: { username, password } }) => [
        name,
        { username: username!, password: password! },
      ]),
    )
    const kept = [...accounts].filter(([name, { username, password }]) => {
      const before = this.#accounts.get(name)
      return !before || (before.username === username && before.password.equals(password))
    })
    this.#accounts = accounts
    this.#bindings.retain(new Set(kept.map(([name]) => name)))
    this.#sweep()
  }

  stop(): void {
    this.#timer?.clear()
    this.#timer = undefined
  }

  /** Answers a REGISTER of the PBX's side; false when no trunk takes any. */
  onRegister(request: IncomingRequest): boolean {
    if (this.#open().length === 0) return false
    const { sourceAddress } = request
    if (this.#brake.holds(sourceAddress)) {
      this.#refuse(request, '', new CausewayError('TRUNK_REGISTRAR_SOURCE_BRAKED'))
      return true
    }
    const missing = unsupported(request.header('require'))
    if (missing.length > 0) {
      const detail = missing.join(', ')
      const error = new CausewayError('CALL_EXTENSION_UNSUPPORTED', { detail })
      this.#refuse(request, '', error, { Unsupported: detail })
      return true
    }
    const trunk = this.#authenticated(request)
    if (trunk) this.#register(request, trunk)
    return true
  }

  /** A connection has ended: the flows (RFC 5626) that were registered over it end with it. */
  flowEnded({ received, why }: EndedFlow): void {
    const { log } = this.#deps
    for (const { trunk, binding } of received.flatMap((owner) => this.#bindings.endFlows(owner))) {
      const err = new CausewayError('TRUNK_NOT_REGISTERED', { place: `trunk ${trunk}` })
      log.warn({ trunk, ...shown(binding), why, err }, 'the connection of the PBX has ended')
    }
  }

  /** The trunk whose PBX registered from where this call comes from. */
  trunkAt({ sourceAddress, sourcePort, transport }: IncomingRequest): string | undefined {
    const source = sourceOf(sourceAddress, sourcePort, transport)
    return this.#bindings.trunkAt(source)
  }

  /** Where a trunk's PBX is registered, in the order calls are tried. */
  targets(trunk: TrunkConfig): RegisteredTarget[] {
    if (!trunk.accept.registrations) return []
    return this.#bindings.of(trunk.name).flatMap(targetsOf)
  }

  /** Why a trunk has nowhere to call: its PBX is not registered. */
  absence(trunk: TrunkConfig): string | undefined {
    if (!trunk.accept.registrations || this.#bindings.of(trunk.name).length > 0) return undefined
    return `the PBX of trunk ${trunk.name} is not registered`
  }

  status(): ContactsStatus[] {
    return this.#open().map(({ name }) => ({ trunk: name, contacts: this.#bindings.of(name) }))
  }

  /** REGISTERs by trunk ('' before it is known) and result. */
  counts(): readonly { trunk: string; result: string; count: number }[] {
    return [...this.#requests.values()]
  }

  #open(): TrunkConfig[] {
    const { trunks } = this.#deps.directory().config
    return trunks.filter(
      ({ accept }) => accept.registrations && accept.username !== undefined && accept.password,
    )
  }

  /** The trunk of the credentials; without good ones the request is answered. */
  #authenticated(request: IncomingRequest): TrunkConfig | undefined {
    const directory = this.#deps.directory()
    const { nonces } = this.#deps
    const realm = directory.config.sip.domain
    const credentials = credentialsFor(realm, request.header('authorization'))
    if (!credentials) {
      this.#challenge(request, false)
      return undefined
    }
    const trunk = directory.trunkOf(credentials.username)
    const { password, registrations } = trunk?.accept ?? {}
    const account = registrations && password && { usernames: [credentials.username], password }
    const verdict = account ? verify(credentials, account, request.method, nonces) : 'wrong'
    if (trunk && verdict === 'good') {
      this.#brake.right(request.sourceAddress)
      return trunk
    }
    if (verdict === 'stale') {
      this.#challenge(request, true)
      return undefined
    }
    const { sourceAddress } = request
    const name = trunk && registrations ? trunk.name : ''
    const error = new CausewayError('TRUNK_REGISTRAR_CREDENTIALS_WRONG', { detail: sourceAddress })
    if (this.#brake.wrong(sourceAddress)) {
      const braked = new CausewayError('TRUNK_REGISTRAR_SOURCE_BRAKED', { detail: sourceAddress })
      this.#deps.log.warn({ err: braked }, 'too many wrong passwords')
    }
    this.#refuse(request, name, error)
    return undefined
  }

  #challenge(request: IncomingRequest, stale: boolean): void {
    const { nonces } = this.#deps
    const realm = this.#deps.directory().config.sip.domain
    this.#count('', 'challenged')
    const values = ASKED.map((algorithm) => challengeValue(nonces, realm, stale, algorithm))
    request.respond({ status: 401, lines: { 'WWW-Authenticate': values } })
  }

  #register(request: IncomingRequest, trunk: TrunkConfig): void {
    const { name } = trunk
    const to = parseParty(request.header('to') ?? '')
    if (to?.user !== trunk.accept.username) {
      const detail = `To ${request.header('to')?.slice(0, 200)}`
      this.#refuse(request, name, new CausewayError('TRUNK_REGISTRAR_ADDRESS_UNKNOWN', { detail }))
      return
    }
    const asked = readRegister(request)
    if (isCausewayError(asked)) {
      const brief = asked.code === 'TRUNK_REGISTRAR_INTERVAL_BRIEF'
      const extra: Headers = brief ? { 'Min-Expires': String(LIFETIME.min) } : {}
      this.#refuse(request, name, asked, extra)
      return
    }
    const { sourceAddress, sourcePort, transport } = request
    const source = sourceOf(detach(sourceAddress), sourcePort, transport)
    const change = this.#bindings.apply(name, asked, source)
    if (isCausewayError(change)) {
      this.#refuse(request, name, change)
      return
    }
    this.#count(name, resultOf(asked))
    this.#tell(name, change)
    this.#sweep()
    request.respond({ status: 200, headers: this.#granted(name, asked, source) })
  }

  #granted(trunk: string, asked: AskedChange, source: Source): Headers {
    const now = this.#deps.clock.now()
    const contacts = this.#bindings.of(trunk).map((binding) => {
      const { uri, q } = binding
      const left = Math.max(1, Math.round(this.#bindings.left(binding) / 1000))
      return `<${uri}>${q === 1 ? '' : `;q=${q}`};expires=${left}`
    })
    const path = asked.path.map((uri) => `<${uri}>`).join(', ')
    // A connection is kept as the way back to the client; UDP would need STUN (RFC 5626 §4.4.2).
    const flows = asked.contacts !== 'all' && asked.contacts.some(({ flow }) => flow !== undefined)
    const outbound =
      asked.outbound && flows && asked.path.length === 0 && source.transport !== 'udp'
    return {
      ...(contacts.length > 0 ? { Contact: contacts.join(', ') } : {}),
      ...(path === '' ? {} : { Path: path }),
      ...(outbound ? { Require: 'outbound', 'Flow-Timer': String(FLOW_TIMER) } : {}),
      Date: new Date(now).toUTCString(),
    }
  }

  #refuse(
    request: IncomingRequest,
    trunk: string,
    error: CausewayError,
    extra: Headers = {},
  ): void {
    const { domain } = this.#deps.directory().config.sip
    this.#count(trunk, error.code)
    const { sourceAddress } = request
    const { code, detail, fix } = error
    const { log, notices } = this.#deps
    log.debug({ code, detail, sourceAddress }, 'refused')
    // Without a trunk it is a stranger's.
    const named = trunk === '' ? {} : { trunk }
    const level = trunk === '' || code === 'TRUNK_REGISTRAR_INTERVAL_BRIEF' ? 'info' : 'warn'
    const facts = { code, ...named, detail, sourceAddress, fix }
    notices.tell(`REGISTER ${code} ${trunk}`, level, facts, 'REGISTER refused')
    request.respond({ status: error.sip, headers: { ...refusalHeaders(error, domain), ...extra } })
  }

  #count(trunk: string, result: string): void {
    const key = `${trunk} ${result}`
    const entry = this.#requests.get(key)
    if (entry) entry.count++
    else this.#requests.set(key, { trunk, result, count: 1 })
  }

  #tell(trunk: string, { added, removed }: BindingChange): void {
    const { log } = this.#deps
    for (const binding of added) log.info({ trunk, ...shown(binding) }, 'PBX registered')
    for (const binding of removed) log.info({ trunk, ...shown(binding) }, 'PBX unregistered')
  }

  /** Takes out what has expired, now and when the next does. */
  #sweep(): void {
    const { clock, log } = this.#deps
    this.#timer?.clear()
    this.#timer = undefined
    for (const { trunk, binding } of this.#bindings.expire()) {
      const err = new CausewayError('TRUNK_NOT_REGISTERED', { place: `trunk ${trunk}` })
      log.warn({ trunk, ...shown(binding), err }, 'registration of the PBX has run out')
    }
    const next = this.#bindings.nextExpiry
    if (next === undefined) return
    this.#timer = clock.setTimeout(() => this.#sweep(), Math.max(0, next))
  }
}

function shown({ uri, source }: Binding): { contact: string; source: string } {
  return {
    contact: uri,
    source: `${source.transport}:${formatHostPort(source.address, source.port)}`,
  }
}

function sourceOf(address: string, port: number, transport: string): Source {
  const name = transport.toLowerCase()
  return { address, port, transport: name === 'tcp' || name === 'tls' ? name : 'udp' }
}

function resultOf({ contacts }: AskedChange): string {
  if (contacts === 'all') return 'unregistered'
  if (contacts.length === 0) return 'queried'
  return contacts.every(({ expires }) => expires === 0) ? 'unregistered' : 'registered'
}

function unsupported(require: string | undefined): string[] {
  const options = (require ?? '').split(',').map((option) => option.trim().toLowerCase())
  return options.filter((option) => option !== '' && !TAKEN.has(option))
}
