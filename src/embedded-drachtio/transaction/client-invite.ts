import { makeAckForFailure, serializeMessage } from '../message/index.ts'
import type { Flow, SipResponse } from '../message/types.ts'
import { type AttemptTimer, ClientAttempt } from './client-attempt.ts'
import type { TimerEntry } from './timer-wheel.ts'

/** A client transaction for INVITE (RFC 3261 §17.1.1 with the Accepted state of RFC 6026 §7.2). */
export class ClientInvite extends ClientAttempt {
  #ack: Buffer | undefined
  #progress: TimerEntry | undefined
  #cancelSent = false

  override receive(response: SipResponse, flow: Flow): void {
    if (this.state === 'accepted') {
      // Each 2xx goes up: from a fork, or because our ACK was lost (RFC 6026 §7.2).
      if (response.status >= 200 && response.status < 300) this.user.final(response, flow, this)
    } else if (this.state === 'completed') {
      this.#receiveLate(response, flow)
    } else if (response.status < 200) {
      this.#receiveProvisional(response, flow)
    } else {
      this.#receiveFinal(response, flow)
    }
  }

  /** The CANCEL went out: the wait for a final response is timed by it from now on. */
  cancelSent(): void {
    this.#cancelSent = true
    this.#progress = this.core.wheel.cancel(this.#progress)
  }

  override expire(kind: AttemptTimer): void {
    if (kind === 'resend') {
      this.retransmit(this.gap * 2)
    } else if (kind === 'progress') {
      this.core.counters.progressTimeouts++
      this.#progress = undefined
      this.user.stalled(this)
    } else {
      const unanswered = this.waiting
      this.terminate()
      if (!unanswered) return
      this.core.counters.inviteTimeouts++
      this.user.lost(408, undefined, this)
    }
  }

  override terminate(): void {
    this.#progress = this.core.wheel.cancel(this.#progress)
    this.#ack = undefined
    super.terminate()
  }

  #receiveProvisional(response: SipResponse, flow: Flow): void {
    const first = this.state === 'trying'
    if (first) {
      this.state = 'proceeding'
      this.resend = this.core.wheel.cancel(this.resend)
      this.end = this.core.wheel.cancel(this.end)
    }
    this.answered = true
    if (response.status > 100) this.progressed = true
    // Timer C runs from the last provisional but 100 (RFC 3261 §16.7 step 2).
    if ((first || response.status > 100) && !this.#cancelSent) {
      this.core.wheel.cancel(this.#progress)
      this.#progress = this.core.wheel.schedule(this.core.limits.progress, this, 'progress')
    }
    this.user.provisional(response, flow, this)
  }

  #receiveFinal(response: SipResponse, flow: Flow): void {
    this.#progress = this.core.wheel.cancel(this.#progress)
    if (response.status < 300) {
      this.settle('accepted')
      // Timer M, on every transport.
      this.linger(this.core.t64)
      this.user.final(response, flow, this)
      return
    }
    const reliable = this.reliable
    const ack = serializeMessage(makeAckForFailure(this.request, response))
    this.settle('completed')
    this.sendAlong(ack)
    if (!reliable) this.#ack = ack
    this.user.final(response, flow, this)
    // Timer D.
    this.linger(reliable ? 0 : this.core.t64)
  }

  #receiveLate(response: SipResponse, flow: Flow): void {
    if (response.status >= 300) {
      this.core.counters.responsesRepeatedIn++
      this.core.traffic.repeated('in', 'response', flow.peer)
      if (this.#ack) this.sendAlong(this.#ack)
    } else if (response.status >= 200) {
      // A fork answered after a failure was reported: its call must be ended.
      this.core.user.strayResponse(response, flow)
    }
  }
}
