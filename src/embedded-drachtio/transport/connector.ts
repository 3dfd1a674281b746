import { connect, type Socket } from 'node:net'
import { connect as connectTls, type SecureContext } from 'node:tls'
import type { Flow } from '../message/index.ts'
import { familyOf, isLoopback, isWildcard } from './address.ts'
import type { Connections } from './connections.ts'
import type { TransportContext } from './context.ts'
import { connectionError } from './failure.ts'
import type { ListenerInfo, TlsClientOptions } from './options.ts'
import type { StreamConnection } from './stream-connection.ts'
import { clientContext, clientTlsOptions, peerContext } from './tls-client.ts'
import { TlsPeers } from './tls-peers.ts'
import type { Target } from './types.ts'

const PROBE_AFTER = 60_000

/** Makes outbound TCP and TLS connections. */
export class Connector {
  readonly #context: TransportContext
  readonly #connections: Connections
  /** Peers with TLS settings of their own. */
  readonly peers: TlsPeers
  readonly #tls: TlsClientOptions
  #secureContext: SecureContext | undefined

  constructor(context: TransportContext, connections: Connections, tls: TlsClientOptions = {}) {
    this.#context = context
    this.#connections = connections
    this.#tls = tls
    this.peers = new TlsPeers(peerContext(tls), context.log)
  }

  /**
   * Starts a connection; messages may be sent to it at once and wait until it is up. `listener` is
   * the one whose address requests to the target name.
   *
   * @throws SIP_CERTIFICATE_UNUSABLE when the peer's own TLS files cannot be used
   */
  open(target: Target, listener: ListenerInfo): StreamConnection {
    const { metrics, log } = this.#context
    const localAddress = sourceAddress(target, listener)
    const socket = this.#socket(target, localAddress)
    const flow: Flow = {
      transport: target.transport,
      id: this.#context.nextId(),
      localAddress: localAddress ?? listener.host,
      localPort: 0,
      remoteAddress: target.address,
      remotePort: target.port,
      peer: this.#context.traffic.ofDomain(target.domain),
    }
    const connection = this.#connections.add(socket, flow, target)
    let handshaking = false
    socket.once('connect', () => {
      if (target.transport === 'tls') handshaking = true
    })
    socket.once(target.transport === 'tls' ? 'secureConnect' : 'connect', () => {
      metrics.connectionsOpened++
      connection.opened()
    })
    socket.on('error', (cause) => {
      const wasOpen = connection.open
      const err = connectionError(target, cause, handshaking)
      if (!wasOpen && !connection.closed) {
        metrics.connectFailures++
        if (handshaking) metrics.tlsFailures++
      }
      log.warn({ err }, wasOpen ? 'SIP connection broke' : 'SIP connection failed')
      connection.destroy(err)
    })
    socket.on('close', () => connection.destroy())
    return connection
  }

  #socket(target: Target, localAddress: string | undefined): Socket {
    const options = {
      host: target.address,
      port: target.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: PROBE_AFTER,
      ...(localAddress === undefined ? {} : { localAddress }),
    }
    if (target.transport === 'tcp') return connect(options)
    const own = this.peers.contextFor(target)
    if (own) return connectTls({ ...options, ...clientTlsOptions(own.context, own.name) })
    this.#secureContext ??= clientContext(this.#tls)
    return connectTls({ ...options, ...clientTlsOptions(this.#secureContext, target.domain) })
  }
}

/** The address to bind: the listener's own, unless it is a wildcard or cannot reach the target. */
function sourceAddress(target: Target, listener: ListenerInfo): string | undefined {
  if (isWildcard(listener.host) || listener.family !== familyOf(target.address)) return undefined
  return isLoopback(listener.host) === isLoopback(target.address) ? listener.host : undefined
}
