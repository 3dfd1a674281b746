import type { CredentialSource } from '../../settings/index.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Random } from '../../shared/random.ts'
import type { Secret } from '../../shared/secret.ts'
import { answerChallenge, type Challenge } from '../digest/answer.ts'
import type { DigestCounters } from '../digest/counters.ts'
import type { NonceCache } from '../digest/nonce-cache.ts'
import { isKnownRefusal } from '../outcome/whatsapp.ts'
import type { Headers, IncomingResponse } from '../sip-port.ts'
import type { Authorizer } from './outgoing-invite.ts'
import { challengeOf } from './trunk-authorizer.ts'

/** What the digest towards WhatsApp needs. */
export interface WhatsAppAccount {
  /** Name of the number, under which credentials and nonces are kept. */
  number: string
  /** Business number, digits only. */
  username: string
  password: Secret
}

/**
 * Answers WhatsApp's 407. A nonce of an earlier call is tried first; a fresh challenge is answered; one
 * that calls the nonce stale once more; one that refuses the password after reading it again, if it
 * has changed. No call asks more than four times.
 */
export class WhatsAppAuthorizer implements Authorizer {
  readonly #account: WhatsAppAccount
  readonly #uri: string
  readonly #source: CredentialSource
  readonly #cache: NonceCache
  readonly #random: Random
  readonly #digests: DigestCounters | undefined
  #password: Secret
  #challenge: Challenge | undefined
  #count = 0
  /** Whether the credentials under way were sent without being asked for. */
  #unasked = false
  #answered = false
  #staleAnswered = false
  #refreshed = false
  #error: CausewayError | undefined

  constructor(
    account: WhatsAppAccount,
    uri: string,
    deps: {
      source: CredentialSource
      cache: NonceCache
      random: Random
      /** Told what becomes of each digest. */
      digests?: DigestCounters
    },
  ) {
    this.#account = account
    this.#uri = uri
    this.#source = deps.source
    this.#cache = deps.cache
    this.#random = deps.random
    this.#digests = deps.digests
    this.#password = account.password
    const reuse = deps.cache.reuse(account.number)
    if (!reuse) return
    this.#challenge = reuse.challenge
    this.#count = reuse.count
    this.#unasked = true
    this.#digests?.answered('whatsapp', 'unasked')
  }

  /** Why the last challenge was not answered. */
  get error(): CausewayError | undefined {
    return this.#error
  }

  credentials(): Headers {
    const challenge = this.#challenge
    if (!challenge) return {}
    const account = { username: this.#account.username, password: this.#password }
    const cnonce = this.#random.hex(8)
    const use = { method: 'INVITE', uri: this.#uri, count: this.#count, cnonce }
    return { [challenge.header]: answerChallenge(challenge, account, use) }
  }

  retry(response: IncomingResponse): boolean | Promise<boolean> {
    const { status, reason, local } = response
    const unasked = this.#unasked
    this.#unasked = false
    if (status !== 401 && status !== 407) {
      // An old nonce may be refused with 403 as a wrong digest is; then start without one.
      const failure = { status, reason, local, warning: response.header('warning') }
      if (!unasked || status !== 403 || isKnownRefusal(failure)) return false
      this.#forget()
      return true
    }
    if (unasked) this.#forget()
    const challenge = challengeOf(response)
    if (!challenge) {
      const detail = response.header('proxy-authenticate') ?? 'no challenge'
      this.#error = new CausewayError('CALL_CHALLENGE_UNSUPPORTED', { detail })
      this.#digests?.answered('whatsapp', 'refused')
      return false
    }
    if (!this.#answered) return this.#answer(challenge)
    if (challenge.stale && !this.#staleAnswered) {
      this.#staleAnswered = true
      return this.#answer(challenge)
    }
    return this.#answerWithNewPassword(challenge)
  }

  #answer(challenge: Challenge): true {
    this.#digests?.answered('whatsapp', 'challenged')
    this.#answered = true
    this.#challenge = challenge
    this.#count = 1
    this.#cache.store(this.#account.number, challenge)
    return true
  }

  async #answerWithNewPassword(challenge: Challenge): Promise<boolean> {
    this.#forget()
    const { number } = this.#account
    if (!this.#refreshed) {
      this.#refreshed = true
      const password = await this.#source.refresh(number)
      if (password && !password.equals(this.#password)) {
        this.#password = password
        return this.#answer(challenge)
      }
    }
    this.#error = new CausewayError('CALL_CREDENTIALS_REFUSED', { place: `number ${number}` })
    this.#digests?.answered('whatsapp', 'refused')
    return false
  }

  #forget(): void {
    if (this.#challenge) this.#cache.drop(this.#account.number, this.#challenge.nonce)
    this.#challenge = undefined
  }
}
