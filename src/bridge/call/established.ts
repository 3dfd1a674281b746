import { type Call, causeOf, type EndCause, hungUpBy, type MediaFacts } from '../../calls/index.ts'
import type { MediaSession } from '../../media/index.ts'
import { detach } from '../../shared/detach.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Side } from '../admit/directory.ts'
import type { BridgeContext, DialogOwner, Flow } from '../context.ts'
import { collectFacts } from '../headers/whatsapp.ts'
import { sendBye } from '../invite/bye.ts'
import { passReason, q850Reason, reasonOf, textOfReason } from '../outcome/refusal.ts'
import type { Headers, IncomingRequest } from '../sip-port.ts'
import { answerOnPbxLeg } from './pbx-leg.ts'
import { answerOnWhatsAppLeg } from './whatsapp-leg.ts'

/**
 * A call from its first answer to its end: two dialogs and the media between them. Everything else
 * of the setup has been let go. A leg answered later is attached later; if the call has ended by
 * then, it is hung up at once.
 */
export class EstablishedCall implements Flow, DialogOwner {
  readonly call: Call
  readonly media: MediaSession
  readonly ctx: BridgeContext
  readonly #dialogs: Record<Side, string> = { whatsapp: '', pbx: '' }
  /** A re-INVITE or UPDATE of the PBX is being answered. */
  renegotiating = false
  #over = false

  constructor(ctx: BridgeContext, call: Call, media: MediaSession) {
    this.ctx = ctx
    this.call = call
    this.media = media
  }

  /** Whether the call has ended. */
  get over(): boolean {
    return this.#over
  }

  /** Gives a leg its dialog. */
  attach(side: Side, dialogId: string): void {
    if (this.#over) {
      this.#bye(side, dialogId, {})
      return
    }
    const id = detach(dialogId)
    this.#dialogs[side] = id
    this.ctx.dialogs.set(id, this)
  }

  /** Both legs are up: the call is answered. */
  begin(): void {
    this.call.media = mediaFacts(this.media)
    this.call.moveTo('answered')
    this.ctx.flows.set(this.call.id, this)
  }

  onRequest(request: IncomingRequest): void {
    const side = request.dialogId === this.#dialogs.pbx ? 'pbx' : 'whatsapp'
    this.call.note(side, 'in', request.method, request.header('reason'))
    if (request.method === 'BYE') this.#onBye(side, request)
    else if (request.method === 'ACK') return
    else if (side === 'pbx') answerOnPbxLeg(this, request)
    else answerOnWhatsAppLeg(this, request)
  }

  hangUp(error: CausewayError): void {
    this.end(causeOf(error), undefined, reasonOf(error))
  }

  /**
   * Ends the call: BYE on every leg but the one it came from.
   * @param pbxHeaders for the BYE to the PBX; WhatsApp's is bare
   */
  end(cause: EndCause, from: Side | undefined, pbxHeaders: Headers = {}): void {
    if (this.#over) return
    this.#over = true
    const { whatsapp, pbx } = this.#dialogs
    if (from !== 'whatsapp' && whatsapp !== '') this.#bye('whatsapp', whatsapp, {})
    if (from !== 'pbx' && pbx !== '') this.#bye('pbx', pbx, pbxHeaders)
    this.ctx.dialogs.delete(whatsapp)
    this.ctx.dialogs.delete(pbx)
    this.ctx.flows.delete(this.call.id)
    this.media.release()
    this.call.end(cause)
  }

  #bye(side: Side, dialogId: string, headers: Headers): void {
    this.call.note(side, 'out', 'BYE')
    sendBye(this.ctx.port, dialogId, headers)
  }

  #onBye(side: Side, request: IncomingRequest): void {
    const reason = request.header('reason')
    if (request.local) {
      // The SIP server has sent this BYE: no ACK came, or a session timer ran out.
      const code = /ack/i.test(reason ?? '') ? 'CALL_ACK_TIMEOUT' : 'CALL_DIALOG_LOST'
      const detail = `${side} leg: ${textOfReason(reason) ?? 'ended by the SIP server'}`
      const error = new CausewayError(code, { detail })
      this.end(causeOf(error), side, reasonOf(error))
      return
    }
    request.respond({ status: 200 })
    this.call.note(side, 'out', '200 OK', 'BYE')
    if (side === 'whatsapp') collectFacts(request.headers, this.call.whatsapp)
    const cause = side === 'whatsapp' ? whatsappEnd(reason) : hungUpBy('pbx', textOfReason(reason))
    // A hang-up without a Reason is normal call clearing; Asterisk reports cause 0 when not told.
    const said =
      reason === undefined ? { Reason: q850Reason(cause.q850, cause.text) } : passReason(reason)
    this.end(cause, side, said)
  }
}

function mediaFacts({ agreed }: MediaSession): MediaFacts | undefined {
  if (!agreed) return undefined
  const { codec, srtp } = agreed
  const { whatsapp, pbx } = srtp
  return { codec: detach(codec), srtp: { whatsapp: detach(whatsapp), pbx: detach(pbx) } }
}

/** WhatsApp's BYE: a hang-up, or the missing media it names in its Reason. */
function whatsappEnd(reason: string | undefined): EndCause {
  const text = textOfReason(reason)
  if (text === undefined || !/media/i.test(text)) return hungUpBy('whatsapp', text)
  return causeOf(new CausewayError('CALL_WHATSAPP_MEDIA_TIMEOUT', { detail: text }))
}
