import type { RegisterConfig } from '../../config/types.ts'
import type { Clock } from '../../shared/clock.ts'
import type { CausewayError } from '../../shared/errors/index.ts'
import { bracketed } from '../../shared/host-port.ts'
import type { Random } from '../../shared/random.ts'
import { RegisterCredentials } from './credentials.ts'
import { pauseAfter, type Trouble } from './timing.ts'

/** Refusals in a row by a registrar that took the account before until somebody is thought to have changed it. */
const STARTING = 3

/** One registrar of the list, with what is remembered between REGISTERs. */
export interface Registrar {
  readonly uri: string
  readonly host: string
  readonly transport: string
  readonly callId: string
  readonly fromTag: string
  readonly credentials: RegisterCredentials
  readonly regId: number
  cseq: number
  /** Whether the path to it supports RFC 5626, as far as is known. */
  outbound: boolean
  /** Whether it has taken the account before. */
  accepted: boolean
  /** Of the kind in `trouble`, in a row. */
  failures: number
  /** Not asked before this moment, monotonic milliseconds. */
  notBefore: number
  trouble: Failing | undefined
}

/** Why a REGISTER was not taken. */
export interface Failing {
  kind: Trouble
  error: CausewayError
}

/** The registrars of a trunk in the order of preference. Each is left alone for a while after a failure of its own. */
export class Registrars {
  readonly all: readonly Registrar[]
  readonly #clock: Clock
  readonly #random: Random

  constructor(config: RegisterConfig, deps: { clock: Clock; random: Random }) {
    const { clock, random } = deps
    const account = { username: config.authUsername, password: config.password }
    this.#clock = clock
    this.#random = random
    this.all = config.registrars.map(({ uri, host, transport }, index) => ({
      uri,
      host: bracketed(host),
      transport,
      callId: random.uuid(),
      fromTag: random.hex(8),
      credentials: new RegisterCredentials(account, uri, random),
      regId: index + 1,
      cseq: 0,
      outbound: true,
      accepted: false,
      failures: 0,
      notBefore: 0,
      trouble: undefined,
    }))
  }

  /** The first that may be asked now. */
  get next(): Registrar | undefined {
    const now = this.#clock.monotonic()
    return this.all.find(({ notBefore }) => notBefore <= now)
  }

  /** Milliseconds until one may be asked. */
  get wait(): number {
    return Math.min(...this.all.map(({ notBefore }) => notBefore)) - this.#clock.monotonic()
  }

  /** The worst of what went wrong last, once something has: a refusal says more than silence. */
  get worst(): Failing | undefined {
    const troubles = this.all.flatMap(({ trouble }) => trouble ?? [])
    return troubles.find(({ kind }) => kind === 'refused') ?? troubles[0]
  }

  /** All may be asked at once. */
  forgive(): void {
    for (const registrar of this.all) {
      registrar.failures = 0
      registrar.notBefore = 0
    }
  }

  /** It has taken the registration. */
  took(registrar: Registrar): void {
    registrar.accepted = true
    registrar.failures = 0
    registrar.notBefore = 0
    registrar.trouble = undefined
  }

  /** It has not; `retryAfter` in milliseconds. */
  failed(registrar: Registrar, { kind, error }: Failing, retryAfter: number | undefined): void {
    registrar.failures = registrar.trouble?.kind === kind ? registrar.failures + 1 : 1
    registrar.trouble = { kind, error }
    // A PBX that starts answers before it has read its accounts.
    const starting = kind === 'refused' && registrar.accepted && registrar.failures <= STARTING
    const pace = starting ? 'failed' : kind
    registrar.notBefore =
      this.#clock.monotonic() + pauseAfter(pace, registrar.failures, retryAfter, this.#random)
  }
}
