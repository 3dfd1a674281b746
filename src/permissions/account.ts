import type { Restriction } from '../settings/index.ts'
import type { Clock } from '../shared/clock.ts'
import type { AccountEvent } from './types.ts'

/** A restriction or warning without an end of its own lasts this long (docs/reference/whatsapp.md). */
const WEEK = 7 * 86_400_000
/** Events kept for one number: each type counts once, and there are six. */
const KEPT = 16
/** Numbers events are kept for; the account's own count as one. */
const NUMBERS = 1000
/**
 * Settings read this long after an event know better: a restriction they do not show was lifted. Before, they may
 * not have caught up with it.
 */
const SETTLED = 3_600_000
/** Stands for every number of the account. */
const EVERYONE = ''

/** An event while it matters. */
export interface StandingEvent {
  kind: AccountEvent['kind']
  type: string
  remediation: string | undefined
  at: number
  /** Milliseconds since the epoch. */
  expires: number
}

/** Quality events of `account_update` webhooks until they expire, by business number. */
export class AccountEvents {
  readonly #clock: Clock
  readonly #events = new Map<string, StandingEvent[]>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Takes an event. One of the same type replaces an older one and is dropped when it is older itself, so
   * that repetitions and disorder change nothing.
   *
   * @returns whether it is news
   */
  apply(event: AccountEvent): boolean {
    const { kind, type, remediation, at } = event
    const expires = event.expires ?? at + WEEK
    if (expires <= this.#clock.now()) return false
    const key = digits(event.phoneNumber ?? EVERYONE)
    const events = this.#current(key)
    const known = events.find((other) => other.type === type)
    if (known && (known.at > at || (known.at === at && known.expires === expires))) return false
    if (!known && this.#events.size >= NUMBERS && !this.#events.has(key)) return false
    const others = events.filter((other) => other !== known)
    this.#events.set(key, [...others, { kind, type, remediation, at, expires }].slice(-KEPT))
    return true
  }

  /** What stands against a number now. */
  of(phoneNumber: string): StandingEvent[] {
    if (this.#events.size === 0) return []
    return [...this.#current(digits(phoneNumber)), ...this.#current(EVERYONE)]
  }

  /**
   * The restrictions among {@link of}, in the words of the settings.
   *
   * @param readAt when the settings of the number were last read, milliseconds since the epoch
   */
  restrictions(phoneNumber: string, readAt = 0): Restriction[] {
    return this.of(phoneNumber)
      .filter(({ kind, at }) => kind === 'restriction' && readAt < at + SETTLED)
      .map(({ type, remediation, expires }) => ({
        type,
        reason: remediation,
        expiration: Math.ceil(expires / 1000),
      }))
  }

  #current(key: string): StandingEvent[] {
    const events = this.#events.get(key)
    if (!events) return []
    const now = this.#clock.now()
    const left = events.filter(({ expires }) => expires > now)
    if (left.length === 0) this.#events.delete(key)
    else if (left.length < events.length) this.#events.set(key, left)
    return left
  }
}

function digits(phoneNumber: string): string {
  return phoneNumber.replace(/\D/g, '')
}
