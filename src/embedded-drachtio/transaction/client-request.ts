import { CausewayError } from '../../shared/errors/index.ts'
import { makeCancel, reasonPhrase, serializeMessage } from '../message/index.ts'
import type { Flow, HeaderLine, SipRequest, SipResponse } from '../message/types.ts'
import type { Target } from '../transport/types.ts'
import type { AttemptUser, ClientAttempt } from './client-attempt.ts'
import { ClientInvite } from './client-invite.ts'
import { ClientNonInvite } from './client-non-invite.ts'
import type { ClientTable } from './client-table.ts'
import type { Core } from './core.ts'
import type { Expirable, TimerEntry } from './timer-wheel.ts'
import type { ClientTransaction, ClientUser, SendOptions, TransactionState } from './types.ts'
import { addressed } from './via.ts'

/**
 * `failed`: a failure known before `send` returned. `cancelled`: 64·T1 after the CANCEL. `silence`: the
 * target answers nothing while others are left.
 */
type Kind = 'failed' | 'cancelled' | 'silence'

/**
 * A request of ours over all its targets: tries them in turn (RFC 3263 §4.3), carries the CANCEL
 * (RFC 3261 §9.1), and tells its user of one final outcome.
 */
export class ClientRequest implements ClientTransaction, AttemptUser, Expirable<Kind> {
  readonly id: string
  /** The last transport error, to explain a 503. */
  error: Error | undefined
  readonly #core: Core
  readonly #table: ClientTable
  readonly #user: ClientUser
  /** Without Via; dropped once no further target can be tried. */
  #request: SipRequest | undefined
  #sent: SipRequest
  #targets: Target[]
  /** The first of `#targets` that came out of expandForSize and are not expanded again. */
  #expanded = 0
  #prefer: Flow | undefined
  #current: ClientInvite | ClientNonInvite | undefined
  #live = 0
  #starting = false
  #finished = false
  #failure: 408 | 503 | undefined
  #timer: TimerEntry | undefined
  #silence: TimerEntry | undefined
  /** Attempts that were given up for another one and have been cancelled since. */
  readonly #cancelled = new Set<ClientAttempt>()
  #cancelHeaders: HeaderLine[] | undefined
  #cancelSent = false

  constructor(
    core: Core,
    table: ClientTable,
    request: SipRequest,
    targets: readonly Target[],
    user: ClientUser,
    options: SendOptions,
  ) {
    this.id = options.id ?? core.random.uuid()
    this.#core = core
    this.#table = table
    this.#user = user
    this.#request = request
    this.#sent = request
    this.#targets = [...targets]
    this.#prefer = options.prefer
  }

  get request(): SipRequest {
    return this.#current?.request ?? this.#sent
  }

  get flow(): Flow | undefined {
    return this.#current?.flow
  }

