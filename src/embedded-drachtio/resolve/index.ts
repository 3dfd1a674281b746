/** Resolution of SIP URIs to transports, addresses and ports (RFC 3263 §4). */

export { nodeDns } from './node-dns.ts'
export { createResolver, type ResolverOptions } from './resolver.ts'
export type {
  AddressRecord,
  DnsPort,
  NaptrRecord,
  Resolver,
  ResolveUri,
  SrvRecord,
  Supports,
} from './types.ts'
