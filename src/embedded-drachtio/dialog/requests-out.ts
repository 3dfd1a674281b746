/** Requests of applications: new ones, those in dialogs, and CANCEL. */

import { isCausewayError } from '../../shared/errors/index.ts'
import {
  type Flow,
  headerValue,
  makeCancel,
  makeResponse,
  parseNameAddr,
  parseSipUri,
  type SipRequest,
  type SipResponse,
} from '../message/index.ts'
import { type PartialMessage, RefusedValue } from '../protocol/command.ts'
import type { AppConnection } from '../protocol/connection.ts'
import type { ClientTransaction, ClientUser } from '../transaction/types.ts'
import type { Target } from '../transport/types.ts'
import { cancelHeaders, composeRequest, parseRequestLine, type RequestLine } from './compose.ts'
import type { Context } from './context.ts'
import { createDialog, type Dialog, dialogId } from './dialog.ts'
import { InviteClient, noRoute, parseRack } from './invite-client.ts'
import { sendable } from './methods.ts'
import { preferred, prepare, removeDialog } from './own-requests.ts'
import { isFinalNotify } from './requests-in.ts'
import { contactUri, flowTarget, natTarget, recordRoutes } from './routing.ts'
import { armSession, withSession } from './session-timer.ts'
import { watchSubscription } from './subscription.ts'

const noTransport = 'requested protocol/transport not available'
const ntpEpoch = 2_208_988_800

/** A new request, sent through `route` when it is given. @throws RefusedValue */
export function sendRequest(
  context: Context,
  app: AppConnection,
  mid: string,
  message: PartialMessage,
  route: string,
): void {
  const line = parseRequestLine(message.startLine)
  const invalid = `invalid request-uri: ${message.startLine.slice(0, 200)}`
  if (!line || !sendable.has(line.method)) throw new RefusedValue(invalid)
  const next = nextHopOf(line, route)
  if (!next) throw new RefusedValue(invalid)
  // A client that registered over a connection is called over it.
  const routed = route !== ''
  const flow = routed ? context.flows.from(next) : context.flows.find(next)
  if (flow) {
    dispatch(context, app, mid, message, line, [flowTarget(flow)], { routed, prefer: flow })
    return
  }
  context.resolve(next, (error, targets) => {
    try {
      if (error && !unresolved(error)) throw new RefusedValue(noTransport)
      dispatch(context, app, mid, message, line, targets, { routed })
    } catch (refused) {
      if (!(refused instanceof RefusedValue)) throw refused
      context.counters.framesRefused++
      app.reply(mid, 'NOK', refused.message)
    }
  })
}

/** True when the name has no address; false when we have no transport for it. */
function unresolved(error: Error): boolean {
  return isCausewayError(error) && error.code === 'SIP_DNS_FAILED'
}

/** The URI the next hop is found by: the route, which may be a bare address, or the Request-URI. */
function nextHopOf(line: RequestLine, route: string): string | undefined {
  if (route === '') {
    return parseSipUri(line.uri) ? line.uri.split('?')[0] : undefined
  }
  const uri = /^sips?:/i.test(route) ? route : `sip:${route}`
  if (!parseSipUri(uri)) return undefined
  // Behind a route any scheme will do, tel: above all.
  return /^(sips?|tel|urn):/i.test(line.uri) ? uri : undefined
}

function dispatch(
  context: Context,
  app: AppConnection,
  mid: string,
  message: PartialMessage,
  line: RequestLine,
  targets: Target[],
  { routed, prefer }: { routed: boolean; prefer?: Flow },
): void {
  const target = targets[0]
  const reached = target ? context.localFor(target) : context.anyLocal
  const local = prefer ? context.localOf(prefer) : reached
  if (!local) throw new RefusedValue(noTransport)
  if (target && context.isSelf(target)) throw new RefusedValue('can not send request to myself')
  const defaults = {
    callId: () => context.random.uuid(),
    tag: () => context.random.hex(8),
    cseq: () => Math.floor((context.clock.now() / 1000 + ntpEpoch) / 2) % 2 ** 27,
  }
  const request = composeRequest(line, message, local, defaults, routed)
  if (!target) {
    failUnresolved(context, app, mid, request)
    return
  }
  if (request.method === 'INVITE') {
    sendInvite(context, app, mid, request, targets, undefined, prefer)
    return
  }
  const dlg = request.method === 'SUBSCRIBE' ? dialogId(request.callId, request.fromTag) : ''
  const user = new RequestUser(context, app, request, dlg, undefined)
  const transaction = context.transactions.send(request, targets, user, {
    id: context.ids(),
    prefer,
  })
  context.frames.requestSent(app, mid, transaction.request, target, transaction.id)
}

