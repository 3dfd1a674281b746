import type { Clock } from '../shared/clock.ts'
import type { ErrorCode } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'
import type { PermissionBook } from './book.ts'
import { pairKey } from './party.ts'
import { type Pickup, Streaks } from './streaks.ts'
import { type NumberCount, Tally } from './tally.ts'
import type { CallOutcome } from './types.ts'

/** A call that has connected or ended. */
export interface CallFacts {
  /** Name of the number under `numbers`. */
  number: string
  phoneNumberId: string
  /** `+E.164` or BSUID. */
  consumer: string
}

/** Learns from how calls went: unanswered streaks, pickup rates, permissions that turned out otherwise. */
export class OutcomeWatch {
  readonly #book: PermissionBook
  readonly #log: Logger
  readonly #streaks: Streaks
  readonly #stages = new Tally()
  readonly #low = new Set<string>()

  constructor(options: { clock: Clock; log: Logger; book: PermissionBook }) {
    this.#book = options.book
    this.#log = options.log
    this.#streaks = new Streaks(options.clock)
  }

  /** Streaks that reached a stage so far: `nudged`, `last`, `revoked`. */
  get stages(): readonly NumberCount[] {
    return this.#stages.all()
  }

  /** Consumers with a streak now. */
  get size(): number {
    return this.#streaks.size
  }

  /** The pickup rate of a number's business-initiated calls. */
  pickup(number: string): Pickup {
    return this.#streaks.pickup(number)
  }

  /** The consumer's own call connected. */
  onUserCall({ phoneNumberId, consumer }: CallFacts): void {
    const pair = pairKey(phoneNumberId, consumer)
    this.#streaks.reset(pair)
    this.#book.connected(pair, false)
  }

  /** The consumer gave permission: WhatsApp counts anew. */
  onGranted(phoneNumberId: string, consumers: readonly string[]): void {
    for (const consumer of consumers) this.#streaks.reset(pairKey(phoneNumberId, consumer))
  }

  /** A business-initiated call connected, or ended without. */
  onBusinessCall(call: CallFacts, outcome: CallOutcome): void {
    const pair = pairKey(call.phoneNumberId, call.consumer)
    if (outcome === 'answered') {
      this.#streaks.reset(pair)
      this.#book.connected(pair, true)
      this.#count(call, true)
    } else if (outcome === 'missed') {
      this.#onMissed(call, pair)
      this.#count(call, false)
    } else this.#book.forget(pair)
  }

  #onMissed({ number, consumer }: CallFacts, pair: string): void {
    const { inARow, stage } = this.#streaks.missed(pair)
    if (stage === 'none') return
    this.#stages.add(number, stage)
    if (stage === 'revoked') this.#book.forget(pair)
    const code: ErrorCode = stage === 'revoked' ? 'PERMISSION_STREAK_REVOKED' : 'PERMISSION_STREAK'
    const next = {
      nudged: 'WhatsApp asks the consumer whether to allow more',
      last: 'one more and WhatsApp revokes the permission',
      revoked: 'WhatsApp revokes the permission',
    }[stage]
    this.#log.warn({ code, number, party: consumer, inARow, next }, 'unanswered calls in a row')
  }

  #count({ number }: CallFacts, answered: boolean): void {
    this.#streaks.count(number, answered)
    const { low, calls, answered: answers } = this.#streaks.pickup(number)
    if (low === this.#low.has(number)) return
    if (!low) {
      this.#low.delete(number)
      return
    }
    this.#low.add(number)
    const code = 'PERMISSION_PICKUP_LOW'
    this.#log.warn({ code, number, calls, answered: answers }, 'few calls are answered')
  }
}
