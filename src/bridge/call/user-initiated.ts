import { type Call, causeOf, type EndCause } from '../../calls/index.ts'
import type { InboundConfig, NumberConfig, TrunkConfig } from '../../config/types.ts'
import type { MediaSession } from '../../media/index.ts'
import type { Timer } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { BridgeContext, Flow } from '../context.ts'
import { ALLOW_WHATSAPP } from '../headers/allow.ts'
import { inviteToPbx } from '../headers/invite-pbx.ts'
import { contactForWhatsApp } from '../headers/invite-whatsapp.ts'
import type { IncomingInvite } from '../invite/incoming-invite.ts'
import { type InviteEvents, OutgoingInvite } from '../invite/outgoing-invite.ts'
import { type Hop, Hunt } from '../invite/targets.ts'
import { TrunkAuthorizer } from '../invite/trunk-authorizer.ts'
import { coded } from '../outcome/coded.ts'
import type { Failure } from '../outcome/failure.ts'
import { pbxOutcome, tryNextTarget, tryOverflow } from '../outcome/pbx.ts'
import { passReason, reasonOf, retryHeaders, textOfReason } from '../outcome/refusal.ts'
import type { Headers, IncomingResponse } from '../sip-port.ts'
import { EstablishedCall } from './established.ts'

/** What a user-initiated call begins with; all of it has been checked. */
export interface UserInitiatedStart {
  call: Call
  invite: IncomingInvite
  number: NumberConfig
  inbound: InboundConfig
  trunks: TrunkConfig[]
}

/**
 * A call from a WhatsApp user until the PBX has answered it: the offer is shaped, the targets of the
 * trunk are tried in order, then the overflow trunk's.
 */
export class UserInitiatedCall implements Flow, InviteEvents {
  readonly call: Call
  readonly #ctx: BridgeContext
  readonly #start: UserInitiatedStart
  readonly #hunt: Hunt
  #media: MediaSession | undefined
  /** The offer as shaped for the trunk. */
  #offer: string | undefined
  #hop: Hop | undefined
  #outgoing: OutgoingInvite | undefined
  #ringTimer: Timer | undefined
  #established: EstablishedCall | undefined

  constructor(ctx: BridgeContext, start: UserInitiatedStart) {
    this.call = start.call
    this.#ctx = ctx
    this.#start = start
    this.#hunt = new Hunt(start.trunks, ctx.targets)
    ctx.flows.set(start.call.id, this)
  }

  /** Starts towards the PBX. */
  begin(): void {
    this.call.note('whatsapp', 'in', 'INVITE')
    this.#start.invite.whenCancelled((cancel) => this.#onCancel(cancel))
    this.#tryTrunk(undefined)
  }

  hangUp(error: CausewayError): void {
    this.#fail(error)
  }

