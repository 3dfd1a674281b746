import { makeResponse, refusalHeaders, serializeToKeep } from '../message/index.ts'
import type { Flow, SipRequest, SipResponse } from '../message/types.ts'
import { bare } from './bare.ts'
import type { Core } from './core.ts'
import type { ServerIdentity } from './server-non-invite.ts'
import type { Expirable, TimerEntry } from './timer-wheel.ts'
import { retag } from './to-tag.ts'
import type { ServerTransaction, TransactionState } from './types.ts'

/** `resend`: timer G, 2xx, reliable 1xx. `prack`: no PRACK. `end`: timers H, I, L and the guards. */
type Kind = 'resend' | 'prack' | 'end'

/**
 * A server transaction for INVITE (RFC 3261 §17.2.1 with the Accepted state of RFC 6026 §7.1). It
 * also does the part of the UAS core that is but timers: the 2xx until its ACK (RFC 3261 §13.3.1.4)
 * and the reliable 1xx until its PRACK (RFC 3262 §3).
 */
export class ServerInvite implements ServerTransaction, Expirable<Kind> {
  readonly invite = true
  readonly id: string
  readonly key: string
  readonly callKey: string
  readonly flow: Flow
  request: SipRequest
  state: TransactionState = 'proceeding'
  /** To tag of our responses, once known. */
  toTag: string
  /** A CANCEL came: the INVITE is to end with 487. */
  cancelled = false
  readonly #core: Core
  readonly #left: (transaction: ServerInvite) => void
  /** Last response, for a repeated INVITE and the timers. */
  #last: Buffer | undefined
  /** Reliable provisional response that waits for its PRACK. */
  #reliable: Buffer | undefined
  #expired: (() => void) | undefined
  #acknowledged = false
  #gap = 0
  #resend: TimerEntry | undefined
  #prack: TimerEntry | undefined
  #end: TimerEntry | undefined

  /** `left` is called when the transaction is terminated and is to leave the table. */
  constructor(
    core: Core,
    request: SipRequest,
    flow: Flow,
    identity: ServerIdentity & { callKey: string },
    left: (transaction: ServerInvite) => void,
  ) {
    this.id = identity.id
    this.key = identity.key
    this.callKey = identity.callKey
    this.flow = flow
    this.request = request
    this.toTag = request.toTag
    this.#core = core
    this.#left = left
    this.#send(makeResponse(request, 100))
    this.#end = core.wheel.schedule(core.limits.unansweredInvite, this, 'end')
  }

