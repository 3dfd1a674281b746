import type { Flow, HeaderLine, SipRequest, SipResponse } from '../message/types.ts'
import type { Target } from '../transport/types.ts'

/** States of RFC 3261 §17 with the Accepted state of RFC 6026. */
export type TransactionState =
  | 'trying'
  | 'proceeding'
  | 'completed'
  | 'confirmed'
  | 'accepted'
  | 'terminated'

/** An incoming request and the responses we give it (RFC 3261 §17.2, RFC 6026 §7.1). */
export interface ServerTransaction {
  /** UUID; the `txn` of the drachtio protocol. */
  readonly id: string
  readonly request: SipRequest
  /** Where the request came from and responses go. */
  readonly flow: Flow
  readonly state: TransactionState
  /**
   * Sends a provisional or final response and keeps it for retransmission. A 2xx to INVITE is
   * resent from T1 doubling to T2 until {@link ServerTransaction.acknowledged} on unreliable
   * transports (RFC 3261 §13.3.1.4); without an ACK for 64·T1 the user hears `ackTimeout`.
   * Returns false, and sends nothing, when a final response was already given.
   */
  respond(response: SipResponse, failed?: (error: Error) => void): boolean
  /** The user matched an ACK to the 2xx (any branch): stop resending. */
  acknowledged(): void
  /** Replaces the response that is resent by timer: a reliable 1xx until PRACK (RFC 3262 §3). */
  respondReliably(response: SipResponse, expired: () => void): boolean
  /** The PRACK for the last reliable 1xx came. */
  pracked(): void
}

/** A request of ours and the responses to it (RFC 3261 §17.1, RFC 6026 §7.2). */
export interface ClientTransaction {
  /** UUID; the `txn` of the drachtio protocol. */
  readonly id: string
  readonly request: SipRequest
  readonly state: TransactionState
  /** The flow in use, once the request was handed to it. */
  readonly flow: Flow | undefined
  /** The last transport error, if any: the reason behind a 503 made locally. */
  readonly error?: Error | undefined
  /**
   * Cancels an INVITE (RFC 3261 §9.1): at once after a provisional response, else held until one
   * comes. `headers` are added to the CANCEL (Reason). Idempotent; ignored after a final response.
   * 64·T1 after the CANCEL without a final response the user gets 487 made locally.
   */
  cancel(headers?: HeaderLine[]): void
}

/** What a client transaction tells its user. */
export interface ClientUser {
  /**
   * Every provisional but 100, the final response once, and further 2xx to an INVITE while the
   * transaction is Accepted: retransmissions and forks alike, told apart by their To tag.
   */
  response(response: SipResponse, flow: Flow, transaction: ClientTransaction): void
  /**
   * No usable response: `status` is 408 (timer B or F), 503 (transport) as RFC 3261 §8.1.3.1 has
   * it. Called once, instead of a final response, after every target has failed.
   */
  failure(status: 408 | 503 | 487, reason: string, transaction: ClientTransaction): void
  /**
   * A 2xx to an INVITE from a target that was given up for another one: to be acknowledged and, where it
   * made a dialog, hung up.
   */
  late?(response: SipResponse, flow: Flow, transaction: ClientTransaction): void
  /** The transaction left the table. */
  ended?(transaction: ClientTransaction): void
}

/** What the layer tells the transaction user (the dialog layer). */
export interface TransactionUser {
  /** A new request that matches no transaction; never ACK or CANCEL. INVITE got its 100 already. */
  request(transaction: ServerTransaction): void
  /** An ACK that is not for a non-2xx final: for a 2xx, matched to its dialog by the user. */
  ack(request: SipRequest, flow: Flow): void
  /**
   * A CANCEL matched a pending INVITE; the layer has answered the CANCEL with 200. The user
   * answers the INVITE with 487 (RFC 3261 §9.2). A CANCEL that matches nothing got 481, one that
   * came after a final response got 200 and changes nothing.
   */
  cancelled(invite: ServerTransaction, cancel: SipRequest): void
  /** No ACK came for the 2xx within 64·T1. */
  ackTimeout(invite: ServerTransaction): void
  /** A response that matches no client transaction; a late 2xx to INVITE needs ACK and BYE. */
  strayResponse(response: SipResponse, flow: Flow): void
  /** A server transaction left the table. */
  ended?(transaction: ServerTransaction): void
}

/** How to send a request. */
export interface SendOptions {
  /** Flow to use while it is open; else `targets` in turn. */
  prefer?: Flow | undefined
  /** Fixed transaction id; a new UUID otherwise. */
  id?: string
}

/** The transaction layer, as the dialog layer uses it. */
export interface TransactionLayer {
  /**
   * Starts a client transaction. `request` has no Via yet: the layer prepends one for each target
   * it tries (a new branch each, RFC 3263 §4.3: next target on timeout, transport error or 503).
   */
  send(
    request: SipRequest,
    targets: Target[],
    user: ClientUser,
    options?: SendOptions,
  ): ClientTransaction
  /**
   * Sends an ACK for a 2xx: no transaction, its own branch (RFC 3261 §13.2.2.4). Calls `sent` with
   * the bytes' message as sent, or an error.
   */
  sendAck(
    request: SipRequest,
    targets: Target[],
    prefer: Flow | undefined,
    sent: (error: Error | undefined) => void,
  ): void
  /** A pending or completed server transaction by id. */
  server(id: string): ServerTransaction | undefined
  client(id: string): ClientTransaction | undefined
  /** Numbers for metrics; all zero after traffic has ended. */
  sizes(): { server: number; client: number; timers: number }
  close(): void
}
