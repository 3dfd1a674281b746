import { CausewayError } from '../../shared/errors/index.ts'
import { checkBody } from '../admit/checks.ts'
import { ALLOW_PBX, SUPPORTED_PBX, unsupported } from '../headers/allow.ts'
import { coded } from '../outcome/coded.ts'
import { refusalHeaders } from '../outcome/refusal.ts'
import type { Headers, IncomingRequest, OutgoingResponse } from '../sip-port.ts'
import type { EstablishedCall } from './established.ts'

/** Our offer in a 2xx, whose answer the ACK brings (RFC 3261 §13.2.1). */
interface Offered {
  /** CSeq number of the INVITE. */
  cseq: number
  take: (answer: string) => Promise<void>
  /** The answer is missing, or cannot be used. */
  fail: (error: CausewayError) => void
}

/**
 * Offers and answers on one PBX leg once it is up: hold, resume, codec change, refresh. All of it
 * ends here (RFC 3264 §8): WhatsApp answers a re-INVITE 500, and its leg never hears of any.
 */
export class Renegotiation {
  readonly #established: EstablishedCall
  #answering = false
  #offered: Offered | undefined
  #closed = false

  constructor(established: EstablishedCall) {
    this.#established = established
  }

  /** The leg is gone: nothing more is done about it. */
  close(): void {
    this.#closed = true
    this.#offered = undefined
  }

  /** Handles a re-INVITE or UPDATE. */
  onRequest(request: IncomingRequest): void {
    const missing = unsupported(request.header('require'))
    if (missing.length > 0) {
      const detail = missing.join(', ')
      const error = new CausewayError('CALL_EXTENSION_UNSUPPORTED', { detail })
      this.#refuse(request, error, { Unsupported: detail })
      return
    }
    if (request.method === 'UPDATE' && request.body === '') {
      this.#respond(request, { status: 200 })
      return
    }
    if (this.#answering || this.#established.handingOver) {
      // RFC 3261 §14.2, RFC 3311 §5.2: a second offer before the first is answered. While
      // another leg takes over, neither is the one to be renegotiated.
      const seconds = this.#established.ctx.random.int(0, 11)
      const error = new CausewayError('SIP_REQUEST_PENDING', { sip: 500 })
      this.#refuse(request, error, { 'Retry-After': String(seconds) })
      return
    }
    if (this.#offered) {
      // RFC 3311 §5.2: an offer of ours waits for its answer.
      this.#refuse(request, new CausewayError('SIP_REQUEST_PENDING'))
      return
    }
    const refusal = checkBody(request)
    if (refusal) this.#refuse(request, refusal.error, refusal.headers)
    else void this.#reoffer(request)
  }

  /**
   * Our offer has left in the 2xx to an INVITE; `take` gets the answer of the ACK. Without one the
   * call ends, unless `fail` says otherwise: there is no description of the PBX to go on with.
   */
  expectAnswer(invite: IncomingRequest, take: Offered['take'], fail?: Offered['fail']): void {
    const cseq = cseqOf(invite)
    this.#offered = { cseq, take, fail: fail ?? ((error) => this.#established.hangUp(error)) }
  }

  /** That 2xx was not sent: a CANCEL was quicker. */
  expectNothing(): void {
    this.#offered = undefined
  }

  /** Handles an ACK. */
  onAck(ack: IncomingRequest): void {
    const offered = this.#offered
    if (!offered || offered.cseq !== cseqOf(ack)) return
    this.#offered = undefined
    const refusal = checkBody(ack)
    if (ack.body === '') offered.fail(new CausewayError('CALL_ANSWER_MISSING'))
    else if (refusal) offered.fail(refusal.error)
    else void this.#take(offered, ack.body)
  }

  async #take(offered: Offered, answer: string): Promise<void> {
    // The session takes one after the other: an offer may follow at once.
    try {
      await offered.take(answer)
      if (!this.#closed) this.#established.described(answer)
    } catch (error) {
      if (!this.#closed) offered.fail(coded(error))
    }
  }

  async #reoffer(request: IncomingRequest): Promise<void> {
    const { connected, session } = this.#established
    const offer = request.body
    this.#answering = true
    try {
      // Without waiting where there is nothing to wait for, offers keep their order.
      if (connected) await connected
      const body = await session.reoffer(offer === '' ? undefined : offer)
      if (this.#closed) {
        this.#respond(request, { status: 487 })
        return
      }
      if (offer !== '') this.#established.described(offer)
      else {
        const take = (answer: string): Promise<void> => session.acknowledge(answer)
        this.expectAnswer(request, take, (error) => this.#unanswered(error))
      }
      const headers: Headers = {
        'Content-Type': 'application/sdp',
        Allow: ALLOW_PBX,
        Supported: SUPPORTED_PBX,
      }
      const unsent = offer === '' ? () => this.expectNothing() : undefined
      this.#respond(request, { status: 200, headers, body }, unsent)
    } catch (error) {
      if (this.#closed) this.#respond(request, { status: 487 })
      else this.#refuse(request, coded(error))
    } finally {
      this.#answering = false
    }
  }

  /**
   * Our offer within a call was not answered. Some PBXs send the INVITE without SDP as a refresh and
   * an empty ACK, against RFC 3261 §13.2.1: what was agreed before goes on.
   */
  #unanswered(error: CausewayError): void {
    if (error.code !== 'CALL_ANSWER_MISSING') {
      this.#established.hangUp(error)
      return
    }
    const { ctx, call } = this.#established
    ctx.logs.of(call).info({ code: error.code }, 'an ACK without the answer it owes')
  }

  /** A refused offer leaves the session as it was (RFC 3261 §14.2). */
  #refuse(request: IncomingRequest, error: CausewayError, extra: Headers = {}): void {
    const { ctx, call } = this.#established
    ctx.logs.of(call).debug({ err: error }, 're-offer refused')
    const headers = { ...refusalHeaders(error, ctx.directory.config.sip.domain), ...extra }
    this.#respond(request, { status: error.sip, headers })
  }

  #respond(request: IncomingRequest, response: OutgoingResponse, unsent?: () => void): void {
    this.#established.call.note('pbx', 'out', String(response.status), request.method)
    if (unsent) request.respond(response, (error) => error && unsent())
    else request.respond(response)
  }
}

/** The number of a CSeq header; ACK has that of its INVITE. */
function cseqOf(request: IncomingRequest): number {
  return Number.parseInt(request.header('cseq') ?? '', 10)
}
