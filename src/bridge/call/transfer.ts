import type { TrunkTarget } from '../../config/types.ts'
import type { Replacement } from '../../media/index.ts'
import { wayOf } from '../../routing/index.ts'
import type { Timer } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import { tagOf } from '../address/uri.ts'
import { ALLOW_PBX } from '../headers/allow.ts'
import { inviteToPbx } from '../headers/invite-pbx.ts'
import type { ReferTarget } from '../headers/refer-to.ts'
import { TrunkAuthorizer } from '../invite/trunk-authorizer.ts'
import { coded } from '../outcome/coded.ts'
import type { Failure } from '../outcome/failure.ts'
import { tryNextTarget } from '../outcome/pbx.ts'
import { reasonOf, refusalHeaders } from '../outcome/refusal.ts'
import type { Headers, IncomingRequest, IncomingResponse } from '../sip-port.ts'
import { type AttemptEvents, TargetAttempt } from '../trunks/attempt.ts'
import { patienceWith } from '../trunks/budget.ts'
import type { EstablishedCall, Takeover } from './established.ts'
import type { ReferSubscription } from './refer-subscription.ts'

/** Answers a REFER that is not taken. */
export function refuseRefer(
  { call, ctx }: EstablishedCall,
  request: IncomingRequest,
  error: CausewayError,
): void {
  call.note('pbx', 'out', String(error.sip), `REFER ${error.code}`)
  const headers = refusalHeaders(error, ctx.directory.config.sip.domain)
  request.respond({ status: error.sip, headers })
}

/** What a transfer is to do; all of it has been checked. */
export interface TransferPlan {
  target: ReferTarget
  /** Where the INVITE is tried, in order. */
  targets: TrunkTarget[]
  referredBy: string | undefined
  subscription: ReferSubscription
}

/**
 * A transfer by REFER, blind or attended: the new PBX leg is called beside the one that is up, and
 * takes its place when it answers. WhatsApp's leg never hears of it. From the 202 on the party that
 * transfers may hang up; when the transfer then fails, so does the call.
 */
export class Transfer implements Takeover, AttemptEvents {
  readonly #established: EstablishedCall
  readonly #plan: TransferPlan
  readonly #targets: TrunkTarget[]
  #replacement: Replacement | undefined
  #outgoing: TargetAttempt | undefined
  #target: TrunkTarget | undefined
  #timer: Timer | undefined
  /** When the time to ring is over, monotonic. */
  #ringUntil = 0
  #accepted = false
  #over = false

  constructor(established: EstablishedCall, plan: TransferPlan) {
    this.#established = established
    this.#plan = plan
    this.#targets = [...plan.targets]
  }

  get keepsCall(): boolean {
    return this.#accepted && !this.#over
  }

  /** Answers the REFER and calls the target. */
  begin(request: IncomingRequest): void {
    this.#established.takeover = this
    this.#accept(request).catch((error: unknown) => this.onFault(error))
  }

