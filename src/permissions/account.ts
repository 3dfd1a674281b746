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
/** Stands for an account whose event names no number. */
const ACCOUNT = ''

/** An event while it matters. */
export interface StandingEvent {
  /** Whether it names the number; else it is about some number of an account, perhaps about this one. */
  named: boolean
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
    const key = digits(event.phoneNumber ?? ACCOUNT)
    const events = this.#current(key)
    const known = events.find((other) => other.type === type)
    if (known && (known.at > at || (known.at === at && known.expires === expires))) return false
    if (!known && this.#events.size >= NUMBERS && !this.#events.has(key)) return false
    const others = events.filter((other) => other !== known)
    const named = key !== ACCOUNT
    const standing = { named, kind, type, remediation, at, expires }
    this.#events.set(key, [...others, standing].slice(-KEPT))
    return true
  }

  /** What stands against a number now, or against an account it may belong to. */
  of(phoneNumber: string): StandingEvent[] {
    if (this.#events.size === 0) return []
    return [...this.#current(digits(phoneNumber)), ...this.#current(ACCOUNT)]
  }

  /**
   * The restrictions that name the number, in the words of the settings. One that names none may be about another
   * number: it warns, and the settings of the number tell.
   *
   * @param readAt when the settings of the number were last read, milliseconds since the epoch
   */
  restrictions(phoneNumber: string, readAt = 0): Restriction[] {
    return this.of(phoneNumber)
      .filter(({ named, kind, at }) => named && kind === 'restriction' && readAt < at + SETTLED)
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