  respond(response: SipResponse, failed?: (error: Error) => void): boolean {
    if (this.state !== 'proceeding') return false
    if (response.status < 200) {
      this.#noteTag(response)
      this.#send(response, failed)
      if (!this.cancelled) this.#restartEnd(this.#core.limits.unansweredInvite)
      return true
    }
    this.pracked()
    // The 200 to the CANCEL has told the peer a tag; the 487 has the same (RFC 3261 §9.2).
    if (response.status >= 300 && this.toTag !== '' && this.toTag !== response.toTag) {
      retag(response, this.toTag)
    }
    this.#noteTag(response)
    if (response.status < 300) this.toTag = response.toTag
    this.state = response.status < 300 ? 'accepted' : 'completed'
    this.#send(response, failed)
    this.request = bare(this.request)
    // Timers L and H.
    this.#restartEnd(this.#core.t64)
    if (!this.#core.transport.reliable(this.flow.transport)) this.#startResending()
    return true
  }

  respondReliably(response: SipResponse, expired: () => void): boolean {
    if (this.state !== 'proceeding') return false
    this.pracked()
    this.respond(response)
    this.#reliable = this.#last
    this.#expired = expired
    // On streams as well: a hop further on may lose it (RFC 3262 §3).
    this.#startResending()
    this.#prack = this.#core.wheel.schedule(this.#core.t64, this, 'prack')
    return true
  }

  pracked(): void {
    if (!this.#reliable) return
    this.#resend = this.#core.wheel.cancel(this.#resend)
    this.#prack = this.#core.wheel.cancel(this.#prack)
    this.#reliable = this.#expired = undefined
  }

  acknowledged(): void {
    if (this.state !== 'accepted' || this.#acknowledged) return
    this.#acknowledged = true
    this.#resend = this.#core.wheel.cancel(this.#resend)
    this.#last = undefined
  }

  /** The INVITE came again. Once the 2xx has its ACK it is only absorbed (RFC 6026 §7.1). */
  repeated(): void {
    this.#core.counters.requestsRepeatedIn++
    this.#core.traffic.repeated('in', 'request', this.flow.peer)
    if (this.#last) this.#repeat(this.#last)
  }

  /**
   * An ACK with the branch of the INVITE. True when it was for a failure response and thus ends
   * here; false when it acknowledges a 2xx (a peer of RFC 2543, or one that reuses its branch).
   */
  ack(): boolean {
    if (this.state === 'accepted') return false
    if (this.state !== 'completed') return true
    this.state = 'confirmed'
    const { wheel, transport, timers } = this.#core
    this.#resend = wheel.cancel(this.#resend)
    this.#last = undefined
    // Timer I.
    if (transport.reliable(this.flow.transport)) this.terminate()
    else this.#restartEnd(timers.t4)
    return true
  }

  /** A CANCEL came; a user that does not answer within 64·T1 is answered for. */
  cancel(): void {
    this.cancelled = true
    this.#restartEnd(this.#core.t64)
  }

  /** True while a second copy of the INVITE on another path is a merged one. */
  get pending(): boolean {
    return this.state === 'proceeding' || this.state === 'accepted'
  }

  expire(kind: Kind): void {
    if (kind === 'resend') this.#expireResend()
    else if (kind === 'prack') this.#expirePrack()
    else this.#expireEnd()
  }

  terminate(): void {
    if (this.state === 'terminated') return
    this.state = 'terminated'
    const { wheel } = this.#core
    this.#resend = wheel.cancel(this.#resend)
    this.#prack = wheel.cancel(this.#prack)
    this.#end = wheel.cancel(this.#end)
    this.#last = this.#reliable = this.#expired = undefined
    this.#left(this)
  }

  #noteTag(response: SipResponse): void {
    if (this.toTag === '') this.toTag = response.toTag
  }

  #send(response: SipResponse, failed?: (error: Error) => void): void {
    this.#last = serializeToKeep(response)
    this.#core.transport.sendResponse(this.flow, this.request.via, this.#last, failed)
  }

  #repeat(bytes: Buffer): void {
    this.#core.counters.responsesRepeatedOut++
    this.#core.traffic.repeated('out', 'response', this.flow.peer)
    this.#core.transport.sendResponse(this.flow, this.request.via, bytes)
  }

  #startResending(): void {
    this.#gap = this.#core.timers.t1
    this.#resend = this.#core.wheel.schedule(this.#gap, this, 'resend')
  }

  #restartEnd(ms: number): void {
    this.#core.wheel.cancel(this.#end)
    this.#end = this.#core.wheel.schedule(ms, this, 'end')
  }

  #expireResend(): void {
    // Only finals are held to T2; a reliable 1xx keeps doubling (RFC 3262 §3).
    const bytes = this.#reliable ?? this.#last
    this.#gap = this.#reliable ? this.#gap * 2 : Math.min(this.#gap * 2, this.#core.timers.t2)
    this.#resend = this.#core.wheel.schedule(this.#gap, this, 'resend')
    if (bytes) this.#repeat(bytes)
  }

  #expirePrack(): void {
    const expired = this.#expired
    this.#core.counters.prackTimeouts++
    this.#prack = undefined
    this.pracked()
    expired?.()
  }

  #expireEnd(): void {
    this.#end = undefined
    const { counters, user } = this.#core
    if (this.state === 'proceeding') {
      counters.unanswered++
      const status = this.cancelled ? 487 : 408
      if (this.toTag === '') this.toTag = this.#core.random.hex(5)
      // Its user never answered and is still to be told which request that was.
      const { request } = this
      const headers = refusalHeaders(request, this.flow, status)
      this.respond(makeResponse(request, status, undefined, { toTag: this.toTag, headers }))
      this.request = request
      return
    }
    if (this.state === 'completed') counters.failureAckTimeouts++
    const missing = this.state === 'accepted' && !this.#acknowledged
    if (missing) {
      counters.ackTimeouts++
      user.ackTimeout(this)
    }
    this.terminate()
  }
}
