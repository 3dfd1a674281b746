import type { Clock } from '../shared/clock.ts'
import { detach } from '../shared/detach.ts'
import type { CallPermission, PermissionAction, PermissionReply } from './types.ts'
import { judgeCall } from './verdict.ts'

const HOUR = 3_600_000
/** Life of a temporary permission (WhatsApp's rule): 168 hours from the approval. */
export const TEMPORARY = 168 * HOUR
/** A permission without an end of its own is read again: a revocation may have been missed. */
export const REREAD = 6 * HOUR
/** What refuses a call is read again soon: the consumer may agree at any moment. */
export const REFUSAL = 60_000
/** Most consumers remembered, of all numbers together; of more the oldest go. About 500 bytes each. */
const CACHE_LIMIT = 20_000
/** Webhooks tell time in whole seconds. */
const SECOND = 1000

interface Entry {
  /** Undefined: forgotten, kept only so that older events are known to be old. */
  permission: CallPermission | undefined
  /** Milliseconds since the epoch from which it has to be read again. */
  staleAt: number
  /** Time of the event it comes from. */
  at: number
  /** When it came to be known here. */
  learned: number
}

/** Milliseconds a permission read or told now may be believed. Errors are never kept. */
export function lifetime(permission: CallPermission, now: number): number {
  if (judgeCall(permission, now)) return REFUSAL
  const { status, expires } = permission
  return status === 'temporary' && expires !== undefined ? expires - now : REREAD
}

/** What consumers permit, as last known. Keys are those of `pairKey`. */
export class PermissionCache {
  readonly #clock: Clock
  readonly #limit: number
  // Insertion order is age.
  readonly #entries = new Map<string, Entry>()

  constructor(clock: Clock, limit = CACHE_LIMIT) {
    this.#clock = clock
    this.#limit = limit
  }

  get size(): number {
    return this.#entries.size
  }

  /** What is known and not stale. */
  get(pair: string): CallPermission | undefined {
    const entry = this.#entries.get(pair)
    return entry && entry.staleAt > this.#clock.now() ? entry.permission : undefined
  }

  /**
   * Takes what the API answered to a question asked at `asked`: unless an event has told of a change since.
   *
   * @returns what holds now
   */
  read(pair: string, permission: CallPermission, asked: number): CallPermission {
    const known = this.#entries.get(pair)
    const newer = known && known.learned > asked ? this.get(pair) : undefined
    if (newer) return newer
    this.#set(pair, permission, asked)
    return permission
  }

  /** Takes a reply of the consumer; false when it is older than what is known. */
  apply(pair: string, reply: PermissionReply): boolean {
    const known = this.#entries.get(pair)
    if (known && reply.at + SECOND <= known.at) return false
    if (reply.response === 'reject') {
      this.forget(pair, reply.at)
      return true
    }
    const expires = reply.permanent ? undefined : (reply.expires ?? reply.at + TEMPORARY)
    const status = reply.permanent ? 'permanent' : 'temporary'
    this.#set(pair, { status, expires, request: undefined, call: undefined }, reply.at)
    return true
  }

  /** The next call reads it again. */
  forget(pair: string, at = this.#clock.now()): void {
    if (!this.#entries.has(pair)) return
    this.#keep(pair, { permission: undefined, staleAt: 0, at, learned: this.#clock.now() })
  }

  /** A call connected: the quota of requests starts anew, one connected call more counts if it was ours. */
  connected(pair: string, businessInitiated: boolean): void {
    const permission = this.get(pair)
    if (!permission) return
    // A call from the consumer may have granted permission (callback_permission_status).
    if (judgeCall(permission, this.#clock.now())) {
      this.forget(pair)
      return
    }
    const { call, request } = permission
    if (businessInitiated && call) {
      spend(call, this.#clock.now())
      if (call.allowed === false) {
        this.forget(pair)
        return
      }
    }
    if (request) {
      for (const limit of request.limits) Object.assign(limit, { used: 0, until: undefined })
      request.allowed = undefined
    }
  }

  /** A request message went out. */
  requested(pair: string): void {
    const request = this.get(pair)?.request
    if (request) spend(request, this.#clock.now())
  }

  #set(pair: string, permission: CallPermission, at: number): void {
    const now = this.#clock.now()
    const staleAt = now + lifetime(permission, now)
    this.#keep(pair, { permission, staleAt, at, learned: now })
  }

  #keep(pair: string, entry: Entry): void {
    this.#entries.delete(pair)
    this.#entries.set(detach(pair), entry)
    if (this.#entries.size > this.#limit) {
      this.#entries.delete(this.#entries.keys().next().value!)
    }
  }
}

const PERIODS: Record<string, number> = { PT24H: 24 * HOUR, P1D: 24 * HOUR, P7D: 7 * 24 * HOUR }

/** Counts one use of an action; it is not allowed any more once a quota is used up. */
function spend(action: PermissionAction, now: number): void {
  for (const limit of action.limits) {
    limit.used++
    if (limit.used < limit.max) continue
    action.allowed = false
    limit.until ??= now + (PERIODS[limit.period] ?? 24 * HOUR)
  }
}
