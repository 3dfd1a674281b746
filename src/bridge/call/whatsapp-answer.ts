import type { Call } from '../../calls/index.ts'
import type { NumberConfig } from '../../config/types.ts'
import type { BridgeContext } from '../context.ts'
import { ALLOW_WHATSAPP } from '../headers/allow.ts'
import { contactForWhatsApp } from '../headers/invite-whatsapp.ts'
import type { IncomingInvite } from '../invite/incoming-invite.ts'
import type { Headers } from '../sip-port.ts'
import type { EstablishedCall } from './established.ts'

/** What follows from the 200 to WhatsApp. */
export interface Answered {
  /** The WhatsApp leg is up. */
  up(): void
  /** WhatsApp's CANCEL was quicker. */
  crossed(error: Error): void
}

/** Our answers to WhatsApp's INVITE: ringing, early media, the 200, a refusal. */
export class WhatsAppAnswer {
  readonly #ctx: BridgeContext
  readonly #call: Call
  readonly #invite: IncomingInvite
  readonly #number: NumberConfig
  #progressed = ''
  #state: 'open' | 'answering' | 'up' = 'open'
  #up: (() => void) | undefined

  constructor(
    ctx: BridgeContext,
    { call, invite, number }: { call: Call; invite: IncomingInvite; number: NumberConfig },
  ) {
    this.#ctx = ctx
    this.#call = call
    this.#invite = invite
    this.#number = number
  }

  /** Sends 180, once. */
  ring(): void {
    if (this.#invite.ring()) this.#call.note('whatsapp', 'out', '180 Ringing')
  }

  /** Sends 183 with SDP, unless it has been sent; `sent` is called when it has left. */
  progress(body: string, sent: () => void): void {
    if (body === this.#progressed) return
    this.#progressed = body
    const done = (error: Error | undefined): void => {
      if (!error && !this.#call.hasEnded()) sent()
    }
    if (this.#invite.progress(body, { Contact: this.#contact() }, done)) {
      this.#call.note('whatsapp', 'out', '183 Session Progress')
    }
  }

  /** Sends a final failure, unless WhatsApp has been answered or has cancelled. */
  reject(status: number, headers: Headers = {}): void {
    if (this.#invite.reject(status, headers)) this.#call.note('whatsapp', 'out', String(status))
  }

  /**
   * Sends the 200, once: from then on packets may go to WhatsApp. When it has been sent before, only
   * what follows is changed.
   */
  accept(established: EstablishedCall, body: string, { up, crossed }: Answered): void {
    this.#up = up
    if (this.#state === 'up') up()
    if (this.#state !== 'open') return
    this.#state = 'answering'
    this.#call.note('whatsapp', 'out', '200 OK')
    const headers = { Contact: this.#contact(), Allow: ALLOW_WHATSAPP }
    this.#invite.accept(body, headers, (error, dialogId) => {
      if (error) {
        crossed(error)
        return
      }
      this.#state = 'up'
      established.attachWhatsApp(dialogId ?? '')
      if (established.over) return
      established.session.start()
      this.#up?.()
    })
  }

  #contact(): string {
    const { directory } = this.#ctx
    const port = directory.publicPort(this.#number)
    return contactForWhatsApp(this.#number, directory.config.sip.domain, port)
  }
}
