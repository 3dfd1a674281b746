import type { TransportName } from '../transport/index.ts'
import type { Target } from '../transport/types.ts'

/** What of a URI resolution depends on. */
export interface ResolveUri {
  scheme: 'sip' | 'sips'
  /** Name or IP literal, IPv6 without brackets, lower case. */
  host: string
  port: number | undefined
  /** Value of the `transport` parameter, lower case; undefined when absent. */
  transportParam: string | undefined
}

/** Whether we can send with a transport in an address family; `TransportLayer.supports`. */
export type Supports = (transport: TransportName, family: 4 | 6) => boolean

/** A NAPTR record (RFC 3403 §4.1). */
export interface NaptrRecord {
  order: number
  preference: number
  /** `s`, `a`, `u`, `p`; any case. */
  flags: string
  /** `SIP+D2U`; any case. */
  service: string
  regexp: string
  replacement: string
}

/** An SRV record (RFC 2782). */
export interface SrvRecord {
  priority: number
  weight: number
  port: number
  /** `.` when the service is not offered. */
  name: string
}

/** An A or AAAA record. */
export interface AddressRecord {
  address: string
  /** Seconds. */
  ttl: number
}

/**
 * Queries to the DNS. Each gives [] when the name or the type does not exist, and rejects when no
 * answer came.
 */
export interface DnsPort {
  naptr(name: string): Promise<NaptrRecord[]>
  srv(name: string): Promise<SrvRecord[]>
  a(name: string): Promise<AddressRecord[]>
  aaaa(name: string): Promise<AddressRecord[]>
  /** The system's own resolution, hosts file included. */
  lookup(name: string): Promise<string[]>
}

/** Resolution of SIP URIs to the servers to try (RFC 3263 §4). */
export interface Resolver {
  /**
   * The targets to try, in order; targets that failed lately come last. Rejects with
   * SIP_DNS_FAILED when the name has no address, SIP_NO_TRANSPORT when nothing fits `supports`.
   */
  resolve(uri: ResolveUri, supports: Supports): Promise<Target[]>
  /**
   * The same for IP literals, at once; undefined when the host is a name, [] when its transport is
   * none of ours. Whether a listener has the transport is left to the sending.
   */
  resolveLiteral(uri: ResolveUri): Target[] | undefined
  /** Puts a target last for a while: it refused, timed out or answered 503. */
  markFailed(target: Target): void
  /** Ends that early: the target answered. */
  markWorking(target: Target): void
  /** Numbers for metrics. */
  sizes(): { cached: number; failed: number }
}
