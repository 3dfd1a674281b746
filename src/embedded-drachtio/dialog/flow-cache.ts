import type { Clock } from '../../shared/clock.ts'
import type { SipRequest, SipResponse } from '../message/index.ts'
import {
  type Flow,
  headerValue,
  headerValues,
  parseNameAddr,
  parseSipUri,
} from '../message/index.ts'
import { type FlowOwner, hasOption, secondsOf } from './kept-flows.ts'

interface Entry {
  flow: Flow
  /** The REGISTER it was learnt from. */
  owner: FlowOwner
  /** Whether the contact ends with the connection: a flow of RFC 5626. */
  outbound: boolean
  /** Monotonic, milliseconds. */
  expires: number
}

/** Contacts kept at most; beyond, the oldest goes. */
const most = 10_000

/** Longer than its Flow-Timer a flow may be silent, for the way here (RFC 5626 §5.4), milliseconds. */
const grace = 20_000

/** Ends a connection that is silent for so many milliseconds; undefined for none. */
export type LimitSilence = (flow: Flow, ms: number | undefined) => void

/**
 * Connections clients have registered from: a client behind NAT is reached by the connection it
 * opened and by no other way, whatever its Contact says.
 */
export class FlowCache {
  readonly #entries = new Map<string, Entry>()
  readonly #clock: Clock
  readonly #isOpen: (flow: Flow) => boolean
  readonly #limitSilence: LimitSilence

  constructor(clock: Clock, isOpen: (flow: Flow) => boolean, limitSilence: LimitSilence) {
    this.#clock = clock
    this.#isOpen = isOpen
    this.#limitSilence = limitSilence
  }

  get size(): number {
    return this.#entries.size
  }

  /** Learns from the 2xx an application gave to a REGISTER that came over a stream. */
  learn(request: SipRequest, response: SipResponse, flow: Flow): void {
    if (flow.transport === 'udp') return
    const fallback =
      headerValue(response.headers, 'expires') ?? headerValue(request.headers, 'expires')
    const owner = { callId: request.callId, cseq: request.cseq }
    const outbound = hasOption(response, 'require', 'outbound')
    for (const value of headerValues(request.headers, 'contact')) {
      const contact = parseNameAddr(value)
      const key = contact && keyOf(contact.uri)
      if (!key) continue
      const granted = grantedTo(key, response) ?? contact.params['expires'] ?? fallback
      const seconds = granted !== undefined && /^\d{1,9}$/.test(granted) ? Number(granted) : 3600
      this.#entries.delete(key)
      if (seconds === 0) continue
      const expires = this.#clock.monotonic() + seconds * 1000
      this.#entries.set(key, { flow, owner, outbound, expires })
      if (this.#entries.size > most) this.#entries.delete(this.#entries.keys().next().value!)
    }
    this.#watch(response, flow)
  }

  /** A client that was given a Flow-Timer has to use its connection within it, while it is registered. */
  #watch(response: SipResponse, flow: Flow): void {
    const timer = secondsOf(headerValue(response.headers, 'flow-timer'))
    if (!this.holds(flow)) this.#limitSilence(flow, undefined)
    else if (timer !== undefined) this.#limitSilence(flow, timer * 1000 + grace)
  }

  /** The open connection of the client with this URI. */
  find(uri: string): Flow | undefined {
    if (this.#entries.size === 0) return undefined
    const key = keyOf(uri)
    const entry = key === undefined ? undefined : this.#entries.get(key)
    if (!key || !entry) return undefined
    if (entry.expires > this.#clock.monotonic() && this.#isOpen(entry.flow)) return entry.flow
    this.#entries.delete(key)
    return undefined
  }

  /**
   * The open connection a client registered over from this address, which stands as the next hop of
   * a call whose Request-URI names somebody behind the client.
   */
  from(uri: string): Flow | undefined {
    const hop = this.#entries.size === 0 ? undefined : parseSipUri(uri)
    if (!hop) return undefined
    const transport = hop.params['transport']?.toLowerCase()
    for (const { flow, expires } of this.#entries.values()) {
      if (flow.transport !== transport || flow.remotePort !== hop.port) continue
      if (flow.remoteAddress !== hop.host.replace(/^\[|\]$/g, '')) continue
      if (expires > this.#clock.monotonic() && this.#isOpen(flow)) return flow
    }
    return undefined
  }

  /**
   * The open connection a client has registered over since `former` closed: from the same address, at the
   * host and port of this URI, whose user part may be another than that of the registered contact.
   */
  since(former: Flow, uri: string): Flow | undefined {
    const place = this.#entries.size === 0 ? undefined : placeOf(keyOf(uri))
    if (place === undefined) return undefined
    for (const [key, { flow, expires }] of this.#entries) {
      if (placeOf(key) !== place || flow.transport !== former.transport) continue
      if (flow.remoteAddress !== former.remoteAddress) continue
      if (expires > this.#clock.monotonic() && this.#isOpen(flow)) return flow
    }
    return undefined
  }

  /** Whether a client has registered over this connection. */
  holds(flow: Flow): boolean {
    for (const entry of this.#entries.values()) if (entry.flow.id === flow.id) return true
    return false
  }

  /** A connection closed: nobody is reached by it any more. The registrations that end with it. */
  closed(flow: Flow): FlowOwner[] {
    const lost: FlowOwner[] = []
    for (const [key, { flow: used, owner, outbound }] of this.#entries) {
      if (used.id !== flow.id) continue
      this.#entries.delete(key)
      if (outbound) lost.push(owner)
    }
    return lost
  }

  clear(): void {
    this.#entries.clear()
  }
}

function keyOf(uri: string): string | undefined {
  const parsed = parseSipUri(uri)
  return parsed && `${parsed.user ?? ''}@${parsed.host}:${parsed.port ?? ''}`
}

function placeOf(key: string | undefined): string | undefined {
  return key?.slice(key.lastIndexOf('@') + 1)
}

function grantedTo(key: string, response: SipResponse): string | undefined {
  for (const value of headerValues(response.headers, 'contact')) {
    const contact = parseNameAddr(value)
    if (contact && keyOf(contact.uri) === key) return contact.params['expires']
  }
  return undefined
}
