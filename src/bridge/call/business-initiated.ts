import { type Call, causeOf, type EndCause } from '../../calls/index.ts'
import type { NumberConfig, TrunkConfig } from '../../config/types.ts'
import { CausewayError, isCausewayError } from '../../shared/errors/index.ts'
import { digitsOf } from '../address/consumer.ts'
import type { PendingVerdict } from '../admit/outbound.ts'
import type { BridgeContext, DialogOwner, Flow } from '../context.ts'
import { ALLOW_PBX, SUPPORTED_PBX } from '../headers/allow.ts'
import { inviteToWhatsApp } from '../headers/invite-whatsapp.ts'
import { agreedTimer } from '../headers/session-timer.ts'
import { collectFacts } from '../headers/whatsapp.ts'
import type { IncomingInvite } from '../invite/incoming-invite.ts'
import { type InviteEvents, OutgoingInvite } from '../invite/outgoing-invite.ts'
import { WhatsAppAuthorizer } from '../invite/whatsapp-authorizer.ts'
import { CallMedia, type MediaHandler } from '../media/call-media.ts'
import { coded } from '../outcome/coded.ts'
import type { Failure } from '../outcome/failure.ts'
import { refusalHeaders, textOfReason } from '../outcome/refusal.ts'
import { whatsappOutcome } from '../outcome/whatsapp.ts'
import type { Headers, IncomingRequest, IncomingResponse } from '../sip-port.ts'
import { EstablishedCall } from './established.ts'

/** What a business-initiated call begins with; all of it has been checked. */
export interface BusinessInitiatedStart {
  call: Call
  invite: IncomingInvite
  number: NumberConfig
  trunk: TrunkConfig
}

/**
 * A call from the PBX until the WhatsApp user has answered it. The PBX may leave the offer to us: ours
 * goes out in the 200, and its ACK brings the answer.
 */
export class BusinessInitiatedCall implements Flow, InviteEvents, MediaHandler, DialogOwner {
  readonly call: Call
  readonly media: CallMedia
  readonly #ctx: BridgeContext
  readonly #start: BusinessInitiatedStart
  #pending: PendingVerdict | undefined
  #outgoing: OutgoingInvite | undefined
  #authorizer: WhatsAppAuthorizer | undefined
  #established: EstablishedCall | undefined

  constructor(ctx: BridgeContext, start: BusinessInitiatedStart) {
    this.call = start.call
    this.media = new CallMedia(ctx, start.call, this)
    this.#ctx = ctx
    this.#start = start
    ctx.flows.set(start.call.id, this)
  }

  /** Starts towards WhatsApp, once the call may leave. */
  begin(): void {
    this.call.join('pbx', this.#start.invite.request.callId)
    this.call.note('pbx', 'in', 'INVITE')
    const { invite, number, trunk } = this.#start
    invite.whenCancelled((cancel) => this.#onCancel(cancel))
    if (this.call.hasEnded()) return
    const verdict = this.#ctx.gate.admit(number, trunk, this.call.consumer)
    if (verdict === undefined || isCausewayError(verdict)) this.#leaveOrFail(verdict)
    else {
      this.#pending = verdict
      verdict.verdict.then(
        (refusal) => this.#onVerdict(refusal),
        (error: unknown) => this.onFault(error),
      )
    }
  }

  hangUp(error: CausewayError): void {
    this.#fail(error)
  }

  onMediaLost(error: CausewayError): void {
    this.#fail(error)
  }

  onMedia(): void {
    // Nothing can be done about media before the answer.
  }

  /** What the PBX asks before it is answered: PRACK, and UPDATE. */
  onRequest(request: IncomingRequest): void {
    if (request.method === 'ACK') return
    this.call.note('pbx', 'in', request.method)
    const { invite } = this.#start
    if (request.method === 'PRACK') invite.acknowledged(request)
    else if (request.method !== 'UPDATE') request.respond({ status: 481 })
    else if (request.body === '') request.respond({ status: 200 })
    // RFC 3311 §5.2: the offer of the INVITE waits for its answer.
    else request.respond({ status: 500, headers: { 'Retry-After': '5' } })
  }

  onInviteSent(attempt: number): void {
    this.call.note('whatsapp', 'out', 'INVITE', attempt > 1 ? 'with credentials' : undefined)
  }

  onChallenge(response: IncomingResponse): void {
    this.#noteResponse(response)
  }

  onProvisional(response: IncomingResponse): void {
    this.#noteResponse(response)
    this.call.moveTo('ringing')
    const { invite } = this.#start
    // WhatsApp has no early media; what it calls progress rings at the PBX.
    if (!invite.ring()) return
    this.call.note('pbx', 'out', '180 Ringing')
    this.#ctx.dialogs.set(invite.dialogId, this)
  }

  onAnswer(response: IncomingResponse): void {
    this.#noteResponse(response)
    this.call.note('whatsapp', 'out', 'ACK')
    this.#outgoing = undefined
    this.#authorizer = undefined
    collectFacts(response.headers, this.call.whatsapp)
    const { call, media } = this
    const { number, trunk } = this.#start
    const session = media.session!
    const established = new EstablishedCall(this.#ctx, { call, media, session, number, trunk })
    this.#established = established
    established.attachWhatsApp(response.dialogId)
    this.#answer(established, response.body).catch((error: unknown) => this.onFault(error))
  }

  onFailure(failure: Failure, response: IncomingResponse | undefined): void {
    if (response) this.#noteResponse(response)
    else this.call.note('whatsapp', 'in', String(failure.status), failure.reason)
    this.#outgoing = undefined
    this.#fail(this.#authorizer?.error ?? whatsappOutcome(failure))
  }

  onFault(error: unknown): void {
    if (this.call.hasEnded()) {
      this.#rejectEnded()
      return
    }
    const fault = coded(error)
    if (fault.code === 'CALL_INTERNAL') {
      this.#ctx.logs.of(this.call).error({ err: fault }, 'a call failed inside')
    }
    this.#fail(fault)
  }

  #onVerdict(refusal: CausewayError | undefined): void {
    this.#pending = undefined
    if (!this.call.hasEnded()) this.#leaveOrFail(refusal)
  }

  #leaveOrFail(refusal: CausewayError | undefined): void {
    const { number, trunk } = this.#start
    this.call.permission = this.#ctx.gate.permission?.(number, trunk, this.call.consumer)
    if (refusal) this.#fail(refusal)
    else this.#dial().catch((error: unknown) => this.onFault(error))
  }

  async #dial(): Promise<void> {
    const { invite, number, trunk } = this.#start
    const { random, credentials, reuse, directory } = this.#ctx
    const password = credentials.get(number.name) ?? (await credentials.refresh(number.name))
    if (this.call.hasEnded()) return
    if (!password) {
      throw new CausewayError('CALL_CREDENTIALS_MISSING', { place: `number ${number.name}` })
    }
    const offer = invite.request.body
    const session = this.media.allocate(trunk, number)
    const body = await session.offer('pbx', offer === '' ? undefined : offer)
    if (this.call.hasEnded()) return
    this.call.moveTo('calling')
    const draft = inviteToWhatsApp({
      number,
      consumer: this.call.consumer,
      domain: directory.config.sip.domain,
      port: directory.publicPort(number),
      sipDomain: directory.config.whatsapp.sipDomain,
      body,
      callId: random.uuid(),
      fromTag: random.hex(8),
    })
    this.call.join('whatsapp', draft.callId)
    this.#authorizer = new WhatsAppAuthorizer(
      { number: number.name, username: digitsOf(number.phoneNumber), password },
      draft.uri,
      { source: credentials, cache: reuse, random, digests: this.#ctx.digests },
    )
    this.#outgoing = new OutgoingInvite(this.#ctx, draft, this, this.#authorizer)
    this.#outgoing.send()
  }