/** No address for the next hop: the request counts as sent and fails like any other. */
function failUnresolved(
  context: Context,
  app: AppConnection,
  mid: string,
  request: SipRequest,
): void {
  const txn = context.ids()
  const dlg = request.method === 'INVITE' ? dialogId(request.callId, request.fromTag) : ''
  context.frames.requestSent(app, mid, request, undefined, txn)
  context.frames.local(app, makeResponse(request, 503, 'DNS Error'), txn, dlg)
}

function sendInvite(
  context: Context,
  app: AppConnection,
  mid: string,
  request: SipRequest,
  targets: Target[],
  dialog: Dialog | undefined,
  prefer: Flow | undefined = dialog && preferred(context, dialog, targets),
): void {
  const invite = new InviteClient(context, app, request, dialog)
  const id = context.ids()
  context.invites.set(id, invite)
  invite.transaction = context.transactions.send(request, targets, invite, {
    id,
    prefer,
  })
  context.frames.requestSent(app, mid, invite.transaction.request, targets[0], id)
}

/** A request in a dialog. @throws RefusedValue */
export function sendInDialog(
  context: Context,
  app: AppConnection,
  mid: string,
  dlg: string,
  message: PartialMessage,
): void {
  const method = message.startLine.split(' ', 1)[0] ?? ''
  const found = context.dialogs.get(dlg)
  if (method === 'ACK') {
    sendAck(context, app, mid, found, message)
    return
  }
  if (!found) throw new RefusedValue('Server error: unable to find dialog for dialog id provided')
  if (!/^[A-Z]+ \S+ SIP\/2\.0$/.test(message.startLine) || method === 'CANCEL') {
    const detail = message.startLine.slice(0, 80)
    throw new RefusedValue(
      `Server error: invalid or missing method supplied on start line: ${detail}`,
    )
  }
  const dialog = method === 'PRACK' ? prackTarget(found, message) : found
  if (!dialog.owner.open) dialog.owner = app
  if (method === 'BYE') dialog.invite?.hangUp()
  const timed = method === 'INVITE' || method === 'UPDATE'
  const full = timed ? withSession(dialog, message) : message
  prepare(context, dialog, method, full, undefined, (prepared, refused) => {
    if (!prepared) {
      context.counters.framesRefused++
      app.reply(mid, 'NOK', `Server error: ${refused ?? noRoute(dialog)}`)
      return
    }
    const { request, targets } = prepared
    if (method === 'INVITE') {
      sendInvite(context, app, mid, request, targets, dialog)
      return
    }
    const user = new RequestUser(context, app, request, dlg, dialog)
    const transaction = context.transactions.send(request, targets, user, {
      id: context.ids(),
      prefer: preferred(context, dialog, targets),
    })
    context.frames.requestSent(app, mid, transaction.request, targets[0], transaction.id)
  })
}

/** The fork whose reliable response a PRACK is for. @throws RefusedValue */
function prackTarget(dialog: Dialog, message: PartialMessage): Dialog {
  const missing = 'Server error: unable to find IIP when sending PRACK'
  const rack = parseRack(headerValue(message.headers, 'rack'))
  const invite = dialog.invite
  if (!invite || invite.cseq !== rack?.cseq) throw new RefusedValue(missing)
  if (dialog.confirmed) return dialog
  const fork = invite.forkByRseq(rack.rseq)
  if (!fork) throw new RefusedValue(missing)
  return fork
}

/** The ACK for a 2xx; that for a failure was sent by the transaction layer. @throws RefusedValue */
function sendAck(
  context: Context,
  app: AppConnection,
  mid: string,
  dialog: Dialog | undefined,
  message: PartialMessage,
): void {
  const invite = dialog?.invite
  if (!invite?.awaitsAck) {
    throw new RefusedValue(
      'Server error: ACK for non-success final response is automatically generated by server',
    )
  }
  invite.acknowledge(message, (request, target, error) => {
    if (request) context.frames.requestSent(app, mid, request, target, context.ids())
    else app.reply(mid, 'NOK', `Server error: ${error}`)
  })
}

/** A CANCEL of an INVITE the application sent. @throws RefusedValue */
export function sendCancel(
  context: Context,
  app: AppConnection,
  mid: string,
  txn: string,
  message: PartialMessage,
): void {
  const invite = context.invites.get(txn)
  if (!invite || !message.startLine.startsWith('CANCEL ')) {
    throw new RefusedValue(`unable to cancel unknown transaction id: ${txn}`)
  }
  const headers = cancelHeaders(message)
  const cancel = makeCancel(invite.transaction.request, headers)
  const flow = invite.transaction.flow
  context.frames.requestSent(
    app,
    mid,
    cancel,
    flow && {
      transport: flow.transport,
      address: flow.remoteAddress,
      port: flow.remotePort,
      domain: '',
    },
    context.ids(),
  )
  invite.cancel(headers)
}

