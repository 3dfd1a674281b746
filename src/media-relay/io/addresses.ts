import { isIP, isIPv4, SocketAddress } from 'node:net'

/**
 * An address as the sockets of a leg name it, so that sources compare by text: IPv6 in its canonical
 * form, IPv4 mapped where the socket is an IPv6 one. Undefined for what is no IP literal.
 */
export function socketForm(address: string, socketFamily: 4 | 6): string | undefined {
  const version = isIP(address)
  if (version === 0) return undefined
  if (socketFamily === 4) return version === 4 ? address : undefined
  if (version === 4) return `::ffff:${address}`
  const [host, scope] = address.split('%')
  const canonical = new SocketAddress({ address: host!, family: 'ipv6' }).address
  return scope === undefined ? canonical : `${canonical}%${scope}`
}

/** Whether an address means nobody: the hold of RFC 2543 and its IPv6 twin. */
export function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || address === '::' || address === '::ffff:0.0.0.0'
}

/** `a.b.c.d:port`, `[v6]:port`. */
export function hostPort(address: string, port: number): string {
  const plain =
    address.startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`
}
