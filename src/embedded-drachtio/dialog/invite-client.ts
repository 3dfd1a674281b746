import {
  type Flow,
  type HeaderLine,
  headerValue,
  makeResponse,
  type SipRequest,
  type SipResponse,
} from '../message/index.ts'
import type { PartialMessage } from '../protocol/command.ts'
import type { AppConnection } from '../protocol/connection.ts'
import type { ClientTransaction, ClientUser } from '../transaction/types.ts'
import type { Target } from '../transport/types.ts'
import type { Context } from './context.ts'
import { createDialog, type Dialog, dialogId } from './dialog.ts'
import {
  ackAndBye,
  preferred,
  prepare,
  removeDialog,
  sendOwnAck,
  terminate,
} from './own-requests.ts'
import { contactUri, natTarget, recordRoutes } from './routing.ts'
import { armSession, keepDescription, knowsTimer, sessionExpires } from './session-timer.ts'

/** Texts of the BYE that follows a call answered while it was being cancelled. */
const cancelRace = 'ACK-BYE due to cancel race condition'
const cancelLate = 'CANCEL after 200 OK'
/** Text of the BYE to a peer that can be sent nothing else (RFC 3261 §12.1.2). */
const noContact = 'no Contact in the answer'

/** The ACK as it was sent, to be sent again when the 2xx comes again. */
interface SentAck {
  request: SipRequest
  targets: Target[]
}

/**
 * An INVITE of ours, from its sending until nothing can come for it any more: the first one of a
 * call with its forks, or one in a dialog (RFC 3261 §13.2, §14.1).
 */
export class InviteClient implements ClientUser {
  readonly app: AppConnection
  readonly cseq: number
  /** Set when the INVITE went out in a dialog. */
  readonly dialog: Dialog | undefined
  transaction!: ClientTransaction
  /** True until a final response. */
  unanswered = true
  /** The name all its dialogs share. */
  readonly dlg: string
  readonly #context: Context
  readonly #fromTag: string
  readonly #callId: string
  readonly #local: string
  readonly #uri: string
  readonly #contact: string
  readonly #credentials: HeaderLine[]
  /** True when the request spoke of session timers. */
  readonly #timed: boolean
  #body: Buffer | undefined
  readonly #forks = new Map<string, Dialog>()
  /** Forks that answered second: they were hung up on. */
  readonly #refused = new Map<string, Dialog>()
  #accepted: Dialog | undefined
  #ack: SentAck | undefined
  #byeAfterAck: string | undefined
  #cancelled = false