  abort(pbxHeaders: Headers): void {
    if (this.#over) return
    // Before its 202 a REFER has no subscription: it is answered itself.
    if (this.#accepted) this.#plan.subscription.finish(487, 'Request Terminated')
    this.#stop(pbxHeaders)
  }

  onInviteSent(attempt: number): void {
    const what = attempt > 1 ? 'with credentials' : `transfer to ${this.#target?.uri}`
    this.#established.call.note('pbx', 'out', 'INVITE', what)
  }

  onChallenge(response: IncomingResponse): void {
    this.#note(response)
  }

  onProvisional(response: IncomingResponse): void {
    this.#note(response)
  }

  onAnswer(response: IncomingResponse): void {
    this.#note(response)
    this.#established.call.note('pbx', 'out', 'ACK')
    this.#timer?.clear()
    this.#outgoing = undefined
    const calleeTag = tagOf(response.header('to'))
    this.#established.attachNext({ id: response.dialogId, calleeTag, caller: 'us' })
    this.#connect(response.body).catch((error: unknown) => this.onFault(error))
  }

  onFailure(failure: Failure, response: IncomingResponse | undefined): void {
    if (response) this.#note(response)
    else this.#established.call.note('pbx', 'in', String(failure.status), failure.reason)
    this.#outgoing = undefined
    if (tryNextTarget(failure) && this.#targets.length > 0) this.#dialNext()
    else this.#fail(failure.status, failure.reason)
  }

  onSilence(error: CausewayError): void {
    this.#outgoing = undefined
    this.#established.call.note('pbx', 'out', 'CANCEL', error.detail)
    this.#dialNext()
  }

  onFault(error: unknown): void {
    if (this.#over) return
    const fault = coded(error)
    const { call, ctx } = this.#established
    ctx.logs.of(call).warn({ err: fault }, 'transfer failed')
    this.#fail(fault.sip, fault.definition.summary)
  }

  async #accept(request: IncomingRequest): Promise<void> {
    const established = this.#established
    const { subscription } = this.#plan
    try {
      this.#replacement = await established.session.replace(undefined)
    } catch (error) {
      if (this.#over) {
        request.respond({ status: 487 })
        return
      }
      if (established.takeover === this) established.takeover = undefined
      this.#over = true
      refuseRefer(established, request, coded(error))
      return
    }
    if (this.#over) {
      // The call has ended meanwhile.
      request.respond({ status: 487 })
      await this.#abandon()
      return
    }
    const headers: Headers = { Allow: ALLOW_PBX }
    if (subscription.suppressed) headers['Refer-Sub'] = 'false'
    established.call.note('pbx', 'out', '202 Accepted', 'REFER')
    request.respond({ status: 202, headers })
    this.#accepted = true
    subscription.trying()
    const time = wayOf(established.number, routeOf(established)).ringTimeout
    this.#timer = established.ctx.clock.setTimeout(() => this.#onRingTimeout(), time)
    this.#ringUntil = established.ctx.clock.monotonic() + time
    this.#dial()
  }

  #dialNext(): void {
    const { ctx, trunk } = this.#established
    ctx.targets.failedOver(trunk.name)
    this.#dial()
  }

  #dial(): void {
    const { ctx, call, number, trunk } = this.#established
    const { target: wish, referredBy } = this.#plan
    const target = this.#targets.shift()!
    this.#target = target
    const headers: Headers = {}
    if (referredBy !== undefined) headers['Referred-By'] = referredBy
    if (wish.replaces !== undefined) headers['Replaces'] = wish.replaces
    const draft = inviteToPbx({
      number,
      trunk,
      target,
      route: routeOf(this.#established),
      domain: ctx.directory.config.sip.domain,
      caller: call.consumer,
      to: wish.user,
      facts: call.whatsapp,
      body: this.#replacement!.sdp,
      callId: ctx.random.uuid(),
      fromTag: ctx.random.hex(8),
      headers,
    })
    call.join('pbx', draft.callId)
    const { credentials, failover } = trunk
    const authorizer =
      credentials && new TrunkAuthorizer(credentials, draft.uri, ctx.random, ctx.digests)
    const left = this.#ringUntil - ctx.clock.monotonic()
    const share = { limit: failover.timeout, left, targets: this.#targets.length, trunks: false }
    const patience = patienceWith(share)
    this.#outgoing = new TargetAttempt(ctx, { target, draft, authorizer, patience }, this)
    this.#outgoing.send()
  }

  async #connect(answer: string): Promise<void> {
    const established = this.#established
    const replacement = this.#replacement!
    this.#replacement = undefined
    await replacement.commit(answer)
    if (this.#over) return
    this.#over = true
    this.#plan.subscription.finish(200, 'OK')
    established.promoteNext(answer)
  }

  #onRingTimeout(): void {
    const error = new CausewayError('CALL_NO_ANSWER')
    if (this.#outgoing) {
      this.#established.call.note('pbx', 'out', 'CANCEL')
      this.#outgoing.abandon(reasonOf(error))
      this.#outgoing = undefined
    }
    this.#fail(408, 'Request Timeout')
  }

  /** It came to nothing: the former leg goes on, or, without one, the call ends. */
  #fail(status: number, reason: string): void {
    const established = this.#established
    this.#plan.subscription.finish(status, reason)
    established.dropNext()
    this.#stop({})
    if (established.takeover === this) established.takeover = undefined
    if (!established.pbx?.gone) return
    established.hangUp(new CausewayError('CALL_TRANSFER_FAILED', { detail: `${status} ${reason}` }))
  }

  #stop(cancelHeaders: Headers): void {
    this.#over = true
    this.#timer?.clear()
    if (this.#outgoing) {
      this.#established.call.note('pbx', 'out', 'CANCEL')
      this.#outgoing.abandon(cancelHeaders)
      this.#outgoing = undefined
    }
    void this.#abandon()
  }

  async #abandon(): Promise<void> {
    const replacement = this.#replacement
    this.#replacement = undefined
    try {
      await replacement?.abandon()
    } catch (error) {
      const { call, ctx } = this.#established
      ctx.logs.of(call).debug({ err: error }, 'a leg could not be given up')
    }
  }

  #note({ status, reason }: IncomingResponse): void {
    this.#established.call.note('pbx', 'in', `${status} ${reason}`)
  }
}

/** The route whose templates hold: a call from the PBX came by none. */
function routeOf({ call }: EstablishedCall): string | undefined {
  return call.direction === 'user-initiated' ? call.route : undefined
}
