import { type Call, causeOf, type EndCause } from '../../calls/index.ts'
import type { NumberConfig, TrunkConfig } from '../../config/types.ts'
import type { MediaSession } from '../../media/index.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import { digitsOf } from '../address/consumer.ts'
import type { BridgeContext, Flow } from '../context.ts'
import { ALLOW_PBX } from '../headers/allow.ts'
import { inviteToWhatsApp } from '../headers/invite-whatsapp.ts'
import { agreedTimer } from '../headers/session-timer.ts'
import { collectFacts } from '../headers/whatsapp.ts'
import type { IncomingInvite } from '../invite/incoming-invite.ts'
import { type InviteEvents, OutgoingInvite } from '../invite/outgoing-invite.ts'
import { WhatsAppAuthorizer } from '../invite/whatsapp-authorizer.ts'
import { coded } from '../outcome/coded.ts'
import type { Failure } from '../outcome/failure.ts'
import { refusalHeaders, textOfReason } from '../outcome/refusal.ts'
import { whatsappOutcome } from '../outcome/whatsapp.ts'
import type { Headers, IncomingResponse } from '../sip-port.ts'
import { EstablishedCall } from './established.ts'

/** What a business-initiated call begins with; all of it has been checked. */
export interface BusinessInitiatedStart {
  call: Call
  invite: IncomingInvite
  number: NumberConfig
  trunk: TrunkConfig
}

/** A call from the PBX until the WhatsApp user has answered it. */
export class BusinessInitiatedCall implements Flow, InviteEvents {
  readonly call: Call
  readonly #ctx: BridgeContext
  readonly #start: BusinessInitiatedStart
  #media: MediaSession | undefined
  #outgoing: OutgoingInvite | undefined
  #authorizer: WhatsAppAuthorizer | undefined
  #established: EstablishedCall | undefined

  constructor(ctx: BridgeContext, start: BusinessInitiatedStart) {
    this.call = start.call
    this.#ctx = ctx
    this.#start = start
    ctx.flows.set(start.call.id, this)
  }

  /** Starts towards WhatsApp. */
  begin(): void {
    this.call.note('pbx', 'in', 'INVITE')
    this.#start.invite.whenCancelled((cancel) => this.#onCancel(cancel))
    if (this.call.hasEnded()) return
    this.#dial().catch((error: unknown) => this.onFault(error))
  }

  hangUp(error: CausewayError): void {
    this.#fail(error)
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
    // WhatsApp has no early media; what it calls progress rings at the PBX.
    if (this.#start.invite.ring()) this.call.note('pbx', 'out', '180 Ringing')
  }

  onAnswer(response: IncomingResponse): void {
    this.#noteResponse(response)
    this.call.note('whatsapp', 'out', 'ACK')
    this.#outgoing = undefined
    this.#authorizer = undefined
    collectFacts(response.headers, this.call.whatsapp)
    const established = new EstablishedCall(this.#ctx, this.call, this.#media!)
    this.#established = established
    established.attach('whatsapp', response.dialogId)
    this.#answer(established, response.body).catch((error: unknown) => this.onFault(error))
  }

  onFailure(failure: Failure, response: IncomingResponse | undefined): void {
    if (response) this.#noteResponse(response)
    else this.call.note('whatsapp', 'in', String(failure.status), failure.reason)
    this.#outgoing = undefined
    this.#fail(this.#authorizer?.error ?? whatsappOutcome(failure))
  }

  onFault(error: unknown): void {
    const fault = coded(error)
    if (fault.code === 'CALL_INTERNAL') this.#ctx.log.error({ err: fault, call: this.call.id })
    this.#fail(fault)
  }

  async #dial(): Promise<void> {
    const { invite, number, trunk } = this.#start
    const { random, media, port, credentials, reuse, directory } = this.#ctx
    const password = credentials.get(number.name) ?? (await credentials.refresh(number.name))
    if (this.call.hasEnded()) return
    if (!password) {
      throw new CausewayError('CALL_CREDENTIALS_MISSING', { place: `number ${number.name}` })
    }
    this.#media = media.open({ id: this.call.id, trunk, number })
    const body = await this.#media.offer('pbx', invite.request.body)
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
    this.#authorizer = new WhatsAppAuthorizer(
      { number: number.name, username: digitsOf(number.phoneNumber), password },
      draft.uri,
      { source: credentials, cache: reuse, random },
    )
    this.#outgoing = new OutgoingInvite(port, draft, this, this.#authorizer)
    this.#outgoing.send()
  }

  async #answer(established: EstablishedCall, sdp: string): Promise<void> {
    const body = await established.media.answer('whatsapp', sdp)
    if (this.call.hasEnded()) {
      this.#rejectEnded()
      return
    }
    this.call.note('pbx', 'out', '200 OK')
    const { invite } = this.#start
    const headers = { Allow: ALLOW_PBX, ...agreedTimer(invite.request) }
    invite.accept(body, headers, (error, dialogId) => {
      if (error) this.#crossed(error)
      else {
        established.attach('pbx', dialogId)
        if (!established.over) established.begin()
      }
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
  }

  /** The one end of the setup: nothing of it goes on. */
  #end(cause: EndCause): void {
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
    this.#media?.release()
    this.call.end(cause)
  }

  #noteResponse({ status, reason }: IncomingResponse): void {
    this.call.note('whatsapp', 'in', `${status} ${reason}`)
  }
}
