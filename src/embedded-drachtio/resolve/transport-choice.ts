import { isIP } from 'node:net'
import type { TransportName } from '../transport/options.ts'
import type { ResolveUri } from './types.ts'

/** 5061 for TLS, 5060 for the others (RFC 3261 §19.1.2). */
export function defaultPort(transport: TransportName): number {
  return transport === 'tls' ? 5061 : 5060
}

/**
 * The transport a URI states or implies without asking the DNS (RFC 3263 §4.1): its parameter, TLS
 * for `sips`, else UDP. Undefined for transports that we do not have (`ws`, `sctp`).
 */
export function transportOf(uri: ResolveUri): TransportName | undefined {
  const { scheme, transportParam } = uri
  if (scheme === 'sips') {
    // `transport=tcp` in a sips URI is TLS over TCP (RFC 3261 §26.2.2); over UDP there is none.
    return transportParam === undefined || /^(tcp|tls)$/.test(transportParam) ? 'tls' : undefined
  }
  if (transportParam === undefined) return 'udp'
  return transportParam === 'udp' || transportParam === 'tcp' || transportParam === 'tls'
    ? transportParam
    : undefined
}

/**
 * The transports that may be used for a URI whose records say nothing, in order: the stated one
 * alone, else UDP and TCP where we have them. Without either, TLS.
 */
export function candidates(
  uri: ResolveUri,
  known: (transport: TransportName) => boolean,
): TransportName[] {
  const stated = transportOf(uri)
  if (stated === undefined) return []
  if (uri.transportParam !== undefined || uri.scheme === 'sips' || isIP(uri.host) !== 0) {
    return known(stated) ? [stated] : []
  }
  const plain = (['udp', 'tcp'] as const).filter(known)
  if (plain.length > 0) return plain
  return known('tls') ? ['tls'] : []
}
