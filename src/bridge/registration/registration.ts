import { isDeepStrictEqual } from 'node:util'
import type { RegisterConfig } from '../../config/types.ts'
import type { Clock, Timer } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Logger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { escapeUser } from '../address/uri.ts'
import type { EndedFlow, FlowOwner } from '../ended-flow.ts'
import { seconds } from '../headers/seconds.ts'
import type { IncomingResponse, SipPort } from '../sip-port.ts'
import { contactFor, grantedExpiry } from './contact.ts'
import { type Outcome, RegisterExchange } from './exchange.ts'
import { type KnownRegistrar, knownRegistrars } from './known-registrar.ts'
import type { RegistrationStatus } from './status.ts'
import { pauseAfter, renewAfter, type Trouble } from './timing.ts'

/** What a registration works with. */
export interface RegistrationDeps {
  port: SipPort
  clock: Clock
  random: Random
  log: Logger
  /** Whether the SIP server pings the connections of registrations, and tells when one ends. */
  keepsFlows: boolean
}

/** Refusals in a row by a registrar that took the account before until somebody is thought to have changed it. */
const STARTING = 3

/** How long a registrar may be silent where there is another one, milliseconds: at most, at least. */
const PATIENCE = { most: 10_000, least: 500 }

/** Why a connection ended, in words. */
const ENDS: Readonly<Record<EndedFlow['why'], string>> = {
  unanswered: 'a ping was not answered within 10 s',
  silent: 'the connection was silent',
  closed: 'the connection was closed',
}

/** How long the end of a registration is waited for, milliseconds. */
const FAREWELL = 2000

/**
 * The registration of one trunk (RFC 3261 §10.2): kept up with the first registrar of the list that
 * takes it, renewed before it ends, moved on when a registrar fails. Each registrar is left alone for
 * a while after a failure of its own.
 */
