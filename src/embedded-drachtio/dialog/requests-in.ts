/** Requests from the network: which dialog or application they are for (RFC 3261 §8.2, §12.2.2). */

import {
  type HeaderLine,
  headerLine,
  headerValue,
  headerValues,
  makeResponse,
  parseNameAddr,
  refusalHeaders,
  type SipRequest,
} from '../message/index.ts'
import type { ServerTransaction } from '../transaction/types.ts'
import type { Context } from './context.ts'
import { type Dialog, dialogId } from './dialog.ts'
import { createIncoming, type Incoming } from './incoming.ts'
import { parseRack } from './invite-client.ts'
import { abandon } from './invite-server.ts'
import { allow, dialogBound, dialogOnly, routable, targetRefresh } from './methods.ts'
import { removeDialog } from './own-requests.ts'
import { contactUri, natTarget } from './routing.ts'
import { minSessionExpires, tooSmall } from './session-timer.ts'

/** A new request. INVITE got its 100 already. */
export function receive(context: Context, transaction: ServerTransaction): void {
  const { request } = transaction
  if (request.toTag === '') {
    receiveOutside(context, transaction)
    return
  }
  const dialog = context.dialogs.ofRequest(request)
  if (dialog) receiveInside(context, transaction, dialog)
  else if (dialogBound.has(request.method)) answer(context, transaction, 481)
  else route(context, transaction)
}

/** Answers without asking the application. */
export function answer(
  context: Context,
  transaction: ServerTransaction,
  status: number,
  headers: HeaderLine[] = [],
): void {
  const { request, flow } = transaction
  const toTag = request.toTag || context.random.hex(5)
  const why = refusalHeaders(request, flow, status)
  const all = [...headers, ...why]
  transaction.respond(makeResponse(request, status, undefined, { toTag, headers: all }))
}

function receiveOutside(context: Context, transaction: ServerTransaction): void {
  const { request } = transaction
  const { method } = request
  if (dialogOnly.has(method)) {
    answer(context, transaction, 481)
  } else if (method === 'INVITE' && awaitsFirstAck(context, request)) {
    answer(context, transaction, 491)
  } else if (method === 'REGISTER' && !plausibleContacts(request)) {
    answer(context, transaction, 400)
  } else {
    route(context, transaction)
  }
}

/** An INVITE for a call that was answered and not acknowledged yet. */
function awaitsFirstAck(context: Context, request: SipRequest): boolean {
  const dialog = context.dialogs.get(dialogId(request.callId, request.fromTag))
  return dialog?.role === 'uas' && dialog.awaitedAck?.initial === true
}

/** Contacts of a REGISTER: URIs, or `*` alone with Expires 0 (RFC 3261 §10.2.2). */
function plausibleContacts(request: SipRequest): boolean {
  const contacts = headerValues(request.headers, 'contact')
  if (contacts.includes('*')) {
    return contacts.length === 1 && Number(headerValue(request.headers, 'expires')) === 0
  }
  return contacts.every((contact) => parseNameAddr(contact) !== undefined)
}

/** Gives a request outside dialogs to the application whose turn it is. */
function route(context: Context, transaction: ServerTransaction): void {
  const { request } = transaction
  const app = context.router.pick(request.method)
  if (!app) {
    context.counters.requestsUnrouted++
    if (routable.has(request.method)) answer(context, transaction, 503)
    else answer(context, transaction, 405, [headerLine('Allow', allow)])
    return
  }
  const incoming = createIncoming(transaction, app, undefined)
  context.incoming.add(incoming)
  context.counters.requestsRouted++
  context.frames.network(app, request, transaction.flow, transaction.id, '', true)
}

function receiveInside(context: Context, transaction: ServerTransaction, dialog: Dialog): void {
  const { request } = transaction
  const { method } = request
  // RFC 3261 §12.2.2: an older CSeq is out of order.
  if (request.cseq <= dialog.remoteSeq) {
    answer(context, transaction, 500)
    return
  }
  if (!dialog.confirmed && receiveEarly(context, transaction, dialog)) return
  if (!dialog.owner.open) {
    answer(context, transaction, 481)
    if (method === 'BYE') removeDialog(context, dialog)
    return
  }
  if ((method === 'INVITE' || method === 'UPDATE') && tooSmall(request)) {
    answer(context, transaction, 422, [headerLine('Min-SE', String(minSessionExpires))])
    return
  }
  accept(context, dialog, transaction)
  const incoming = deliver(context, transaction, dialog)
  if (method === 'INVITE') dialog.pending = incoming
  if (method === 'BYE' || endsSubscription(dialog, request)) {
    removeDialog(context, dialog)
    incoming.dialog = undefined
    // RFC 3261 §15.1.2: what is still unanswered in the dialog ends with 487.
    if (dialog.pending) abandon(context, dialog.pending, 487)
  }
}

