import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../shared/clock.ts'
import { detach } from '../../shared/detach.ts'
import type { Random } from '../../shared/random.ts'

/** How long a nonce may be answered, milliseconds. */
export const NONCE_LIFE = 60_000

/** How many nonces are remembered against replay. */
export const NONCES_REMEMBERED = 20_000

/** What a nonce given back by a peer is worth. */
export type NonceVerdict = 'good' | 'stale' | 'foreign'

interface Used {
  count: number
  issued: number
}

/**
 * Nonces that need no memory until they are answered: time of issue and salt, signed with a key of
 * this process (RFC 7616 §3.3). Only an answered nonce is remembered, with its highest `nc`, and
 * never more than {@link NONCES_REMEMBERED} of them.
 */
export class NonceSource {
  readonly #clock: Clock
  readonly #random: Random
  readonly #key: KeyObject
  readonly #capacity: number
  // Insertion order is roughly age: expired entries are found at the front.
  readonly #used = new Map<string, Used>()
  /** Nonces issued up to this moment are stale: one of them had to be forgotten. */
  #floor = -1

  constructor(clock: Clock, random: Random, capacity = NONCES_REMEMBERED) {
    this.#clock = clock
    this.#random = random
    this.#key = createSecretKey(random.bytes(32))
    this.#capacity = capacity
  }

  /** A fresh nonce for a realm. Its time is monotonic: it is of this process alone, whatever sets the clock. */
  issue(realm: string): string {
    const head = `${Math.floor(this.#clock.monotonic()).toString(36)}.${this.#random.hex(6)}`
    return `${head}.${this.#sign(realm, head)}`
  }

  /** Whether we issued the nonce for this realm, and not too long ago. */
  check(realm: string, nonce: string): NonceVerdict {
    const cut = nonce.lastIndexOf('.')
    const head = nonce.slice(0, Math.max(0, cut))
    const given = Buffer.from(nonce.slice(cut + 1))
    const expected = Buffer.from(this.#sign(realm, head))
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'foreign'
    const issued = issuedAt(head)
    const age = this.#clock.monotonic() - issued
    return age > NONCE_LIFE || age < 0 || issued <= this.#floor ? 'stale' : 'good'
  }

  /**
   * Marks use number `count` of a good nonce, after its digest has been verified.
   * @returns false when this or a later use was seen before: a replay
   */
  use(nonce: string, count: number): boolean {
    const before = this.#used.get(nonce)
    if (before) {
      if (count <= before.count) return false
      before.count = count
      return true
    }
    this.#forget()
    this.#used.set(detach(nonce), { count, issued: issuedAt(nonce) })
    return true
  }

  /** Remembered nonces. */
  get remembered(): number {
    return this.#used.size
  }

  #forget(): void {
    const oldest = this.#clock.monotonic() - NONCE_LIFE
    for (const [nonce, { issued }] of this.#used) {
      if (issued >= oldest && this.#used.size < this.#capacity) return
      this.#used.delete(nonce)
      // Forgetting one that is still valid would allow its replay: all as old become stale.
      if (issued >= oldest) this.#floor = Math.max(this.#floor, issued)
    }
  }

  #sign(realm: string, head: string): string {
    const mac = createHmac('sha256', this.#key).update(realm).update('\0').update(head)
    return mac.digest('base64url').slice(0, 22)
  }
}

function issuedAt(nonce: string): number {
  return Number.parseInt(nonce.slice(0, nonce.indexOf('.')), 36)
}
