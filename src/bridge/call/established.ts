import { type Call, causeOf, type EndCause, hungUpBy } from '../../calls/index.ts'
import type { NumberConfig, TrunkConfig } from '../../config/types.ts'
import type { MediaEvent, MediaSession } from '../../media/index.ts'
import { detach } from '../../shared/detach.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Side } from '../admit/directory.ts'
import type { BridgeContext, DialogOwner, Flow } from '../context.ts'
import { collectFacts } from '../headers/whatsapp.ts'
import { sendBye } from '../invite/bye.ts'
import type { CallMedia, MediaHandler } from '../media/call-media.ts'
import { passReason, q850Reason, reasonOf, textOfReason } from '../outcome/refusal.ts'
import type { Headers, IncomingRequest } from '../sip-port.ts'
import { sendDigit } from './dtmf.ts'
import { HoldMusic, holdOf } from './hold.ts'
import { answerOnPbxLeg, type PbxDialog, PbxLeg } from './pbx-leg.ts'
import { answerOnWhatsAppLeg } from './whatsapp-leg.ts'

/** Another PBX dialog on its way to take the PBX leg's place: a REFER, or an INVITE with Replaces. */
export interface Takeover {
  /** Whether the call goes on for now when the PBX hangs up on its present leg. */
  readonly keepsCall: boolean
  /** The new dialog was hung up before it took over. */
  onNextGone?(): void
  /** The call has ended. */
  abort(pbxHeaders: Headers): void
}

/** A setup that still looks for a PBX to join the WhatsApp user, who has been answered. */
export interface Search {
  /** What it means that the WhatsApp user hangs up now. */
  hungUp(text: string | undefined): EndCause
  /** The call has ended: nothing of the search goes on. */
  stop(pbxHeaders: Headers): void
}

/** What an answered call is made of, beside its dialogs. */
export interface EstablishedParts {
  call: Call
  media: CallMedia
  session: MediaSession
  number: NumberConfig
  /** The trunk of the PBX leg. */
  trunk: TrunkConfig
}

/**
 * A call from its first answer to its end: its dialogs and the media between them. Everything else of
 * the setup has been let go. A leg answered later is attached later; if the call has ended by then,
 * it is hung up at once.
 */
export class EstablishedCall implements Flow, DialogOwner, MediaHandler {
  readonly ctx: BridgeContext
  readonly call: Call
  readonly media: CallMedia
  readonly session: MediaSession
  readonly number: NumberConfig
  /** The trunk of the PBX leg. */
  trunk: TrunkConfig
  /** What is to take the PBX leg's place; one at a time. */
  takeover: Takeover | undefined
  /** Transfers so far. */
  transfers = 0
  /** Settles when the media has taken the PBX's first answer: later offers wait for it. */
  connected: Promise<void> | undefined
  /** Set while WhatsApp is answered and no PBX is. */
  search: Search | undefined
  readonly #music: HoldMusic | undefined
  #whatsapp = ''
  #pbx: PbxLeg | undefined
  /** Answered, and about to become the PBX leg. */
  #next: PbxLeg | undefined
  #over = false
  #infoRefused = false

  constructor(ctx: BridgeContext, parts: EstablishedParts) {
    this.ctx = ctx
    this.call = parts.call
    this.media = parts.media
    this.session = parts.session
    this.number = parts.number
    this.trunk = parts.trunk
    const { holdMusic } = ctx.directory.config.media
    if (holdMusic !== undefined) {
      this.#music = new HoldMusic(this.session, holdMusic, (error) => this.#musicFailed(error))
    }
  }

  /** Whether the call has ended. */
  get over(): boolean {
    return this.#over
  }

  /** The leg of the PBX; undefined while there is none. */
  get pbx(): PbxLeg | undefined {
    return this.#pbx
  }

  /** Whether another PBX leg is answered and about to take over. */
  get handingOver(): boolean {
    return this.#next !== undefined
  }