export class Registration {
  readonly trunk: string
  readonly config: RegisterConfig
  readonly token: string
  readonly #deps: RegistrationDeps
  readonly #instance: string
  readonly #registrars: readonly KnownRegistrar[]
  readonly #attempts: Record<'registered' | Trouble, number> = {
    registered: 0,
    refused: 0,
    unreachable: 0,
    failed: 0,
  }
  #flowFailures = 0
  #current: KnownRegistrar | undefined
  /** Whom the REGISTER under way asks. */
  #asked: KnownRegistrar | undefined
  #exchange: RegisterExchange | undefined
  #patience: Timer | undefined
  #timer: Timer | undefined
  #nextAt: number | undefined
  #expiry: Timer | undefined
  #expiresAt: number | undefined
  /** The same, monotonic. */
  #boundUntil = 0
  /** Address the registrar answered from. */
  #answeredFrom = ''
  #error: CausewayError | undefined
  #trouble: Trouble | undefined
  /** What the log was last told. */
  #told = ''
  #stopped = false

  constructor(
    trunk: string,
    config: RegisterConfig,
    own: { token: string; instance: string },
    deps: RegistrationDeps,
  ) {
    this.trunk = trunk
    this.config = config
    this.token = own.token
    this.#instance = own.instance
    this.#deps = deps
    this.#registrars = knownRegistrars(config, deps.random)
  }

  get registered(): boolean {
    return this.#expiresAt !== undefined
  }

  /** Whether the registrar that holds the registration answered from this address. */
  answeredFrom(address: string): boolean {
    return this.registered && this.#answeredFrom !== '' && this.#answeredFrom === address
  }

  /** Registers now: at the start, and whenever the SIP server is back. */
  renew(): void {
    if (this.#stopped) return
    this.#giveUp()
    for (const registrar of this.#registrars) {
      registrar.failures = 0
      registrar.notBefore = 0
      registrar.flow.reset()
    }
    this.#next()
  }

  /** The SIP server is gone: what was under way is forgotten, the registrar keeps the binding. */
  pause(): void {
    this.#giveUp()
    this.#timer?.clear()
    this.#timer = undefined
    this.#nextAt = undefined
  }

  /** The connection a REGISTER went over has ended. */
  flowEnded({ callId, cseq }: FlowOwner, why: EndedFlow['why']): void {
    const registrar = this.#registrars.find((one) => one.callId === callId)
    // Without the SIP server nothing can be sent; all is registered again when it is back.
    if (!registrar || this.#stopped || !this.#deps.port.connected) return
    if (registrar.cseq !== cseq) {
      // A renewal is on its way: its outcome decides, over whichever connection it went.
      if (registrar === this.#asked) this.#flowFailures++
    } else if (registrar === this.#asked) registrar.flow.early = why
    else if (registrar === this.#current) this.#flowFailed(registrar, why)
  }

  /** Ends it at the registrar, which is waited for a short time. */
  stop(): Promise<void> {
    this.#stopped = true
    // A REGISTER under way may be granted after all.
    const bound = new Set([this.registered ? this.#current : undefined, this.#asked])
    this.pause()
    this.#expiry?.clear()
    this.#expiresAt = undefined
    if (!this.#deps.port.connected) return Promise.resolve()
    const farewells = [...bound].map((registrar) => registrar && this.#farewell(registrar))
    return Promise.all(farewells).then(() => {})
  }

  status(): RegistrationStatus {
    const current = this.#current ?? this.#registrars[0]!
    return {
      trunk: this.trunk,
      state: this.registered ? 'registered' : (this.#trouble ?? 'registering'),
      registrar: current.uri,
      registrars: this.#registrars.map((one) => ({
        uri: one.uri,
        registered: this.registered && one === this.#current,
      })),
      username: this.config.username,
      expiresAt: this.#expiresAt,
      nextAt: this.#nextAt,
      error: this.#error,
      attempts: { ...this.#attempts },
      flowFailures: this.#flowFailures,
    }
  }

  #farewell(registrar: KnownRegistrar): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#deps.clock.setTimeout(() => {
        farewell.abandon()
        resolve()
      }, FAREWELL)
      const farewell = this.#exchangeWith(registrar, 0, () => {
        timer.clear()
        resolve()
      })
      farewell.begin()
    })
  }

  /** Nothing of the REGISTER under way counts any more. */
  #giveUp(): void {
    this.#patience?.clear()
    this.#exchange?.abandon()
    this.#exchange = undefined
    this.#asked = undefined
  }

  /** Asks the first registrar that may be asked; without one, waits for it. */
  #next(): void {
    this.#timer?.clear()
    this.#timer = undefined
    this.#nextAt = undefined
    if (this.#stopped) return
    const now = this.#deps.clock.monotonic()
    const registrar = this.#registrars.find(({ notBefore }) => notBefore <= now)
    if (registrar) this.#ask(registrar)
    else {
      const wait = Math.min(...this.#registrars.map(({ notBefore }) => notBefore)) - now
      this.#wait(wait)
    }
  }

  #wait(ms: number): void {
    const { clock } = this.#deps
    this.#nextAt = clock.now() + ms
    this.#timer = clock.setTimeout(() => this.#next(), ms)
  }

  #ask(registrar: KnownRegistrar): void {
    const exchange = this.#exchangeWith(
      registrar,
      Math.ceil(this.config.expires / 1000),
      (outcome) => {
        this.#patience?.clear()
        this.#exchange = undefined
        this.#asked = undefined
        if (exchange.withoutOutbound) registrar.outbound = false
        if (outcome.kind === 'ok') this.#succeeded(registrar, outcome.response, outcome.asked)
        else this.#failed(registrar, outcome)
      },
    )
    this.#exchange = exchange
    this.#asked = registrar
    registrar.flow.early = undefined
    // The SIP server itself waits for 32 s (RFC 3261 §17.1.2.2).
    if (this.#registrars.length > 1) {
      const ms = this.#share()
      this.#patience = this.#deps.clock.setTimeout(() => exchange.silent(ms), ms)
    }
    exchange.begin()
  }

  /**
   * How long this registrar may be silent: what is left of the registration is shared with those that are
   * asked after it, the one that holds it among them.
   */
  #share(): number {
    if (!this.registered) return PATIENCE.most
    const now = this.#deps.clock.monotonic()
    const left = Math.max(0, this.#boundUntil - now)
    const asked = this.#registrars.filter(({ notBefore }) => notBefore <= now).length
    const share = Math.round(left / Math.max(1, asked))
    return Math.min(PATIENCE.most, Math.max(PATIENCE.least, share))
  }

  #exchangeWith(
    registrar: KnownRegistrar,
    expires: number,
    done: (outcome: Outcome) => void,
  ): RegisterExchange {
    const { username, contact } = this.config
    const { uri, host, transport, callId, fromTag, outbound, credentials, regId } = registrar
    const instance = { id: this.#instance, regId }
    return new RegisterExchange(
      this.#deps.port,
      {
        uri,
        record: `<sip:${escapeUser(username)}@${host}>`,
        callId,
        fromTag,
        nextCseq: () => ++registrar.cseq,
        expires,
        contact: (lifetime, withFlow) =>
          contactFor({ contact, transport }, this.token, lifetime, withFlow ? instance : undefined),
        outbound,
        credentials,
      },
      done,
    )
  }

  #succeeded(registrar: KnownRegistrar, response: IncomingResponse, asked: number): void {
    const { clock, random, log } = this.#deps
    const { contact: user } = this.config
    const granted = grantedExpiry(response, {
      token: this.token,
      instance: this.#instance,
      user,
      asked,
    })
    if (granted === 0) {
      const detail = `${registrar.uri}: 200, with a lifetime of 0 s`
      const error = new CausewayError('TRUNK_REGISTER_FAILED', { detail })
      this.#failed(registrar, { kind: 'failed', error, retryAfter: undefined })
      return
    }
    this.#attempts.registered++
    const lifetime = granted * 1000
    const former = this.#current
    const was = this.registered
    this.#current = registrar
    this.#answeredFrom = response.sourceAddress
    this.#expiresAt = clock.now() + lifetime
    this.#boundUntil = clock.monotonic() + lifetime
    this.#error = undefined
    this.#trouble = undefined
    registrar.accepted = true
    registrar.failures = 0
    registrar.notBefore = 0
    registrar.trouble = undefined
    this.#expiry?.clear()
    this.#expiry = clock.setTimeout(() => this.#expired(), lifetime)
    this.#tell(`registered ${registrar.uri}`, () => {
      const { trunk } = this
      log.info({ trunk, registrar: registrar.uri, expires: granted }, 'registered with the PBX')
    })
    if (was && former && former !== registrar) this.#exchangeWith(former, 0, () => {}).begin()
    registrar.flow.served(clock.monotonic())
    if (registrar.flow.early) this.#flowFailed(registrar, registrar.flow.early)
    else this.#wait(renewAfter(lifetime, this.#flowTimer(registrar, response), random))
  }

  /**
   * Milliseconds within which a REGISTER has to show that the flow is alive; undefined where the SIP
   * server does that with pings. Over UDP those would be STUN requests (RFC 5626 §4.4.2), which it
   * does not send; a drachtio-server sends none at all.
   */
  #flowTimer({ transport }: KnownRegistrar, response: IncomingResponse): number | undefined {
    if (this.#deps.keepsFlows && transport !== 'udp') return undefined
    const timer = seconds(response.header('flow-timer'))
    return timer === undefined ? undefined : timer * 1000
  }

  /** The PBX cannot reach us until it is registered again, over another connection. */
  #flowFailed(registrar: KnownRegistrar, why: EndedFlow['why']): void {
    const { clock, random, log } = this.#deps
    const now = clock.monotonic()
    registrar.notBefore = now + registrar.flow.failed(now, random)
    this.#flowFailures++
    const detail = `${registrar.uri}: ${ENDS[why]}`
    const error = new CausewayError('TRUNK_REGISTER_FLOW_FAILED', { detail })
    this.#error = error
    this.#tell(`flow ${registrar.uri}`, () => {
      const { trunk } = this
      log.warn({ trunk, err: error }, 'the connection to the PBX failed; registering again')
    })
    // One that asks another registrar already goes on.
    if (!this.#exchange) this.#next()
  }

  #failed(registrar: KnownRegistrar, outcome: Exclude<Outcome, { kind: 'ok' }>): void {
    const { clock, random, log } = this.#deps
    const { kind, error, retryAfter } = outcome
    this.#attempts[kind]++
    registrar.failures = registrar.trouble?.kind === kind ? registrar.failures + 1 : 1
    registrar.trouble = { kind, error }
    // A PBX that starts answers before it has read its accounts.
    const starting = kind === 'refused' && registrar.accepted && registrar.failures <= STARTING
    const pace = starting ? 'failed' : kind
    registrar.notBefore =
      clock.monotonic() + pauseAfter(pace, registrar.failures, retryAfter, random)
    const others = this.#registrars.some(({ notBefore }) => notBefore <= clock.monotonic())
    if (!others) {
      const worst = this.#worst()
      this.#trouble = worst.kind
      this.#error = worst.error
      const { trunk, registered } = this
      this.#tell(`${worst.error.code} ${registered}`, () => {
        const facts = { trunk, err: worst.error }
        if (registered) log.warn(facts, 'the registration with the PBX could not be renewed yet')
        else log.warn(facts, 'not registered with the PBX')
      })
    }
    this.#next()
  }

  /** A refusal says more than silence. */
  #worst(): { kind: Trouble; error: CausewayError } {
    const troubles = this.#registrars.flatMap(({ trouble }) => trouble ?? [])
    return troubles.find(({ kind }) => kind === 'refused') ?? troubles[0]!
  }

  #expired(): void {
    const { log } = this.#deps
    this.#expiresAt = undefined
    this.#tell('lost', () => {
      log.warn({ trunk: this.trunk, err: this.#error }, 'the registration with the PBX has run out')
    })
  }

  /** Each change once. */
  #tell(what: string, say: () => void): void {
    if (this.#told === what) return
    this.#told = what
    say()
  }
}

/** Whether two configurations make the same registration. */
export function sameRegister(a: RegisterConfig, b: RegisterConfig): boolean {
  return (
    a.password.equals(b.password) &&
    isDeepStrictEqual({ ...a, password: '' }, { ...b, password: '' })
  )
}
