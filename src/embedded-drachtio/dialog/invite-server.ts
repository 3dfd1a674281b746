/** What comes for an INVITE of a peer after it was told: ACK, CANCEL, or nothing. */

import { type Flow, headerLine, makeResponse, type SipRequest } from '../message/index.ts'
import type { ServerTransaction } from '../transaction/types.ts'
import type { Context } from './context.ts'
import { dialogId } from './dialog.ts'
import type { Incoming } from './incoming.ts'
import { removeDialog, terminate } from './own-requests.ts'

/** An ACK for a 2xx: told once, under the INVITE's transaction when it answers the first INVITE. */
export function receiveAck(context: Context, request: SipRequest, flow: Flow): void {
  const dialog = context.dialogs.ofRequest(request)
  const awaited = dialog?.awaitedAck
  if (!dialog || !awaited || awaited.cseq !== request.cseq) return
  dialog.awaitedAck = undefined
  awaited.transaction.acknowledged()
  const txn = awaited.initial ? awaited.transaction.id : context.ids()
  context.frames.network(dialog.owner, request, flow, txn, dialog.id)
}

/** A CANCEL the transaction layer has answered with 200: the INVITE ends with 487. */
export function receiveCancel(
  context: Context,
  transaction: ServerTransaction,
  cancel: SipRequest,
): void {
  const invite = context.incoming.get(transaction.id)
  if (!invite) {
    transaction.respond(makeResponse(transaction.request, 487))
    return
  }
  close(context, invite, 487)
  const { flow, id } = transaction
  context.frames.network(invite.app, cancel, flow, id, invite.dialog?.id ?? '')
}

/** Gives up an INVITE for another reason; the application is told by a CANCEL, as it expects. */
export function abandon(context: Context, invite: Incoming, status: number): void {
  const { request, flow, id } = invite.transaction
  close(context, invite, status)
  tellCancelled(context, invite, request, flow, id)
}

/** The transaction layer has answered or dropped an INVITE the application never answered. */
export function forgotten(context: Context, transaction: ServerTransaction): void {
  const incoming = context.incoming.get(transaction.id)
  if (!incoming) return
  context.incoming.delete(transaction.id)
  if (transaction.request.method !== 'INVITE') return
  release(context, incoming)
  context.counters.answeredForApp++
  const { request, flow, id } = transaction
  tellCancelled(context, incoming, request, flow, id)
}

/** No ACK came for the 2xx within 64·T1 (RFC 3261 §13.3.1.4). */
export function ackMissing(context: Context, transaction: ServerTransaction): void {
  const { callId, fromTag, toTag } = transaction.request
  const first = context.dialogs.get(dialogId(callId, fromTag))
  const dialog =
    first?.awaitedAck?.transaction === transaction
      ? first
      : context.dialogs.get(dialogId(callId, toTag))
  if (dialog?.awaitedAck?.transaction === transaction) terminate(context, dialog, 'ACK timeout')
}

function close(context: Context, invite: Incoming, status: number): void {
  const { transaction } = invite
  context.incoming.delete(transaction.id)
  const toTag = invite.tag || context.random.hex(5)
  transaction.respond(makeResponse(transaction.request, status, undefined, { toTag }))
  release(context, invite)
}

/** Drops what hangs on an INVITE that ended without an answer. */
export function release(context: Context, invite: Incoming): void {
  invite.held.length = 0
  const { dialog, update } = invite
  if (update) {
    context.incoming.delete(update.transaction.id)
    const { request } = update.transaction
    update.transaction.respond(makeResponse(request, 487, undefined, { toTag: invite.tag }))
    invite.update = undefined
  }
  if (!dialog) return
  if (dialog.pending === invite) dialog.pending = undefined
  if (!dialog.confirmed) removeDialog(context, dialog)
}

function tellCancelled(
  context: Context,
  invite: Incoming,
  request: SipRequest,
  flow: Flow,
  txn: string,
): void {
  const headers = request.headers.filter(
    ({ key }) => key === 'via' || key === 'from' || key === 'to' || key === 'call-id',
  )
  headers.push(headerLine('CSeq', `${request.cseq} CANCEL`))
  const cancel: SipRequest = { ...request, method: 'CANCEL', headers, body: undefined }
  context.frames.network(invite.app, cancel, flow, txn, invite.dialog?.id ?? '')
}
