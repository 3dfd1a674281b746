import { isIP } from 'node:net'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Flow } from '../message/index.ts'
import { Traffic } from '../traffic.ts'
import { familyOf, isWildcard, LocalAddresses } from './address.ts'
import { Connections } from './connections.ts'
import { Connector } from './connector.ts'
import type { TransportContext } from './context.ts'
import { nameTarget } from './failure.ts'
import { createTransportMetrics, type TransportMetrics } from './metrics.ts'
import {
  type CertificateEvent,
  defaultTransportLimits,
  type ListenerChanges,
  type ListenerInfo,
  type TransportLayerOptions,
  type TransportName,
} from './options.ts'
import { ListenerSelector } from './select.ts'
import type { SendDone, StreamConnection } from './stream-connection.ts'
import { StreamListener } from './stream-listener.ts'
import type { MessageTap } from './tap.ts'
import type { TlsPeer } from './tls-peers.ts'
import type { Target, Transport } from './types.ts'
import { UdpListener } from './udp-listener.ts'

/** The transport layer (RFC 3261 §18): UDP, TCP and TLS over IPv4 and IPv6. */
export interface TransportLayer extends Transport {
  /** Opens every listener; rejects with a coded error, and nothing stays open, when one fails. */
  listen(): Promise<void>
  /** The open listeners in the order of the options, with the ports that were chosen. */
  listeners(): ListenerInfo[]
  /** Whether a listener has the transport in that address family. */
  supports(transport: TransportName, family: 4 | 6): boolean
  /** Whether a flow still carries messages: UDP while its listener is open, streams while connected. */
  isOpen(flow: Flow): boolean
  /**
   * Pings an open stream at most `interval` milliseconds apart, and ends it when a pong is missing;
   * undefined ends the pings.
   */
  keep(flow: Flow, interval: number | undefined): void
  /** Ends an open stream once nothing has come for `ms` milliseconds; undefined for never. */
  limitSilence(flow: Flow, ms: number | undefined): void
  /** Reads the certificates of all TLS listeners again; connections live on. */
  reloadCertificates(): CertificateEvent[]
  /** Takes the peers with TLS settings of their own, for connections to come. */
  configureTls(peers: readonly TlsPeer[]): void
  /** Takes other certificate files and another external address; connections live on. */
  configure(changes: ListenerChanges): CertificateEvent[]
  readonly metrics: TransportMetrics
  /** Who sees every message in and out, from now on. */
  tap(tap: MessageTap | undefined): void
}

/** Makes the transport layer; nothing is bound before {@link TransportLayer.listen}. */
export function createTransportLayer(options: TransportLayerOptions): TransportLayer {
  return new Layer(options)
}

class Layer implements TransportLayer {
  readonly #options: TransportLayerOptions
  readonly #context: TransportContext
  readonly #connections: Connections
  readonly #connector: Connector
  readonly #udp = new Map<number, UdpListener>()
  #open: (UdpListener | StreamListener)[] = []
  #selector = new ListenerSelector<UdpListener | StreamListener>([])
  #closed = false

