import type { NumberConfig, PermissionsConfig, TrunkConfig } from '../config/types.ts'
import type { Clock } from '../shared/clock.ts'
import { CausewayError, isCausewayError } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'
import type { PermissionBook } from './book.ts'
import { Patience } from './patience.ts'
import { callPolicy, type NumberStanding } from './policy.ts'
import { type NumberCount, Tally } from './tally.ts'
import type { CallPermission, RequestMessage } from './types.ts'
import { judgeCall, judgementOf } from './verdict.ts'

/** Milliseconds a call waits for the Graph API; then it goes out and WhatsApp itself judges. */
export const CHECK_BUDGET = 2000
/** Milliseconds a call that is refused anyway waits for its request message to be taken. */
export const REQUEST_BUDGET = 3000

/** A verdict that is being asked for. */
export interface PendingVerdict {
  /** Undefined: the call may go out. Never rejects. */
  verdict: Promise<CausewayError | undefined>
  /** The call is over: nobody waits, no timer is left, no message is sent that was not begun. */
  abandon(): void
}

/** A call that wants to leave. */
interface Leaving {
  number: NumberConfig
  trunk: TrunkConfig
  /** `+E.164` or BSUID. */
  consumer: string
}

export interface GateOptions {
  clock: Clock
  log: Logger
  book: PermissionBook
  /** What is known of a number now. */
  standing: (number: NumberConfig) => NumberStanding
}

/**
 * Decides on every business-initiated call before its INVITE: the number's own standing and hours, and with
 * `trunks[].permissions` what the consumer permits. When that cannot be learnt in time the call goes out.
 */
export class OutboundGate {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #book: PermissionBook
  readonly #standing: (number: NumberConfig) => NumberStanding
  readonly #checks = new Tally()

  constructor(options: GateOptions) {
    this.#clock = options.clock
    this.#log = options.log
    this.#book = options.book
    this.#standing = options.standing
  }

  /** Permission checks so far: `allowed`, `unchecked`, or the code of the refusal. */
  get checks(): readonly NumberCount[] {
    return this.#checks.all()
  }

  /**
   * Judges a call. Answers at once wherever the Graph API need not be asked.
   *
   * @param consumer `+E.164` or BSUID
   */
  admit(
    number: NumberConfig,
    trunk: TrunkConfig,
    consumer: string,
  ): CausewayError | PendingVerdict | undefined {
    const refusal = callPolicy(number.name, this.#standing(number), this.#clock.now())
    if (refusal || trunk.permissions.mode === 'off') return refusal
    const call = { number, trunk, consumer }
    const known = this.#book.known(number, consumer)
    if (!known) return this.#pending((patience) => this.#check(call, patience))
    const verdict = this.#judge(call, known)
    if (!this.#shallAsk(call, verdict)) return this.#counted(call, verdict)
    const limit = this.#book.judgeRequest(number, consumer, known)
    if (limit) return this.#counted(call, limit)
    return this.#pending((patience) => this.#request(call, patience))
  }

  #pending(work: (patience: Patience) => Promise<CausewayError | undefined>): PendingVerdict {
    const patience = new Patience(this.#clock)
    return { verdict: work(patience), abandon: () => patience.abandon() }
  }

  async #check(call: Leaving, patience: Patience): Promise<CausewayError | undefined> {
    const { number, consumer } = call
    let permission: CallPermission | undefined
    try {
      permission = await patience.within(CHECK_BUDGET, this.#book.read(number, consumer))
    } catch (error) {
      const judgement = isCausewayError(error) ? judgementOf(error) : undefined
      return judgement ? this.#counted(call, judgement) : this.#unchecked(call, error)
    }
    if (patience.abandoned) return undefined
    if (!permission) return this.#unchecked(call, `no answer within ${CHECK_BUDGET} ms`)
    const verdict = this.#judge(call, permission)
    if (!this.#shallAsk(call, verdict)) return this.#counted(call, verdict)
    const limit = this.#book.judgeRequest(number, consumer, permission)
    return limit ? this.#counted(call, limit) : await this.#request(call, patience)
  }

  #judge({ number }: Leaving, permission: CallPermission): CausewayError | undefined {
    const verdict = judgeCall(permission, this.#clock.now())
    if (!verdict) return undefined
    const { detail = '', code } = verdict
    return new CausewayError(code, { detail, place: `number ${number.name}` })
  }

  #shallAsk({ trunk }: Leaving, verdict: CausewayError | undefined): boolean {
    return verdict?.code === 'CALL_WHATSAPP_NO_PERMISSION' && trunk.permissions.mode === 'request'
  }

  /** Asks the consumer. The call is refused in any case. */
  async #request(call: Leaving, patience: Patience): Promise<CausewayError | undefined> {
    const { number, trunk, consumer } = call
    const place = `number ${number.name}`
    const message = messageOf(trunk.permissions)
    try {
      const sending = this.#book.ask(number, consumer, message).then(() => true)
      const sent = await patience.within(REQUEST_BUDGET, sending)
      if (patience.abandoned) return undefined
      const detail = sent ? 'request sent' : 'the request is still on its way'
      return this.#counted(call, new CausewayError('CALL_PERMISSION_REQUESTED', { place, detail }))
    } catch (error) {
      const failure = isCausewayError(error)
        ? error
        : new CausewayError('PERMISSION_REQUEST_FAILED', { place, cause: error })
      const code = 'PERMISSION_REQUEST_FAILED'
      this.#log.warn(
        { code, number: number.name, party: consumer, err: failure },
        'no permission request',
      )
      const detail = `the consumer was not asked: ${failure.code}`
      const refusal = new CausewayError('CALL_WHATSAPP_NO_PERMISSION', { place, detail })
      return this.#counted(call, judgementOf(failure) ?? refusal)
    }
  }

  #unchecked({ number: { name }, consumer }: Leaving, reason: unknown): undefined {
    const detail = isCausewayError(reason) ? reason.message : String(reason)
    const code = 'PERMISSION_UNCHECKED'
    this.#log.warn({ code, number: name, party: consumer, detail }, 'permission not checked')
    this.#checks.add(name, 'unchecked')
    return undefined
  }

  #counted({ number }: Leaving, verdict: CausewayError | undefined): CausewayError | undefined {
    this.#checks.add(number.name, verdict?.code ?? 'allowed')
    return verdict
  }
}

/** The request message a trunk is configured to send. */
export function messageOf({ template, text }: PermissionsConfig): RequestMessage {
  return template ? { template: template.name, language: template.language } : { text }
}
