import { isDeepStrictEqual } from 'node:util'
import type { RegisterConfig } from '../../config/types.ts'
import type { Clock, Timer } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Logger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { escapeUser } from '../address/uri.ts'
import { seconds } from '../headers/seconds.ts'
import type { IncomingResponse, SipPort } from '../sip-port.ts'
import { contactFor, grantedExpiry } from './contact.ts'
import { type Outcome, RegisterExchange } from './exchange.ts'
import { type Registrar, Registrars } from './registrars.ts'
import { renewAfter, type Trouble } from './timing.ts'

/** What a registration works with. */
export interface RegistrationDeps {
  port: SipPort
  clock: Clock
  random: Random
  log: Logger
}

/** How many REGISTERs ended how; a digest round trip is part of its REGISTER. */
export type Attempts = Readonly<Record<'registered' | Trouble, number>>

/** A registration as others see it; times in milliseconds since the epoch. */
export interface RegistrationStatus {
  trunk: string
  /** `registered` as long as the lifetime lasts, whatever became of a renewal. */
  state: 'registered' | 'registering' | 'refused' | 'unreachable' | 'failed'
  /** Where it is registered, or was tried last. */
  registrar: string
  registrars: readonly { uri: string; registered: boolean }[]
  username: string
  expiresAt: number | undefined
  /** When the next REGISTER goes out; undefined while one is under way. */
  nextAt: number | undefined
  /** Why the last round of attempts failed; undefined when it did not. */
  error: CausewayError | undefined
  attempts: Attempts
}

/** How long a registrar may be silent where there is another one, milliseconds. */
const PATIENCE = 10_000

/** How long the end of a registration is waited for, milliseconds. */
const FAREWELL = 2000

/**
 * The registration of one trunk (RFC 3261 §10.2): kept up with the first registrar of the list that
 * takes it, renewed before it ends, moved on when a registrar fails.
 */
export class Registration {
  readonly trunk: string
  readonly config: RegisterConfig
  readonly token: string
  readonly #deps: RegistrationDeps
  readonly #instance: string
  readonly #registrars: Registrars
  readonly #attempts: Record<'registered' | Trouble, number> = {
    registered: 0,
    refused: 0,
    unreachable: 0,
    failed: 0,
  }
  #current: Registrar | undefined
  #exchange: RegisterExchange | undefined
  #patience: Timer | undefined
  #timer: Timer | undefined
  #nextAt: number | undefined
  #expiry: Timer | undefined
  #expiresAt: number | undefined
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
    this.#registrars = new Registrars(config, deps)
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
    this.#registrars.forgive()
    this.#next()
  }

  /** The SIP server is gone: what was under way is forgotten, the registrar keeps the binding. */
  pause(): void {
    this.#giveUp()
    this.#timer?.clear()
    this.#timer = undefined
    this.#nextAt = undefined
  }

  /** Ends it at the registrar, which is waited for a short time. */
  stop(): Promise<void> {
    this.#stopped = true
    this.pause()
    this.#expiry?.clear()
    const registrar = this.#current
    const bound = this.registered
    this.#expiresAt = undefined
    if (!bound || !registrar || !this.#deps.port.connected) return Promise.resolve()
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

  status(): RegistrationStatus {
    const { all } = this.#registrars
    const current = this.#current ?? all[0]!
    return {
      trunk: this.trunk,
      state: this.registered ? 'registered' : (this.#trouble ?? 'registering'),
      registrar: current.uri,
      registrars: all.map((one) => ({
        uri: one.uri,
        registered: this.registered && one === this.#current,
      })),
      username: this.config.username,
      expiresAt: this.#expiresAt,
      nextAt: this.#nextAt,
      error: this.#error,
      attempts: { ...this.#attempts },
    }
  }

  /** Nothing of the REGISTER under way counts any more. */
  #giveUp(): void {
    this.#patience?.clear()
    this.#exchange?.abandon()
    this.#exchange = undefined
  }

  /** Asks the first registrar that may be asked; without one, waits for it. */
  #next(): void {
    this.#timer?.clear()
    this.#timer = undefined
    this.#nextAt = undefined
    if (this.#stopped) return
    const { next, wait } = this.#registrars
    if (next) this.#ask(next)
    else this.#wait(wait)
  }

  #wait(ms: number): void {
    const { clock } = this.#deps
    this.#nextAt = clock.now() + ms
    this.#timer = clock.setTimeout(() => this.#next(), ms)
  }

  #ask(registrar: Registrar): void {
    const exchange = this.#exchangeWith(
      registrar,
      Math.ceil(this.config.expires / 1000),
      (outcome) => {
        this.#patience?.clear()
        this.#exchange = undefined
        if (exchange.withoutOutbound) registrar.outbound = false
        if (outcome.kind === 'ok') this.#succeeded(registrar, outcome.response, outcome.asked)
        else this.#failed(registrar, outcome)
      },
    )
    this.#exchange = exchange
    // The SIP server itself waits for 32 s (RFC 3261 §17.1.2.2).
    if (this.#registrars.all.length > 1) {
      const silent = (): void => exchange.silent(PATIENCE)
      this.#patience = this.#deps.clock.setTimeout(silent, PATIENCE)
    }
    exchange.begin()
  }

  #exchangeWith(
    registrar: Registrar,
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

  #succeeded(registrar: Registrar, response: IncomingResponse, asked: number): void {
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
    this.#error = undefined
    this.#trouble = undefined
    this.#registrars.took(registrar)
    this.#expiry?.clear()
    this.#expiry = clock.setTimeout(() => this.#expired(), lifetime)
    this.#tell(`registered ${registrar.uri}`, () => {
      const { trunk } = this
      log.info({ trunk, registrar: registrar.uri, expires: granted }, 'registered with the PBX')
    })
    if (was && former && former !== registrar) this.#exchangeWith(former, 0, () => {}).begin()
    const flowTimer = seconds(response.header('flow-timer'))
    this.#wait(renewAfter(lifetime, flowTimer === undefined ? undefined : flowTimer * 1000, random))
  }

  #failed(registrar: Registrar, outcome: Exclude<Outcome, { kind: 'ok' }>): void {
    this.#attempts[outcome.kind]++
    this.#registrars.failed(registrar, outcome, outcome.retryAfter)
    const { next, worst } = this.#registrars
    // Nobody is left to be asked now.
    if (!next && worst) {
      const { log } = this.#deps
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
