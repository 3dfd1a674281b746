/** Requests the server sends on its own account: BYE, ACK for forks, session refreshes. */

import { type Flow, headerLine, type SipRequest, type SipResponse } from '../message/index.ts'
import { type PartialMessage, RefusedValue } from '../protocol/command.ts'
import type { ClientTransaction, ClientUser } from '../transaction/types.ts'
import type { Target } from '../transport/types.ts'
import { composeDialogRequest } from './compose.ts'
import type { Context } from './context.ts'
import type { Dialog } from './dialog.ts'
import { contactUri, flowTarget, nextHop } from './routing.ts'
import { armSession, minSessionExpires, stopSession } from './session-timer.ts'

/** A request in a dialog, ready to be sent. */
export interface Prepared {
  request: SipRequest
  targets: Target[]
}

/**
 * Composes a request in a dialog and finds where it goes. `cseq` is that of an INVITE for its ACK;
 * else the dialog's next. `done` gets undefined without a route, and why when a value was refused.
 */
export function prepare(
  context: Context,
  dialog: Dialog,
  method: string,
  message: PartialMessage,
  cseq: number | undefined,
  done: (prepared: Prepared | undefined, refused?: string) => void,
): void {
  const hop = nextHop(dialog)
  const finish = (targets: Target[]): void => {
    const local = targets[0] && context.localFor(targets[0])
    if (!local) {
      done(undefined)
      return
    }
    const parts = {
      uri: hop.uri,
      routes: hop.routes,
      callId: dialog.callId,
      cseq: cseq ?? dialog.localSeq + 1,
      from: dialog.local,
      to: dialog.remote,
      contact: dialog.contact,
    }
    let request: SipRequest
    try {
      request = composeDialogRequest(method, message, parts, local)
    } catch (error) {
      if (!(error instanceof RefusedValue)) throw error
      done(undefined, error.message)
      return
    }
    if (cseq === undefined) dialog.localSeq++
    done({ request, targets })
  }
  const { flow } = dialog
  if (dialog.nat) {
    finish([dialog.nat])
    return
  }
  // Whatever its Contact says, a peer on a stream is reached by that stream (RFC 5626 §5.3).
  if (flow && flow.transport !== 'udp' && context.isOpen(flow)) {
    if (dialog.role === 'uas' || calledOver(context, dialog, flow)) {
      finish([flowTarget(flow)])
      return
    }
  }
  const registered = hop.routes.length === 0 ? registeredFlow(context, flow, hop.uri) : undefined
  if (registered) {
    // From now on the dialog's: a TLS connection a client has opened is found by nothing else.
    dialog.flow = registered
    finish([flowTarget(registered)])
    return
  }
  context.resolve(hop.next, (_, targets) => finish(targets))
}

/** The connection of the client with this URI, or the one that took the place of the dialog's own. */
function registeredFlow(context: Context, former: Dialog['flow'], uri: string): Dialog['flow'] {
  const found = context.flows.find(uri)
  if (found || !former || former.transport === 'udp' || context.isOpen(former)) return found
  return context.flows.since(former, uri)
}

/**
 * The connection, or for UDP the socket, to prefer for requests in a dialog: the one the peer's
 * INVITE came on, or the one a registered peer was called over.
 */
export function preferred(context: Context, dialog: Dialog, targets: Target[]): Dialog['flow'] {
  const { flow } = dialog
  if (dialog.role !== 'uas') return flow && calledOver(context, dialog, flow) ? flow : undefined
  const stream = dialog.flow?.transport !== 'udp'
  return stream || targets[0]?.transport === 'udp' ? dialog.flow : undefined
}

/**
 * Whether the peer was called over the connection it has registered by: it may name any Contact in its
 * answer, and is reached by nothing else.
 */
function calledOver(context: Context, { routes }: Dialog, flow: Flow): boolean {
  return routes.length === 0 && flow.transport !== 'udp' && context.flows.holds(flow)
}

/** Takes a dialog out of the table and stops everything that hangs on it. */
export function removeDialog(context: Context, dialog: Dialog): void {
  context.dialogs.delete(dialog)
  stopSession(dialog)
  dialog.expiry?.clear()
  dialog.expiry = undefined
  dialog.awaitedAck?.transaction.acknowledged()
  dialog.awaitedAck = undefined
}

