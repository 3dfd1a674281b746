import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Flow } from '../message/index.ts'
import { familyOf } from './address.ts'
import {
  type CertificateFiles,
  CertificateWatcher,
  type LoadedCertificate,
  loadCertificate,
} from './certificate.ts'
import type { Connections } from './connections.ts'
import { LogGate, type TransportContext } from './context.ts'
import { explainTls, listenError } from './failure.ts'
import type { CertificateEvent, ListenerInfo, ListenerOptions } from './options.ts'

/** Quiet TCP connections are probed after this time, so that dead peers are noticed. */
const PROBE_AFTER = 60_000

/** A TCP or TLS socket that accepts connections. */
export class StreamListener {
  readonly id: number
  readonly info: ListenerInfo
  readonly #options: ListenerOptions
  readonly #server: Server
  readonly #context: TransportContext
  readonly #connections: Connections
  readonly #gate = new LogGate()
  readonly #peer: number
  /** The certificate in use, and where it comes from. */
  #certificate: LoadedCertificate | undefined
  #files: CertificateFiles | undefined
  #watch: (() => CertificateWatcher) | undefined
  #watcher: CertificateWatcher | undefined

  /** Binds the socket; rejects with SIP_LISTEN_FAILED or SIP_CERTIFICATE_UNUSABLE. */
  static async open(
    options: ListenerOptions,
    context: TransportContext,
    connections: Connections,
  ): Promise<StreamListener> {
    const certificate = options.transport === 'tls' ? certificateOf(options) : undefined
    const base = { noDelay: true, keepAlive: true, keepAliveInitialDelay: PROBE_AFTER }
    const server = certificate
      ? createTlsServer({
          ...base,
          ...certificate.context,
          // WhatsApp's client certificate has a random name: asking for one breaks calls.
          requestCert: false,
          handshakeTimeout: context.limits.connectTimeout,
        })
      : createServer(base)
    server.maxConnections = context.limits.connections
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(listenError(options, cause)))
      const ipv6Only = familyOf(options.host) === 6
      server.listen({ host: options.host, port: options.port, ipv6Only }, () => resolve())
    })
    server.removeAllListeners('error')
    return new StreamListener(options, server, certificate, context, connections)
  }

  private constructor(
    options: ListenerOptions,
    server: Server,
    certificate: LoadedCertificate | undefined,
    context: TransportContext,
    connections: Connections,
  ) {
    this.id = context.nextId()
    this.#options = options
    this.#server = server
    this.#context = context
    this.#connections = connections
    this.#peer = context.traffic.ofListener(options.peer)
    this.#certificate = certificate
    this.#files = options.transport === 'tls' ? options.tls : undefined
    const address = server.address()
    this.info = {
      transport: options.transport,
      host: options.host,
      port: address !== null && typeof address === 'object' ? address.port : options.port,
      family: familyOf(options.host),
      externalAddress: options.externalAddress,
      certificate: certificate?.info,
    }
    server.on('error', (err) => context.log.error({ err, listener: this.info }, 'SIP listener'))
    server.on('drop', (data) =>
      connections.refused({
        transport: options.transport,
        remoteAddress: data?.remoteAddress ?? '',
      }),
    )
    if (certificate) {
      server.on('connection', (socket: Socket) => {
        connections.track(socket)
        socket.on('error', () => {})
      })
      server.on('secureConnection', (socket: Socket) => this.#accept(socket))
      server.on('tlsClientError', (error: Error, socket: Socket) => this.#refused(error, socket))
    } else {
      server.on('connection', (socket: Socket) => this.#accept(socket))
    }
  }

  #accept(socket: Socket): void {
    const { remoteAddress, remotePort, localAddress, localPort } = socket
    // Undefined when the peer has already gone.
    if (remoteAddress === undefined || remotePort === undefined) {
      socket.destroy()
      return
    }
    const flow: Flow = {
      transport: this.#options.transport,
      id: this.#context.nextId(),
      localAddress: localAddress ?? this.info.host,
      localPort: localPort ?? this.info.port,
      remoteAddress,
      remotePort,
      peer: this.#peer,
      warnAgent: this.#options.warnAgent,
    }
    // A reset and the like; 'close' follows.
    socket.on('error', (err) => this.#context.log.debug({ err, flow }, 'SIP connection error'))
    if (!this.#connections.admit(flow)) {
      socket.destroy()
      return
    }
    this.#context.metrics.connectionsAccepted++
    const connection = this.#connections.add(socket, flow, undefined)
    socket.on('close', () => connection.destroy())
    connection.opened()
  }

  #refused(cause: Error, socket: Socket): void {
    const { metrics, clock, log } = this.#context
    metrics.tlsFailures++
    const suppressed = this.#gate.pass(clock.monotonic())
    if (suppressed === undefined) return
    const detail = `from ${socket.remoteAddress ?? 'a closed connection'}: ${explainTls(cause)}`
    const err = new CausewayError('SIP_TLS_HANDSHAKE_FAILED', { detail, cause })
    log.warn({ err, suppressed }, 'TLS handshake of a SIP connection failed')
  }

  /** Reloads the certificate when its files change; `changed` hears of every attempt. */
  watch(settle: number, changed: (event: CertificateEvent) => void): void {
    this.#watch = () =>
      new CertificateWatcher(this.#files!, this.#context.clock, settle, () => {
        const event = this.reload(false)
        if (event) changed(event)
      })
    if (this.#files) this.#watcher = this.#watch()
  }

  /**
   * Reads the certificate from these files, from now on; open connections go on with the old one.
   * Undefined when the listener has none, or when it is the same as before. Files that cannot be used
   * leave the old ones in place.
   */
  use(files: CertificateFiles): CertificateEvent | undefined {
    const before = this.#files
    if (!before) return undefined
    this.#files = files
    const event = this.reload(false)
    if (event?.kind === 'failed') this.#files = before
    else if (files.cert !== before.cert || files.key !== before.key) {
      this.#watcher?.close()
      this.#watcher = this.#watch?.()
    }
    return event
  }

  /**
   * Reads the certificate again; open connections go on with the old one. Undefined when the
   * listener has none, or when it is the same as before and `always` is false.
   */
  reload(always: boolean): CertificateEvent | undefined {
    const { metrics, log } = this.#context
    if (!this.#files) return undefined
    try {
      const loaded = loadCertificate(this.#files)
      if (!always && this.#certificate && same(loaded, this.#certificate)) return undefined
      ;(this.#server as TlsServer).setSecureContext(loaded.context)
      this.#certificate = loaded
      this.info.certificate = loaded.info
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause))
      metrics.certificateFailures++
      log.error({ err: error }, 'SIP certificate not reloaded; the one in use stays')
      return { kind: 'failed', listener: this.info, error }
    }
    metrics.certificateReloads++
    log.info({ certificate: this.info.certificate }, 'SIP certificate reloaded')
    return { kind: 'reloaded', listener: this.info }
  }

  /** Stops accepting; resolves when all its connections have closed. */
  close(): Promise<void> {
    this.#watcher?.close()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

function certificateOf(options: ListenerOptions): LoadedCertificate {
  if (options.tls) return loadCertificate(options.tls)
  throw new CausewayError('SIP_CERTIFICATE_UNUSABLE', {
    detail: `the listener on ${options.host} port ${options.port} names no certificate`,
  })
}

/** Whether the chain and the key are the same: a renewal may also add a missing intermediate. */
function same(a: LoadedCertificate, b: LoadedCertificate): boolean {
  const [one, other] = [a.context, b.context]
  return String(one.cert) === String(other.cert) && String(one.key) === String(other.key)
}
