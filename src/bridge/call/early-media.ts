import type { Call } from '../../calls/index.ts'
import type { MediaSession } from '../../media/index.ts'
import type { Logger } from '../../shared/log.ts'
import { ALLOW_PBX } from '../headers/allow.ts'
import { coded } from '../outcome/coded.ts'
import type { IncomingRequest } from '../sip-port.ts'
import type { WhatsAppAnswer } from './whatsapp-answer.ts'

/** The PBX's descriptions before its answer, one after the other: 183 with SDP, UPDATE. */
export class EarlyMedia {
  /** Settles when all descriptions so far have been taken; undefined while there was none. */
  settled: Promise<void> | undefined
  /** The last answer of a provisional response. */
  #last = ''
  /** Whether an UPDATE has changed the session since. */
  #updated = false
  readonly #call: Call
  readonly #session: MediaSession
  readonly #whatsapp: WhatsAppAnswer
  readonly #log: Logger

  constructor(call: Call, session: MediaSession, whatsapp: WhatsAppAnswer, log: Logger) {
    this.#call = call
    this.#session = session
    this.#whatsapp = whatsapp
    this.#log = log
  }

  /** Takes the answer of a provisional response. */
  take(sdp: string): void {
    this.#last = sdp
    this.#updated = false
    this.#enqueue(() => this.#early(sdp))
  }

  /**
   * The answer to our offer when the 200 says `sdp`: that, unless it leaves out what a provisional
   * response has said (RFC 3262 §5), or repeats it after an UPDATE has gone beyond it.
   */
  answer(sdp: string): string {
    return sdp === '' || this.#updated ? this.#last : sdp
  }

  /** Answers an UPDATE in the early dialog (RFC 3311 §5.2); other requests come too early. */
  onRequest(request: IncomingRequest): void {
    const offer = request.body
    if (request.method !== 'UPDATE') this.#respond(request, 481)
    else if (offer === '') this.#respond(request, 200)
    else this.#enqueue(() => this.#reoffer(request, offer))
  }

  #enqueue(work: () => Promise<void>): void {
    this.settled = this.settled ? this.settled.then(work) : work()
  }

  async #early(sdp: string): Promise<void> {
    try {
      const body = await this.#session.early(sdp)
      if (this.#call.hasEnded()) return
      if (body === undefined) this.#whatsapp.ring()
      else this.#whatsapp.progress(body, () => this.#session.start())
    } catch (error) {
      // The answer to come counts; until then it rings.
      this.#log.debug({ err: error }, 'early media refused')
      this.#whatsapp.ring()
    }
  }

  async #reoffer(request: IncomingRequest, offer: string): Promise<void> {
    try {
      const body = await this.#session.reoffer(offer)
      this.#updated = true
      this.#call.note('pbx', 'out', '200', 'UPDATE')
      const headers = { 'Content-Type': 'application/sdp', Allow: ALLOW_PBX }
      request.respond({ status: 200, headers, body })
    } catch (error) {
      this.#respond(request, coded(error).sip)
    }
  }

  #respond(request: IncomingRequest, status: number): void {
    this.#call.note('pbx', 'out', String(status), request.method)
    request.respond({ status })
  }
}
