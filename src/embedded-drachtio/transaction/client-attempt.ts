import { serializeMessage } from '../message/index.ts'
import type { Flow, SipRequest, SipResponse } from '../message/types.ts'
import type { Target } from '../transport/types.ts'
import { bare } from './bare.ts'
import type { ClientTable } from './client-table.ts'
import type { Core } from './core.ts'
import { clientKey } from './keys.ts'
import type { Expirable, TimerEntry } from './timer-wheel.ts'
import type { TransactionState } from './types.ts'

/** What an attempt tells the request it is made for. */
export interface AttemptUser {
  /** Any provisional response, 100 included. */
  provisional(response: SipResponse, flow: Flow, attempt: ClientAttempt): void
  /** A final response; for INVITE every 2xx. */
  final(response: SipResponse, flow: Flow, attempt: ClientAttempt): void
  /** It ended without a final response: 408 no answer in time, 503 the transport failed. */
  lost(status: 408 | 503, error: Error | undefined, attempt: ClientAttempt): void
  /** Timer C ran out. */
  stalled(attempt: ClientAttempt): void
  /** It has left the table. */
  ended(attempt: ClientAttempt): void
}

/** `resend`: timers A and E. `end`: timers B, D, F, K and M. `progress`: timer C. */
export type AttemptTimer = 'resend' | 'end' | 'progress'

/**
 * One client transaction of RFC 3261 §17.1: one branch, sent to one target. A request that fails
 * over (RFC 3263 §4.3) makes one for each target it tries.
 */
export abstract class ClientAttempt implements Expirable<AttemptTimer> {
  readonly key: string
  readonly target: Target
  /** As sent, with its Via. */
  request: SipRequest
  /** Where it went, once handed to the system; its ACK and CANCEL go there too. */
  flow: Flow | undefined
  state: TransactionState = 'trying'
  /** A response came, if only 100. */
  answered = false
  /** A response other than 100 came. */
  progressed = false
  protected readonly core: Core
  protected readonly user: AttemptUser
  protected resend: TimerEntry | undefined
  protected end: TimerEntry | undefined
  protected gap = 0
  readonly #table: ClientTable
  readonly #prefer: Flow | undefined
  /** When it was sent first, until a response has come. */
  #sentAt: number | undefined
  #bytes: Buffer | undefined

  constructor(
    core: Core,
    table: ClientTable,
    request: SipRequest,
    target: Target,
    prefer: Flow | undefined,
    user: AttemptUser,
  ) {
    this.core = core
    this.key = clientKey(request)
    this.request = request
    this.target = target
    this.user = user
    this.#table = table
    this.#prefer = prefer
  }

  /** Sends the request and starts its timers. `bytes` when it was serialized already. */
  start(bytes: Buffer = serializeMessage(this.request)): void {
    this.#bytes = bytes
    this.#sentAt = this.core.now()
    this.#table.add(this)
    // Timers B and F.
    this.end = this.core.wheel.schedule(this.core.t64, this, 'end')
    this.#transmit(bytes)
  }

  /** A response with this branch came; the first one tells how fast the peer is. */
  responded(flow: Flow): void {
    if (this.#sentAt === undefined) return
    this.core.traffic.responded(this.core.now() - this.#sentAt, flow.peer)
    this.#sentAt = undefined
  }

  /** Takes a response with this branch. */
  abstract receive(response: SipResponse, flow: Flow): void

  abstract expire(kind: AttemptTimer): void

  /** The stream it was sent on has closed, or could not take it. */
  failed(error: Error | undefined): void {
    if (!this.waiting) return
    this.terminate()
    this.user.lost(503, error, this)
  }

  /** True while no final response has come. */
  get waiting(): boolean {
    return this.state === 'trying' || this.state === 'proceeding'
  }

  /** Another target is tried: nothing is resent. What comes within 64·T1 is still heard. */
  supersede(): void {
    this.resend = this.core.wheel.cancel(this.resend)
    this.#bytes = undefined
  }

  /** What is not over by then ends. */
  endWithin(ms: number): void {
    this.core.wheel.cancel(this.end)
    this.end = this.core.wheel.schedule(ms, this, 'end')
  }

  terminate(): void {
    if (this.state === 'terminated') return
    this.settle('terminated')
    this.#table.remove(this)
    this.user.ended(this)
  }

  /** The wait is over: nothing is resent any more, and neither bytes nor body are kept. */
  protected settle(state: TransactionState): void {
    this.state = state
    this.resend = this.core.wheel.cancel(this.resend)
    this.end = this.core.wheel.cancel(this.end)
    this.#bytes = undefined
    this.#table.settled(this)
    // Its user still asks for the request after a failure, to make the response that did not come.
    if (state !== 'terminated') this.request = bare(this.request)
  }

  /** Stays for `ms` in a state after the final response; nothing to wait for on streams with 0. */
  protected linger(ms: number): void {
    if (this.state === 'terminated') return
    if (ms === 0) this.terminate()
    else this.end = this.core.wheel.schedule(ms, this, 'end')
  }

  protected get reliable(): boolean {
    return this.core.transport.reliable((this.flow ?? this.#prefer ?? this.target).transport)
  }

  /** Sends the request again, and sets the timer for the next time. */
  protected retransmit(gap: number): void {
    this.gap = gap
    this.resend = this.core.wheel.schedule(gap, this, 'resend')
    this.core.counters.requestsRepeatedOut++
    this.core.traffic.repeated('out', 'request', this.flow?.peer)
    if (this.#bytes) this.#transmit(this.#bytes)
  }

  /** Sends something else (an ACK) the way the request went; what becomes of it does not matter. */
  protected sendAlong(bytes: Buffer): void {
    this.core.transport.sendRequest(this.target, bytes, this.flow ?? this.#prefer, ignore)
  }

  #transmit(bytes: Buffer): void {
    this.core.transport.sendRequest(this.target, bytes, this.flow ?? this.#prefer, this.#sent)
  }

  readonly #sent = (error: Error | undefined, flow?: Flow): void => {
    if (error) {
      // In Proceeding an INVITE sends nothing, so this is a late word on an earlier copy.
      if (this.request.method !== 'INVITE' || this.state === 'trying') this.failed(error)
      return
    }
    if (!flow || this.flow || !this.waiting) return
    this.flow = flow
    if (this.core.transport.reliable(flow.transport)) {
      this.#table.usesStream(this, flow.id)
    } else if (this.state === 'trying') {
      // Timers A and E.
      this.gap = this.core.timers.t1
      this.resend = this.core.wheel.schedule(this.gap, this, 'resend')
    }
  }
}

function ignore(): void {}
