import type { Flow, SipResponse } from '../message/types.ts'
import { type AttemptTimer, ClientAttempt } from './client-attempt.ts'

/** A client transaction for anything but INVITE (RFC 3261 §17.1.2, figure 6). */
export class ClientNonInvite extends ClientAttempt {
  override receive(response: SipResponse, flow: Flow): void {
    if (!this.waiting) {
      this.core.counters.responsesRepeatedIn++
      this.core.traffic.repeated('in', 'response', flow.peer)
      return
    }
    if (response.status < 200) {
      this.state = 'proceeding'
      this.answered = true
      if (response.status > 100) this.progressed = true
      this.user.provisional(response, flow, this)
      return
    }
    this.settle('completed')
    this.user.final(response, flow, this)
    // Timer K.
    this.linger(this.reliable ? 0 : this.core.timers.t4)
  }

  override expire(kind: AttemptTimer): void {
    if (kind === 'resend') {
      // Timer E: every T2 once a provisional response came (RFC 3261 §17.1.2.2).
      const { t2 } = this.core.timers
      this.retransmit(this.state === 'proceeding' ? t2 : Math.min(this.gap * 2, t2))
      return
    }
    const unanswered = this.waiting
    this.terminate()
    if (!unanswered) return
    this.core.counters.requestTimeouts++
    this.user.lost(408, undefined, this)
  }
}
