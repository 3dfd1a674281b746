import { isIP } from 'node:net'
import type { Clock } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Random } from '../../shared/random.ts'
import { parseSipUri } from '../message/index.ts'
import type { TransportName } from '../transport/options.ts'
import type { Target } from '../transport/types.ts'
import { FailedTargets } from './failed-targets.ts'
import { type Hop, Records } from './records.ts'
import { orderSrv } from './srv.ts'
import { candidates, defaultPort, transportOf } from './transport-choice.ts'
import type { DnsPort, Resolver, ResolveUri, Supports } from './types.ts'

export interface ResolverOptions {
  dns: DnsPort
  clock: Clock
  random: Random
  /**
   * Next hops by host: every request whose next hop is the host goes to the SIP URI instead, while
   * TLS verifies the host's own name. Keys lower case.
   */
  overrides?: ReadonlyMap<string, string> | undefined
  /** How long a failed target is tried last, in milliseconds. Default 30000; 0 is off. */
  failedFor?: number | undefined
  /** DNS answers kept at most. Default 1000. */
  cacheSize?: number | undefined
}

/** Makes a resolver. Throws SIP_DNS_FAILED when an override is not a SIP URI. */
export function createResolver(options: ResolverOptions): Resolver {
  return new Rfc3263Resolver(options)
}

class Rfc3263Resolver implements Resolver {
  readonly #records: Records
  readonly #random: Random
  readonly #failed: FailedTargets
  readonly #overrides = new Map<string, ResolveUri>()

  constructor(options: ResolverOptions) {
    this.#records = new Records(options.dns, options.clock, options.cacheSize ?? 1000)
    this.#random = options.random
    this.#failed = new FailedTargets(options.clock, options.failedFor ?? 30_000)
    for (const [host, uri] of options.overrides ?? []) {
      this.#overrides.set(host.toLowerCase(), parseOverride(host, uri))
    }
  }

  resolveLiteral(uri: ResolveUri): Target[] | undefined {
    const next = this.#next(uri)
    if (isIP(next.host) === 0) return undefined
    const transport = transportOf(next)
    if (transport === undefined) return []
    return [literalTarget(next, transport, uri.host)]
  }

  async resolve(uri: ResolveUri, supports: Supports): Promise<Target[]> {
    const next = this.#next(uri)
    const targets =
      isIP(next.host) === 0
        ? await this.#resolveName(next, uri.host, supports)
        : (this.resolveLiteral(uri) ?? [])
    const usable = targets.filter((target) =>
      supports(target.transport, target.address.includes(':') ? 6 : 4),
    )
    if (usable.length > 0) return this.#failed.sort(unique(usable))
    if (targets.length > 0 || candidates(next, anyFamily(supports)).length === 0) {
      throw new CausewayError('SIP_NO_TRANSPORT', { detail: describe(next) })
    }
    throw new CausewayError('SIP_DNS_FAILED', { detail: describe(next) })
  }

  #next(uri: ResolveUri): ResolveUri {
    return this.#overrides.get(uri.host) ?? uri
  }

  /** RFC 3263 §4.1 and §4.2 for a name; addresses of both families, in order. */
  async #resolveName(uri: ResolveUri, domain: string, supports: Supports): Promise<Target[]> {
    const known = anyFamily(supports)
    const [first] = candidates(uri, known)
    if (first === undefined) return []
    const fallback = (): Promise<Target[]> =>
      this.#addresses(
        { transport: first, host: uri.host, port: uri.port ?? defaultPort(first) },
        domain,
      )
    if (uri.port !== undefined || singleLabel(uri.host)) return fallback()
    const hops = await this.#services(uri, known)
    if (hops === undefined) return fallback()
    const lists = await Promise.all(hops.map((hop) => this.#addresses(hop, domain)))
    return lists.flat()
  }

  /**
   * The servers of a domain by NAPTR and SRV; undefined when it has no such records. Rejects with
   * SIP_NO_TRANSPORT when its NAPTR records offer nothing we speak.
   */
  async #services(
    uri: ResolveUri,
    known: (transport: TransportName) => boolean,
  ): Promise<Hop[] | undefined> {
    const services =
      uri.transportParam === undefined ? await this.#records.services(uri, known) : undefined
    if (services?.length === 0) {
      const detail = `${describe(uri)} offers no transport that we have`
      throw new CausewayError('SIP_NO_TRANSPORT', { detail })
    }
    const queries =
      services ??
      candidates(uri, known).map((transport) => ({ transport, name: srvName(uri, transport) }))
    const answers = await Promise.all(queries.map(({ name }) => this.#records.srv(name)))
    if (services === undefined && answers.every((records) => records.length === 0)) return undefined
    return queries.flatMap(({ transport }, index) =>
      orderSrv(answers[index] ?? [], this.#random).map(({ name, port }) => ({
        transport,
        host: name.replace(/\.$/, '').toLowerCase(),
        port,
      })),
    )
  }

  async #addresses(hop: Hop, domain: string): Promise<Target[]> {
    const addresses = await this.#records.addresses(hop.host)
    return addresses.map((address) => ({
      transport: hop.transport,
      address,
      port: hop.port,
      domain,
    }))
  }

  markFailed(target: Target): void {
    this.#failed.add(target)
  }

  markWorking(target: Target): void {
    this.#failed.delete(target)
  }

  sizes(): { cached: number; failed: number } {
    return { cached: this.#records.size, failed: this.#failed.size }
  }
}

function literalTarget(uri: ResolveUri, transport: TransportName, domain: string): Target {
  return { transport, address: uri.host, port: uri.port ?? defaultPort(transport), domain }
}

function srvName(uri: ResolveUri, transport: TransportName): string {
  if (transport === 'tls') return `_sips._tcp.${uri.host}`
  return `_sip._${transport}.${uri.host}`
}

function anyFamily(supports: Supports): (transport: TransportName) => boolean {
  return (transport) => supports(transport, 4) || supports(transport, 6)
}

/** `localhost`, container and hosts-file names: never published with NAPTR or SRV. */
function singleLabel(host: string): boolean {
  return !host.includes('.') || host.endsWith('.localhost')
}

function unique(targets: Target[]): Target[] {
  const seen = new Set<string>()
  return targets.filter((target) => {
    const key = `${target.transport}|${target.address}|${target.port}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

function parseOverride(host: string, text: string): ResolveUri {
  const uri = parseSipUri(text)
  if (!uri) {
    throw new CausewayError('SIP_DNS_FAILED', {
      detail: `the next hop ${text} of ${host} is no SIP URI`,
    })
  }
  const transportParam = uri.params['transport']?.toLowerCase()
  return { scheme: uri.scheme, host: uri.host, port: uri.port, transportParam }
}

function describe(uri: ResolveUri): string {
  const host = uri.host.includes(':') ? `[${uri.host}]` : uri.host
  const port = uri.port === undefined ? '' : `:${uri.port}`
  const transport = uri.transportParam === undefined ? '' : `;transport=${uri.transportParam}`
  return `${uri.scheme}:${host}${port}${transport}`
}
