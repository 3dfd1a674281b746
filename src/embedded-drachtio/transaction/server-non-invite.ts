import { serializeMessage, serializeToKeep } from '../message/index.ts'
import type { Flow, SipRequest, SipResponse } from '../message/types.ts'
import { bare } from './bare.ts'
import type { Core } from './core.ts'
import type { Expirable, TimerEntry } from './timer-wheel.ts'
import type { ServerTransaction, TransactionState } from './types.ts'

/** What identifies a server transaction in the table. */
export interface ServerIdentity {
  id: string
  key: string
  /** Absent when a merged request is out of question: in a dialog, and for CANCEL. */
  callKey: string | undefined
}

/** A server transaction for anything but INVITE (RFC 3261 §17.2.2, figure 8). */
export class ServerNonInvite implements ServerTransaction, Expirable {
  readonly invite = false
  readonly id: string
  readonly key: string
  readonly callKey: string | undefined
  readonly flow: Flow
  request: SipRequest
  state: TransactionState = 'trying'
  readonly #core: Core
  readonly #left: (transaction: ServerNonInvite) => void
  #last: Buffer | undefined
  #end: TimerEntry | undefined

  /** `left` is called when the transaction is terminated and is to leave the table. */
  constructor(
    core: Core,
    request: SipRequest,
    flow: Flow,
    identity: ServerIdentity,
    left: (transaction: ServerNonInvite) => void,
  ) {
    this.id = identity.id
    this.key = identity.key
    this.callKey = identity.callKey
    this.flow = flow
    this.request = request
    this.#core = core
    this.#left = left
    // The client gives up after 64·T1 (timer F) and a late 408 only does harm (RFC 4320 §4.2).
    this.#end = core.wheel.schedule(core.t64, this, 'end')
  }

  respond(response: SipResponse, failed?: (error: Error) => void): boolean {
    if (this.state !== 'trying' && this.state !== 'proceeding') return false
    const { wheel, transport, t64 } = this.#core
    const reliable = transport.reliable(this.flow.transport)
    const bytes = reliable ? serializeMessage(response) : serializeToKeep(response)
    this.#last = bytes
    transport.sendResponse(this.flow, this.request.via, bytes, failed)
    if (response.status < 200) {
      this.state = 'proceeding'
      return true
    }
    this.state = 'completed'
    // A subscription is made of its request once the answer has gone out.
    if (this.request.method !== 'SUBSCRIBE') this.request = bare(this.request)
    wheel.cancel(this.#end)
    // Timer J.
    if (reliable) this.terminate()
    else this.#end = wheel.schedule(t64, this, 'end')
    return true
  }

  /** The request came again: the last response, if any, goes out again. */
  repeated(): void {
    const { counters, traffic } = this.#core
    counters.requestsRepeatedIn++
    traffic.repeated('in', 'request', this.flow.peer)
    if (!this.#last) return
    counters.responsesRepeatedOut++
    traffic.repeated('out', 'response', this.flow.peer)
    this.#core.transport.sendResponse(this.flow, this.request.via, this.#last)
  }

  /** True while a second copy of the request on another path is a merged one. */
  get pending(): boolean {
    return this.state === 'trying' || this.state === 'proceeding'
  }

  acknowledged(): void {}

  respondReliably(): boolean {
    return false
  }

  pracked(): void {}

  expire(): void {
    if (this.pending) this.#core.counters.unanswered++
    this.terminate()
  }

  terminate(): void {
    if (this.state === 'terminated') return
    this.state = 'terminated'
    this.#end = this.#core.wheel.cancel(this.#end)
    this.#last = undefined
    this.#left(this)
  }
}
