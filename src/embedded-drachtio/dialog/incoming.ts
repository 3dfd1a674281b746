import type { Clock, Timer } from '../../shared/clock.ts'
import type { AppConnection } from '../protocol/connection.ts'
import type { ServerTransaction } from '../transaction/types.ts'
import type { Dialog } from './dialog.ts'

/** A request the application has not finally answered. */
export interface Incoming {
  readonly transaction: ServerTransaction
  readonly app: AppConnection
  /** Its dialog; of an initial INVITE only once a response with a tag was given. */
  dialog: Dialog | undefined
  /** To tag of our responses; '' until the first. */
  tag: string
  /** True for an INVITE or SUBSCRIBE outside dialogs. */
  readonly initial: boolean
  /** An UPDATE that came before the INVITE was answered; told under the INVITE's transaction. */
  update: Incoming | undefined
  /** RSeq of the last reliable provisional response; 0 before the first. */
  rseq: number
  /** True until the PRACK for it comes. */
  unacknowledged: boolean
  /** Reliable responses that wait for that PRACK (RFC 3262 §3). */
  readonly held: (() => void)[]
  /** When the server answers for the application; monotonic milliseconds. */
  deadline: number
}

/** A request as it is handed to an application. */
export function createIncoming(
  transaction: ServerTransaction,
  app: AppConnection,
  dialog: Dialog | undefined,
): Incoming {
  return {
    transaction,
    app,
    dialog,
    tag: transaction.request.toTag,
    initial: transaction.request.toTag === '',
    update: undefined,
    rseq: 0,
    unacknowledged: false,
    held: [],
    deadline: 0,
  }
}

/**
 * Requests that wait for an application's answer. Those that are no INVITE have a time limit: it is
 * the same for all, so they expire in the order they came and one timer serves them.
 */
export class IncomingTable {
  readonly #invites = new Map<string, Incoming>()
  readonly #others = new Map<string, Incoming>()
  readonly #clock: Clock
  readonly #limit: number
  readonly #expired: (incoming: Incoming) => void
  #timer: Timer | undefined

  constructor(clock: Clock, limit: number, expired: (incoming: Incoming) => void) {
    this.#clock = clock
    this.#limit = limit
    this.#expired = expired
  }

  get size(): number {
    return this.#invites.size + this.#others.size
  }

  get(txn: string): Incoming | undefined {
    return this.#invites.get(txn) ?? this.#others.get(txn)
  }

  add(incoming: Incoming): void {
    const { id, request } = incoming.transaction
    if (request.method === 'INVITE') {
      this.#invites.set(id, incoming)
      return
    }
    incoming.deadline = this.#clock.monotonic() + this.#limit
    this.#others.set(id, incoming)
    this.#timer ??= this.#clock.setTimeout(() => this.#expire(), this.#limit)
  }

  delete(txn: string): boolean {
    if (this.#invites.delete(txn)) return true
    if (!this.#others.delete(txn)) return false
    if (this.#others.size === 0) this.#stop()
    return true
  }

  clear(): void {
    this.#invites.clear()
    this.#others.clear()
    this.#stop()
  }

  #stop(): void {
    this.#timer?.clear()
    this.#timer = undefined
  }

  #expire(): void {
    this.#timer = undefined
    const now = this.#clock.monotonic()
    for (const [txn, incoming] of this.#others) {
      if (incoming.deadline > now) {
        this.#timer = this.#clock.setTimeout(() => this.#expire(), incoming.deadline - now)
        return
      }
      this.#others.delete(txn)
      this.#expired(incoming)
    }
  }
}
