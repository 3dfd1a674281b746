/** Where a datagram came from. The same object for as long as it is the same source. */
export interface Source {
  /** As the socket's family has it: IPv4 in its mapped form on an IPv6 socket. */
  readonly address: string
  readonly port: number
}

/** A bound UDP port. */
export interface UdpSocket {
  readonly port: number
  /**
   * Takes what arrives: a datagram lies in the first `length` octets of `packet`, which is valid until
   * the call returns. One longer than `packet` has its true length and is cut off.
   */
  onPacket: (packet: Buffer, length: number, source: Source) => void
  /**
   * Sends the first `length` octets of `slot` to an IP literal of the socket's family; lost, as any
   * datagram may be, when the system does not take it at once or the port is 0.
   */
  send(slot: Buffer, length: number, port: number, address: string): void
  /** Resolves when the port is free again. Idempotent. */
  close(): Promise<void>
}

/** How a thread opens UDP sockets and reads them. */
export interface UdpStack {
  readonly name: 'native' | 'node'
  /** Binds a port, not 0, of an IP literal. Rejects with the system's error, `code` `EADDRINUSE` and the like. */
  bind(address: string, port: number): Promise<UdpSocket>
  /** Calls once the sockets that have something now were read. */
  afterSockets(then: () => void): void
  /**
   * For so many milliseconds something else than datagrams is expected, a handshake's steps say: that
   * is to be dealt with at once, while a datagram may wait for a millisecond.
   */
  expectOthers(ms: number): void
  /** Gives back what it holds beside sockets, which are closed before. Idempotent. */
  close(): void
}
