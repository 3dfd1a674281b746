import type { DialogOwner } from '../context.ts'
import { longerTimer } from '../headers/session-timer.ts'
import type { Failure } from '../outcome/failure.ts'
import type {
  Headers,
  IncomingRequest,
  IncomingResponse,
  ResponseHandler,
  SentRequest,
  SipPort,
} from '../sip-port.ts'
import { sendBye } from './bye.ts'

/** Where an INVITE goes out, and the dialogs it takes requests of while it is unanswered. */
export interface InvitePlace {
  readonly port: SipPort
  readonly dialogs: Map<string, DialogOwner>
}

/** An INVITE of ours as it is composed; Call-ID, From tag and CSeq are added. */
export interface InviteDraft {
  uri: string
  /** Next hop, where it is not the URI. */
  proxy?: string | undefined
  /** From without a tag. */
  from: string
  to: string
  headers: Headers
  body: string
  callId: string
  fromTag: string
}

/** What its owner learns of an INVITE. After a final event or {@link OutgoingInvite.abandon}, nothing. */
export interface InviteEvents {
  onInviteSent(attempt: number): void
  /** A 100, where the SIP server tells of it: the next hop is there. */
  onTrying?(): void
  onProvisional(response: IncomingResponse): void
  /** A request of the callee before its answer: an UPDATE (RFC 3311). Without this, 481. */
  onEarlyRequest?(request: IncomingRequest): void
  /** A 2xx; it has been acknowledged. */
  onAnswer(response: IncomingResponse): void
  onFailure(failure: Failure, response: IncomingResponse | undefined): void
  /** A challenge that is being answered. */
  onChallenge(response: IncomingResponse): void
  /** Something threw while deciding on a failure: a fault of this program. */
  onFault(error: unknown): void
}

/**
 * Gives an INVITE its credentials. Asked before each sending, and after each failure whether there
 * is a reason to try again.
 */
export interface Authorizer {
  /** Header to send with, for this attempt. */
  credentials(): Headers
  /** Whether to send again, after this final response. */
  retry(response: IncomingResponse): boolean | Promise<boolean>
}

type State = 'idle' | 'pending' | 'thinking' | 'done'

/**
 * An INVITE as a client: sent, challenged and sent again with the next CSeq under the same Call-ID
 * and From tag (RFC 3261 §22.2), answered, refused or given up. The next hop never changes.
 */
export class OutgoingInvite implements ResponseHandler, DialogOwner {
  /** Name of the dialogs it makes: the SIP server's. */
  readonly dialogId: string
  readonly #place: InvitePlace
  readonly #draft: InviteDraft
  readonly #authorizer: Authorizer | undefined
  #events: InviteEvents | undefined
  #state: State = 'idle'
  #cseq = 0
  #sent: SentRequest | undefined
  #cancelHeaders: Headers = {}
  #onLate: (() => void) | undefined
  /** The session timer a 422 asked for, instead of the draft's. */
  #timer: Headers | undefined

  constructor(
    place: InvitePlace,
    draft: InviteDraft,
    events: InviteEvents,
    authorizer?: Authorizer,
  ) {
    this.dialogId = `${draft.callId};from-tag=${draft.fromTag}`
    this.#place = place
    this.#draft = draft
    this.#events = events
    this.#authorizer = authorizer
    if (events.onEarlyRequest) place.dialogs.set(this.dialogId, this)
  }

  /** Sends it. */
  send(): void {
    const { uri, from, to, headers, body, callId, fromTag, proxy } = this.#draft
    this.#state = 'pending'
    this.#sent = undefined
    this.#cseq++
    const all = {
      'Call-ID': callId,
      From: `${from};tag=${fromTag}`,
      To: to,
      CSeq: `${this.#cseq} INVITE`,
      ...headers,
      ...this.#timer,
      ...this.#authorizer?.credentials(),
      'Content-Type': 'application/sdp',
    }
    this.#events?.onInviteSent(this.#cseq)
    const hop = proxy === undefined ? {} : { proxy }
    this.#place.port.request({ method: 'INVITE', uri, headers: all, body, ...hop }, this)
  }

  /**
   * Gives up without another event: the INVITE is cancelled, and an answer that crosses the CANCEL is
   * acknowledged and hung up (RFC 3261 §9.1, §15).
   * @param cancelHeaders for the CANCEL: a Reason (RFC 3326)
   * @param late called when the callee says something after all: it is there, if slow
   */
  abandon(cancelHeaders: Headers = {}, late?: () => void): void {
    if (!this.#events) return
    this.#leave()
    this.#onLate = late
    this.#cancelHeaders = cancelHeaders
    if (this.#state !== 'pending') this.#state = 'done'
    else this.#sent?.cancel(cancelHeaders)
  }

  onSent(request: SentRequest): void {
    this.#sent = request
    if (!this.#events) request.cancel(this.#cancelHeaders)
  }

  onResponse(response: IncomingResponse): void {
    if (!this.#events && !response.local) this.#onLate?.()
    if (response.status === 100) {
      this.#events?.onTrying?.()
      return
    }
    if (response.status < 200) {
      // RFC 3262 §4: also of a call that is being given up.
      if (response.header('rseq') !== undefined) response.ack()
      this.#events?.onProvisional(response)
      return
    }
    this.#sent = undefined
    if (response.status < 300) this.#answered(response)
    else if (!this.#events) this.#state = 'done'
    else {
      const events = this.#events
      this.#refused(response, events).catch((error: unknown) => events.onFault(error))
    }
  }

  onError(error: Error): void {
    const events = this.#leave()
    this.#state = 'done'
    events?.onFailure({ status: 503, reason: error.message, local: true }, undefined)
  }

  #answered(response: IncomingResponse): void {
    const events = this.#leave()
    this.#state = 'done'
    response.ack()
    if (events) events.onAnswer(response)
    else sendBye(this.#place.port, response.dialogId)
  }

  onRequest(request: IncomingRequest): void {
    if (request.method === 'ACK') return
    if (this.#events?.onEarlyRequest) this.#events.onEarlyRequest(request)
    else request.respond({ status: 481 })
  }

  /** Nobody is told of anything any more. */
  #leave(): InviteEvents | undefined {
    const events = this.#events
    this.#events = undefined
    const { dialogs } = this.#place
    if (dialogs.get(this.dialogId) === this) dialogs.delete(this.dialogId)
    return events
  }

  /** Whether the PBX wants a longer session interval, which the next INVITE then has: once. */
  #longer(response: IncomingResponse): boolean {
    if (this.#timer) return false
    this.#timer = longerTimer(response, this.#draft.headers)
    return this.#timer !== undefined
  }

  async #refused(response: IncomingResponse, events: InviteEvents): Promise<void> {
    this.#state = 'thinking'
    const verdict = this.#longer(response) || (this.#authorizer?.retry(response) ?? false)
    // Without waiting where there is nothing to wait for, events keep their order.
    const again = typeof verdict === 'boolean' ? verdict : await verdict
    if (this.#events !== events) return
    if (again) {
      events.onChallenge(response)
      this.send()
      return
    }
    const { status, reason, local } = response
    this.#state = 'done'
    this.#leave()
    events.onFailure({ status, reason, local, warning: response.header('warning') }, response)
  }
}