  async #answer(established: EstablishedCall, sdp: string): Promise<void> {
    const { session } = established
    const body = await session.answer('whatsapp', sdp)
    if (this.call.hasEnded()) {
      this.#rejectEnded()
      return
    }
    // WhatsApp has its ACK: it waits for our first packet, whatever the PBX does meanwhile.
    session.start()
    this.call.note('pbx', 'out', '200 OK')
    const { invite } = this.#start
    const headers = { Allow: ALLOW_PBX, Supported: SUPPORTED_PBX, ...agreedTimer(invite.request) }
    invite.accept(body, headers, (error, dialogId, toTag) => {
      if (error) {
        this.#crossed(error)
        return
      }
      const leg = established.attachPbx({ id: dialogId ?? '', calleeTag: toTag, caller: 'pbx' })
      if (established.over) return
      leg.awaitsPrack = invite.awaitsPrack
      if (invite.request.body === '') {
        leg.renegotiation.expectAnswer(invite.request, (answer) => session.acknowledge(answer))
      }
      established.begin()
    })
  }

  /** WhatsApp hung up before the PBX was answered. */
  #rejectEnded(): void {
    this.#reject(new CausewayError('CALL_WHATSAPP_UNAVAILABLE', { detail: 'hung up at once' }))
  }

  /** The PBX's CANCEL was quicker than our 200. */
  #crossed(error: Error): void {
    this.call.note('pbx', 'in', 'CANCEL', 'crossed the 200')
    this.#end(causeOf(new CausewayError('CALL_CANCELLED', { detail: error.message })))
  }

  #onCancel(cancel: Headers): void {
    const reason = cancel['reason']
    this.call.note('pbx', 'in', 'CANCEL', reason)
    const detail = textOfReason(reason) ?? 'the PBX hung up'
    this.#end(causeOf(new CausewayError('CALL_CANCELLED', { detail })))
  }

  #fail(error: CausewayError): void {
    this.#reject(error)
    this.#end(causeOf(error))
  }

  #reject(error: CausewayError): void {
    const headers = refusalHeaders(error, this.#ctx.directory.config.sip.domain)
    if (this.#start.invite.reject(error.sip, headers)) {
      this.call.note('pbx', 'out', String(error.sip), error.code)
    }
    this.#leave()
  }

  /** The one end of the setup: nothing of it goes on. */
  #end(cause: EndCause): void {
    this.#leave()
    this.#pending?.abandon()
    this.#pending = undefined
    if (this.#outgoing) {
      this.call.note('whatsapp', 'out', 'CANCEL')
      this.#outgoing.abandon()
      this.#outgoing = undefined
    }
    if (this.#established) {
      this.#established.end(cause, undefined)
      return
    }
    this.#ctx.flows.delete(this.call.id)
    this.media.release()
    this.call.end(cause)
  }

  /** The PBX's early dialog is no more. */
  #leave(): void {
    const { dialogs } = this.#ctx
    const { dialogId } = this.#start.invite
    if (dialogs.get(dialogId) === this) dialogs.delete(dialogId)
  }

  #noteResponse({ status, reason }: IncomingResponse): void {
    this.call.note('whatsapp', 'in', `${status} ${reason}`)
  }
}
