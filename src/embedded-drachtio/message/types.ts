/**
 * The SIP message as the server handles it. Built for speed: the header list keeps the wire order
 * and raw values, and the five headers every layer asks for are parsed once, at the door.
 */

/** One header line: canonical or as-received name, lower-case key, unfolded raw value. */
export interface HeaderLine {
  /** Canonical name, lower case, compact form expanded: `via`, `call-id`. */
  readonly key: string
  /** Name as it goes on the wire: `Via`, `X-Custom`. */
  readonly name: string
  /** Value without surrounding white space, folding removed (RFC 3261 §7.3.1). */
  value: string
}

/** Top-most Via, parsed (RFC 3261 §20.42, RFC 3581). */
export interface Via {
  /** `UDP`, `TCP`, `TLS`, upper case. */
  transport: string
  /** Host without IPv6 brackets. */
  host: string
  port: number | undefined
  branch: string
  /** `rport` parameter: undefined absent, 0 present without a value. */
  rport: number | undefined
  received: string | undefined
}

export interface SipUri {
  scheme: 'sip' | 'sips'
  user: string | undefined
  password: string | undefined
  /** Lower case, IPv6 without brackets. */
  host: string
  port: number | undefined
  /** Parameter names lower case; a valueless one maps to ''. */
  params: Record<string, string>
  /** The part after `?`, raw. */
  headers: string | undefined
}

/** An addr-spec or name-addr with its header parameters (From, To, Contact, Route…). */
export interface NameAddr {
  /** Display name, unquoted; '' when absent. */
  display: string
  /** The URI as written. */
  uri: string
  /** Header parameters, names lower case. */
  params: Record<string, string>
}

interface MessageBase {
  headers: HeaderLine[]
  /** Exact bytes after the blank line, bounded by Content-Length. Undefined when empty. */
  body: Buffer | undefined
  callId: string
  cseq: number
  /** Method of the CSeq header; the request's own method in a request. */
  method: string
  fromTag: string
  /** '' when To has no tag. */
  toTag: string
  via: Via
}

export interface SipRequest extends MessageBase {
  kind: 'request'
  uri: string
}

export interface SipResponse extends MessageBase {
  kind: 'response'
  status: number
  reason: string
}

export type SipMessage = SipRequest | SipResponse

/** Where a message came from or goes to. */
export interface Flow {
  transport: 'udp' | 'tcp' | 'tls'
  /** Identifier of the listener (UDP) or connection (streams); stable while it is open. */
  id: number
  localAddress: string
  localPort: number
  remoteAddress: string
  remotePort: number
  /** Number of the peer it belongs to, for the counters. */
  peer?: number
  /** Who tells the peer why an INVITE is refused, a host or pseudonym; undefined: nobody does. */
  warnAgent?: string | undefined
}

/** Bounds of what a peer may send; beyond them a request is answered 400, 413 or 513. */
export interface MessageLimits {
  /** Whole message in bytes. Default 65536. */
  messageBytes: number
  /** One header line in bytes. Default 16384. */
  headerBytes: number
  /** Header lines in one message. Default 256. */
  headerCount: number
}
