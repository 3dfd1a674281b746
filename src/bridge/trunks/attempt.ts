import type { TrunkTarget } from '../../config/types.ts'
import type { Clock, Timer } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { BridgeContext } from '../context.ts'
import { retryAfterOf } from '../headers/seconds.ts'
import {
  type Authorizer,
  type InviteDraft,
  type InviteEvents,
  OutgoingInvite,
} from '../invite/outgoing-invite.ts'
import type { Failure } from '../outcome/failure.ts'
import { reasonOf } from '../outcome/refusal.ts'
import type { Headers, IncomingRequest, IncomingResponse } from '../sip-port.ts'
import type { Patience } from './budget.ts'
import type { TargetHealth } from './target-health.ts'

/** What its owner learns of an attempt. */
export interface AttemptEvents extends InviteEvents {
  /** It said nothing in time; the INVITE is cancelled, and nothing follows. */
  onSilence(error: CausewayError): void
}

/** What an attempt is made of. */
export interface AttemptPlan {
  target: TrunkTarget
  draft: InviteDraft
  authorizer: Authorizer | undefined
  /** How long it may take to ring; undefined: no limit. */
  patience: Patience | undefined
}

/**
 * One INVITE to one target of a trunk: given up when the target does not ring within its time, and what
 * it answers is remembered of the target.
 */
export class TargetAttempt implements InviteEvents {
  readonly #health: TargetHealth
  readonly #target: TrunkTarget
  readonly #owner: AttemptEvents
  readonly #invite: OutgoingInvite
  readonly #clock: Clock
  readonly #since: number
  readonly #patience: Patience | undefined
  /** Whether it has said anything, a 100 too. */
  #spoke = false
  #timer: Timer | undefined

  /** Ready to be sent; the time of the target starts now. */
  constructor(ctx: BridgeContext, plan: AttemptPlan, owner: AttemptEvents) {
    const { target, draft, authorizer, patience } = plan
    this.#clock = ctx.clock
    this.#since = ctx.clock.monotonic()
    this.#patience = patience
    this.#health = ctx.targets
    this.#target = target
    this.#owner = owner
    this.#invite = new OutgoingInvite(ctx, draft, this, authorizer)
    this.#wait('silent')
  }

  send(): void {
    this.#invite.send()
  }

  /** Gives up without another event; an answer that crosses the CANCEL is hung up. */
  abandon(headers: Headers = {}): void {
    this.#stopWaiting()
    this.#invite.abandon(headers, () => this.#health.worked(this.#target))
  }

  /**
   * The time of the call itself is over, which the owner ends. Nobody answered, or the target is not there:
   * then it is thought of as gone, and the error says so.
   */
  expired(): CausewayError {
    if (this.#spoke) return new CausewayError('CALL_NO_ANSWER')
    return this.#silent('nothing', this.#clock.monotonic() - this.#since)
  }

  onInviteSent(attempt: number): void {
    this.#owner.onInviteSent(attempt)
  }

  onChallenge(response: IncomingResponse): void {
    this.#heard()
    this.#owner.onChallenge(response)
  }

  onTrying(): void {
    this.#spoke = true
    this.#health.worked(this.#target)
    if (this.#timer) this.#wait('trying')
  }

  onProvisional(response: IncomingResponse): void {
    this.#heard()
    this.#owner.onProvisional(response)
  }

  onEarlyRequest(request: IncomingRequest): void {
    this.#owner.onEarlyRequest?.(request)
  }

  onAnswer(response: IncomingResponse): void {
    this.#heard()
    this.#owner.onAnswer(response)
  }

  onFailure(failure: Failure, response: IncomingResponse | undefined): void {
    this.#stopWaiting()
    judge(this.#health, this.#target, failure, response)
    this.#owner.onFailure(failure, response)
  }

  onFault(error: unknown): void {
    this.#stopWaiting()
    this.#owner.onFault(error)
  }

  #heard(): void {
    this.#spoke = true
    this.#stopWaiting()
    this.#health.worked(this.#target)
  }

  /** Gives it as long as one in this state may take, counted from the INVITE. */
  #wait(state: keyof Patience): void {
    this.#stopWaiting()
    if (!this.#patience) return
    const ms = this.#patience[state]
    const passed = this.#clock.monotonic() - this.#since
    this.#timer = this.#clock.setTimeout(() => this.#onSilence(state, ms), Math.max(0, ms - passed))
  }

  #stopWaiting(): void {
    this.#timer?.clear()
    this.#timer = undefined
  }

  #onSilence(state: keyof Patience, ms: number): void {
    const error = this.#silent(state === 'silent' ? 'nothing' : 'no more than 100 Trying', ms)
    this.abandon(reasonOf(error))
    this.#owner.onSilence(error)
  }

  #silent(what: string, ms: number): CausewayError {
    const detail = `${what} within ${Number((ms / 1000).toFixed(1))} s`
    // One that is trying is there, however slow.
    if (!this.#spoke) this.#health.failed(this.#target, detail)
    return new CausewayError('CALL_TARGET_SILENT', { detail })
  }
}

/** Remembers of a target what a failed INVITE says of it. */
function judge(
  health: TargetHealth,
  target: TrunkTarget,
  { status, reason, local }: Failure,
  response: IncomingResponse | undefined,
): void {
  if (local) health.failed(target, response ? unreached(status) : reason)
  else if (status === 503) health.busy(target, `${status} ${reason}`, retryAfterOf(response))
  // A 408 may be that of a phone behind the target, or of a proxy's own search: no news.
  else if (status !== 408) health.worked(target)
}

/** What a failure made by our own SIP server says of the target; its log has the cause. */
export function unreached(status: number): string {
  return status === 408 ? 'no answer' : 'no connection, or its name is not found'
}
