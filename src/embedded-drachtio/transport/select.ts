import { commonPrefix, familyOf, isLoopback, isPrivate, isWildcard } from './address.ts'
import type { ListenerInfo, TransportName } from './options.ts'

/** What can be chosen: a listener with its facts. */
interface Choice {
  readonly info: ListenerInfo
}

const CACHED = 1024

/**
 * Chooses the listener that traffic to an address leaves from, and whose address Via and Contact
 * name: same transport and family (a stream may do with a listener of the other family: it is opened
 * from any address, and responses come back on it); for a target on loopback one bound to loopback, else one in the
 * target's network by common prefix, then a wildcard, then one that faces the site or the Internet
 * as the target does.
 */
export class ListenerSelector<T extends Choice> {
  readonly #choices: Record<`${TransportName}${4 | 6}`, T[]> = {
    udp4: [],
    udp6: [],
    tcp4: [],
    tcp6: [],
    tls4: [],
    tls6: [],
  }
  readonly #cache = new Map<string, T>()

  constructor(listeners: readonly T[]) {
    for (const listener of listeners) {
      this.#choices[`${listener.info.transport}${listener.info.family}`].push(listener)
    }
  }

  /** Whether traffic by the transport can go to that address family. */
  supports(transport: TransportName, family: 4 | 6): boolean {
    return this.#of(transport, family).length > 0
  }

  #of(transport: TransportName, family: 4 | 6): T[] {
    const own = this.#choices[`${transport}${family}`]
    if (own.length > 0 || transport === 'udp') return own
    return this.#choices[`${transport}${family === 4 ? 6 : 4}`]
  }

  pick(transport: TransportName, address: string): T | undefined {
    const choices = this.#of(transport, familyOf(address))
    if (choices.length <= 1) return choices[0]
    const key = `${transport}${address}`
    let best = this.#cache.get(key)
    if (best === undefined) {
      best = choices.reduce((a, b) => (score(b, address) > score(a, address) ? b : a))
      if (this.#cache.size >= CACHED) this.#cache.clear()
      this.#cache.set(key, best)
    }
    return best
  }
}

/** Higher is better; the first listener of the configuration wins a tie. */
function score({ info }: Choice, address: string): number {
  if (isWildcard(info.host)) return 500
  // An address of the other kind reaches the target only by accident.
  if (isLoopback(info.host) !== isLoopback(address)) return 0
  const shared = commonPrefix(info.host, address)
  if (shared >= (info.family === 4 ? 16 : 48)) return 1000 + shared
  // Behind NAT the listener that faces the Internet is known by its external address.
  const facesSite = isPrivate(info.host) && info.externalAddress === undefined
  return facesSite === isPrivate(address) ? 300 + shared : 100 + shared
}
