import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { Rejection } from './rejection.ts'
import type { ListenAddress, SipTransport } from './types.ts'

const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?'
const HOST_NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*\\.?$`)
const TRANSPORTS: readonly string[] = ['udp', 'tcp', 'tls']

/** A host and a port, IPv6 without brackets. */
export interface HostPort {
  host: string
  port: number
}

/** A SIP URI taken apart: a host, where a request goes, never a user. */
export interface SipUri {
  /** As written in the file. */
  uri: string
  host: string
  port: number | undefined
  transport: SipTransport
}

/** Whether the text is a DNS name (RFC 1123); an IP address is not. */
export function isHostName(text: string): boolean {
  return HOST_NAME.test(text) && isIP(text) === 0 && !/^[\d.]+$/.test(text)
}

/** A DNS name, or an IP address: IPv6 without brackets. */
export function parseHost(text: string): string | Rejection {
  if (isIP(text) || isHostName(text)) return text
  return new Rejection('this is neither a host name nor an IP address')
}

/** An IPv4 or IPv6 address. */
export function parseIp(text: string): string | Rejection {
  return isIP(text) ? text : new Rejection('this is not an IP address')
}

/** `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`. */
export function parseHostPort(text: string): HostPort | Rejection {
  const parts = splitHostPort(text)
  if (parts instanceof Rejection) return parts
  const { host, port } = parts
  if (port === undefined) return new Rejection('the port is missing')
  if (isIP(host) || isHostName(host)) return { host, port }
  return new Rejection('the host is neither a name nor an IP address')
}

/** `tls://0.0.0.0:5061`; without a port 5061 for TLS, 5060 otherwise. */
export function parseListen(text: string): ListenAddress | Rejection {
  const match = /^([a-z]+):\/\/(.+?)\/?$/.exec(text)
  if (!match || !TRANSPORTS.includes(match[1]!)) {
    return new Rejection('the address does not start with udp://, tcp:// or tls://')
  }
  const transport = match[1] as SipTransport
  const parts = splitHostPort(match[2]!)
  if (parts instanceof Rejection) return parts
  if (!isIP(parts.host)) return new Rejection('a listener needs an IP address, not a name')
  return { transport, host: parts.host, port: parts.port ?? defaultPort(transport) }
}

/** `udp://127.0.0.1:22222`: the ng port of an rtpengine. */
export function parseUdpAddress(text: string): string | Rejection {
  const match = /^udp:\/\/(.+)$/.exec(text)
  if (!match) return new Rejection('the address does not start with udp://')
  const parts = parseHostPort(match[1]!)
  return parts instanceof Rejection ? parts : text
}

/** `sip:10.0.0.9:5060;transport=udp`, without a user part; the transport defaults to UDP. */
export function parseSipUri(text: string): SipUri | Rejection {
  if (/^sips:/i.test(text)) {
    const meant = `${text.replace(/^sips:/i, 'sip:')};transport=tls`
    return new Rejection('sips: is not supported, TLS is asked for by transport=tls', { meant })
  }
  const match = /^sip:([^;?]*)((?:;[^;?]*)*)$/i.exec(text)
  if (!match) return new Rejection('this is not a SIP URI', { meant: maybeUri(text) })
  const [, address, parameters] = match as unknown as [string, string, string]
  if (address.includes('@')) {
    return new Rejection('a user part does not belong here', {
      meant: `sip:${address.slice(address.indexOf('@') + 1)}${parameters}`,
    })
  }
  const parts = splitHostPort(address)
  if (parts instanceof Rejection) return parts
  if (!isIP(parts.host) && !isHostName(parts.host)) {
    return new Rejection('the host is neither a name nor an IP address')
  }
  let transport: SipTransport = 'udp'
  for (const parameter of parameters.split(';').slice(1)) {
    const [name, value] = parameter.toLowerCase().split('=')
    if (name !== 'transport') return new Rejection('the only URI parameter here is transport')
    if (!TRANSPORTS.includes(value ?? '')) return new Rejection('transport is udp, tcp or tls')
    transport = value as SipTransport
  }
  return { uri: text, host: parts.host, port: parts.port, transport }
}

/** `10.0.0.0/24`, or one address, as a CIDR. */
export function parseCidr(text: string): string | Rejection {
  if (isIP(text)) return `${text}/${isIP(text) === 4 ? 32 : 128}`
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text)
  const version = match ? isIP(match[1]!) : 0
  if (!match || version === 0) return new Rejection('this is not a network')
  if (Number(match[2]) > (version === 4 ? 32 : 128)) {
    return new Rejection(`an IPv${version} prefix is at most ${version === 4 ? 32 : 128} bits long`)
  }
  return text
}

/** Whether two CIDRs share an address. */
export function cidrsOverlap(a: string, b: string): boolean {
  const [left, leftBits] = ipaddr.parseCIDR(a)
  const [right, rightBits] = ipaddr.parseCIDR(b)
  if (left.kind() !== right.kind()) return false
  return left.match(right, Math.min(leftBits, rightBits))
}

/** Whether a host is the machine itself. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  return isIP(host) !== 0 && ipaddr.process(host).range() === 'loopback'
}

/** Whether a host stands for every address of the machine. */
export function isWildcard(host: string): boolean {
  return isIP(host) !== 0 && ipaddr.parse(host).range() === 'unspecified'
}

/** The address to dial for a listener: a listener on every address is reached on loopback. */
export function nearOf(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  return /^[0:]+$/.test(host) ? '::1' : host
}

/** The port a SIP transport uses when none is named (RFC 3261 §19.1.2). */
export function defaultPort(transport: SipTransport): number {
  return transport === 'tls' ? 5061 : 5060
}

function splitHostPort(text: string): { host: string; port: number | undefined } | Rejection {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text)
  if (!match) {
    if (isIP(text) === 6)
      return new Rejection('an IPv6 address needs brackets', { meant: `[${text}]` })
    return new Rejection('this is not a host and port')
  }
  if (match[1] !== undefined && isIP(match[1]) !== 6) {
    return new Rejection('brackets are for IPv6 addresses')
  }
  const port = match[3] === undefined ? undefined : Number(match[3])
  if (port !== undefined && port > 65_535) return new Rejection('the port is above 65535')
  return { host: (match[1] ?? match[2])!, port }
}

function maybeUri(text: string): string | undefined {
  return /^[\w.-]+(:\d+)?(;.*)?$/.test(text) ? `sip:${text}` : undefined
}
