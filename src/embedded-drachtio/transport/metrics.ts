/** Counts by transport. */
export interface PerTransport {
  udp: number
  tcp: number
  tls: number
}

/** Counters of the transport layer. All but `connectionsOpen` only grow. */
export interface TransportMetrics {
  messagesReceived: PerTransport
  messagesSent: PerTransport
  bytesReceived: PerTransport
  bytesSent: PerTransport
  parseErrors: PerTransport
  /** Datagrams and sends the operating system refused. */
  sendErrors: PerTransport
  /** CRLF pings and other packets without a message. */
  keepalives: number
  /** Stream connections open now, both directions. */
  connectionsOpen: number
  connectionsAccepted: number
  connectionsOpened: number
  connectionsClosed: number
  /** Connections refused because of the bound. */
  connectionsRefused: number
  /** Outbound connections that could not be made. */
  connectFailures: number
  /** TLS handshakes that failed, both directions. */
  tlsFailures: number
  certificateReloads: number
  certificateFailures: number
}

/** Counters at zero. */
export function createTransportMetrics(): TransportMetrics {
  const zero = (): PerTransport => ({ udp: 0, tcp: 0, tls: 0 })
  return {
    messagesReceived: zero(),
    messagesSent: zero(),
    bytesReceived: zero(),
    bytesSent: zero(),
    parseErrors: zero(),
    sendErrors: zero(),
    keepalives: 0,
    connectionsOpen: 0,
    connectionsAccepted: 0,
    connectionsOpened: 0,
    connectionsClosed: 0,
    connectionsRefused: 0,
    connectFailures: 0,
    tlsFailures: 0,
    certificateReloads: 0,
    certificateFailures: 0,
  }
}
