import type { Clock } from '../../shared/clock.ts'
import type { Challenge } from './answer.ts'

/** How long a server's nonce is used again without being asked, milliseconds. */
export const REUSE_LIFE = 60_000

interface Entry {
  challenge: Challenge
  count: number
  since: number
}

/**
 * The last challenge per account, so that the next INVITE brings its credentials along and saves a
 * round trip. WhatsApp accepts `nc=00000002` on a reused nonce; each use is counted (RFC 7616 §3.4).
 */
export class NonceCache {
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The challenge to answer in advance and the count of this use; undefined when there is none. */
  reuse(account: string): { challenge: Challenge; count: number } | undefined {
    const entry = this.#entries.get(account)
    if (!entry) return undefined
    if (this.#clock.monotonic() - entry.since > REUSE_LIFE) {
      this.#entries.delete(account)
      return undefined
    }
    entry.count++
    return { challenge: entry.challenge, count: entry.count }
  }

  /** Remembers a challenge that has just been answered once. A nonce without qop is used once only. */
  store(account: string, challenge: Challenge): void {
    if (challenge.qop === undefined) return
    this.#entries.set(account, { challenge, count: 1, since: this.#clock.monotonic() })
  }

  /** Forgets the challenge, if it is still the one with this nonce. */
  drop(account: string, nonce: string): void {
    if (this.#entries.get(account)?.challenge.nonce === nonce) this.#entries.delete(account)
  }
}
