import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Flow } from '../message/index.ts'
import { familyOf, isWildcard } from './address.ts'
import { LogGate, type TransportContext } from './context.ts'
import { listenError } from './failure.ts'
import type { ListenerInfo, ListenerOptions } from './options.ts'
import { receive } from './receive.ts'

/** Kernel buffers that ride out bursts and pauses; the kernel cuts them to what it allows. */
const SOCKET_BUFFER = 4 * 1024 * 1024

/** A UDP socket that receives and sends SIP. */
export class UdpListener {
  readonly id: number
  readonly info: ListenerInfo
  readonly #socket: Socket
  readonly #context: TransportContext
  readonly #wildcard: boolean
  readonly #peer: number
  readonly #warnAgent: string | undefined
  readonly #gate = new LogGate()
  #closed = false

  /** Binds the socket; rejects with SIP_LISTEN_FAILED. */
  static async open(options: ListenerOptions, context: TransportContext): Promise<UdpListener> {
    const family = familyOf(options.host)
    const socket = createSocket({
      type: family === 4 ? 'udp4' : 'udp6',
      ipv6Only: family === 6,
      // Addresses are literals here, so the answer needs no turn of the event loop.
      lookup: (host, _options, callback) => callback(null, host, family),
    })
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (cause) => {
        socket.close()
        reject(listenError(options, cause))
      })
      socket.bind({ address: options.host, port: options.port }, () => resolve())
    })
    socket.removeAllListeners('error')
    return new UdpListener(options, family, socket, context)
  }

  private constructor(
    options: ListenerOptions,
    family: 4 | 6,
    socket: Socket,
    context: TransportContext,
  ) {
    this.id = context.nextId()
    this.#socket = socket
    this.#context = context
    this.#wildcard = isWildcard(options.host)
    this.#peer = context.traffic.ofListener(options.peer)
    this.#warnAgent = options.warnAgent
    this.info = {
      transport: 'udp',
      host: options.host,
      port: socket.address().port,
      family,
      externalAddress: options.externalAddress,
      certificate: undefined,
    }
    enlargeBuffers(socket)
    socket.on('message', (bytes, remote) => this.#received(bytes, remote))
    // ICMP errors and the like concern one datagram, never the socket.
    socket.on('error', (err) => this.#failed(err, 'UDP socket error'))
  }

  #received(bytes: Buffer, remote: RemoteInfo): void {
    const { metrics } = this.#context
    metrics.bytesReceived.udp += bytes.length
    if (isKeepalive(bytes)) {
      metrics.keepalives++
      return
    }
    receive(bytes, this.flowTo(remote.address, remote.port), this.#context)
  }

  /** The flow between this socket and a remote address. */
  flowTo(remoteAddress: string, remotePort: number): Flow {
    return {
      transport: 'udp',
      id: this.id,
      localAddress: this.#wildcard
        ? this.#context.locals.for(remoteAddress, this.#context.clock.monotonic())
        : this.info.host,
      localPort: this.info.port,
      remoteAddress,
      remotePort,
      peer: this.#peer,
      warnAgent: this.#warnAgent,
    }
  }

  /**
   * Sends one datagram to an address of the socket's family. `failed` hears, after the call has
   * returned, that the system refused it.
   */
  send(bytes: Buffer, address: string, port: number, failed?: (error: Error) => void): void {
    const { metrics } = this.#context
    metrics.messagesSent.udp++
    this.#context.traffic.sent(bytes, this.#peer)
    metrics.bytesSent.udp += bytes.length
    this.#context.tap?.see('out', bytes, this.flowTo(address, port))
    try {
      if (!failed) this.#socket.send(bytes, port, address)
      else {
        this.#socket.send(bytes, port, address, (cause) => {
          if (cause) failed(this.#sendError(cause, address, port))
        })
      }
    } catch (cause) {
      // A port of 0 or a closed socket.
      const error = this.#sendError(cause, address, port)
      if (failed) queueMicrotask(() => failed(error))
    }
  }

  #sendError(cause: unknown, address: string, port: number): CausewayError {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const error = new CausewayError('SIP_SEND_FAILED', {
      detail: `udp ${address} port ${port}: ${reason}`,
      cause,
    })
    this.#failed(error, 'UDP send failed')
    return error
  }

  #failed(err: Error, text: string): void {
    this.#context.metrics.sendErrors.udp++
    const suppressed = this.#gate.pass(this.#context.clock.monotonic())
    if (suppressed !== undefined) this.#context.log.warn({ err, suppressed }, text)
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#closed = true
    return new Promise((resolve) => this.#socket.close(() => resolve()))
  }
}

function enlargeBuffers(socket: Socket): void {
  try {
    socket.setRecvBufferSize(SOCKET_BUFFER)
    socket.setSendBufferSize(SOCKET_BUFFER)
  } catch {
    // Some systems refuse instead of cutting down; their default then has to do.
  }
}

/** CRLF or NUL alone, or a STUN packet (RFC 5626 §4.4.2), whose first byte is 0 or 1. */
function isKeepalive(bytes: Buffer): boolean {
  const first = bytes[0]
  if (first === undefined || first < 2) return true
  if (first !== 13 && first !== 10) return false
  return bytes.every((byte) => byte === 13 || byte === 10)
}
