import type { Headers, IncomingRequest } from '../sip-port.ts'

/**
 * An INVITE as a server: answered at most once, and cancelled perhaps. It listens for the CANCEL from
 * the first moment, so that one that comes while credentials or media are awaited is not lost.
 */
export class IncomingInvite {
  readonly request: IncomingRequest
  #cancel: Headers | undefined
  #finished = false
  #rang = false
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

  /** Sets who is told of a CANCEL; at once when it has come already. */
  whenCancelled(listener: (cancel: Headers) => void): void {
    this.#onCancel = listener
    if (this.#cancel) listener(this.#cancel)
  }

  /** Sends 180 without SDP, once; false when it was not sent. */
  ring(): boolean {
    if (this.#finished || this.#rang) return false
    this.#rang = true
    this.request.respond({ status: 180 })
    return true
  }

  /** Sends a final failure; false when the INVITE is finished already. */
  reject(status: number, headers: Headers = {}): boolean {
    if (this.#finished) return false
    this.#finish()
    this.request.respond({ status, headers })
    return true
  }

  /**
   * Sends the 200. `done` has the new dialog's id, or an error when a CANCEL was quicker than the
   * answer: the SIP server knows the transaction no more.
   */
  accept(
    body: string,
    headers: Headers,
    done: (error: Error | undefined, dialogId: string) => void,
  ): void {
    this.#finish()
    const response = {
      status: 200,
      headers: { ...headers, 'Content-Type': 'application/sdp' },
      body,
    }
    this.request.respond(response, (error, dialogId) => done(error, dialogId ?? ''))
  }

  #finish(): void {
    this.#finished = true
    this.#onCancel = undefined
  }
}
