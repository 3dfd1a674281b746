/** The embedded SIP server: transports, transactions, dialogs and the drachtio protocol, assembled. */

import { type Clock, systemClock } from '../shared/clock.ts'
import type { Logger } from '../shared/log.ts'
import { type Random, systemRandom } from '../shared/random.ts'
import type { Secret } from '../shared/secret.ts'
import { createAddressing } from './addressing.ts'
import type { DialogOptions } from './dialog/context.ts'
import { createDialogLayer, type EndedFlow } from './dialog/layer.ts'
import { LargeRequests } from './large-requests.ts'
import { collectMetrics, type SipServerMetrics } from './metrics.ts'
import { type AdminLimits, AdminServer, defaultAdminLimits } from './protocol/admin.ts'
import { createCommands } from './protocol/commands.ts'
import { createIds } from './protocol/ids.ts'
import { Router } from './protocol/router.ts'
import { createResolver, type DnsPort, nodeDns } from './resolve/index.ts'
import { type PeerNames, Traffic } from './traffic.ts'
import {
  type BaseTimers,
  createTransactionCounters,
  createTransactionLayer,
  type TransactionLimits,
} from './transaction/index.ts'
import {
  type CertificateEvent,
  createTransportLayer,
  type ListenerChanges,
  type ListenerInfo,
  type ListenerOptions,
  MessageTap,
  type TapBatch,
  type TlsClientOptions,
  type TlsPeer,
  type TransportLimits,
} from './transport/index.ts'

/** Version told to applications; they look for features by it. */
const version = 'v0.9.10'

export interface SipServerOptions {
  /** Where applications connect. Port 0 lets the system choose. */
  admin: { host: string; port: number; secret: Secret }
  listeners: ListenerOptions[]
  /** Trust anchors and certificate of outbound TLS connections. */
  tlsClient?: TlsClientOptions | undefined
  /** Peers with TLS settings of their own; {@link SipServer.configureTls} changes them. */
  tlsPeers?: readonly TlsPeer[] | undefined
  /** Next hops by domain: every request whose next hop is the domain goes to the SIP URI instead. */
  overrides?: ReadonlyMap<string, string> | undefined
  /** Names of the peers that messages are counted by. */
  peers?: PeerNames | undefined
  /** Deviations from T1 500, T2 4000, T4 5000 ms. */
  timers?: Partial<BaseTimers> | undefined
  transactionLimits?: Partial<TransactionLimits> | undefined
  transportLimits?: Partial<TransportLimits> | undefined
  adminLimits?: Partial<AdminLimits> | undefined
  /** Deviations from the defaults: answers within 30 s, no refresher, orphans live 10 minutes. */
  dialogs?: Partial<DialogOptions> | undefined
  /** Interval of CRLF pings on outbound connections, ms; 0 for none. */
  keepalive?: number | undefined
  /**
   * Send requests of more than 1300 bytes by TCP where UDP was chosen (RFC 3261 §18.1.1). Off by
   * default: where a firewall swallows TCP each such call would wait for the connection to fail.
   */
  largeRequestsByTcp?: boolean | undefined
  /**
   * Tell applications of the 100 to an INVITE that begins a call: that its target is there. A
   * drachtio-server never does, so the default is not to.
   */
  tellTrying?: boolean | undefined
  /** Hears of every certificate reload, successful or not. */
  certificateChanged?: ((event: CertificateEvent) => void) | undefined
  /** Told of connections that ended and that registrations, sent or received, hung on (RFC 5626). */
  flowEnded?: ((ended: EndedFlow) => void) | undefined
  dns?: DnsPort | undefined
  clock?: Clock | undefined
  random?: Random | undefined
  log: Logger
}

/** A running server. */
export interface SipServer {
  readonly admin: { host: string; port: number }
  /** Open listeners with bound ports and certificates. */
  listeners(): ListenerInfo[]
  metrics(): SipServerMetrics
  reloadCertificates(): CertificateEvent[]
  /** Takes the peers with TLS settings of their own, for connections to come. */
  configureTls(peers: readonly TlsPeer[]): void
  /**
   * Hands every SIP message in and out to `take`, in batches, from now on; `undefined` ends it. The
   * octets of a batch are given back by {@link SipServer.tapped}.
   */
  tap(take: ((batch: TapBatch) => void) | undefined): void
  tapped(bytes: number): void
  /** Other certificate files, another external address: for what comes; nothing open is touched. */
  configure(changes: ListenerChanges): CertificateEvent[]
  /** Drops all connections and state; nothing is sent to the network. */
  close(): Promise<void>
}

