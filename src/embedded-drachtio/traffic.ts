import { Histogram, type HistogramState } from '../shared/histogram.ts'
import type { SipMessage } from './message/types.ts'

/** Methods that are counted by name; every other one is `other`. */
export const METHODS = [
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'OPTIONS',
  'REGISTER',
  'PRACK',
  'UPDATE',
  'INFO',
  'REFER',
  'NOTIFY',
  'SUBSCRIBE',
  'MESSAGE',
  'PUBLISH',
  'other',
] as const

/** `in` from the peer, `out` to it. */
export type Way = 'in' | 'out'

/** What went to and fro with one peer. */
export interface PeerTraffic {
  peer: string
  /** By way and method, repetitions included; in the order of {@link METHODS}. */
  requests: Record<Way, readonly number[]>
  /** By way and class, repetitions included: 1xx first, 6xx last. */
  responses: Record<Way, readonly number[]>
  /** Messages that were sent again, by way. */
  repeated: Record<Way, { request: number; response: number }>
  /** Seconds from a request of ours to the first response to it. */
  response: HistogramState
}

/** How peers are told apart. */
export interface PeerNames {
  /** Outbound connections by the domain they are made for. */
  domains: ReadonlyMap<string, string>
  /** Every other outbound connection, and listeners that name no peer. */
  others: string
}

/** Seconds. A peer on the local network answers in milliseconds, T1 is half a second. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const OTHER = METHODS.length - 1
const BY_NAME: ReadonlyMap<string, number> = new Map(METHODS.map((name, index) => [name, index]))
/** The first and the third letter tell the methods apart: sent bytes need not be decoded. */
const BY_LETTERS: ReadonlyMap<number, number> = new Map(
  METHODS.slice(0, OTHER).map((name, index) => [letters(Buffer.from(name)), index]),
)
const STATUS_CLASSES = 6
/** Where the class stands in `SIP/2.0 200`. */
const CLASS_AT = 8
const ZERO = 48

interface Counts {
  requests: Record<Way, number[]>
  responses: Record<Way, number[]>
  repeated: Record<Way, { request: number; response: number }>
  response: Histogram
}

/**
 * Counts messages by peer, in plain arrays: this is done for each of them. A peer is known by a small
 * number, which its flows carry.
 */
export class Traffic {
  readonly #names: string[] = []
  readonly #counts: Counts[] = []
  readonly #domains: ReadonlyMap<string, string>
  readonly #others: string

  constructor(names: PeerNames = { domains: new Map(), others: 'peer' }) {
    this.#domains = names.domains
    this.#others = names.others
  }

  /** The number of a listener's peer. */
  ofListener(name: string | undefined): number {
    return this.#indexOf(name ?? this.#others)
  }

  /** The number of the peer that a domain belongs to. */
  ofDomain(domain: string): number {
    return this.#indexOf(this.#domains.get(domain) ?? this.#others)
  }

  received(message: SipMessage, peer: number | undefined): void {
    const counts = this.#of(peer)
    if (message.kind === 'request') counts.requests.in[BY_NAME.get(message.method) ?? OTHER]!++
    else countClass(counts.responses.in, Math.floor(message.status / 100))
  }

  sent(bytes: Buffer, peer: number | undefined): void {
    const counts = this.#of(peer)
    // No method begins with S and P.
    if (bytes[0] === 83 && bytes[2] === 80)
      countClass(counts.responses.out, bytes[CLASS_AT]! - ZERO)
    else counts.requests.out[BY_LETTERS.get(letters(bytes)) ?? OTHER]!++
  }

  /** A message was sent again. */
  repeated(way: Way, kind: 'request' | 'response', peer: number | undefined): void {
    this.#of(peer).repeated[way][kind]++
  }

  /** The first response to a request of ours came after `ms` milliseconds. */
  responded(ms: number, peer: number | undefined): void {
    this.#of(peer).response.observe(ms / 1000)
  }

  /** A copy of all figures. */
  counts(): PeerTraffic[] {
    return this.#counts.map(({ requests, responses, repeated, response }, index) => ({
      peer: this.#names[index]!,
      requests: { in: [...requests.in], out: [...requests.out] },
      responses: { in: [...responses.in], out: [...responses.out] },
      repeated: { in: { ...repeated.in }, out: { ...repeated.out } },
      response: response.state(),
    }))
  }

  #of(peer: number | undefined): Counts {
    return this.#counts[peer ?? this.#indexOf(this.#others)]!
  }

  #indexOf(name: string): number {
    const known = this.#names.indexOf(name)
    if (known >= 0) return known
    this.#counts.push({
      requests: { in: zeros(METHODS.length), out: zeros(METHODS.length) },
      responses: { in: zeros(STATUS_CLASSES), out: zeros(STATUS_CLASSES) },
      repeated: { in: { request: 0, response: 0 }, out: { request: 0, response: 0 } },
      response: new Histogram(BOUNDS),
    })
    return this.#names.push(name) - 1
  }
}

function letters(bytes: Buffer): number {
  return bytes[0]! * 256 + bytes[2]!
}

function countClass(counts: number[], statusClass: number): void {
  if (statusClass >= 1 && statusClass <= STATUS_CLASSES) counts[statusClass - 1]!++
}

function zeros(length: number): number[] {
  return new Array<number>(length).fill(0)
}
