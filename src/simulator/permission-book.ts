import type { Clock } from '../shared/clock.ts'
import { withoutPlus } from './party.ts'
import type { CallPermission, SimulatedNumber } from './store.ts'

const DAY = 86_400_000
const WEEK = 7 * DAY
/** Life of a temporary permission: 168 h from approval. */
const TEMPORARY = 168 * 3_600_000

/** One limit with its counter, in the shape of `call_permissions`. */
export interface LimitView {
  time_period: 'PT24H' | 'P7D'
  max_allowed: number
  current_usage: number
  /** Unix seconds; only while the limit is reached. */
  limit_expiration_time?: number
}

export interface PermissionLimits {
  requests: LimitView[]
  calls: LimitView[]
}

/** How an unsuccessful business-initiated call weighs on the permission. */
export type MissVerdict = 'none' | 'nudge' | 'revoked'

export interface PermissionBook {
  get(number: SimulatedNumber, consumer: string): CallPermission
  grant(number: SimulatedNumber, consumer: string, permanent: boolean): CallPermission
  revoke(number: SimulatedNumber, consumer: string): void
  limits(number: SimulatedNumber, consumer: string): PermissionLimits
  countRequest(number: SimulatedNumber, consumer: string): boolean
  mayConnect(number: SimulatedNumber, consumer: string): boolean
  /** A connected call: resets the request counters and the run of missed calls. */
  countConnected(number: SimulatedNumber, consumer: string, businessInitiated: boolean): void
  /** A missed or rejected business-initiated call: 2 in a row nudge, 4 revoke. */
  countMissed(number: SimulatedNumber, consumer: string): MissVerdict
}

interface Entry {
  status: CallPermission['status']
  /** Milliseconds since the epoch. */
  expires: number | undefined
  requests: number[]
  connected: number[]
  missed: number
}

/** Call permissions per number and consumer with the counters of Meta's production rules. */
export function createPermissionBook(options: {
  clock: Clock
  testLimits: boolean
}): PermissionBook {
  const { clock, testLimits } = options
  const perDay = testLimits ? 25 : 1
  const perWeek = testLimits ? 100 : 2
  const callsPerDay = testLimits ? 1000 : 100
  const nudgeAt = testLimits ? 5 : 2
  const revokeAt = testLimits ? 10 : 4
  const entries = new Map<string, Entry>()

  function entryOf(number: SimulatedNumber, consumer: string): Entry {
    const key = `${number.phoneNumberId} ${withoutPlus(consumer)}`
    let entry = entries.get(key)
    if (!entry) {
      entry = {
        status: 'no_permission',
        expires: undefined,
        requests: [],
        connected: [],
        missed: 0,
      }
      entries.set(key, entry)
    }
    const now = clock.now()
    entry.requests = entry.requests.filter((at) => at > now - WEEK)
    entry.connected = entry.connected.filter((at) => at > now - DAY)
    if (entry.expires !== undefined && entry.expires <= now) {
      entry.status = 'no_permission'
      entry.expires = undefined
    }
    return entry
  }

  function limit(times: number[], period: 'PT24H' | 'P7D', max: number): LimitView {
    const span = period === 'PT24H' ? DAY : WEEK
    const inside = times.filter((at) => at > clock.now() - span)
    const view: LimitView = { time_period: period, max_allowed: max, current_usage: inside.length }
    if (inside.length >= max) {
      const freed = inside[inside.length - max]! + span
      view.limit_expiration_time = Math.floor(freed / 1000)
    }
    return view
  }

  function limitsOf(entry: Entry): PermissionLimits {
    return {
      requests: [limit(entry.requests, 'PT24H', perDay), limit(entry.requests, 'P7D', perWeek)],
      calls: [limit(entry.connected, 'PT24H', callsPerDay)],
    }
  }

  function permissionOf(entry: Entry): CallPermission {
    const seconds = entry.expires === undefined ? undefined : Math.floor(entry.expires / 1000)
    return { status: entry.status, expirationTime: seconds }
  }

  return {
    get: (number, consumer) => permissionOf(entryOf(number, consumer)),
    grant(number, consumer, permanent) {
      const entry = entryOf(number, consumer)
      entry.status = permanent ? 'permanent' : 'temporary'
      entry.expires = permanent ? undefined : clock.now() + TEMPORARY
      entry.missed = 0
      return permissionOf(entry)
    },
    revoke(number, consumer) {
      const entry = entryOf(number, consumer)
      entry.status = 'no_permission'
      entry.expires = undefined
    },
    limits: (number, consumer) => limitsOf(entryOf(number, consumer)),
    countRequest(number, consumer) {
      const entry = entryOf(number, consumer)
      if (limitsOf(entry).requests.some(reached)) return false
      entry.requests.push(clock.now())
      return true
    },
    mayConnect: (number, consumer) => !limitsOf(entryOf(number, consumer)).calls.some(reached),
    countConnected(number, consumer, businessInitiated) {
      const entry = entryOf(number, consumer)
      entry.requests = []
      entry.missed = 0
      if (businessInitiated) entry.connected.push(clock.now())
    },
    countMissed(number, consumer) {
      const entry = entryOf(number, consumer)
      entry.missed++
      if (entry.missed >= revokeAt) {
        entry.status = 'no_permission'
        entry.expires = undefined
        entry.missed = 0
        return 'revoked'
      }
      return entry.missed === nudgeAt ? 'nudge' : 'none'
    },
  }
}

function reached(limit: LimitView): boolean {
  return limit.current_usage >= limit.max_allowed
}
