import type { TrunkTarget } from '../../config/types.ts'
import type { Timer } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { BridgeContext } from '../context.ts'
import {
  type Authorizer,
  type InviteDraft,
  type InviteEvents,
  OutgoingInvite,
} from '../invite/outgoing-invite.ts'
import type { Failure } from '../outcome/failure.ts'
import { reasonOf } from '../outcome/refusal.ts'
import type { Headers, IncomingRequest, IncomingResponse } from '../sip-port.ts'
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
  /** Milliseconds the target may answer nothing; undefined: no limit. */
  budget: number | undefined
}

/**
 * One INVITE to one target of a trunk: given up when the target answers nothing within its time, and
 * what it answers is remembered of the target.
 */
export class TargetAttempt implements InviteEvents {
  readonly #health: TargetHealth
  readonly #target: TrunkTarget
  readonly #owner: AttemptEvents
  readonly #invite: OutgoingInvite
  readonly #timer: Timer | undefined

  /** Ready to be sent; the time of the target starts now. */
  constructor(ctx: BridgeContext, plan: AttemptPlan, owner: AttemptEvents) {
    const { target, draft, authorizer, budget } = plan
    this.#health = ctx.targets
    this.#target = target
    this.#owner = owner
    this.#invite = new OutgoingInvite(ctx, draft, this, authorizer)
    this.#timer =
      budget === undefined ? undefined : ctx.clock.setTimeout(() => this.#onSilence(budget), budget)
  }

  send(): void {
    this.#invite.send()
  }

  /** Gives up without another event; an answer that crosses the CANCEL is hung up. */
  abandon(headers: Headers = {}): void {
    this.#timer?.clear()
    this.#invite.abandon(headers, () => this.#health.worked(this.#target))
  }

  onInviteSent(attempt: number): void {
    this.#owner.onInviteSent(attempt)
  }

  onChallenge(response: IncomingResponse): void {
    this.#heard()
    this.#owner.onChallenge(response)
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
    this.#timer?.clear()
    judge(this.#health, this.#target, failure, response)
    this.#owner.onFailure(failure, response)
  }

  onFault(error: unknown): void {
    this.#timer?.clear()
    this.#owner.onFault(error)
  }

  #heard(): void {
    this.#timer?.clear()
    this.#health.worked(this.#target)
  }

  #onSilence(budget: number): void {
    const detail = `nothing within ${Number((budget / 1000).toFixed(1))} s`
    const error = new CausewayError('CALL_TARGET_SILENT', { detail })
    this.#health.failed(this.#target, detail)
    this.abandon(reasonOf(error))
    this.#owner.onSilence(error)
  }
}

/** Remembers of a target what a failed INVITE says of it. */
export function judge(
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

/** Retry-After in milliseconds (RFC 3261 §20.33); undefined when there is none. */
export function retryAfterOf(response: IncomingResponse | undefined): number | undefined {
  const seconds = /^\s*(\d{1,9})/.exec(response?.header('retry-after') ?? '')?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1000
}
