import type { Clock } from '../../shared/clock.ts'
import type { Logger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { Traffic } from '../traffic.ts'
import type { LocalAddresses } from './address.ts'
import type { TransportMetrics } from './metrics.ts'
import type { TransportLimits } from './options.ts'
import type { MessageTap } from './tap.ts'
import type { TransportEvents } from './types.ts'

/** What the parts of the transport layer share. */
export interface TransportContext {
  limits: TransportLimits
  /** Milliseconds between pings on outbound connections; 0 for none. */
  keepalive: number
  events: TransportEvents
  clock: Clock
  random: Random
  log: Logger
  metrics: TransportMetrics
  /** Messages by peer. */
  traffic: Traffic
  locals: LocalAddresses
  /** Sees every message in and out; undefined for nobody, which costs nothing. */
  tap: MessageTap | undefined
  /** Identifiers of listeners and connections, from one sequence. */
  nextId(): number
}

/**
 * Lets one log line a second pass and counts the others, for events that strangers can cause as
 * often as they like.
 */
export class LogGate {
  #nextAt = Number.NEGATIVE_INFINITY
  #suppressed = 0

  /** How many were held back before this one; undefined when this one is held back too. */
  pass(now: number): number | undefined {
    if (now < this.#nextAt) {
      this.#suppressed++
      return undefined
    }
    const suppressed = this.#suppressed
    this.#nextAt = now + 1000
    this.#suppressed = 0
    return suppressed
  }
}