  get state(): TransactionState {
    if (this.#current?.waiting || this.#finished) return this.#current?.state ?? 'terminated'
    return 'trying'
  }

  start(): void {
    this.#table.addRequest(this)
    this.#starting = true
    if (!this.#tryNext()) this.#fail(503)
    this.#starting = false
  }

  cancel(headers: HeaderLine[] = []): void {
    if (this.#finished || this.#cancelHeaders || this.#sent.method !== 'INVITE') return
    this.#cancelHeaders = headers
    if (this.#current?.state === 'proceeding') this.#sendCancel()
  }

  provisional(response: SipResponse, flow: Flow, attempt: ClientAttempt): void {
    if (attempt !== this.#current) {
      this.#cancelLate(attempt)
      return
    }
    this.#heard(attempt)
    if (this.#finished) return
    if (this.#cancelHeaders && !this.#cancelSent) this.#sendCancel()
    const told = response.status > 100 || (this.#core.tellTrying && this.#sent.method === 'INVITE')
    if (told) this.#user.response(response, flow, this)
  }

  final(response: SipResponse, flow: Flow, attempt: ClientAttempt): void {
    if (attempt !== this.#current) {
      if (response.status < 300) this.#user.late?.(response, flow, this)
      return
    }
    this.#heard(attempt, response.status !== 503)
    if (response.status === 503 && !this.#finished && this.#tryNext()) return
    this.#finish()
    this.#user.response(response, flow, this)
  }

  lost(status: 408 | 503, error: Error | undefined, attempt: ClientAttempt): void {
    if (attempt !== this.#current || this.#finished) return
    if (error) this.error = error
    if (!attempt.answered) this.#heard(attempt, false)
    // Of the pair that expandForSize made the datagram is left: the stream is not there.
    if (this.#expanded > 0 && !attempt.answered) this.#core.streamRefused(attempt.target)
    // A peer that is there but slow, or already rings, is not given up for another one.
    const answered = status === 408 ? attempt.answered : attempt.progressed
    if (answered || !this.#tryNext()) this.#fail(status)
  }

  stalled(): void {
    this.cancel()
  }

  ended(): void {
    this.#live--
    this.#release()
  }

  expire(kind: Kind): void {
    if (kind === 'silence') {
      this.#onSilence()
      return
    }
    this.#timer = undefined
    if (this.#finished) return
    if (kind === 'cancelled') {
      this.#core.counters.cancelTimeouts++
      // 64·T1 after the CANCEL the INVITE counts as ended (RFC 3261 §9.1).
      this.#current?.terminate()
    }
    this.#report(this.#failure ?? 408)
  }

  /** Sends to the next target. False when there is none, or the user wants no more of it. */
  #tryNext(): boolean {
    const request = this.#request
    if (!request || this.#cancelHeaders) return false
    const core = this.#core
    for (let target = this.#targets.shift(); target; target = this.#targets.shift()) {
      const prefer = core.usable(this.#prefer)
      this.#prefer = undefined
      const asGiven = this.#expanded === 0
      if (!asGiven) this.#expanded--
      const message = addressed(core, request, target, prefer)
      if (!message) {
        const detail = `${target.transport} ${target.address} port ${target.port}`
        this.error = new CausewayError('SIP_NO_TRANSPORT', { detail })
        continue
      }
      const bytes = serializeMessage(message)
      if (asGiven && (prefer ?? target).transport === 'udp') {
        // Too large for a datagram: TCP first, and UDP when that fails (RFC 3261 §18.1.1).
        const instead = core.expandForSize([target], bytes.length, core.transport)
        if (instead.length > 0 && instead[0] !== target) {
          this.#targets.unshift(...instead)
          this.#expanded = instead.length
          continue
        }
      }
      this.#begin(message, bytes, target, prefer)
      return true
    }
    return false
  }

  #begin(message: SipRequest, bytes: Buffer, target: Target, prefer: Flow | undefined): void {
    const { counters } = this.#core
    const invite = message.method === 'INVITE'
    if (invite) counters.clientInvite++
    else counters.clientOther++
    if (this.#current) counters.failovers++
    const Attempt = invite ? ClientInvite : ClientNonInvite
    this.#current = new Attempt(this.#core, this.#table, message, target, prefer, this)
    this.#live++
    const { silence } = this.#core.limits
    if (target.transport === 'udp' && this.#targets.length > 0 && silence < this.#core.t64) {
      this.#silence = this.#core.wheel.schedule(silence, this, 'silence')
    }
    this.#current.start(bytes)
  }

  /** A target said something, or is known to say nothing; a 503 is no better (RFC 3263 §4.3). */
  #heard({ target }: ClientAttempt, answered = true): void {
    this.#silence = this.#core.wheel.cancel(this.#silence)
    this.#core.reached(target, answered)
  }

  #onSilence(): void {
    this.#silence = undefined
    const silent = this.#current
    if (!silent?.waiting || silent.answered || this.#finished) return
    if (!this.#tryNext()) return
    this.#core.reached(silent.target, false)
    silent.supersede()
  }

  /** A target that was given up answers after all: its phone shall not ring. */
  #cancelLate(attempt: ClientAttempt): void {
    if (!(attempt instanceof ClientInvite) || this.#cancelled.has(attempt)) return
    this.#cancelled.add(attempt)
    attempt.cancelSent()
    attempt.endWithin(this.#core.t64)
    this.#core.counters.clientOther++
    const cancel = makeCancel(attempt.request, [])
    new ClientNonInvite(
      this.#core,
      this.#table,
      cancel,
      attempt.target,
      attempt.flow,
      silent,
    ).start()
  }

  #fail(status: 408 | 503): void {
    if (!this.#starting) {
      this.#report(status)
      return
    }
    // The user does not hold the transaction yet: tell it after `send` has returned.
    this.#failure = status
    this.#timer = this.#core.wheel.schedule(0, this, 'failed')
  }

  #report(status: 408 | 503): void {
    const told = this.#cancelHeaders ? 487 : status
    this.#finish()
    this.#user.failure(told, reasonPhrase(told), this)
    this.#release()
  }

  #sendCancel(): void {
    const invite = this.#current
    if (!(invite instanceof ClientInvite)) return
    const { wheel, t64 } = this.#core
    this.#cancelSent = true
    invite.cancelSent()
    this.#core.counters.clientOther++
    const cancel = makeCancel(invite.request, this.#cancelHeaders)
    // By the way of the INVITE: to the same target over the same flow (RFC 3261 §9.1).
    new ClientNonInvite(this.#core, this.#table, cancel, invite.target, invite.flow, silent).start()
    this.#timer = wheel.schedule(t64, this, 'cancelled')
  }

  #finish(): void {
    if (this.#finished) return
    this.#finished = true
    this.#timer = this.#core.wheel.cancel(this.#timer)
    this.#silence = this.#core.wheel.cancel(this.#silence)
    this.#request = undefined
    this.#targets = []
    this.#sent = this.#current?.request ?? this.#sent
  }

  #release(): void {
    if (!this.#finished || this.#live > 0) return
    this.#table.removeRequest(this)
    this.#user.ended?.(this)
  }
}

/** The user of a CANCEL: its own responses mean nothing, the INVITE's final response counts. */
const silent: AttemptUser = {
  provisional() {},
  final() {},
  lost() {},
  stalled() {},
  ended() {},
}
