import type { Random } from '../../shared/random.ts'
import { type Account, answerChallenge, type Challenge } from '../digest/answer.ts'
import { challengeOf } from '../invite/trunk-authorizer.ts'
import type { Headers, IncomingResponse } from '../sip-port.ts'

/** What is done about a 401 or 407. */
export type Answer = 'again' | 'refused' | 'unsupported'

/**
 * The digest of the REGISTERs to one registrar. Its last nonce is used again, counted up, until it is
 * called stale (RFC 7616 §3.4): a renewal is one exchange then.
 */
export class RegisterCredentials {
  readonly #account: Account
  readonly #uri: string
  readonly #random: Random
  #challenge: Challenge | undefined
  #count = 0
  /** Whether the REGISTER under way answers a challenge of its own. */
  #answered = false
  #staleAnswered = false

  constructor(account: Account, uri: string, random: Random) {
    this.#account = account
    this.#uri = uri
    this.#random = random
  }

  /** A new REGISTER begins. */
  begin(): void {
    this.#answered = false
    this.#staleAnswered = false
  }

  /** The header to send with, if there is a challenge to answer. */
  headers(): Headers {
    const challenge = this.#challenge
    if (!challenge) return {}
    this.#count++
    const use = {
      method: 'REGISTER',
      uri: this.#uri,
      count: this.#count,
      cnonce: this.#random.hex(8),
    }
    const value = answerChallenge(challenge, this.#account, use)
    // A nonce without qop is used once only: its answers would repeat.
    if (challenge.qop === undefined) this.#challenge = undefined
    return { [challenge.header]: value }
  }

  /** Takes a 401 or 407. */
  take(response: IncomingResponse): Answer {
    const challenge = challengeOf(response)
    if (!challenge) {
      this.#challenge = undefined
      return 'unsupported'
    }
    const stale = challenge.stale && !this.#staleAnswered
    if (this.#answered && !stale) {
      this.#challenge = undefined
      return 'refused'
    }
    if (this.#answered) this.#staleAnswered = true
    this.#answered = true
    this.#challenge = challenge
    this.#count = 0
    return 'again'
  }
}