  constructor(context: Context, app: AppConnection, request: SipRequest, dialog?: Dialog) {
    this.#context = context
    this.app = app
    this.cseq = request.cseq
    this.dialog = dialog
    this.dlg = dialog?.id ?? dialogId(request.callId, request.fromTag)
    this.#fromTag = request.fromTag
    this.#callId = request.callId
    this.#local = headerValue(request.headers, 'from') ?? ''
    this.#uri = request.uri
    this.#contact = headerValue(request.headers, 'contact') ?? ''
    this.#body = request.body
    this.#timed = knowsTimer(request)
    // RFC 3261 §13.2.2.4: the ACK carries the credentials of its INVITE.
    this.#credentials = request.headers.filter(
      (line) => line.key === 'authorization' || line.key === 'proxy-authorization',
    )
    if (dialog) dialog.invite = this
  }

  /** The early dialog with this remote tag. */
  fork(tag: string): Dialog | undefined {
    return this.#forks.get(tag)
  }

  /** The early dialog whose last reliable response has this RSeq, the latest one first. */
  forkByRseq(rseq: number): Dialog | undefined {
    return [...this.#forks.values()].reverse().find((fork) => fork.rseq === rseq)
  }

  /** True once the 2xx came and the application has not acknowledged it. */
  get awaitsAck(): boolean {
    return this.#accepted !== undefined && this.#ack === undefined
  }

  response(response: SipResponse, flow: Flow): void {
    if (response.status < 200) this.#provisional(response, flow)
    else if (response.status < 300) this.#success(response, flow)
    else this.#rejected(response, flow)
  }

  failure(status: 408 | 503 | 487, reason: string): void {
    this.#over()
    const response = makeResponse(this.transaction.request, status, reason)
    this.#context.frames.local(this.app, response, this.transaction.id, this.dlg)
  }

  /** The target was given up for another one before it answered. */
  late(response: SipResponse, flow: Flow): void {
    if (this.dialog) sendOwnAck(this.#context, this.dialog, this.cseq, () => undefined)
    else this.#refuseFork(response, flow)
  }

  ended(): void {
    this.#context.invites.delete(this.transaction.id)
    const dialog = this.#accepted
    if (!dialog) return
    // Nobody acknowledged: the peer has given up on the call as well.
    if (this.awaitsAck && this.#alive(dialog)) {
      sendOwnAck(this.#context, dialog, this.cseq, () => undefined)
      terminate(this.#context, dialog, 'ACK timeout')
    }
    if (dialog.invite === this) dialog.invite = undefined
    this.#ack = undefined
  }

  /** The application cancels. After the answer it means to hang up. */
  cancel(headers: HeaderLine[]): void {
    if (this.unanswered) {
      this.#cancelled = true
      this.transaction.cancel(headers)
    } else if (this.#accepted && !this.dialog) {
      if (!this.#ack) this.#byeAfterAck = cancelLate
      else if (this.#alive(this.#accepted)) terminate(this.#context, this.#accepted, cancelLate)
    }
  }

  /** The application sends BYE while this INVITE is pending: it is cancelled first. */
  hangUp(): void {
    if (this.unanswered) this.transaction.cancel()
  }

  /** The application's ACK for the 2xx. `sent` hears the message as sent, or why it was not. */
  acknowledge(
    message: PartialMessage,
    sent: (request: SipRequest | undefined, target: Target | undefined, error: string) => void,
  ): void {
    const dialog = this.#accepted!
    keepDescription(dialog, message.body)
    const headers = [...message.headers, ...this.#credentials]
    const full: PartialMessage = { startLine: '', headers, body: message.body }
    prepare(this.#context, dialog, 'ACK', full, this.cseq, (prepared, refused) => {
      if (!prepared) {
        sent(undefined, undefined, refused ?? noRoute(dialog))
        return
      }
      this.#ack = prepared
      const { request, targets } = prepared
      this.#context.transactions.sendAck(
        request,
        targets,
        preferred(this.#context, dialog, targets),
        (error) => {
          if (error) sent(undefined, undefined, error.message)
          else sent(request, targets[0], '')
          const reason = this.#byeAfterAck ?? (dialog.unreachable ? noContact : undefined)
          if (reason && this.#alive(dialog)) terminate(this.#context, dialog, reason)
        },
      )
    })
  }

  #alive(dialog: Dialog): boolean {
    return this.#context.dialogs.get(dialog.id) === dialog
  }

  #provisional(response: SipResponse, flow: Flow): void {
    if (this.dialog) {
      if (response.status > 100) this.#tell(response, flow)
      return
    }
    // RFC 3261 §12.1: a 100 makes no dialog, though it may have a tag.
    if (response.toTag !== '' && response.status > 100) {
      const fork = this.#fork(response, flow)
      const rseq = Number(headerValue(response.headers, 'rseq') ?? 0)
      if (rseq > 0) {
        // RFC 3262 §4: repeated and out-of-order reliable responses stop here.
        if (fork.rseq !== 0 && rseq !== fork.rseq + 1) return
        fork.rseq = rseq
      }
    }
    this.#tell(response, flow)
  }

  /** The early dialog of a response, made or brought up to date. */
  #fork(response: SipResponse, flow: Flow): Dialog {
    const { dialogs } = this.#context
    let fork = this.#forks.get(response.toTag)
    if (!fork) {
      fork = this.#create(response, flow)
      this.#forks.set(response.toTag, fork)
    } else {
      fork.remoteTarget = contactUri(response) ?? fork.remoteTarget
    }
    dialogs.set(fork)
    return fork
  }

  #create(response: SipResponse, flow: Flow): Dialog {
    const dialog = createDialog({
      id: this.dlg,
      role: 'uac',
      usage: 'INVITE',
      callId: this.#callId,
      localTag: this.#fromTag,
      remoteTag: response.toTag,
      local: this.#local,
      remote: headerValue(response.headers, 'to') ?? '',
      owner: this.app,
      localSeq: this.cseq,
      remoteSeq: -1,
      remoteTarget: this.#uri,
      routes: [],
      contact: this.#contact,
      flow,
      nat: undefined,
    })
    dialog.invite = this
    this.#learn(dialog, response, flow)
    return dialog
  }

  /** Route set, remote target and NAT rule from a response (RFC 3261 §12.1.2, §13.2.2.4). */
  #learn(dialog: Dialog, response: SipResponse, flow: Flow): void {
    dialog.routes = recordRoutes(response, true)
    const contact = contactUri(response)
    dialog.remoteTarget = contact ?? dialog.remoteTarget
    dialog.flow = flow
    dialog.nat = contact === undefined ? undefined : natTarget('uac', flow, contact, dialog.routes)
    if (response.status >= 200) dialog.unreachable = contact === undefined
  }

  #success(response: SipResponse, flow: Flow): void {
    const accepted = this.#accepted
    if (accepted) {
      if (accepted.remoteTag !== response.toTag && !this.dialog) this.#refuseFork(response, flow)
      else if (this.#ack) this.#repeatAck(accepted)
      return
    }
    this.unanswered = false
    const { dialogs, counters } = this.#context
    if (this.dialog) {
      this.#accepted = this.dialog
      refreshTarget(this.dialog, response, flow)
    } else {
      const dialog = this.#forks.get(response.toTag) ?? this.#create(response, flow)
      this.#learn(dialog, response, flow)
      dialog.confirmed = true
      this.#accepted = dialog
      this.#forks.clear()
      dialogs.set(dialog)
      counters.dialogsMade++
      if (this.#cancelled) this.#byeAfterAck = cancelRace
    }
    // Who never offered timers does not refresh on demand (RFC 4028 §7.1): WhatsApp answers any
    // re-INVITE with 500.
    if (this.#timed || sessionExpires(response)?.refresher === 'uas' || this.#accepted.session) {
      armSession(this.#context, this.#accepted, response, true, this.#body)
    }
    this.#body = undefined
    this.#tell(response, flow)
  }

  #rejected(response: SipResponse, flow: Flow): void {
    this.#over()
    this.#tell(response, flow)
  }

  /** No call came of it. */
  #over(): void {
    this.unanswered = false
    this.#body = undefined
    if (this.dialog) {
      if (this.dialog.invite === this) this.dialog.invite = undefined
      return
    }
    for (const fork of this.#forks.values()) removeDialog(this.#context, fork)
    this.#forks.clear()
  }

  /** A second fork answered: the call went to the first (RFC 3261 §13.2.2.4). */
  #refuseFork(response: SipResponse, flow: Flow): void {
    const known = this.#refused.get(response.toTag)
    if (known) {
      sendOwnAck(this.#context, known, this.cseq, () => undefined)
      return
    }
    const dialog = this.#create(response, flow)
    this.#refused.set(response.toTag, dialog)
    ackAndBye(this.#context, dialog, this.cseq, 'answered elsewhere')
  }

  #repeatAck(dialog: Dialog): void {
    const { request, targets } = this.#ack!
    this.#context.transactions.sendAck(
      request,
      targets,
      preferred(this.#context, dialog, targets),
      () => undefined,
    )
  }

  #tell(response: SipResponse, flow: Flow): void {
    this.#context.frames.network(this.app, response, flow, this.transaction.id, this.dlg)
  }
}

/** The new remote target a 2xx to a target refresh names (RFC 3261 §12.2.1.2). */
function refreshTarget(dialog: Dialog, response: SipResponse, flow: Flow): void {
  const contact = contactUri(response)
  if (contact === undefined || contact === dialog.remoteTarget) return
  dialog.remoteTarget = contact
  dialog.nat = natTarget('uac', flow, contact, dialog.routes)
}

/** NOK text for a dialog whose next hop cannot be found. */
export function noRoute(dialog: Dialog): string {
  return `unable to find route when sending request inside dialog for dialog id ${dialog.id}`
}

/** Reads a RAck value: RSeq, CSeq number and method (RFC 3262 §7.2). */
export function parseRack(value: string | undefined): { rseq: number; cseq: number } | undefined {
  const match = /^(\d+)\s+(\d+)\s+\S+$/.exec(value ?? '')
  return match ? { rseq: Number(match[1]), cseq: Number(match[2]) } : undefined
}