/** CSeq and, for target refreshes, the new remote target (RFC 3261 §12.2.2). */
function accept(context: Context, dialog: Dialog, transaction: ServerTransaction): void {
  const { request, flow } = transaction
  dialog.remoteSeq = request.cseq
  // A peer that had to connect again is reached by its new connection.
  if (dialog.flow && dialog.flow.id !== flow.id && !context.isOpen(dialog.flow)) dialog.flow = flow
  if (!targetRefresh.has(request.method)) return
  const contact = contactUri(request)
  if (contact === undefined || contact === dialog.remoteTarget) return
  dialog.remoteTarget = contact
  dialog.nat = natTarget('uas', flow, contact, dialog.routes)
}

/** Gives a request in a dialog to its owner. */
function deliver(context: Context, transaction: ServerTransaction, dialog: Dialog): Incoming {
  const incoming = createIncoming(transaction, dialog.owner, dialog)
  context.incoming.add(incoming)
  context.counters.requestsRouted++
  const { request, flow, id } = transaction
  context.frames.network(dialog.owner, request, flow, id, dialog.id)
  return incoming
}

function endsSubscription(dialog: Dialog, request: SipRequest): boolean {
  return dialog.usage === 'SUBSCRIBE' && isFinalNotify(request)
}

/** A NOTIFY that ends its subscription; those of a REFER end only the REFER. */
export function isFinalNotify(request: SipRequest): boolean {
  return (
    request.method === 'NOTIFY' &&
    /^terminated\b/i.test(headerValue(request.headers, 'subscription-state') ?? '') &&
    !/^refer\b/i.test(headerValue(request.headers, 'event') ?? '')
  )
}

/** Requests before the call is answered. Returns true when the request is dealt with. */
function receiveEarly(context: Context, transaction: ServerTransaction, dialog: Dialog): boolean {
  const { request } = transaction
  const invite = dialog.pending
  if (dialog.role === 'uac') {
    // The callee cannot hang up before it has answered (RFC 3261 §15).
    if (request.method === 'BYE') answer(context, transaction, 481)
    else if (request.method === 'UPDATE' || request.method === 'PRACK') return false
    else route(context, transaction)
    return true
  }
  switch (request.method) {
    case 'BYE':
      answer(context, transaction, 200)
      if (invite) abandon(context, invite, 487)
      return true
    case 'UPDATE':
      if (invite) receiveEarlyUpdate(context, transaction, dialog, invite)
      else answer(context, transaction, 481)
      return true
    case 'PRACK':
      receivePrack(context, transaction, dialog, invite)
      return true
    case 'INVITE':
      answer(context, transaction, 491)
      return true
    default:
      route(context, transaction)
      return true
  }
}

/** An UPDATE before the answer goes under the INVITE's transaction; one at a time (RFC 3311 §5.2). */
function receiveEarlyUpdate(
  context: Context,
  transaction: ServerTransaction,
  dialog: Dialog,
  invite: Incoming,
): void {
  const { request } = transaction
  if (invite.update) {
    answer(context, transaction, 500, [headerLine('Retry-After', '5')])
    return
  }
  if (tooSmall(request)) {
    answer(context, transaction, 422, [headerLine('Min-SE', String(minSessionExpires))])
    return
  }
  accept(context, dialog, transaction)
  invite.update = createIncoming(transaction, invite.app, dialog)
  context.incoming.add(invite.update)
  context.counters.requestsRouted++
  const flow = transaction.flow
  context.frames.network(invite.app, request, flow, invite.transaction.id, dialog.id)
}

function receivePrack(
  context: Context,
  transaction: ServerTransaction,
  dialog: Dialog,
  invite: Incoming | undefined,
): void {
  const { request } = transaction
  if (!invite || !acknowledges(request, invite)) {
    answer(context, transaction, 481)
    return
  }
  accept(context, dialog, transaction)
  invite.unacknowledged = false
  invite.transaction.pracked()
  deliver(context, transaction, dialog)
  invite.held.shift()?.()
}

/** Whether the RAck names the reliable response that waits (RFC 3262 §3). */
function acknowledges(request: SipRequest, invite: Incoming): boolean {
  if (!invite.unacknowledged) return false
  const rack = parseRack(headerValue(request.headers, 'rack'))
  return rack?.rseq === invite.rseq && rack.cseq === invite.transaction.request.cseq
}
