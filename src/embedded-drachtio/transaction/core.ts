import type { Random } from '../../shared/random.ts'
import type { Flow } from '../message/types.ts'
import type { Traffic } from '../traffic.ts'
import type { Target, Transport } from '../transport/types.ts'
import type { TransactionCounters } from './counters.ts'
import type { TimerWheel } from './timer-wheel.ts'
import type { TransactionUser } from './types.ts'

/** Base intervals of RFC 3261 §17.1.1.1, milliseconds. */
export interface BaseTimers {
  /** Round-trip estimate; first retransmission. Default 500. */
  t1: number
  /** Longest gap between retransmissions of what is not an INVITE. Default 4000. */
  t2: number
  /** Longest time a message stays in the network. Default 5000. */
  t4: number
}

/** Bounds that keep silent peers and silent users from filling the tables. */
export interface TransactionLimits {
  /** Server transactions at one time; beyond, a request gets 503 with Retry-After. Default 100000. */
  serverTransactions: number
  /** How long an incoming INVITE may stay without a response of ours, ms. Default 600000: 408. */
  unansweredInvite: number
  /**
   * Timer C, ms: how long after the last provisional response an INVITE of ours waits before it is
   * cancelled (RFC 3261 §16.6 step 11: more than three minutes). Default 185000.
   */
  progress: number
  /**
   * How long a datagram target may answer nothing, not even 100, while others are left to be tried, ms.
   * Default 64·T1 (RFC 3263 §4.3), which no caller waits for.
   */
  silence: number
}

/**
 * Targets to try, in order, for a request of `size` bytes meant for `targets`: TCP first when it is
 * too large for a datagram (RFC 3261 §18.1.1). `expandForSize` of the transport layer.
 */
export type ExpandForSize = (
  targets: Target[],
  size: number,
  transport: Pick<Transport, 'localFor'>,
) => Target[]

/** What every transaction needs of the layer. */
export interface Core {
  readonly transport: Transport
  readonly user: TransactionUser
  readonly wheel: TimerWheel
  readonly random: Random
  readonly timers: BaseTimers
  /** 64·T1: how long either side tries (timers B, D, F, H, J, L, M). */
  readonly t64: number
  readonly limits: TransactionLimits
  readonly counters: TransactionCounters
  readonly traffic: Traffic
  /** Monotonic time, milliseconds. */
  now(): number
  readonly expandForSize: ExpandForSize
  /** Whether users hear of the 100 to an INVITE. */
  readonly tellTrying: boolean
  /** Told of a stream target of expandForSize that could not be reached. */
  streamRefused(target: Target): void
  /** Told of a target that answered, or did not or by 503 (RFC 3263 §4.3). */
  reached(target: Target, answered: boolean): void
  /** The flow while it is open; undefined when it is not, so that the target decides the Via. */
  usable(flow: Flow | undefined): Flow | undefined
  /** A branch never used before (RFC 3261 §8.1.1.7). */
  newBranch(): string
}

/** A branch generator: a random prefix for the process and a counter, unique and cheap. */
export function branchGenerator(random: Random, cookie: string): () => string {
  const prefix = `${cookie}${random.hex(8)}`
  let count = 0
  return () => `${prefix}${(count++).toString(36)}`
}