/** A request other than INVITE and the responses to it. */
class RequestUser implements ClientUser {
  readonly #context: Context
  readonly #app: AppConnection
  readonly #request: SipRequest
  readonly #dlg: string
  #dialog: Dialog | undefined

  constructor(
    context: Context,
    app: AppConnection,
    request: SipRequest,
    dlg: string,
    dialog: Dialog | undefined,
  ) {
    this.#context = context
    this.#app = app
    this.#request = request
    this.#dlg = dlg
    this.#dialog = dialog
  }

  response(
    response: SipResponse,
    flow: Parameters<ClientUser['response']>[1],
    transaction: ClientTransaction,
  ): void {
    if (response.status >= 200) this.#settle(response, flow)
    if (this.#request.method === 'REGISTER' && response.status >= 200 && response.status < 300) {
      this.#context.kept.learn(this.#request, response, transaction.flow ?? flow)
    }
    this.#context.frames.network(this.#app, response, flow, transaction.id, this.#dlg)
  }

  failure(status: 408 | 503 | 487, reason: string, transaction: ClientTransaction): void {
    const response = makeResponse(transaction.request, status, reason)
    this.#settle(response, undefined)
    this.#context.frames.local(this.#app, response, transaction.id, this.#dlg)
  }

  /** What a final response does to the dialog. */
  #settle(response: SipResponse, flow: Parameters<ClientUser['response']>[1] | undefined): void {
    const context = this.#context
    const { method } = this.#request
    const success = response.status < 300
    if (!this.#dialog && method === 'SUBSCRIBE' && success && flow) {
      this.#dialog = subscriptionDialog(context, this.#app, this.#request, response, flow)
    }
    const dialog = this.#dialog
    if (!dialog) return
    if (method === 'BYE') {
      if (response.status !== 401 && response.status !== 407) removeDialog(context, dialog)
    } else if (dialog.usage === 'SUBSCRIBE' && isFinalNotify(this.#request)) {
      removeDialog(context, dialog)
    } else if (success && method === 'UPDATE') {
      dialog.remoteTarget = contactUri(response) ?? dialog.remoteTarget
      armSession(context, dialog, response, true, this.#request.body)
    } else if (success && method === 'SUBSCRIBE') {
      watchSubscription(context, dialog, response)
    }
  }
}

/** The dialog a 2xx to our SUBSCRIBE makes (RFC 6665 §4.1.2.4 in its older form). */
function subscriptionDialog(
  context: Context,
  app: AppConnection,
  request: SipRequest,
  response: SipResponse,
  flow: Parameters<ClientUser['response']>[1],
): Dialog {
  const routes = recordRoutes(response, true)
  const target = contactUri(response)
  const dialog = createDialog({
    id: dialogId(request.callId, request.fromTag),
    role: 'uac',
    usage: 'SUBSCRIBE',
    callId: request.callId,
    localTag: request.fromTag,
    remoteTag: response.toTag,
    local: headerValue(request.headers, 'from') ?? '',
    remote: headerValue(response.headers, 'to') ?? '',
    owner: app,
    localSeq: request.cseq,
    remoteSeq: -1,
    remoteTarget: target ?? request.uri,
    routes,
    contact: headerValue(request.headers, 'contact') ?? '',
    flow,
    nat: target === undefined ? undefined : natTarget('uac', flow, target, routes),
  })
  dialog.confirmed = true
  context.dialogs.set(dialog)
  context.counters.dialogsMade++
  return dialog
}

/**
 * The dialog a new request names by Call-ID and tags, for applications that send without naming it
 * in the frame.
 */
export function dialogNamed(context: Context, message: PartialMessage): Dialog | undefined {
  const callId = headerValue(message.headers, 'call-id')
  if (callId === undefined) return undefined
  const from = tagIn(message, 'from')
  const to = tagIn(message, 'to')
  if (!from || !to) return undefined
  const uac = context.dialogs.get(dialogId(callId, from))
  if (uac?.localTag === from && uac.remoteTag === to) return uac
  const uas = context.dialogs.get(dialogId(callId, to))
  return uas?.localTag === from && uas.remoteTag === to ? uas : undefined
}

function tagIn(message: PartialMessage, key: string): string | undefined {
  const value = headerValue(message.headers, key)
  return value === undefined ? undefined : parseNameAddr(value)?.params['tag']
}
