import type { Flow, SipRequest, SipResponse } from '../message/index.ts'
import type { AppConnection } from '../protocol/connection.ts'
import type { ServerTransaction } from '../transaction/types.ts'
import type { Target } from '../transport/types.ts'
import type { Incoming } from './incoming.ts'
import type { InviteClient } from './invite-client.ts'
import type { SessionState } from './session-timer.ts'

/** A 2xx of ours that waits for its ACK. */
export interface AwaitedAck {
  cseq: number
  transaction: ServerTransaction
  /** True for the INVITE that made the dialog: its ACK is told under the INVITE's transaction. */
  initial: boolean
}

/**
 * A dialog (RFC 3261 §12), early or confirmed. Holds strings and numbers only, no parsed message:
 * there is one for each leg of each call for as long as the call lasts.
 */
export interface Dialog {
  /** `<Call-ID>;from-tag=<tag of the party that sent the initial request>`, for life. */
  readonly id: string
  readonly role: 'uas' | 'uac'
  readonly usage: 'INVITE' | 'SUBSCRIBE'
  readonly callId: string
  readonly localTag: string
  readonly remoteTag: string
  /** From of our requests, tag included. */
  readonly local: string
  /** To of our requests, tag included. */
  readonly remote: string
  /** The application that answered or sent the initial request. */
  owner: AppConnection
  confirmed: boolean
  /** CSeq of our last request. */
  localSeq: number
  /** Highest CSeq of the peer's requests; -1 before the first. */
  remoteSeq: number
  /** URI of the peer's Contact. */
  remoteTarget: string
  /** Route values in the order we use them. */
  routes: string[]
  /** Our Contact value; '' when we gave none. */
  contact: string
  /** The connection the peer's INVITE came on; UAS side only. */
  flow: Flow | undefined
  /** Where requests go instead of the remote target when the peer is behind NAT. */
  nat: Target | undefined
  /** RSeq of the last reliable provisional response received; 0 before the first. */
  rseq: number
  /** The 2xx of ours that waits for an ACK. */
  awaitedAck: AwaitedAck | undefined
  /** The INVITE of ours whose response the application acknowledges. */
  invite: InviteClient | undefined
  /** The INVITE of the peer the application has not answered. */
  pending: Incoming | undefined
  session: SessionState | undefined
  /** Clears the expiry of a subscription. */
  expiry: { clear(): void } | undefined
  /** The peer's 2xx named no Contact: nothing but ACK and BYE can follow. */
  unreachable: boolean
}

/** Name of a dialog in the drachtio protocol. */
export function dialogId(callId: string, fromTag: string): string {
  return `${callId};from-tag=${fromTag}`
}

/** What {@link createDialog} needs besides the defaults. */
export type DialogSeed = Pick<
  Dialog,
  | 'id'
  | 'role'
  | 'usage'
  | 'callId'
  | 'localTag'
  | 'remoteTag'
  | 'local'
  | 'remote'
  | 'owner'
  | 'localSeq'
  | 'remoteSeq'
  | 'remoteTarget'
  | 'routes'
  | 'contact'
  | 'flow'
  | 'nat'
>

/** An early dialog. Every dialog has the same shape, which keeps access to it fast. */
export function createDialog(seed: DialogSeed): Dialog {
  return {
    id: seed.id,
    role: seed.role,
    usage: seed.usage,
    callId: seed.callId,
    localTag: seed.localTag,
    remoteTag: seed.remoteTag,
    local: seed.local,
    remote: seed.remote,
    owner: seed.owner,
    confirmed: false,
    localSeq: seed.localSeq,
    remoteSeq: seed.remoteSeq,
    remoteTarget: seed.remoteTarget,
    routes: seed.routes,
    contact: seed.contact,
    flow: seed.flow,
    nat: seed.nat,
    rseq: 0,
    awaitedAck: undefined,
    invite: undefined,
    pending: undefined,
    session: undefined,
    expiry: undefined,
    unreachable: false,
  }
}

/** All dialogs, early and confirmed, by their name. */
export class DialogTable {
  readonly #dialogs = new Map<string, Dialog>()

  get size(): number {
    return this.#dialogs.size
  }

  get(id: string): Dialog | undefined {
    return this.#dialogs.get(id)
  }

  set(dialog: Dialog): void {
    this.#dialogs.set(dialog.id, dialog)
  }

  values(): IterableIterator<Dialog> {
    return this.#dialogs.values()
  }

  /** Removes this dialog; another of the same name stays. */
  delete(dialog: Dialog): boolean {
    if (this.#dialogs.get(dialog.id) !== dialog) return false
    return this.#dialogs.delete(dialog.id)
  }

  /** The dialog a peer's request with a To tag belongs to (RFC 3261 §12.2.2). */
  ofRequest(request: SipRequest): Dialog | undefined {
    const uas = this.#dialogs.get(dialogId(request.callId, request.fromTag))
    if (uas?.role === 'uas' && uas.localTag === request.toTag) return uas
    const uac = this.#dialogs.get(dialogId(request.callId, request.toTag))
    if (uac?.role !== 'uac') return undefined
    if (uac.remoteTag === request.fromTag) return uac
    return uac.confirmed ? undefined : uac.invite?.fork(request.fromTag)
  }

  /** The dialog of ours a response to a request we sent belongs to. */
  ofResponse(response: SipResponse): Dialog | undefined {
    const dialog = this.#dialogs.get(dialogId(response.callId, response.fromTag))
    return dialog?.role === 'uac' && dialog.remoteTag === response.toTag ? dialog : undefined
  }
}