  constructor(options: TransportLayerOptions) {
    this.#options = options
    let lastId = 0
    this.#context = {
      limits: { ...defaultTransportLimits, ...options.limits },
      keepalive: options.keepalive ?? 0,
      events: options.events,
      clock: options.clock,
      random: options.random,
      log: options.log,
      metrics: options.metrics ?? createTransportMetrics(),
      traffic: options.traffic ?? new Traffic(),
      locals: new LocalAddresses(),
      tap: undefined,
      nextId: () => ++lastId,
    }
    this.#connections = new Connections(this.#context)
    this.#connector = new Connector(this.#context, this.#connections, options.tlsClient)
    this.#connector.peers.configure(options.tlsPeers ?? [])
  }

  get metrics(): TransportMetrics {
    return this.#context.metrics
  }

  tap(tap: MessageTap | undefined): void {
    this.#context.tap?.flush()
    this.#context.tap = tap
  }

  async listen(): Promise<void> {
    const opening = this.#options.listeners.map((listener) =>
      listener.transport === 'udp'
        ? UdpListener.open(listener, this.#context)
        : StreamListener.open(listener, this.#context, this.#connections),
    )
    const results = await Promise.allSettled(opening)
    this.#open = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) {
      await this.close()
      throw failed.reason
    }
    this.#selector = new ListenerSelector(this.#open)
    const settle = this.#options.certificateSettle ?? 500
    for (const listener of this.#open) {
      if (listener instanceof UdpListener) this.#udp.set(listener.id, listener)
      else listener.watch(settle, (event) => this.#options.certificateChanged?.(event))
    }
  }

  listeners(): ListenerInfo[] {
    return this.#open.map((listener) => ({ ...listener.info }))
  }

  supports(transport: TransportName, family: 4 | 6): boolean {
    return this.#selector.supports(transport, family)
  }

  isOpen(flow: Flow): boolean {
    if (flow.transport === 'udp') return this.#udp.has(flow.id)
    return this.#connections.byFlow(flow)?.open ?? false
  }

  keep(flow: Flow, interval: number | undefined): void {
    if (flow.transport !== 'udp') this.#connections.byFlow(flow)?.keep(interval)
  }

  limitSilence(flow: Flow, ms: number | undefined): void {
    if (flow.transport !== 'udp') this.#connections.byFlow(flow)?.limitSilence(ms)
  }

  reloadCertificates(): CertificateEvent[] {
    return this.#certificates((listener) => listener.reload(true))
  }

  configure({ tls, externalAddress }: ListenerChanges): CertificateEvent[] {
    for (const { info } of this.#open) info.externalAddress = externalAddress
    return this.#certificates((listener) => (tls ? listener.use(tls) : undefined))
  }

  #certificates(
    read: (listener: StreamListener) => CertificateEvent | undefined,
  ): CertificateEvent[] {
    return this.#open.flatMap((listener) => {
      const event = listener instanceof StreamListener ? read(listener) : undefined
      if (!event) return []
      this.#options.certificateChanged?.(event)
      return [event]
    })
  }

  configureTls(peers: readonly TlsPeer[]): void {
    this.#connector.peers.configure(peers)
  }

  reliable(transport: TransportName): boolean {
    return transport !== 'udp'
  }

  localFor(target: Target): ReturnType<Transport['localFor']> {
    const info = this.#selector.pick(target.transport, target.address)?.info
    if (!info) return undefined
    return { host: this.#hostOf(info, target), port: info.port, transport: target.transport }
  }

  #hostOf(info: ListenerInfo, target: Target): string {
    if (info.externalAddress !== undefined) return info.externalAddress
    if (!isWildcard(info.host)) return info.host
    return this.#context.locals.for(target.address, this.#context.clock.monotonic())
  }

  sendRequest(target: Target, bytes: Buffer, prefer: Flow | undefined, done: SendDone): void {
    if (this.#closed) done(new CausewayError('SIP_NO_TRANSPORT', { detail: 'shutting down' }))
    else if (prefer && this.#sendAlong(prefer, target, bytes, done)) return
    else if (target.transport === 'udp') this.#sendDatagram(target, bytes, done)
    else this.#sendStream(target, bytes, done)
  }

  /** Sends on the flow while it is open; false when it is not, or cannot reach the target. */
  #sendAlong(flow: Flow, target: Target, bytes: Buffer, done: SendDone): boolean {
    if (flow.transport !== 'udp') {
      const connection = this.#connections.byFlow(flow)
      connection?.send(bytes, done)
      return connection !== undefined
    }
    const listener = this.#udp.get(flow.id)
    // Without a connection a flow is the socket; who is behind it, the target says if it can.
    const same = target.transport === 'udp'
    const address = same ? target.address : flow.remoteAddress
    if (!listener || listener.info.family !== familyOf(address)) return false
    this.#datagram(listener, address, same ? target.port : flow.remotePort, bytes, done)
    return true
  }

  #sendDatagram(target: Target, bytes: Buffer, done: SendDone): void {
    const listener = this.#selector.pick('udp', target.address)
    if (listener instanceof UdpListener) {
      this.#datagram(listener, target.address, target.port, bytes, done)
    } else {
      done(noTransport(target))
    }
  }

  #datagram(
    listener: UdpListener,
    address: string,
    port: number,
    bytes: Buffer,
    done: SendDone,
  ): void {
    listener.send(bytes, address, port, done)
    done(undefined, listener.flowTo(address, port))
  }

  #sendStream(to: Target, bytes: Buffer, done: SendDone): void {
    const target = this.#connector.peers.known(to)
    const existing = this.#connections.byTarget(target)
    if (existing) {
      existing.send(bytes, done)
      return
    }
    const listener = this.#selector.pick(target.transport, target.address)
    if (!listener) {
      done(noTransport(target))
      return
    }
    const { transport, address } = target
    if (!this.#connections.admit({ transport, remoteAddress: address })) {
      done(new CausewayError('SIP_CONNECTION_LIMIT', { detail: nameTarget(target) }))
      return
    }
    let connection: StreamConnection
    try {
      connection = this.#connector.open(target, listener.info)
    } catch (error) {
      this.#context.log.error({ err: error }, 'SIP connection not possible')
      done(error instanceof Error ? error : new Error(String(error)))
      return
    }
    connection.send(bytes, done)
  }

  sendResponse(
    flow: Flow,
    via: Parameters<Transport['sendResponse']>[1],
    bytes: Buffer,
    failed?: (error: Error) => void,
  ): void {
    if (flow.transport === 'udp') {
      const listener = this.#udp.get(flow.id)
      if (!listener) failed?.(new CausewayError('SIP_NO_TRANSPORT', { detail: 'shutting down' }))
      // RFC 3581 §4: to the source port when rport was asked for, else to the port of sent-by. The
      // address is the true source either way: `received` says so when sent-by names another host.
      else listener.send(bytes, flow.remoteAddress, via.rport || (via.port ?? 5060), failed)
      return
    }
    const connection = this.#connections.byFlow(flow)
    if (connection) connection.send(bytes, failed && ((error) => error && failed(error)))
    else this.#respondAnew(flow, via.host, via.port, bytes, failed)
  }

  /**
   * The connection of the request is gone: RFC 3261 §18.2.2 opens one to where the request came
   * from, at the port of sent-by; RFC 3263 §5 tries the servers of sent-by when that fails.
   */
  #respondAnew(
    flow: Flow,
    host: string,
    port: number | undefined,
    bytes: Buffer,
    failed: ((error: Error) => void) | undefined,
  ): void {
    const source: Target = {
      transport: flow.transport,
      address: flow.remoteAddress,
      port: port ?? (flow.transport === 'tls' ? 5061 : 5060),
      domain: host,
    }
    this.sendRequest(source, bytes, undefined, (error) => {
      if (!error) return
      const resolve = this.#options.resolveSentBy
      if (!resolve || isIP(host)) {
        failed?.(error)
        return
      }
      resolve(host, port, flow.transport).then(
        (targets) => this.#respondTo(targets, 0, bytes, error, failed),
        (reason) => failed?.(reason instanceof Error ? reason : error),
      )
    })
  }

  #respondTo(
    targets: Target[],
    index: number,
    bytes: Buffer,
    last: Error,
    failed: ((error: Error) => void) | undefined,
  ): void {
    const target = targets[index]
    if (!target) {
      failed?.(last)
      return
    }
    this.sendRequest(target, bytes, undefined, (error) => {
      if (error) this.#respondTo(targets, index + 1, bytes, error, failed)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#udp.clear()
    const listeners = this.#open
    this.#open = []
    this.#selector = new ListenerSelector<UdpListener | StreamListener>([])
    const closing = listeners.map((listener) => listener.close())
    await Promise.all([...closing, this.#connections.close()])
  }
}

function noTransport(target: Target): CausewayError {
  return new CausewayError('SIP_NO_TRANSPORT', { detail: nameTarget(target) })
}
