import { type Call, causeOf, type EndCause } from '../../calls/index.ts'
import type { NumberConfig, TrunkConfig } from '../../config/types.ts'
import type { MediaEvent } from '../../media/index.ts'
import { type InboundWay, stepAt } from '../../routing/index.ts'
import type { Timer } from '../../shared/clock.ts'
import { CausewayError, isCausewayError } from '../../shared/errors/index.ts'
import { tagOf } from '../address/uri.ts'
import { sdpOf } from '../admit/checks.ts'
import type { BridgeContext, Flow } from '../context.ts'
import { inviteToPbx } from '../headers/invite-pbx.ts'
import type { IncomingInvite } from '../invite/incoming-invite.ts'
import { type Hop, Hunt } from '../invite/targets.ts'
import { TrunkAuthorizer } from '../invite/trunk-authorizer.ts'
import { CallMedia, type MediaHandler } from '../media/call-media.ts'
import { coded } from '../outcome/coded.ts'
import type { Failure } from '../outcome/failure.ts'
import { pbxOutcome, tryNextTarget, tryOverflow } from '../outcome/pbx.ts'
import { passReason, reasonOf, retryHeaders, textOfReason } from '../outcome/refusal.ts'
import { unreachable } from '../registrar/absence.ts'
import type { Headers, IncomingRequest, IncomingResponse } from '../sip-port.ts'
import { type AttemptEvents, TargetAttempt } from '../trunks/attempt.ts'
import { patienceWith } from '../trunks/budget.ts'
import { isRedirect, Redirects } from '../trunks/redirect.ts'
import { trunkFull } from '../trunks/room.ts'
import { EarlyMedia } from './early-media.ts'
import { EstablishedCall, type Search } from './established.ts'
import { WaitingCaller } from './waiting-caller.ts'
import { WhatsAppAnswer } from './whatsapp-answer.ts'

/** What a user-initiated call begins with; all of it has been checked. */
export interface UserInitiatedStart {
  call: Call
  invite: IncomingInvite
  number: NumberConfig
  /** Of the route that took the call. */
  inbound: InboundWay
  /** Of that way, in the order of trying. */
  trunks: TrunkConfig[]
}

/**
 * A call from a WhatsApp user until the PBX has answered it: the offer is shaped, the targets of the
 * trunk are tried in order, then the overflow trunks'. With an announcement WhatsApp is answered
 * before the overflow trunk is, or when nobody takes the call.
 */
export class UserInitiatedCall implements Flow, AttemptEvents, MediaHandler, Search {
  readonly call: Call
  readonly media: CallMedia
  readonly #ctx: BridgeContext
  readonly #start: UserInitiatedStart
  readonly #hunt: Hunt
  readonly #redirects = new Redirects()
  readonly #whatsapp: WhatsAppAnswer
  readonly #waiting: WaitingCaller
  #early: EarlyMedia | undefined
  /** The offer as shaped for the trunk. */
  #offer: string | undefined
  #hop: Hop | undefined
  #outgoing: TargetAttempt | undefined
  #ringTimer: Timer | undefined
  /** When the trunk's time to ring is over, monotonic. */
  #ringUntil = 0
  #established: EstablishedCall | undefined

