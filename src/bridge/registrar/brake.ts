import ipaddr from 'ipaddr.js'
import type { Clock } from '../../shared/clock.ts'
import { detach } from '../../shared/detach.ts'

/** Wrong digests a source may send within {@link WINDOW}. */
export const TRIES = 5

/** Milliseconds wrong digests are counted for, and refused without a look after too many. */
export const WINDOW = 60_000

/** Sources remembered at most; beyond, the oldest goes. */
export const SOURCES = 10_000

interface Entry {
  since: number
  wrong: number
}

/** Slows down those who guess passwords: a few wrong digests per source and minute. */
export class Brake {
  readonly #clock: Clock
  // In the order of their beginning: what has passed is found at the front.
  readonly #entries = new Map<string, Entry>()
  readonly #most: number

  constructor(clock: Clock, most = SOURCES) {
    this.#clock = clock
    this.#most = most
  }

  /** Whether nothing of this address is looked at for now. */
  holds(address: string): boolean {
    const entry = this.#entries.get(sourceOf(address))
    return entry !== undefined && this.#fresh(entry) && entry.wrong >= TRIES
  }

  /** A wrong digest came from the address. Returns whether it was the one too many. */
  wrong(address: string): boolean {
    const key = sourceOf(address)
    const entry = this.#entries.get(key)
    if (entry && this.#fresh(entry)) {
      entry.wrong++
      return entry.wrong === TRIES
    }
    this.#entries.delete(key)
    this.#forget()
    this.#entries.set(detach(key), { since: this.#clock.monotonic(), wrong: 1 })
    return false
  }

  /** A right digest came from the address. */
  right(address: string): void {
    this.#entries.delete(sourceOf(address))
  }

  get size(): number {
    return this.#entries.size
  }

  #fresh(entry: Entry): boolean {
    return this.#clock.monotonic() - entry.since < WINDOW
  }

  #forget(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#fresh(entry) && this.#entries.size < this.#most) return
      this.#entries.delete(key)
    }
  }
}

/** An IPv6 customer has a /64 of addresses. */
function sourceOf(address: string): string {
  if (!address.includes(':') || !ipaddr.isValid(address)) return address
  const ip = ipaddr.process(address)
  if (ip.kind() === 'ipv4') return ip.toString()
  return (ip as ipaddr.IPv6).parts.slice(0, 4).join(':')
}
