import { tagOf } from '../address/uri.ts'
import { ALLOW_PBX, names } from '../headers/allow.ts'
import type { Headers, IncomingRequest, ResponseSent } from '../sip-port.ts'

/**
 * An INVITE as a server: answered at most once, and cancelled perhaps. It listens for the CANCEL from
 * the first moment, so that one that comes while credentials or media are awaited is not lost.
 */
export class IncomingInvite {
  readonly request: IncomingRequest
  #cancel: Headers | undefined
  #finished = false
  #rang = false
  #unacknowledged = false
  #onCancel: ((cancel: Headers) => void) | undefined

  constructor(request: IncomingRequest) {
    this.request = request
    request.onCancel((cancel) => {
      if (this.#finished) return
      this.#finished = true
      this.#cancel = cancel
      this.#onCancel?.(cancel)
    })
  }

  /** Whether the caller has cancelled. */
  get cancelled(): boolean {
    return this.#cancel !== undefined
  }

  /** Whether nothing can be answered any more: a final response was sent, or a CANCEL came. */
  get finished(): boolean {
    return this.#finished
  }

  /** Name of the dialog that responses make: the SIP server's, known beforehand. */
  get dialogId(): string {
    const tag = tagOf(this.request.header('from'))
    return `${this.request.callId};from-tag=${tag ?? ''}`
  }

  /** Whether provisional responses have to be reliable (RFC 3262 §3). */
  get demandsReliability(): boolean {
    return names(this.request.header('require'), '100rel')
  }

  /** Whether the PRACK for a reliable ringing is still to come. */
  get awaitsPrack(): boolean {
    return this.#unacknowledged
  }

  /** Sets who is told of a CANCEL; at once when it has come already. */
  whenCancelled(listener: (cancel: Headers) => void): void {
    this.#onCancel = listener
    if (this.#cancel) listener(this.#cancel)
  }

  /**
   * Sends 180 without SDP, once, reliably where the caller demands it; false when it was not sent. A
   * caller that wants our offer and reliability hears nothing: the first reliable response would
   * have to bring the offer (RFC 3262 §5).
   */
  ring(): boolean {
    if (this.#finished || this.#rang) return false
    this.#rang = true
    if (!this.demandsReliability) {
      this.request.respond({ status: 180 })
      return true
    }
    if (this.request.body === '') return false
    this.#unacknowledged = true
    this.request.respond({ status: 180, headers: { Require: '100rel', Allow: ALLOW_PBX } })
    return true
  }

  /** Sends 183 with SDP; false when it was not sent. */
  progress(body: string, headers: Headers, done: (error: Error | undefined) => void): boolean {
    if (this.#finished) return false
    this.#rang = true
    const all = { ...headers, 'Content-Type': 'application/sdp' }
    this.request.respond({ status: 183, headers: all, body }, done)
    return true
  }

  /** Answers a PRACK (RFC 3262 §3). */
  acknowledged(prack: IncomingRequest): void {
    prack.respond({ status: this.#unacknowledged ? 200 : 481 })
    this.#unacknowledged = false
  }

  /** Sends a final failure; false when the INVITE is finished already. */
  reject(status: number, headers: Headers = {}): boolean {
    if (this.#finished) return false
    this.#finish()
    this.request.respond({ status, headers })
    return true
  }

  /**
   * Sends the 200. `done` has the new dialog, or an error when a CANCEL was quicker than the answer:
   * the SIP server knows the transaction no more.
   */
  accept(body: string, headers: Headers, done: ResponseSent): void {
    this.#finish()
    const response = {
      status: 200,
      headers: { ...headers, 'Content-Type': 'application/sdp' },
      body,
    }
    this.request.respond(response, done)
  }

  #finish(): void {
    this.#finished = true
    this.#onCancel = undefined
  }
}