  onInviteSent(attempt: number): void {
    this.call.note('pbx', 'out', 'INVITE', attempt > 1 ? 'with credentials' : this.#hop?.target.uri)
  }

  onChallenge(response: IncomingResponse): void {
    this.#noteResponse(response)
  }

  onProvisional(response: IncomingResponse): void {
    this.#noteResponse(response)
    this.#ctx.targets.worked(this.#hop!.target)
    // Early media is not for WhatsApp, which takes the first packet for the answer: 183 rings too.
    this.call.moveTo('ringing')
    if (this.#start.invite.ring()) this.call.note('whatsapp', 'out', '180 Ringing')
  }

  onAnswer(response: IncomingResponse): void {
    this.#noteResponse(response)
    this.call.note('pbx', 'out', 'ACK')
    this.#ringTimer?.clear()
    this.#outgoing = undefined
    const established = new EstablishedCall(this.#ctx, this.call, this.#media!)
    this.#established = established
    established.attach('pbx', response.dialogId)
    this.#answer(established, response.body).catch((error: unknown) => this.onFault(error))
  }

  onFailure(failure: Failure, response: IncomingResponse | undefined): void {
    if (response) this.#noteResponse(response)
    else this.call.note('pbx', 'in', String(failure.status), failure.reason)
    this.#outgoing = undefined
    if (failure.local) this.#ctx.targets.failed(this.#hop!.target)
    const next = tryNextTarget(failure) ? this.#hunt.nextTarget() : undefined
    if (next) this.#dial(next).catch((error: unknown) => this.onFault(error))
    else if (tryOverflow(failure)) this.#tryTrunk(pbxOutcome(failure))
    else this.#fail(pbxOutcome(failure))
  }

  onFault(error: unknown): void {
    const fault = coded(error)
    if (fault.code === 'CALL_INTERNAL') this.#ctx.log.error({ err: fault, call: this.call.id })
    this.#fail(fault)
  }

  /** Tries the next trunk; without one, the call fails for what became of the last. */
  #tryTrunk(last: CausewayError | undefined): void {
    const hop = this.#hunt.nextTrunk()
    this.#ringTimer?.clear()
    if (!hop) {
      this.#fail(last ?? new CausewayError('CALL_PBX_UNREACHABLE'))
      return
    }
    this.call.trunk = hop.trunk.name
    this.#ringTimer = this.#ctx.clock.setTimeout(() => this.#onRingTimeout(), this.#ringTime())
    // Media is shaped for the trunk: another trunk, another session.
    this.#media?.release()
    this.#media = undefined
    this.#offer = undefined
    this.#dial(hop).catch((error: unknown) => this.onFault(error))
  }

  #ringTime(): number {
    return this.#start.inbound.ringTimeout
  }

  async #dial(hop: Hop): Promise<void> {
    const { invite, number, inbound } = this.#start
    const { random, media, port } = this.#ctx
    this.#hop = hop
    this.#media ??= media.open({ id: this.call.id, trunk: hop.trunk, number })
    this.#offer ??= await this.#media.offer('whatsapp', invite.request.body)
    const body = this.#offer
    if (this.call.hasEnded() || this.#hop !== hop) return
    this.call.moveTo('calling')
    const draft = inviteToPbx({
      number,
      inbound,
      target: hop.target,
      caller: this.call.consumer,
      facts: this.call.whatsapp,
      body,
      callId: random.uuid(),
      fromTag: random.hex(8),
    })
    const { credentials } = hop.trunk
    const authorizer = credentials && new TrunkAuthorizer(credentials, draft.uri, random)
    this.#outgoing = new OutgoingInvite(port, draft, this, authorizer)
    this.#outgoing.send()
  }

  async #answer(established: EstablishedCall, sdp: string): Promise<void> {
    const { invite, number } = this.#start
    const body = await established.media.answer('pbx', sdp)
    if (this.call.hasEnded()) {
      // The PBX hung up again before WhatsApp was answered.
      this.#reject(480, {})
      return
    }
    const { config } = this.#ctx.directory
    const port = this.#ctx.directory.publicPort(number)
    const headers = {
      Contact: contactForWhatsApp(number, config.sip.domain, port),
      Allow: ALLOW_WHATSAPP,
    }
    this.call.note('whatsapp', 'out', '200 OK')
    invite.accept(body, headers, (error, dialogId) => {
      if (error) this.#crossed(error)
      else {
        established.attach('whatsapp', dialogId)
        if (!established.over) established.begin()
      }
    })
  }

  /** WhatsApp's CANCEL was quicker than our 200. */
  #crossed(error: Error): void {
    this.call.note('whatsapp', 'in', 'CANCEL', 'crossed the 200')
    this.#end(causeOf(new CausewayError('CALL_CANCELLED', { detail: error.message })), {})
  }

  #onCancel(cancel: Headers): void {
    const reason = cancel['reason']
    this.call.note('whatsapp', 'in', 'CANCEL', reason)
    const detail = textOfReason(reason) ?? 'the WhatsApp user hung up'
    this.#end(causeOf(new CausewayError('CALL_CANCELLED', { detail })), passReason(reason))
  }

  #onRingTimeout(): void {
    if (this.call.hasEnded()) return
    const error = new CausewayError('CALL_NO_ANSWER')
    this.#cancelPbx(reasonOf(error))
    this.#hop = undefined
    this.#tryTrunk(error)
  }

  #fail(error: CausewayError): void {
    this.#reject(error.sip, retryHeaders(error))
    this.#end(causeOf(error), reasonOf(error))
  }

  #reject(status: number, headers: Headers): void {
    if (this.#start.invite.reject(status, headers)) {
      this.call.note('whatsapp', 'out', String(status))
    }
  }

  /** The one end of the setup: nothing of it goes on. */
  #end(cause: EndCause, pbxHeaders: Headers): void {
    this.#ringTimer?.clear()
    this.#cancelPbx(pbxHeaders)
    if (this.#established) {
      this.#established.end(cause, undefined, pbxHeaders)
      return
    }
    this.#ctx.flows.delete(this.call.id)
    this.#media?.release()
    this.call.end(cause)
  }

  #cancelPbx(headers: Headers): void {
    if (!this.#outgoing) return
    this.call.note('pbx', 'out', 'CANCEL')
    this.#outgoing.abandon(headers)
    this.#outgoing = undefined
  }

  #noteResponse({ status, reason }: IncomingResponse): void {
    this.call.note('pbx', 'in', `${status} ${reason}`)
  }
}
