import type { Random } from '../../shared/random.ts'
import { type Account, answerChallenge, type Challenge, chooseChallenge } from '../digest/answer.ts'
import type { DigestCounters } from '../digest/counters.ts'
import type { Headers, IncomingResponse } from '../sip-port.ts'
import type { Authorizer } from './outgoing-invite.ts'

/** Answers the PBX's 401 or 407 with the trunk's credentials: once, and once more when stale. */
export class TrunkAuthorizer implements Authorizer {
  readonly #account: Account
  readonly #uri: string
  readonly #random: Random
  readonly #digests: DigestCounters | undefined
  #challenge: Challenge | undefined
  #answers = 0

  constructor(account: Account, uri: string, random: Random, digests?: DigestCounters) {
    this.#account = account
    this.#uri = uri
    this.#random = random
    this.#digests = digests
  }

  credentials(): Headers {
    const challenge = this.#challenge
    if (!challenge) return {}
    const use = { method: 'INVITE', uri: this.#uri, count: 1, cnonce: this.#random.hex(8) }
    return { [challenge.header]: answerChallenge(challenge, this.#account, use) }
  }

  retry(response: IncomingResponse): boolean {
    if (response.status !== 401 && response.status !== 407) return false
    const challenge = challengeOf(response)
    const again = challenge && this.#answers <= (challenge.stale ? 1 : 0)
    this.#digests?.answered('pbx', again ? 'challenged' : 'refused')
    if (!again) return false
    this.#challenge = challenge
    this.#answers++
    return true
  }
}

/** The challenge of a 401 or 407 that can be answered. */
export function challengeOf(response: IncomingResponse): Challenge | undefined {
  return chooseChallenge({
    www: response.header('www-authenticate'),
    proxy: response.header('proxy-authenticate'),
  })
}
