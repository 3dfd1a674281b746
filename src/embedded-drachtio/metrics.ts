import type { ThreadLoadState } from '../shared/thread-load.ts'
import type { DialogCounters } from './dialog/context.ts'
import type { DialogLayer } from './dialog/layer.ts'
import type { AdminServer } from './protocol/admin.ts'
import type { Resolver } from './resolve/index.ts'
import type { PeerTraffic, Traffic } from './traffic.ts'
import type { TransactionCounters, TransactionService } from './transaction/index.ts'
import type { TransportLayer, TransportMetrics } from './transport/index.ts'

/** Numbers of a server at one moment: `counters` only grow, `now` returns to zero without traffic. */
export interface SipServerMetrics {
  now: {
    serverTransactions: number
    clientTransactions: number
    timers: number
    dialogs: number
    /** Requests that wait for an application. */
    incoming: number
    /** INVITEs of applications whose transaction lives. */
    invites: number
    /** Contacts reached by the connection they registered from. */
    registeredFlows: number
    /** Registrations of ours whose connection is pinged. */
    keptFlows: number
    /** Authenticated applications. */
    applications: number
    /** Bytes applications have not read. */
    queuedBytes: number
    /** SIP stream connections. */
    connections: number
    /** DNS answers kept. */
    dnsCached: number
    failedTargets: number
  }
  counters: {
    transport: TransportMetrics
    transactions: TransactionCounters
    dialogs: DialogCounters
    /** Messages by peer. */
    traffic: readonly PeerTraffic[]
    /** Errors that should not be: each dropped one message or frame and is in the log. */
    faults: number
  }
  /** Of the thread; undefined for a server that has none of its own. */
  load?: ThreadLoadState
}

/** What the numbers come from. */
export interface MetricSources {
  transport: Pick<TransportLayer, 'metrics'>
  transactions: Pick<TransactionService, 'sizes'>
  counters: TransactionCounters
  traffic: Traffic
  dialogs: Pick<DialogLayer, 'sizes' | 'counters'>
  admin: Pick<AdminServer, 'sizes'>
  resolver: Pick<Resolver, 'sizes'>
  faults: number
}

/** Takes a copy of all numbers. */
export function collectMetrics(sources: MetricSources): SipServerMetrics {
  const { transport, transactions, counters, traffic, dialogs, admin, resolver } = sources
  const table = transactions.sizes()
  const layer = dialogs.sizes()
  const apps = admin.sizes()
  const names = resolver.sizes()
  return {
    now: {
      serverTransactions: table.server,
      clientTransactions: table.client,
      timers: table.timers,
      dialogs: layer.dialogs,
      incoming: layer.incoming,
      invites: layer.invites,
      registeredFlows: layer.registeredFlows,
      keptFlows: layer.keptFlows,
      applications: apps.connections,
      queuedBytes: apps.queuedBytes,
      connections: transport.metrics.connectionsOpen,
      dnsCached: names.cached,
      failedTargets: names.failed,
    },
    counters: {
      transport: structuredClone(transport.metrics),
      transactions: { ...counters },
      dialogs: { ...dialogs.counters },
      traffic: traffic.counts(),
      faults: sources.faults,
    },
  }
}
