import type { TrunkConfig } from '../../config/types.ts'
import type { Replacement } from '../../media/index.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Refusal } from '../admit/checks.ts'
import { checkBody } from '../admit/checks.ts'
import type { BridgeContext } from '../context.ts'
import { ALLOW_PBX, SUPPORTED_PBX, unsupported } from '../headers/allow.ts'
import { parseReplaces, type Replaces } from '../headers/replaces.ts'
import { agreedTimer } from '../headers/session-timer.ts'
import type { IncomingInvite } from '../invite/incoming-invite.ts'
import { coded } from '../outcome/coded.ts'
import { refusalHeaders } from '../outcome/refusal.ts'
import type { Headers } from '../sip-port.ts'
import { EstablishedCall, type Takeover } from './established.ts'

/**
 * An INVITE of the PBX that is to take the place of one of our dialogs with it (RFC 3891): the other
 * half of an attended transfer.
 * @returns why it is refused; undefined when it is being taken
 */
export function takeReplaces(
  ctx: BridgeContext,
  invite: IncomingInvite,
  trunk: TrunkConfig,
): Refusal | undefined {
  const { request } = invite
  const missing = unsupported(request.header('require'))
  if (missing.length > 0) {
    const error = new CausewayError('CALL_EXTENSION_UNSUPPORTED', { detail: missing.join(', ') })
    return { error, headers: { Unsupported: missing.join(', ') } }
  }
  const value = request.header('replaces') ?? ''
  const replaces = parseReplaces(value)
  if (!replaces) return { error: new CausewayError('CALL_REPLACES_INVALID', { detail: value }) }
  const established = findReplaced(ctx, replaces)
  if (!established) {
    return { error: new CausewayError('CALL_REPLACES_UNKNOWN', { detail: replaces.callId }) }
  }
  if (established.trunk.name !== trunk.name) {
    return { error: new CausewayError('CALL_REPLACES_FORBIDDEN', { detail: trunk.name }) }
  }
  if (replaces.earlyOnly) return { error: new CausewayError('CALL_REPLACES_ANSWERED') }
  if (established.takeover) return { error: new CausewayError('CALL_TRANSFER_PENDING') }
  const refusal = checkBody(request)
  if (refusal) return refusal
  new ReplacesTakeover(established, invite).begin()
  return undefined
}

/** The answered call whose PBX leg this names: our tag in it is the to-tag, whoever called. */
function findReplaced(
  { dialogs }: BridgeContext,
  { callId, toTag, fromTag }: Replaces,
): EstablishedCall | undefined {
  for (const [caller, callerTag, calleeTag] of [
    ['pbx', fromTag, toTag],
    ['us', toTag, fromTag],
  ] as const) {
    const id = `${callId};from-tag=${callerTag}`
    const owner = dialogs.get(id)
    const leg = owner instanceof EstablishedCall ? owner.pbx : undefined
    if (leg?.id !== id || leg.caller !== caller || leg.calleeTag !== calleeTag) continue
    return owner as EstablishedCall
  }
  return undefined
}

/** The new dialog from its INVITE until it is the PBX leg. */
class ReplacesTakeover implements Takeover {
  readonly keepsCall = true
  readonly #established: EstablishedCall
  readonly #invite: IncomingInvite
  #replacement: Replacement | undefined
  #over = false

  constructor(established: EstablishedCall, invite: IncomingInvite) {
    this.#established = established
    this.#invite = invite
  }

  begin(): void {
    const established = this.#established
    established.takeover = this
    established.transfers++
    established.call.join('pbx', this.#invite.request.callId)
    established.call.note('pbx', 'in', 'INVITE', 'with Replaces')
    this.#invite.whenCancelled(() => {
      established.call.note('pbx', 'in', 'CANCEL')
      this.#giveUp('cancelled')
    })
    this.#accept().catch((error: unknown) => this.#fail(error))
  }

  abort(): void {
    this.#over = true
    this.#reject(new CausewayError('CALL_REPLACES_OVER'))
    void this.#abandon()
  }

  onNextGone(): void {
    // While its answer is awaited: with one, it takes over first, and ends the call then.
    if (this.#replacement) this.#giveUp('hung up before it was connected')
  }

  async #accept(): Promise<void> {
    const { session, call } = this.#established
    const { request } = this.#invite
    const offer = request.body === '' ? undefined : request.body
    const replacement = await session.replace(offer)
    this.#replacement = replacement
    if (this.#over) {
      await this.#abandon()
      return
    }
    call.note('pbx', 'out', '200 OK')
    const headers: Headers = {
      Allow: ALLOW_PBX,
      Supported: SUPPORTED_PBX,
      ...agreedTimer(request),
    }
    this.#invite.accept(replacement.sdp, headers, (error, dialogId, toTag) => {
      if (error) this.#giveUp(error.message)
      else this.#answered(dialogId ?? '', toTag, offer)
    })
  }

  /** The 200 has left. With the PBX's offer all is said; else its ACK brings the answer. */
  #answered(dialogId: string, toTag: string | undefined, offer: string | undefined): void {
    const dialog = { id: dialogId, calleeTag: toTag, caller: 'pbx' as const }
    const leg = this.#established.attachNext(dialog)
    if (this.#over) return
    if (offer === undefined) {
      leg.renegotiation.expectAnswer(
        this.#invite.request,
        (answer) => this.#commit(answer),
        (error) => this.#fail(error),
      )
    } else this.#commit(undefined, offer).catch((error: unknown) => this.#fail(error))
  }

  async #commit(answer: string | undefined, description = ''): Promise<void> {
    const replacement = this.#replacement!
    this.#replacement = undefined
    await replacement.commit(answer)
    if (this.#over) return
    this.#over = true
    this.#established.promoteNext(description)
  }

  #fail(error: unknown): void {
    if (this.#over) return
    const fault = coded(error)
    const { call, ctx } = this.#established
    ctx.logs.of(call).debug({ err: fault }, 'INVITE with Replaces refused')
    this.#reject(fault)
    this.#giveUp(fault.message)
  }

  #reject(error: CausewayError): void {
    const { call, ctx } = this.#established
    const headers = refusalHeaders(error, ctx.directory.config.sip.domain)
    if (this.#invite.reject(error.sip, headers)) {
      call.note('pbx', 'out', String(error.sip), error.code)
    }
  }

  /** The former leg goes on, or, where the PBX has hung up on it already, the call ends. */
  #giveUp(detail: string): void {
    if (this.#over) return
    this.#over = true
    const established = this.#established
    if (established.takeover === this) established.takeover = undefined
    established.dropNext()
    void this.#abandon()
    if (established.pbx?.gone) {
      established.hangUp(new CausewayError('CALL_TRANSFER_FAILED', { detail }))
    }
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
}
