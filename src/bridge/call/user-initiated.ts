import { type Call, causeOf, type EndCause } from '../../calls/index.ts'
import type { InboundConfig, NumberConfig, TrunkConfig } from '../../config/types.ts'
import type { MediaEvent } from '../../media/index.ts'
import type { Timer } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import { tagOf } from '../address/uri.ts'
import { sdpOf } from '../admit/checks.ts'
import type { BridgeContext, Flow } from '../context.ts'
import { inviteToPbx } from '../headers/invite-pbx.ts'
import type { IncomingInvite } from '../invite/incoming-invite.ts'
import { type InviteEvents, OutgoingInvite } from '../invite/outgoing-invite.ts'
import { type Hop, Hunt } from '../invite/targets.ts'
import { TrunkAuthorizer } from '../invite/trunk-authorizer.ts'
import { CallMedia, type MediaHandler } from '../media/call-media.ts'
import { coded } from '../outcome/coded.ts'
import type { Failure } from '../outcome/failure.ts'
import { pbxOutcome, tryNextTarget, tryOverflow } from '../outcome/pbx.ts'
import { passReason, reasonOf, retryHeaders, textOfReason } from '../outcome/refusal.ts'
import { unreachable } from '../registrar/absence.ts'
import type { Headers, IncomingRequest, IncomingResponse } from '../sip-port.ts'
import { Announcement } from './announcement.ts'
import { EarlyMedia } from './early-media.ts'
import { EstablishedCall, type Search } from './established.ts'
import { WhatsAppAnswer } from './whatsapp-answer.ts'

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
 * trunk are tried in order, then the overflow trunk's. With an announcement WhatsApp is answered
 * before the overflow trunk is, or when nobody takes the call.
 */
export class UserInitiatedCall implements Flow, InviteEvents, MediaHandler, Search {
  readonly call: Call
  readonly media: CallMedia
  readonly #ctx: BridgeContext
  readonly #start: UserInitiatedStart
  readonly #hunt: Hunt
  readonly #whatsapp: WhatsAppAnswer
  #early: EarlyMedia | undefined
  #announcement: Announcement | undefined
  /** The offer as shaped for the trunk. */
  #offer: string | undefined
  #hop: Hop | undefined
  #outgoing: OutgoingInvite | undefined
  #ringTimer: Timer | undefined
  #established: EstablishedCall | undefined
  /** What became of the trunks, once none is left and the announcement is played for it. */
  #unanswered: CausewayError | undefined

  constructor(ctx: BridgeContext, start: UserInitiatedStart) {
    this.call = start.call
    this.media = new CallMedia(ctx, start.call, this)
    this.#ctx = ctx
    this.#start = start
    this.#hunt = new Hunt(start.trunks, ctx.targets)
    this.#whatsapp = new WhatsAppAnswer(ctx, start)
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

  onMediaLost(error: CausewayError): void {
    this.#fail(error)
  }

  onMedia(event: MediaEvent): void {
    this.#announcement?.onMedia(event)
  }

  hungUp(text: string | undefined): EndCause {
    const error = this.#unanswered ? announced(this.#unanswered) : undefined
    const detail = text ?? 'the WhatsApp user hung up'
    return causeOf(error ?? new CausewayError('CALL_CANCELLED', { detail }))
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
    this.call.moveTo('ringing')
    // Early media is for WhatsApp only where it is asked for: it takes the first packet for the
    // answer. Otherwise a 183 rings too.
    const sdp = sdpOf(response)
    if (sdp !== '') this.#early?.take(sdp)
    if (sdp === '' || !this.#start.inbound.earlyMedia) this.#whatsapp.ring()
  }

  onEarlyRequest(request: IncomingRequest): void {
    this.call.note('pbx', 'in', request.method)
    this.#early?.onRequest(request)
  }

  onAnswer(response: IncomingResponse): void {
    this.#noteResponse(response)
    this.call.note('pbx', 'out', 'ACK')
    this.#ringTimer?.clear()
    this.#outgoing = undefined
    const established = this.#establish()
    established.trunk = this.#hop!.trunk
    const calleeTag = tagOf(response.header('to'))
    established.attachPbx({ id: response.dialogId, calleeTag, caller: 'us' })
    established.connected = this.#answer(established, response.body)
      .catch((error: unknown) => this.onFault(error))
      .finally(() => {
        established.connected = undefined
      })
  }

  onFailure(failure: Failure, response: IncomingResponse | undefined): void {
    if (response) this.#noteResponse(response)
    else this.call.note('pbx', 'in', String(failure.status), failure.reason)
    this.#outgoing = undefined
    if (failure.local) this.#ctx.targets.failed(this.#hop!.target)
    const next = tryNextTarget(failure) ? this.#hunt.nextTarget() : undefined
    if (next) this.#dial(next).catch((error: unknown) => this.onFault(error))
    else if (tryOverflow(failure)) this.#tryTrunk(pbxOutcome(failure))
    else this.#giveUp(pbxOutcome(failure))
  }

  onFault(error: unknown): void {
    if (this.call.hasEnded()) {
      // Of media that was let go meanwhile: the PBX hung up before WhatsApp was answered.
      this.#whatsapp.reject(480)
      return
    }
    const fault = coded(error)
    if (fault.code === 'CALL_INTERNAL') this.#ctx.log.error({ err: fault, call: this.call.id })
    this.#fail(fault)
  }

  stop(pbxHeaders: Headers): void {
    this.#ringTimer?.clear()
    this.#announcement?.dispose()
    this.#cancelPbx(pbxHeaders)
  }

  /** Tries the next trunk; without one, the call fails for what became of the last. */
  #tryTrunk(last: CausewayError | undefined): void {
    const hop = this.#hunt.nextTrunk()
    this.#ringTimer?.clear()
    if (!hop) {
      this.#giveUp(last ?? unreachable(this.#ctx, this.#start.trunks))
      return
    }
    this.call.trunk = hop.trunk.name
    const { ringTimeout } = this.#start.inbound
    this.#ringTimer = this.#ctx.clock.setTimeout(() => this.#onRingTimeout(), ringTimeout)
    // The offer is shaped for the trunk: another trunk, another offer.
    this.#offer = undefined
    this.#dial(hop).catch((error: unknown) => this.onFault(error))
  }

  async #dial(hop: Hop): Promise<void> {
    const { number } = this.#start
    const { random } = this.#ctx
    this.#hop = hop
    this.#offer ??= await this.#offerFor(hop)
    const body = this.#offer
    if (this.call.hasEnded() || this.#hop !== hop) return
    this.call.moveTo('calling')
    const draft = inviteToPbx({
      number,
      target: hop.target,
      caller: this.call.consumer,
      facts: this.call.whatsapp,
      body,
      callId: random.uuid(),
      fromTag: random.hex(8),
    })
    const { credentials } = hop.trunk
    const authorizer = credentials && new TrunkAuthorizer(credentials, draft.uri, random)
    this.#early = new EarlyMedia(this.call, this.media.session!, this.#whatsapp, this.#ctx.log)
    this.#outgoing = new OutgoingInvite(this.#ctx, draft, this, authorizer)
    this.#outgoing.send()
  }

  /** The offer for a trunk: the first one's, or that of the next after the former did not answer. */
  async #offerFor(hop: Hop): Promise<string> {
    const { invite, number } = this.#start
    const { session } = this.media
    if (!session) {
      return this.media.allocate(hop.trunk, number).offer('whatsapp', invite.request.body)
    }
    await this.#early?.settled
    await this.#announce()
    return session.retarget(hop.trunk)
  }

