import type { AddressInfo } from 'node:net'
import type { SecureContext, Server } from 'node:tls'
import {
  headerLine,
  makeAckForFailure,
  makeCancel,
  makeResponse,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../embedded-drachtio/message/index.ts'
import type { Clock, Timer } from '../../shared/clock.ts'
import type { Logger } from '../../shared/log.ts'
import {
  type DialTarget,
  dialTls,
  listenTls,
  SipConnection,
  type TlsIdentity,
} from './connection.ts'

/** 64·T1 (RFC 3261 §17): how long a transaction is kept, and a request waits for its answer. */
const LIFETIME = 32_000

/** A request from the business and our answers to it. */
export interface ServerTransaction {
  readonly request: SipRequest
  readonly connection: SipConnection
  /** Whether a final response was given. */
  readonly final: boolean
  /** Of the last response; 0 before the first. */
  readonly status: number
  /** Sends; nothing after a final response, except 2xx to INVITE, which may be repeated. */
  respond(response: SipResponse): void
}

/** A request of ours. */
export interface ClientTransaction {
  readonly request: SipRequest
  readonly connection: SipConnection
  /** Whether a final response came. */
  readonly final: boolean
  /** Cancels an INVITE on its own connection (RFC 3261 §9.1). */
  cancel(reason: string | undefined): void
}

/** Callbacks of a request of ours. */
export interface ClientUser {
  /** Every response, repeated 2xx included. A failure of an INVITE has been acknowledged. */
  response(response: SipResponse): void
  /** No final response came: time ran out or the connection was lost. Called once. */
  failed(reason: string): void
}

/** What the endpoint hands up. */
export interface EndpointUser {
  /** A new request, never ACK or CANCEL. */
  request(transaction: ServerTransaction): void
  /** An ACK for a 2xx. */
  ack(request: SipRequest): void
  /** A CANCEL of a pending INVITE; its 200 has been sent. */
  cancelled(invite: ServerTransaction): void
  /** Everything that goes over the wire, for the ladder. */
  trace(direction: 'sent' | 'received', message: SipMessage): void
}

/** A shared connection; `connection` is undefined while it is dialled. */
interface Shared {
  ready: Promise<SipConnection>
  connection: SipConnection | undefined
}

interface Pending {
  transaction: ClientTransaction & { final: boolean }
  user: ClientUser
  timer: Timer
}

/**
 * WhatsApp's SIP side over TLS: its own transactions, small because nothing is lost or repeated on
 * a stream, so that it shares no behaviour with the server it tests.
 */
export class SipEndpoint {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #context: SecureContext
  readonly #user: EndpointUser
  readonly #connections = new Set<SipConnection>()
  readonly #server = new Map<string, ServerTransaction>()
  readonly #client = new Map<string, Pending>()
  readonly #shared = new Map<string, Shared>()
  #listener: Server | undefined

  constructor(options: {
    clock: Clock
    log: Logger
    context: SecureContext
    user: EndpointUser
  }) {
    this.#clock = options.clock
    this.#log = options.log
    this.#context = options.context
    this.#user = options.user
  }

  /** Starts the listener; resolves with its address. */
  async listen(options: {
    identity: TlsIdentity
    host: string
    port: number
  }): Promise<{ host: string; port: number }> {
    this.#listener = await listenTls({
      ...options,
      connected: (socket) => void this.#adopt(new SipConnection(socket, this.#events)),
    })
    const { address, port } = this.#listener.address() as AddressInfo
    return { host: address, port }
  }

  /** A new verified connection. Rejects with the reason. */
  async dial(target: DialTarget): Promise<SipConnection> {
    const socket = await dialTls(target, { context: this.#context, clock: this.#clock })
    return this.#adopt(new SipConnection(socket, this.#events))
  }

  /** The one connection to a target that calls share, dialled when there is none. */
  share(target: DialTarget): Promise<SipConnection> {
    const key = `${target.hostname} ${target.host}:${target.port}`
    const shared = this.#shared.get(key)
    if (shared && !shared.connection?.closed) return shared.ready
    const entry: Shared = { ready: this.dial(target), connection: undefined }
    this.#shared.set(key, entry)
    entry.ready.then(
      (connection) => {
        entry.connection = connection
      },
      () => this.#shared.delete(key),
    )
    return entry.ready
  }

  /** Sends a request and waits for its responses. */
  send(connection: SipConnection, request: SipRequest, user: ClientUser): ClientTransaction {
    const key = clientKey(request)
    const transaction = {
      request,
      connection,
      final: false,
      cancel: (reason: string | undefined) => {
        if (transaction.final) return
        const cancel = makeCancel(request, reason ? [headerLine('Reason', reason)] : [])
        this.transmit(connection, cancel)
      },
    }
    const timer =
      request.method === 'INVITE'
        ? { clear: () => {} }
        : this.#clock.setTimeout(() => this.#fail(key, 'no answer in 32 s'), LIFETIME)
    this.#client.set(key, { transaction, user, timer })
    if (!this.transmit(connection, request)) {
      queueMicrotask(() => this.#fail(key, 'connection lost'))
    }
    return transaction
  }

  /** Sends without a transaction: the ACK for a 2xx. */
  transmit(connection: SipConnection, message: SipMessage): boolean {
    this.#user.trace('sent', message)
    return connection.send(message)
  }

  async close(): Promise<void> {
    for (const { timer } of this.#client.values()) timer.clear()
    this.#client.clear()
    for (const connection of this.#connections) connection.close()
    const listener = this.#listener
    if (!listener) return
    await new Promise<void>((resolve) => {
      listener.close(() => resolve())
    })
  }

  readonly #events = {
    message: (message: SipMessage, connection: SipConnection): void => {
      this.#user.trace('received', message)
      if (message.kind === 'response') this.#response(message)
      else this.#request(message, connection)
    },
    malformed: (error: Error): void => {
      this.#log.warn({ err: error }, 'unreadable SIP from the business')
    },
    closed: (connection: SipConnection): void => {
      this.#connections.delete(connection)
      for (const [key, { transaction }] of this.#client) {
        if (transaction.connection === connection) this.#fail(key, 'connection lost')
      }
    },
  }

  #adopt(connection: SipConnection): SipConnection {
    this.#connections.add(connection)
    return connection
  }

  #request(request: SipRequest, connection: SipConnection): void {
    const { branch } = request.via
    if (request.method === 'ACK') {
      // The ACK for a failure belongs to the INVITE's transaction and ends there.
      const invite = this.#server.get(`${branch} INVITE`)
      if (!invite || isSuccess(invite)) this.#user.ack(request)
      return
    }
    if (request.method === 'CANCEL') {
      this.#cancel(request, connection)
      return
    }
    const key = `${branch} ${request.method}`
    if (this.#server.has(key)) return
    const transaction = this.#serve(request, connection)
    this.#server.set(key, transaction)
    this.#clock.setTimeout(() => this.#forget(key), LIFETIME)
    this.#user.request(transaction)
  }

  #forget(key: string): void {
    const transaction = this.#server.get(key)
    if (!transaction) return
    // An INVITE may ring longer than any other transaction lives.
    if (!transaction.final) this.#clock.setTimeout(() => this.#forget(key), LIFETIME)
    else this.#server.delete(key)
  }

  #serve(request: SipRequest, connection: SipConnection): ServerTransaction {
    const transaction = {
      request,
      connection,
      final: false,
      status: 0,
      respond: (response: SipResponse) => {
        const repeated = transaction.final && isSuccess(transaction) && response.status < 300
        if (transaction.final && !(repeated && response.status >= 200)) return
        transaction.final = response.status >= 200
        transaction.status = response.status
        this.transmit(connection, response)
      },
    }
    return transaction
  }

  #cancel(request: SipRequest, connection: SipConnection): void {
    const invite = this.#server.get(`${request.via.branch} INVITE`)
    this.transmit(connection, makeResponse(request, invite ? 200 : 481))
    if (invite && !invite.final) this.#user.cancelled(invite)
  }

  #response(response: SipResponse): void {
    const key = `${response.via.branch} ${response.method}`
    const pending = this.#client.get(key)
    if (!pending) {
      if (response.method !== 'CANCEL') {
        this.#log.debug({ status: response.status }, 'response without a request')
      }
      return
    }
    const { transaction, user } = pending
    const first = !transaction.final
    if (response.status >= 200 && first) {
      transaction.final = true
      pending.timer.clear()
      // Kept for repeated responses: a 2xx until its ACK arrives, a failure until its own does.
      pending.timer = this.#clock.setTimeout(() => this.#client.delete(key), LIFETIME)
    }
    if (response.method === 'INVITE' && response.status >= 300) {
      this.transmit(transaction.connection, makeAckForFailure(transaction.request, response))
      if (!first) return
    }
    user.response(response)
  }

  #fail(key: string, reason: string): void {
    const pending = this.#client.get(key)
    if (!pending || pending.transaction.final) return
    pending.timer.clear()
    this.#client.delete(key)
    pending.transaction.final = true
    pending.user.failed(reason)
  }
}

function clientKey(request: SipRequest): string {
  return `${request.via.branch} ${request.method}`
}

function isSuccess(transaction: ServerTransaction): boolean {
  return transaction.status >= 200 && transaction.status < 300
}