  /** Gives the WhatsApp leg its dialog. */
  attachWhatsApp(dialogId: string): void {
    if (this.#over) {
      this.#bye('whatsapp', dialogId, {})
      return
    }
    this.#whatsapp = detach(dialogId)
    this.ctx.dialogs.set(this.#whatsapp, this)
  }

  /** Gives the PBX leg its dialog. */
  attachPbx(dialog: PbxDialog): PbxLeg {
    this.#pbx = this.#leg(dialog)
    return this.#pbx
  }

  /** A dialog that will take the PBX leg's place; its requests are answered from now on. */
  attachNext(dialog: PbxDialog): PbxLeg {
    this.#next = this.#leg(dialog)
    return this.#next
  }

  /** It came to nothing after all. */
  dropNext(): void {
    if (this.#next) this.#drop(this.#next, {})
    this.#next = undefined
  }

  /** The next leg takes over; the former is hung up, unless the PBX has done so. */
  promoteNext(description: string): void {
    const leg = this.#next
    const former = this.#pbx
    this.#next = undefined
    this.takeover = undefined
    if (this.#over || !leg) return
    this.#pbx = leg
    this.call.callIds.pbx = callIdOf(leg.id)
    if (former) this.#drop(former, {})
    this.#music?.over()
    if (description !== '') this.described(description)
    this.media.note()
    // It was hung up while its media was being connected.
    if (leg.gone) this.end(hungUpBy('pbx'), 'pbx', {})
  }

  /** Both legs are up: the call is answered. */
  begin(): void {
    this.search = undefined
    this.media.handler = this
    this.media.note()
    this.call.moveTo('answered')
    this.ctx.flows.set(this.call.id, this)
  }

  /** The PBX has described its side anew, and it was taken. */
  described(sdp: string): void {
    this.media.note()
    this.media.holding = holdOf(sdp) !== undefined
    this.#music?.described(sdp)
  }

  onRequest(request: IncomingRequest): void {
    const leg = this.#legOf(request.dialogId)
    const side = leg ? 'pbx' : 'whatsapp'
    this.call.note(side, 'in', request.method, request.header('reason'))
    if (request.method === 'BYE') this.#onBye(side, leg, request)
    else if (leg) answerOnPbxLeg(this, leg, request)
    else if (request.method !== 'ACK') answerOnWhatsAppLeg(this, request)
  }

  onMediaLost(error: CausewayError): void {
    this.hangUp(error)
  }

  onMedia(event: MediaEvent): void {
    if (event.type === 'dtmf') this.#onDigit(event)
    else this.#music?.onMedia(event)
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
    this.takeover?.abort(pbxHeaders)
    this.takeover = undefined
    if (from !== 'whatsapp' && this.#whatsapp !== '') this.#bye('whatsapp', this.#whatsapp, {})
    if (this.#pbx && from === 'pbx') this.#pbx.gone = true
    for (const leg of [this.#pbx, this.#next]) if (leg) this.#drop(leg, pbxHeaders)
    this.ctx.dialogs.delete(this.#whatsapp)
    this.ctx.flows.delete(this.call.id)
    this.search?.stop(pbxHeaders)
    this.search = undefined
    this.media.release()
    this.call.end(cause)
  }

  #leg(dialog: PbxDialog): PbxLeg {
    const leg = new PbxLeg(this, dialog)
    if (this.#over) this.#bye('pbx', leg.id, {})
    else this.ctx.dialogs.set(leg.id, this)
    return leg
  }

  #legOf(dialogId: string): PbxLeg | undefined {
    if (this.#pbx?.id === dialogId) return this.#pbx
    return this.#next?.id === dialogId ? this.#next : undefined
  }

  /** Lets a PBX leg go, with a BYE where the PBX has not sent one. */
  #drop(leg: PbxLeg, headers: Headers): void {
    leg.renegotiation.close()
    this.ctx.dialogs.delete(leg.id)
    if (!leg.gone) this.#bye('pbx', leg.id, headers)
    leg.gone = true
  }

  #bye(side: Side, dialogId: string, headers: Headers): void {
    this.call.note(side, 'out', 'BYE')
    sendBye(this.ctx.port, dialogId, headers)
  }

  #musicFailed(error: unknown): void {
    if (this.#over) return
    this.ctx.logs.of(this.call).warn({ err: error }, 'no music on hold')
  }

  #onDigit({ leg, digit, durationMs }: Extract<MediaEvent, { type: 'dtmf' }>): void {
    const pbx = this.#pbx
    if (leg !== 'whatsapp' || this.trunk.media.dtmf !== 'info' || !pbx || pbx.gone) return
    this.call.note('pbx', 'out', 'INFO', 'dtmf-relay')
    sendDigit(this.ctx.port, pbx.id, digit, durationMs, (status, reason) => {
      if (this.#infoRefused) return
      this.#infoRefused = true
      this.ctx.logs.of(this.call).warn({ status, reason }, 'the PBX refuses INFO')
    })
  }

  #onBye(side: Side, leg: PbxLeg | undefined, request: IncomingRequest): void {
    const reason = request.header('reason')
    if (!request.local) {
      request.respond({ status: 200 })
      this.call.note(side, 'out', '200 OK', 'BYE')
    }
    if (leg) {
      leg.gone = true
      if (leg === this.#next) {
        this.takeover?.onNextGone?.()
        return
      }
      if (this.takeover?.keepsCall) {
        // The party that transfers has hung up; the other is on its way.
        this.#drop(leg, {})
        this.#music?.alone()
        return
      }
    }
    if (request.local) {
      // The SIP server has sent this BYE: no ACK came, or a session timer ran out.
      const code = /ack/i.test(reason ?? '') ? 'CALL_ACK_TIMEOUT' : 'CALL_DIALOG_LOST'
      const detail = `${side} leg: ${textOfReason(reason) ?? 'ended by the SIP server'}`
      const error = new CausewayError(code, { detail })
      this.end(causeOf(error), side, reasonOf(error))
      return
    }
    if (side === 'whatsapp') collectFacts(request.headers, this.call.whatsapp)
    const cause = this.#hangUpCause(side, reason)
    // A hang-up without a Reason is normal call clearing; Asterisk reports cause 0 when not told.
    const said =
      reason === undefined ? { Reason: q850Reason(cause.q850, cause.text) } : passReason(reason)
    this.end(cause, side, said)
  }

  #hangUpCause(side: Side, reason: string | undefined): EndCause {
    const text = textOfReason(reason)
    if (side === 'pbx') return hungUpBy('pbx', text)
    if (text !== undefined && /media/i.test(text)) {
      // WhatsApp names the media it missed in its Reason.
      return causeOf(new CausewayError('CALL_WHATSAPP_MEDIA_TIMEOUT', { detail: text }))
    }
    return this.search?.hungUp(text) ?? hungUpBy('whatsapp', text)
  }
}

/** The Call-ID in the SIP server's name of a dialog. */
function callIdOf(dialogId: string): string {
  return dialogId.replace(/;from-tag=.*$/s, '')
}