  async #answer(established: EstablishedCall, sdp: string): Promise<void> {
    const early = this.#early
    await early?.settled
    const body = await established.session.answer('pbx', early?.answer(sdp) ?? sdp)
    if (this.call.hasEnded()) {
      // The PBX hung up again before WhatsApp was answered.
      this.#whatsapp.reject(480)
      return
    }
    this.#announcement?.stop((error) => this.#announcementFailed(error))
    this.#announcement = undefined
    this.#whatsapp.accept(established, body, {
      up: () => established.begin(),
      crossed: (error) => this.#crossed(error),
    })
  }

  #establish(): EstablishedCall {
    if (this.#established) return this.#established
    const { number, trunks } = this.#start
    const trunk = this.#hop?.trunk ?? trunks[0]!
    const { call, media } = this
    const session = media.session!
    this.#established = new EstablishedCall(this.#ctx, { call, media, session, number, trunk })
    return this.#established
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

  /** No trunk is left to be tried: the caller hears the announcement, if there is one. */
  #giveUp(error: CausewayError): void {
    this.#ringTimer?.clear()
    this.#unanswered = error
    this.#announce()
      .then((heard) => heard || this.#fail(error))
      .catch((cause: unknown) => this.onFault(cause))
  }

  /**
   * Answers WhatsApp, unless it is answered already, and plays the announcement.
   * @returns whether it will be heard
   */
  async #announce(): Promise<boolean> {
    const file = this.#start.inbound.announcement
    const { session } = this.media
    if (file === undefined || !session) return false
    let body = ''
    if (!this.#announcement) {
      try {
        body = await session.answerAlone()
      } catch (error) {
        this.#announcementFailed(error)
        return false
      }
      if (this.call.hasEnded()) return true
      this.#announcement ??= new Announcement(session, file, this.#ctx.clock)
    }
    const established = this.#establish()
    established.search = this
    this.#whatsapp.accept(established, body, {
      up: () => this.#playAnnouncement(),
      crossed: (error) => this.#crossed(error),
    })
    return true
  }

  /** Over and over while the next trunk rings; once when none is left. */
  #playAnnouncement(): void {
    if (this.#unanswered) this.#announcement?.once((cause) => this.#announced(cause))
    else this.#announcement?.loop((error) => this.#announcementFailed(error))
  }

  /** The announcement is over, and with it the call. */
  #announced(cause: unknown): void {
    if (cause !== undefined) this.#announcementFailed(cause)
    const error = this.#unanswered!
    this.#end(causeOf(cause === undefined ? announced(error) : error), {})
  }

  #announcementFailed(error: unknown): void {
    if (this.call.hasEnded()) return
    this.#ctx.log.warn({ err: error, call: this.call.id }, 'no announcement')
  }

  #fail(error: CausewayError): void {
    this.#whatsapp.reject(error.sip, retryHeaders(error))
    this.#end(causeOf(error), reasonOf(error))
  }

  /** The one end of the setup: nothing of it goes on. */
  #end(cause: EndCause, pbxHeaders: Headers): void {
    this.stop(pbxHeaders)
    if (this.#established) {
      this.#established.end(cause, undefined, pbxHeaders)
      return
    }
    this.#ctx.flows.delete(this.call.id)
    this.media.release()
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

/** The end of a call whose caller has heard the announcement. */
function announced(error: CausewayError): CausewayError {
  return new CausewayError('CALL_ANNOUNCED', { detail: error.detail ?? error.definition.summary })
}
