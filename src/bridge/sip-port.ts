/** SIP headers by name. Incoming names are lower case, except `X-…`, which keep their spelling. */
export type Headers = Record<string, string>

/** What requests and responses from the network have in common. */
export interface IncomingMessage {
  readonly headers: Readonly<Headers>
  /** '' when absent. */
  readonly body: string
  /** `<Call-ID>;from-tag=<tag>`, constant for a dialog; '' outside of one. */
  readonly dialogId: string
  /** Made by the SIP server itself, not by a peer. */
  readonly local: boolean
  /** A header by its name in any case. */
  header(name: string): string | undefined
}

/** A request from the network. */
export interface IncomingRequest extends IncomingMessage {
  readonly method: string
  readonly uri: string
  readonly callId: string
  /** IP literal. */
  readonly sourceAddress: string
  readonly sourcePort: number
  readonly transport: string
  /** `address:port` it arrived on; '' for in-dialog requests. */
  readonly receivedOn: string
  /** Called when the sender cancels this INVITE; the SIP server has answered 200 and 487 itself. */
  onCancel(listener: (cancel: Headers) => void): void
  /** Sends a response. `done` says whether the SIP server took it, and what became of it. */
  respond(response: OutgoingResponse, done?: ResponseSent): void
}

/** What became of a response: refused by the SIP server, or the dialog it made and our tag in it. */
export type ResponseSent = (error?: Error, dialogId?: string, toTag?: string) => void

/** A response to be sent. */
export interface OutgoingResponse {
  status: number
  reason?: string
  headers?: Headers
  /** Headers with several lines of one name. */
  lines?: Record<string, readonly string[]>
  body?: string
}

/** A request to be sent. */
export interface OutgoingRequest {
  method: string
  /** Request-URI; in a dialog the SIP server fills in the remote target. */
  uri: string
  headers: Headers
  body?: string
  /** Sends within this dialog. */
  dialogId?: string
  /** URI of the next hop of a new request, where it is not the Request-URI. */
  proxy?: string
}

/** A response from the network to a request of ours; never `100`. */
export interface IncomingResponse extends IncomingMessage {
  readonly status: number
  readonly reason: string
  /** IP literal; '' when `local`. */
  readonly sourceAddress: string
  /**
   * Acknowledges a 2xx to INVITE by ACK, a reliable provisional response (RFC 3262) by PRACK.
   * Failures are acknowledged by the SIP server.
   */
  ack(): void
}

/** A request on its way. */
export interface SentRequest {
  /** Cancels an INVITE; held by the SIP server until a provisional response has come. */
  cancel(headers: Headers): void
}

/** What happens to a request of ours. Exactly one of a final response and `onError` comes. */
export interface ResponseHandler {
  onSent?(request: SentRequest): void
  onResponse(response: IncomingResponse): void
  /** It could not be sent, or the connection to the SIP server is gone. */
  onError(error: Error): void
}

/** What the port tells the bridge. */
export interface SipPortEvents {
  onRequest(request: IncomingRequest): void
  /** The SIP server is there; its listening addresses as `proto/addr:port`. */
  onConnected(endpoints: string[]): void
  /** The SIP server is gone or refuses us; it is connected to again without being asked. */
  onDisconnected(detail: string): void
  /** A handler threw: a fault of this program, already contained. */
  onFault(error: unknown): void
}

/**
 * The narrow door to drachtio-srf: all the bridge asks of it, and nothing that a real
 * drachtio-server does not offer as well. `drachtio.ts` is the one real adapter.
 */
export interface SipPort {
  readonly connected: boolean
  start(events: SipPortEvents): void
  request(request: OutgoingRequest, handler: ResponseHandler): void
  stop(): void
}