const nobody: ClientUser = { response() {}, failure() {} }

/** Ends a dialog with a BYE of our own and tells its application why. */
export function terminate(context: Context, dialog: Dialog, reason: string): void {
  removeDialog(context, dialog)
  sendBye(context, dialog, reason, (request, target) => {
    context.frames.unsolicited(dialog.owner, request, target, dialog.id)
  })
}

/** Sends a BYE without telling anybody. */
export function sendBye(
  context: Context,
  dialog: Dialog,
  reason: string,
  sent?: (request: SipRequest, target: Target | undefined) => void,
): void {
  context.counters.ownByes++
  const message: PartialMessage = {
    startLine: '',
    headers: [headerLine('Reason', `SIP;cause=200;text="${reason}"`)],
    body: undefined,
  }
  prepare(context, dialog, 'BYE', message, undefined, (prepared) => {
    if (!prepared) {
      context.log.debug({ dialog: dialog.id }, 'no route for a BYE')
      return
    }
    const transaction = context.transactions.send(prepared.request, prepared.targets, nobody, {
      prefer: preferred(context, dialog, prepared.targets),
      id: context.ids(),
    })
    sent?.(transaction.request, prepared.targets[0])
  })
}

/** Acknowledges a 2xx the application shall not see and hangs up (RFC 3261 §13.2.2.4). */
export function ackAndBye(context: Context, dialog: Dialog, cseq: number, reason: string): void {
  sendOwnAck(context, dialog, cseq, () => sendBye(context, dialog, reason))
}

/** Sends an ACK without a body for the 2xx to our INVITE number `cseq`. */
export function sendOwnAck(
  context: Context,
  dialog: Dialog,
  cseq: number,
  sent: (request: SipRequest | undefined) => void,
): void {
  const message: PartialMessage = { startLine: '', headers: [], body: undefined }
  prepare(context, dialog, 'ACK', message, cseq, (prepared) => {
    if (!prepared) {
      sent(undefined)
      return
    }
    const { request, targets } = prepared
    context.transactions.sendAck(request, targets, preferred(context, dialog, targets), () =>
      sent(request),
    )
  })
}

/**
 * Refreshes the session with a re-INVITE that repeats our last description (RFC 4028 §7.4, §10).
 * `glare` stands for a 491: to be tried again. Nothing of it reaches the application.
 */
export function refreshSession(
  context: Context,
  dialog: Dialog,
  done: (outcome: 'refreshed' | 'glare' | 'failed') => void,
): void {
  const session = dialog.session
  if (!session) return
  // An exchange of the application's is under way and will re-arm the timer.
  if (dialog.pending || dialog.invite?.unanswered) {
    done('glare')
    return
  }
  const sdp = session.sdp
  const message: PartialMessage = {
    startLine: '',
    headers: [
      headerLine('Supported', 'timer'),
      headerLine('Session-Expires', `${session.interval};refresher=uac`),
      headerLine('Min-SE', String(minSessionExpires)),
    ],
    body: sdp,
  }
  prepare(context, dialog, 'INVITE', message, undefined, (prepared) => {
    if (!prepared) {
      done('failed')
      return
    }
    const cseq = prepared.request.cseq
    let accepted = false
    const user: ClientUser = {
      response(response: SipResponse, _flow, _transaction: ClientTransaction) {
        if (response.status < 200) return
        if (response.status >= 300) {
          done(response.status === 491 ? 'glare' : 'failed')
          return
        }
        dialog.remoteTarget = contactUri(response) ?? dialog.remoteTarget
        sendOwnAck(context, dialog, cseq, () => undefined)
        if (accepted) return
        accepted = true
        done('refreshed')
        if (dialog.session === session) armSession(context, dialog, response, true, undefined)
      },
      failure: () => done('failed'),
    }
    context.transactions.send(prepared.request, prepared.targets, user, {
      prefer: preferred(context, dialog, prepared.targets),
      id: context.ids(),
    })
  })
}
