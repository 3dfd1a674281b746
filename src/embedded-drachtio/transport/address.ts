import { isIPv6 } from 'node:net'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import ipaddr from 'ipaddr.js'

/** Address family of an IP literal. */
export function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4
}

export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}

export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || (isIPv6(address) && /^[0:]+$/.test(address))
}

const siteRanges = new Set(['private', 'carrierGradeNat', 'uniqueLocal', 'linkLocal', 'loopback'])

/** Whether an address belongs to a site and not to the Internet (RFC 1918, 6598, 4193, link-local). */
export function isPrivate(address: string): boolean {
  return siteRanges.has(ipaddr.parse(address).range())
}

/** How many leading bits two addresses of one family share; 0 across families. */
export function commonPrefix(a: string, b: string): number {
  if (familyOf(a) !== familyOf(b)) return 0
  const left = ipaddr.parse(a).toByteArray()
  const right = ipaddr.parse(b).toByteArray()
  for (let i = 0; i < left.length; i++) {
    const difference = left[i]! ^ right[i]!
    if (difference !== 0) return i * 8 + Math.clz32(difference) - 24
  }
  return left.length * 8
}

const CACHED_TARGETS = 1024
const CACHE_LIFE = 10_000

/**
 * The address of this machine that traffic to a target leaves from, for listeners on a wildcard
 * address: the interface whose network holds the target, else the longest common prefix among the
 * addresses that are not loopback. Answers are kept for ten seconds, by `now` in milliseconds.
 */
export class LocalAddresses {
  readonly #interfaces: () => Record<string, NetworkInterfaceInfo[] | undefined>
  readonly #cache = new Map<string, string>()
  #cachedAt = Number.NEGATIVE_INFINITY

  constructor(
    interfaces: () => Record<string, NetworkInterfaceInfo[] | undefined> = networkInterfaces,
  ) {
    this.#interfaces = interfaces
  }

  for(target: string, now: number): string {
    if (now - this.#cachedAt > CACHE_LIFE || this.#cache.size >= CACHED_TARGETS) {
      this.#cache.clear()
      this.#cachedAt = now
    }
    let local = this.#cache.get(target)
    if (local === undefined) {
      local = this.#find(target)
      this.#cache.set(target, local)
    }
    return local
  }

  #find(target: string): string {
    const family = familyOf(target)
    const loopback = family === 4 ? '127.0.0.1' : '::1'
    if (isLoopback(target)) return loopback
    let best = loopback
    let bestScore = -1
    for (const entries of Object.values(this.#interfaces())) {
      for (const entry of entries ?? []) {
        const linkLocal = entry.address.toLowerCase().startsWith('fe80:')
        if (familyOf(entry.address) !== family || entry.internal || linkLocal) continue
        const shared = commonPrefix(entry.address, target)
        const score = shared >= prefixLength(entry.cidr) ? 1000 + shared : shared
        if (score > bestScore) {
          best = entry.address
          bestScore = score
        }
      }
    }
    return best
  }
}

function prefixLength(cidr: string | null): number {
  return Number(cidr?.split('/')[1] ?? 128)
}