/**
 * Starts a server in this thread. Rejects with a coded error, and nothing stays open, when a
 * listener cannot be opened.
 */
export async function createSipServer(options: SipServerOptions): Promise<SipServer> {
  const { log } = options
  const clock = options.clock ?? systemClock
  const random = options.random ?? systemRandom
  const ids = createIds(random)
  const router = new Router()
  const counters = createTransactionCounters()
  const traffic = new Traffic(options.peers)
  let faults = 0
  let tap: MessageTap | undefined

  /** Keeps an error in our own code from ending every call: the message is lost, the rest goes on. */
  function guard(place: string, work: () => void): void {
    try {
      work()
    } catch (err) {
      faults++
      log.error({ err, place }, 'SIP server fault')
    }
  }

  const transport = createTransportLayer({
    listeners: options.listeners,
    tlsClient: options.tlsClient,
    tlsPeers: options.tlsPeers,
    limits: options.transportLimits,
    keepalive: options.keepalive,
    certificateChanged: options.certificateChanged,
    resolveSentBy: (host, port, transportParam) =>
      resolver.resolve({ scheme: 'sip', host, port, transportParam }, supports),
    events: {
      message: (message, flow) => guard('message', () => transactions.onMessage(message, flow)),
      malformed: (error, flow) => guard('malformed', () => transactions.onMalformed(error, flow)),
      closed: (flow, why) =>
        guard('closed', () => {
          dialogs.closed(flow, why)
          transactions.onClosed(flow)
        }),
    },
    clock,
    random,
    log,
    traffic,
  })
  const supports: typeof transport.supports = (name, family) => transport.supports(name, family)
  const resolver = createResolver({
    dns: options.dns ?? nodeDns(),
    clock,
    random,
    overrides: options.overrides,
  })
  const addressing = createAddressing(transport, resolver)
  const dialogs = createDialogLayer({
    ...addressing,
    flowEnded: options.flowEnded,
    router,
    ids,
    clock,
    random,
    log,
    options: {
      answerTimeout: 30_000,
      defaultRefresher: 'none',
      orphanTimeout: 600_000,
      ...options.dialogs,
    },
  })
  const large = new LargeRequests(clock)
  const transactions = createTransactionLayer({
    transport,
    user: dialogs.user,
    clock,
    random,
    timers: options.timers,
    metrics: counters,
    traffic,
    limits: { silence: 4 * (options.timers?.t1 ?? 500), ...options.transactionLimits },
    expandForSize: options.largeRequestsByTcp ? large.expand : undefined,
    tellTrying: options.tellTrying,
    streamRefused: large.refused,
    reached(target, answered) {
      if (answered) resolver.markWorking(target)
      else resolver.markFailed(target)
    },
  })
  dialogs.attach(transactions)

  const commands = createCommands({
    secret: options.admin.secret,
    router,
    sip: dialogs.commands,
    hostports: addressing.hostports,
    version,
    refused: () => {
      dialogs.counters.framesRefused++
    },
  })
  const admin = new AdminServer({
    host: options.admin.host,
    port: options.admin.port,
    limits: { ...defaultAdminLimits, ...options.adminLimits },
    ids,
    clock,
    log,
    frame: (app, payload) => guard('frame', () => commands(app, payload)),
    closed(app) {
      router.removeAll(app)
      dialogs.disconnected(app)
    },
  })

  await transport.listen()
  let bound: { host: string; port: number }
  try {
    bound = await admin.listen()
  } catch (error) {
    await transport.close()
    throw error
  }
  return {
    admin: bound,
    listeners: () => transport.listeners(),
    metrics: () =>
      collectMetrics({
        transport,
        transactions,
        counters,
        traffic,
        dialogs,
        admin,
        resolver,
        faults,
      }),
    reloadCertificates: () => transport.reloadCertificates(),
    configureTls: (peers) => transport.configureTls(peers),
    tap(take) {
      tap = take && new MessageTap(clock, take)
      transport.tap(tap)
    },
    tapped: (bytes) => tap?.taken(bytes),
    configure: (changes) => transport.configure(changes),
    async close() {
      await admin.close()
      dialogs.close()
      transactions.close()
      await transport.close()
    },
  }
}
