import type { Clock } from '../../shared/clock.ts'
import type { Logger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { Flow } from '../message/index.ts'
import type { Router } from '../protocol/router.ts'
import type { TransactionLayer } from '../transaction/types.ts'
import type { Target } from '../transport/types.ts'
import type { DialogTable } from './dialog.ts'
import type { FlowCache } from './flow-cache.ts'
import type { Frames } from './frames.ts'
import type { IncomingTable } from './incoming.ts'
import type { InviteClient } from './invite-client.ts'
import type { KeptFlows } from './kept-flows.ts'
import type { Local } from './placeholder.ts'

/**
 * Finds the next hops of a URI in order of preference (RFC 3263); answers at once for addresses.
 * `targets` is empty exactly when there is an error.
 */
export type Resolve = (
  uri: string,
  done: (error: Error | undefined, targets: Target[]) => void,
) => void

/** Numbers of the dialog layer for metrics; they only grow. */
export interface DialogCounters {
  /** Requests given to applications. */
  requestsRouted: number
  /** Requests no application wanted. */
  requestsUnrouted: number
  /** Frames of applications that were refused. */
  framesRefused: number
  dialogsMade: number
  /** BYEs this server sent on its own account. */
  ownByes: number
  /** Final responses given for applications that gave none. */
  answeredForApp: number
}

/** What every part of the dialog layer works with. */
export interface Context {
  readonly transactions: TransactionLayer
  readonly resolve: Resolve
  /** Address of ours towards a target; undefined when no listener reaches it. */
  readonly localFor: (target: Target) => Local | undefined
  /** Whether a flow still carries messages. */
  readonly isOpen: (flow: Flow) => boolean
  /** Address of ours on the flow a request came on. */
  readonly localOf: (flow: Flow) => Local
  /** Address of ours for a request whose target is unknown. */
  readonly anyLocal: Local | undefined
  /** Whether a target is one of our own listeners. */
  readonly isSelf: (target: Target) => boolean
  readonly router: Router
  readonly dialogs: DialogTable
  readonly incoming: IncomingTable
  /** Connections of clients that registered here. */
  readonly flows: FlowCache
  /** Connections our own registrations hang on. */
  readonly kept: KeptFlows
  /** INVITEs of ours by transaction, until their transaction ends. */
  readonly invites: Map<string, InviteClient>
  readonly frames: Frames
  readonly ids: () => string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly counters: DialogCounters
  readonly options: DialogOptions
}

/** Intervals and policies of the dialog layer; times in milliseconds. */
export interface DialogOptions {
  /** How long an application may take to answer a request that is no INVITE. */
  answerTimeout: number
  /** Who refreshes when the peer's offer of a session timer names nobody; `none` offers no timer. */
  defaultRefresher: 'none' | 'uac' | 'uas'
  /** How long dialogs outlive the connection of their application before they get a BYE. */
  orphanTimeout: number
}