  constructor(ctx: BridgeContext, start: UserInitiatedStart) {
    this.call = start.call
    this.media = new CallMedia(ctx, start.call, this)
    this.#ctx = ctx
    this.#start = start
    this.#hunt = new Hunt(start.trunks, ctx.targets, (trunk) => {
      const full = trunkFull(trunk, ctx.calls, start.call)
      if (full) tellFull(ctx, trunk.name, full)
      return full
    })
    const whatsapp = new WhatsAppAnswer(ctx, start)
    this.#whatsapp = whatsapp
    const setup = {
      call: start.call,
      media: this.media,
      whatsapp,
      search: this,
      establish: () => this.#establish(),
      crossed: (error: Error) => this.#crossed(error),
      over: (cause: EndCause) => this.#end(cause, {}),
    }
    this.#waiting = new WaitingCaller(ctx, setup, start.inbound.announcement)
    ctx.flows.set(start.call.id, this)
  }

  /** Starts towards the PBX. */
  begin(): void {
    this.call.join('whatsapp', this.#start.invite.request.callId)
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
    this.#waiting.onMedia(event)
  }

  hungUp(text: string | undefined): EndCause {
    const detail = text ?? 'the WhatsApp user hung up'
    return causeOf(this.#waiting.unanswered ?? new CausewayError('CALL_CANCELLED', { detail }))
  }

  onInviteSent(attempt: number): void {
    this.call.note('pbx', 'out', 'INVITE', attempt > 1 ? 'with credentials' : this.#hop?.target.uri)
  }

  onChallenge(response: IncomingResponse): void {
    this.#noteResponse(response)
  }

  onProvisional(response: IncomingResponse): void {
    this.#noteResponse(response)
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
    const outcome = this.#redirect(failure, response) ?? pbxOutcome(failure)
    const next = tryNextTarget(failure) || isRedirect(failure.status)
    if (next && this.#tryTarget(outcome)) return
    if (tryOverflow(failure)) this.#tryTrunk(outcome)
    else this.#giveUp(outcome)
  }

  onSilence(error: CausewayError): void {
    this.#outgoing = undefined
    this.call.note('pbx', 'out', 'CANCEL', error.detail)
    if (!this.#tryTarget(error)) this.#tryTrunk(error)
  }

  targetDown(uri: string): void {
    const { targets, trunks } = this.#hunt.left
    if (!this.#outgoing || this.#hop?.target.uri !== uri || (targets === 0 && !trunks)) return
    const error = new CausewayError('CALL_TARGET_SILENT', { detail: 'pings say that it is down' })
    this.#outgoing.abandon(reasonOf(error))
    this.onSilence(error)
  }

  onFault(error: unknown): void {
    if (this.call.hasEnded()) {
      // Of media that was let go meanwhile: the PBX hung up before WhatsApp was answered.
      this.#whatsapp.reject(480)
      return
    }
    const fault = coded(error)
    if (fault.code === 'CALL_INTERNAL') {
      this.#ctx.logs.of(this.call).error({ err: fault }, 'a call failed inside')
    }
    this.#fail(fault)
  }

  stop(pbxHeaders: Headers): void {
    this.#ringTimer?.clear()
    this.#waiting.dispose()
    this.#cancelPbx(pbxHeaders)
  }

  /**
   * Puts what a 3xx names next in the hunt.
   * @returns why it was refused; undefined when it was not, or is none
   */
  #redirect({ status }: Failure, response: IncomingResponse | undefined) {
    if (!isRedirect(status) || !response) return undefined
    const found = this.#redirects.follow(this.#hop!, response)
    if (isCausewayError(found)) return found
    this.#hunt.redirect(found)
    return undefined
  }

  /** Tries the next target of the trunk; false when there is none. */
  #tryTarget(last: CausewayError): boolean {
    const former = this.#hop!
    const next = this.#hunt.nextTarget()
    if (!next) return false
    this.#ctx.targets.failedOver(former.trunk.name)
    const [from, to] = [former.target.uri, next.target.uri]
    this.#ctx.logs.of(this.call).info({ from, to, why: last.detail }, 'next target')
    this.#dial(next).catch((error: unknown) => this.onFault(error))
    return true
  }

  /** Tries the next trunk; without one, the call fails for what became of the last. */
  #tryTrunk(last: CausewayError | undefined): void {
    const hop = this.#hunt.nextTrunk()
    this.#ringTimer?.clear()
    if (!hop) {
      this.#giveUp(last ?? this.#hunt.full ?? unreachable(this.#ctx, this.#start.trunks))
      return
    }
    if (last) {
      const why = last.detail ?? last.definition.summary
      const [from, to] = [this.call.trunk, hop.trunk.name]
      this.#ctx.logs.of(this.call).info({ from, to, why }, 'next trunk')
    }
    this.call.trunk = hop.trunk.name
    const { ringTimeout } = stepAt(this.#start.inbound, hop.trunk.name)
    this.#ringTimer = this.#ctx.clock.setTimeout(() => this.#onRingTimeout(), ringTimeout)
    this.#ringUntil = this.#ctx.clock.monotonic() + ringTimeout
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
      trunk: hop.trunk,
      target: hop.target,
      route: this.call.route,
      domain: this.#ctx.directory.config.sip.domain,
      caller: this.call.consumer,
      facts: this.call.whatsapp,
      body,
      callId: random.uuid(),
      fromTag: random.hex(8),
      ...(hop.user === undefined ? {} : { to: hop.user }),
    })
    this.call.target = hop.target.uri
    this.call.join('pbx', draft.callId)
    const { credentials, failover } = hop.trunk
    const authorizer =
      credentials && new TrunkAuthorizer(credentials, draft.uri, random, this.#ctx.digests)
    this.#early = new EarlyMedia(
      this.call,
      this.media.session!,
      this.#whatsapp,
      this.#ctx.logs.of(this.call),
    )
    const left = this.#ringUntil - this.#ctx.clock.monotonic()
    const patience = patienceWith({ limit: failover.timeout, left, ...this.#hunt.left })
    const { target } = hop
    this.#redirects.tried(target, draft.uri)
    this.#outgoing = new TargetAttempt(this.#ctx, { target, draft, authorizer, patience }, this)
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
    await this.#waiting.announce()
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
    this.#waiting.stop()
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
    const error = this.#outgoing?.expired() ?? new CausewayError('CALL_NO_ANSWER')
    this.#cancelPbx(reasonOf(error))
    this.#hop = undefined
    this.#tryTrunk(error)
  }

  /** No trunk is left to be tried: the caller hears the announcement, if there is one. */
  #giveUp(error: CausewayError): void {
    this.#ringTimer?.clear()
    this.#waiting
      .giveUp(error)
      .then((heard) => heard || this.#fail(error))
      .catch((cause: unknown) => this.onFault(cause))
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

/** A call goes on to the overflow trunk, or ends: in either case somebody should know the limit. */
function tellFull(ctx: BridgeContext, trunk: string, { code, detail, fix }: CausewayError): void {
  ctx.notices.tell(`full ${trunk}`, 'warn', { trunk, code, detail, fix }, 'trunk is full')
}
