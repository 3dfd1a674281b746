import type { SipParseError } from '../message/parse-error.ts'
import type { Flow, SipMessage } from '../message/types.ts'

/** A resolved next hop (RFC 3263). */
export interface Target {
  transport: 'udp' | 'tcp' | 'tls'
  address: string
  port: number
  /** Domain name TLS must verify (RFC 5922) and SNI carries; the address when it was a literal. */
  domain: string
}

/** Why a stream ended: no pong to our ping, silence past its limit, or anything else. */
export type FlowEnd = 'unanswered' | 'silent' | 'closed'

/** What the transport layer tells the layer above. */
export interface TransportEvents {
  /**
   * A well-formed message. For requests `received` and `rport` are already in its top Via
   * (RFC 3261 §18.2.1, RFC 3581 §4).
   */
  message(message: SipMessage, flow: Flow): void
  /**
   * A message that does not parse. `error.message` holds enough headers to answer with
   * `error.status` when it was a request and Via, From, To, Call-ID and CSeq could be read.
   */
  malformed(error: SipParseError, flow: Flow): void
  /** A stream ended; transactions and dialogs that used it may open another. */
  closed(flow: Flow, why: FlowEnd): void
}

/** Sending, as the transaction layer sees it. */
export interface Transport {
  /** True when nothing is lost or reordered below: no retransmission timers (RFC 3261 §17). */
  reliable(transport: Target['transport']): boolean
  /**
   * Host and port for Via and Contact of messages to a target: the external address when one is
   * configured, else the address of the listener or connection that will be used. For UDP and
   * streams alike it is the listener's port, so that the peer can open a connection to us.
   */
  localFor(
    target: Target,
  ): { host: string; port: number; transport: Target['transport'] } | undefined
  /**
   * Sends a request: over an open connection to the target or a new one. `prefer` is a flow to use
   * while it is open (in-dialog requests on the connection the INVITE came on). A callback and not
   * a promise, because this is the hot path: `done(undefined, flow)` once handed to the system (for
   * UDP before the call returns), `done(error)` with a coded error when no connection can be made.
   * For UDP `done(error)` may follow later, when the system refused the datagram after all.
   * An open stream `prefer` carries the request whatever the target's transport. A UDP `prefer`
   * chooses the listener; the destination is a UDP target's own, else the flow's remote address.
   */
  sendRequest(
    target: Target,
    bytes: Buffer,
    prefer: Flow | undefined,
    done: (error: Error | undefined, flow?: Flow) => void,
  ): void
  /**
   * Sends a response where its request came from: the same connection while it is open, else per
   * RFC 3261 §18.2.2 and RFC 3581 §4. Never throws; a response that cannot be sent calls `failed`.
   */
  sendResponse(
    flow: Flow,
    via: {
      host: string
      port: number | undefined
      received: string | undefined
      rport: number | undefined
    },
    bytes: Buffer,
    failed?: (error: Error) => void,
  ): void
  close(): Promise<void>
}
