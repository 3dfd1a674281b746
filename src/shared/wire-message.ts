/** One SIP message as it crossed the wire: what a tap of the SIP server sees. */
export interface WireMessage {
  /** Milliseconds since the Unix epoch, with a fraction. */
  readonly at: number
  /** Seen from this process. */
  readonly dir: 'in' | 'out'
  readonly transport: 'udp' | 'tcp' | 'tls'
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
  /** The octets as UTF-8; what is not becomes U+FFFD. Keys and credentials are still in it. */
  readonly text: string
}
