import { isIP } from 'node:net'
import type { Clock } from '../../shared/clock.ts'
import type { TransportName } from '../transport/options.ts'
import { DnsCache, type Lifetime } from './cache.ts'
import type { DnsPort, NaptrRecord, ResolveUri, SrvRecord } from './types.ts'

/** A server by name, before its addresses are known. */
export interface Hop {
  transport: TransportName
  host: string
  port: number
}

/** Where the SRV records of a transport are. */
export interface ServiceName {
  transport: TransportName
  name: string
}

/** Seconds that NAPTR and SRV are kept: their own lifetime is not to be had from Node. */
const SERVICE_TTL = 60
/** Seconds that `no such name` is kept. */
const NEGATIVE_TTL = 10
/** Bounds of the lifetime of addresses, in seconds. */
const MIN_TTL = 5
const MAX_TTL = 3600
/** Records of one answer that are looked at. */
const MOST_RECORDS = 32

/** DNS records through the cache. Queries that get no answer count as empty but are not kept. */
export class Records {
  readonly #dns: DnsPort
  readonly #cache: DnsCache

  constructor(dns: DnsPort, clock: Clock, capacity: number) {
    this.#dns = dns
    this.#cache = new DnsCache(clock, capacity)
  }

  get size(): number {
    return this.#cache.size
  }

  /**
   * The SRV names that NAPTR records of a domain point to, in order (RFC 3263 §4.1); undefined when
   * it has none for SIP. For a `sips` URI only TLS counts.
   */
  async services(
    uri: ResolveUri,
    known: (transport: TransportName) => boolean,
  ): Promise<ServiceName[] | undefined> {
    const records = await this.#list(`naptr ${uri.host}`, () => this.#dns.naptr(uri.host))
    const relevant = records.flatMap((record) => {
      const transport = transportOfService(record)
      return transport && (uri.scheme === 'sip' || transport === 'tls')
        ? [{ ...record, transport }]
        : []
    })
    if (relevant.length === 0) return undefined
    return relevant
      .filter(({ transport }) => known(transport))
      .sort((a, b) => a.order - b.order || a.preference - b.preference)
      .map(({ transport, replacement }) => ({ transport, name: replacement.toLowerCase() }))
  }

  srv(name: string): Promise<SrvRecord[]> {
    return this.#list(`srv ${name}`, () => this.#dns.srv(name))
  }

  /** Addresses of a host, IPv4 first; an IP literal is its own. */
  async addresses(host: string): Promise<string[]> {
    if (isIP(host) !== 0) return [host]
    try {
      return await this.#cache.get(`addr ${host}`, () => this.#askAddresses(host))
    } catch {
      return []
    }
  }

  async #askAddresses(host: string): Promise<Lifetime<string[]>> {
    const [a, aaaa] = await Promise.allSettled([this.#dns.a(host), this.#dns.aaaa(host)])
    const records = [
      ...(a.status === 'fulfilled' ? a.value : []),
      ...(aaaa.status === 'fulfilled' ? aaaa.value : []),
    ].slice(0, MOST_RECORDS)
    if (records.length > 0) {
      // Half an answer is good for now, but the other half is asked for again soon.
      const whole = a.status === 'fulfilled' && aaaa.status === 'fulfilled'
      const ttl = whole ? Math.min(...records.map((record) => record.ttl), MAX_TTL) : MIN_TTL
      return { value: records.map((record) => record.address), ttl: Math.max(ttl, MIN_TTL) }
    }
    // The hosts file, mDNS, or whatever else the system knows names by.
    const value = (await this.#dns.lookup(host)).slice(0, MOST_RECORDS)
    value.sort((x, y) => Number(x.includes(':')) - Number(y.includes(':')))
    return { value, ttl: NEGATIVE_TTL }
  }

  async #list<T>(key: string, query: () => Promise<T[]>): Promise<T[]> {
    try {
      return await this.#cache.get(key, async () => {
        const value = (await query()).slice(0, MOST_RECORDS)
        return { value, ttl: value.length > 0 ? SERVICE_TTL : NEGATIVE_TTL }
      })
    } catch {
      return []
    }
  }
}

/** RFC 3263 §4.1: terminal `s` records with a plain replacement, for the services of SIP. */
function transportOfService(record: NaptrRecord): TransportName | undefined {
  if (record.flags.toLowerCase() !== 's' || record.regexp !== '') return undefined
  switch (record.service.toUpperCase()) {
    case 'SIPS+D2T':
      return 'tls'
    case 'SIP+D2T':
      return 'tcp'
    case 'SIP+D2U':
      return 'udp'
    default:
      return undefined
  }
}
