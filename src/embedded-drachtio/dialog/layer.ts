import type { Clock, Timer } from '../../shared/clock.ts'
import type { Logger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { Flow } from '../message/index.ts'
import type { SipCommands } from '../protocol/commands.ts'
import type { AppConnection } from '../protocol/connection.ts'
import type { Router } from '../protocol/router.ts'
import type { TransactionLayer, TransactionUser } from '../transaction/types.ts'
import type { FlowEnd, Target } from '../transport/types.ts'
import { answerLate, respond } from './answers.ts'
import type { Context, DialogCounters, DialogOptions, Resolve } from './context.ts'
import { DialogTable } from './dialog.ts'
import { FlowCache, type LimitSilence } from './flow-cache.ts'
import { Frames } from './frames.ts'
import { IncomingTable } from './incoming.ts'
import { ackMissing, forgotten, receiveAck, receiveCancel } from './invite-server.ts'
import { type FlowOwner, type KeepFlow, KeptFlows } from './kept-flows.ts'
import { removeDialog, sendOwnAck, terminate } from './own-requests.ts'
import type { Local } from './placeholder.ts'
import { receive } from './requests-in.ts'
import { dialogNamed, sendCancel, sendInDialog, sendRequest } from './requests-out.ts'

/** What the dialog layer stands on. */
export interface DialogLayerOptions {
  resolve: Resolve
  localFor: (target: Target) => Local | undefined
  localOf: (flow: Flow) => Local
  anyLocal: () => Local | undefined
  isOpen: (flow: Flow) => boolean
  isSelf: (target: Target) => boolean
  keep: KeepFlow
  limitSilence: LimitSilence
  /** Told of connections that registrations ended with; absent for nobody. */
  flowEnded?: ((ended: EndedFlow) => void) | undefined
  router: Router
  ids: () => string
  clock: Clock
  random: Random
  log: Logger
  options: DialogOptions
}

/** A connection that registrations hung on (RFC 5626), and that has ended. */
export interface EndedFlow {
  transport: 'tcp' | 'tls'
  /** Of the peer. */
  address: string
  port: number
  why: FlowEnd
  /** REGISTERs of ours over it, the last of each Call-ID: to be renewed over another connection. */
  sent: readonly FlowOwner[]
  /** REGISTERs of clients over it, the last of each contact: nobody is reached there any more. */
  received: readonly FlowOwner[]
}

/** The dialog layer: upwards the commands of applications, downwards the transaction user. */
export interface DialogLayer {
  readonly user: TransactionUser
  readonly commands: SipCommands
  readonly counters: DialogCounters
  /** Ties it to the transaction layer, which needs the `user` to be made. */
  attach(transactions: TransactionLayer): void
  /** A SIP connection ended. */
  closed(flow: Flow, why: FlowEnd): void
  /** An application's connection ended. */
  disconnected(app: AppConnection): void
  /** Numbers for metrics; all zero after traffic has ended. */
  sizes(): {
    dialogs: number
    incoming: number
    invites: number
    registeredFlows: number
    keptFlows: number
  }
  close(): void
}

/** Makes the dialog layer. */
export function createDialogLayer(setup: DialogLayerOptions): DialogLayer {
  const { clock, options } = setup
  let transactions: TransactionLayer | undefined
  const incoming = new IncomingTable(clock, options.answerTimeout, (late) => {
    answerLate(context, late)
  })
  const context: Context = {
    ...setup,
    get transactions(): TransactionLayer {
      return transactions!
    },
    get anyLocal() {
      return setup.anyLocal()
    },
    dialogs: new DialogTable(),
    flows: new FlowCache(clock, setup.isOpen, setup.limitSilence),
    kept: new KeptFlows(clock, setup.keep),
    incoming,
    invites: new Map(),
    frames: new Frames(() => clock.now()),
    counters: {
      requestsRouted: 0,
      requestsUnrouted: 0,
      framesRefused: 0,
      dialogsMade: 0,
      ownByes: 0,
      answeredForApp: 0,
    },
  }
  const orphans = new Set<Timer>()

  const user: TransactionUser = {
    request: (transaction) => receive(context, transaction),
    ack: (request, flow) => receiveAck(context, request, flow),
    cancelled: (invite, cancel) => receiveCancel(context, invite, cancel),
    ackTimeout: (invite) => ackMissing(context, invite),
    ended: (transaction) => forgotten(context, transaction),
    strayResponse(response) {
      // The ACK for a late copy of a 2xx, for calls that exist: strangers make us send nothing.
      if (response.method !== 'INVITE' || response.status < 200 || response.status > 299) return
      const dialog = context.dialogs.ofResponse(response)
      if (dialog?.confirmed) sendOwnAck(context, dialog, response.cseq, () => undefined)
    },
  }

  const commands: SipCommands = {
    respond: (app, mid, txn, message) => respond(context, app, mid, txn, message),
    inDialog: (app, mid, dlg, message) => sendInDialog(context, app, mid, dlg, message),
    cancel: (app, mid, txn, message) => sendCancel(context, app, mid, txn, message),
    request: (app, mid, message, route) => sendRequest(context, app, mid, message, route),
    dialogOf: (message) => dialogNamed(context, message)?.id ?? '',
  }

  /** Hangs up what an application left behind when it has not come back for it. */
  function hangUpOrphans(app: AppConnection): void {
    for (const dialog of [...context.dialogs.values()]) {
      if (dialog.owner === app && dialog.confirmed) {
        terminate(context, dialog, 'application disconnected')
      }
    }
  }

  return {
    user,
    commands,
    counters: context.counters,
    attach(layer) {
      transactions = layer
    },
    closed(flow, why) {
      const received = context.flows.closed(flow)
      const sent = context.kept.closed(flow)
      if (flow.transport === 'udp' || (sent.length === 0 && received.length === 0)) return
      const { transport, remoteAddress: address, remotePort: port } = flow
      setup.flowEnded?.({ transport, address, port, why, sent, received })
    },
    disconnected(app) {
      if (!app.authenticated || options.orphanTimeout === 0) return
      const timer = clock.setTimeout(() => {
        orphans.delete(timer)
        hangUpOrphans(app)
      }, options.orphanTimeout)
      orphans.add(timer)
    },
    sizes: () => ({
      dialogs: context.dialogs.size,
      incoming: incoming.size,
      invites: context.invites.size,
      registeredFlows: context.flows.size,
      keptFlows: context.kept.size,
    }),
    close() {
      for (const timer of orphans) timer.clear()
      for (const dialog of [...context.dialogs.values()]) removeDialog(context, dialog)
      incoming.clear()
      context.invites.clear()
      context.flows.clear()
      context.kept.clear()
    },
  }
}
