import type { Socket } from 'node:net'
import type { Timer } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Flow } from '../message/index.ts'
import { LogGate, type TransportContext } from './context.ts'
import { CHECK_INTERVAL, StreamConnection } from './stream-connection.ts'
import type { Target } from './types.ts'

/**
 * All stream connections, found by identifier and by target. An outbound connection serves later
 * requests to the same target; TLS only for the domain it was verified for. An inbound TCP
 * connection serves requests to the address and port it came from; an inbound TLS connection has
 * proved nothing about its peer and is used by identifier alone.
 */
export class Connections {
  readonly #context: TransportContext
  readonly #byId = new Map<number, StreamConnection>()
  readonly #byKey = new Map<string, StreamConnection>()
  /** Sockets not yet closed, those of ended connections and of unfinished handshakes included. */
  readonly #sockets = new Set<Socket>()
  readonly #gate = new LogGate()
  #timer: Timer | undefined

  constructor(context: TransportContext) {
    this.#context = context
  }

  /** Whether one more connection is within the bound; counts and logs the refusal when not. */
  admit(flow: Pick<Flow, 'transport' | 'remoteAddress'>): boolean {
    if (this.#byId.size < this.#context.limits.connections) return true
    this.refused(flow)
    return false
  }

  /** Counts and logs a refused connection. */
  refused(flow: Partial<Flow>): void {
    this.#context.metrics.connectionsRefused++
    const suppressed = this.#gate.pass(this.#context.clock.monotonic())
    if (suppressed === undefined) return
    const err = new CausewayError('SIP_CONNECTION_LIMIT', {
      detail: `${this.#context.limits.connections} open`,
    })
    this.#context.log.warn({ err, flow, suppressed }, 'SIP connection refused')
  }

  /** Remembers a socket until it has closed, so that {@link Connections.close} ends it. */
  track(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  /** Enters a connection; `target` is undefined for an inbound one. */
  add(socket: Socket, flow: Flow, target: Target | undefined): StreamConnection {
    const { metrics, events } = this.#context
    const key = target ? keyOf(target) : inboundKey(flow)
    const connection = new StreamConnection(
      socket,
      flow,
      target,
      this.#context,
      (ended, wasOpen) => {
        this.#byId.delete(flow.id)
        if (key !== undefined && this.#byKey.get(key) === ended) this.#byKey.delete(key)
        metrics.connectionsOpen--
        metrics.connectionsClosed++
        if (wasOpen) events.closed(flow, ended.why)
      },
    )
    this.#byId.set(flow.id, connection)
    if (key !== undefined) this.#byKey.set(key, connection)
    metrics.connectionsOpen++
    this.track(socket)
    this.#timer ??= this.#context.clock.setTimeout(() => this.#check(), CHECK_INTERVAL)
    return connection
  }

  byFlow(flow: Flow): StreamConnection | undefined {
    return this.#byId.get(flow.id)
  }

  byTarget(target: Target): StreamConnection | undefined {
    return this.#byKey.get(keyOf(target))
  }

  #check(): void {
    const now = this.#context.clock.monotonic()
    for (const connection of this.#byId.values()) connection.check(now)
    this.#timer =
      this.#byId.size > 0
        ? this.#context.clock.setTimeout(() => this.#check(), CHECK_INTERVAL)
        : undefined
  }

  /** Closes every connection, flushing what is queued; resolves when all sockets have closed. */
  async close(): Promise<void> {
    this.#timer?.clear()
    this.#timer = undefined
    for (const connection of [...this.#byId.values()]) {
      if (connection.open) connection.finish()
      else connection.destroy()
    }
    const closing = [...this.#sockets].map(
      (socket) =>
        new Promise<void>((resolve) => {
          if (socket.closed) resolve()
          else socket.once('close', () => resolve())
        }),
    )
    for (const socket of this.#sockets) if (!socket.writableEnded) socket.destroy()
    await Promise.all(closing)
  }
}

function keyOf(target: Target): string {
  const key = `${target.transport}|${target.address}|${target.port}`
  return target.transport === 'tls' ? `${key}|${target.domain}` : key
}

function inboundKey(flow: Flow): string | undefined {
  return flow.transport === 'tcp' ? `tcp|${flow.remoteAddress}|${flow.remotePort}` : undefined
}
