import type { Clock, Timer } from '../../shared/clock.ts'
import {
  type Flow,
  headerValue,
  headerValues,
  parseNameAddr,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  splitList,
} from '../message/index.ts'

/** The REGISTER a flow was made, or last renewed, by. */
export interface FlowOwner {
  callId: string
  cseq: number
}

interface Kept extends FlowOwner {
  flow: Flow
  /** Milliseconds. */
  interval: number
  expiry: Timer
}

/** Pings of a connection, at most so many milliseconds apart; undefined ends them. */
export type KeepFlow = (flow: Flow, interval: number | undefined) => void

/** RFC 5626 §4.4.1: most seconds between pings over a stream where no Flow-Timer says. */
const USUAL = 120
/** A lifetime nobody has named (RFC 3261 §10.2), seconds. */
const LIFETIME = 3600
/** The longest lifetime a timer can measure, seconds: 24 days. */
const LONGEST = 2_073_600

/**
 * Connections that registrations of ours hang on (RFC 5626 §4.4): each is pinged as long as one
 * registration over it lives, at the shortest of their intervals.
 */
export class KeptFlows {
  readonly #byCallId = new Map<string, Kept>()
  readonly #clock: Clock
  readonly #keep: KeepFlow

  constructor(clock: Clock, keep: KeepFlow) {
    this.#clock = clock
    this.#keep = keep
  }

  /** Registrations whose connection is pinged. */
  get size(): number {
    return this.#byCallId.size
  }

  /** Learns from the 2xx to a REGISTER of ours. */
  learn(request: SipRequest, response: SipResponse, flow: Flow): void {
    if (flow.transport === 'udp') return
    // One that only asks for the contacts changes nothing.
    if (headerValue(request.headers, 'contact') === undefined) return
    const { callId, cseq } = request
    const before = this.#take(callId)
    const seconds = flowTimer(request, response)
    const lifetime = Math.min(lifetimeOf(request, response), LONGEST)
    if (seconds !== undefined && lifetime > 0) {
      const expiry = this.#clock.setTimeout(() => this.#expired(callId), lifetime * 1000)
      this.#byCallId.set(callId, { callId, cseq, flow, interval: seconds * 1000, expiry })
      this.#apply(flow)
    }
    if (before) this.#apply(before.flow)
  }

  /** A connection ended: the registrations that hung on it. */
  closed(flow: Flow): FlowOwner[] {
    const lost: FlowOwner[] = []
    for (const kept of [...this.#byCallId.values()]) {
      if (kept.flow.id !== flow.id) continue
      this.#take(kept.callId)
      lost.push({ callId: kept.callId, cseq: kept.cseq })
    }
    return lost
  }

  clear(): void {
    for (const { expiry } of this.#byCallId.values()) expiry.clear()
    this.#byCallId.clear()
  }

  #take(callId: string): Kept | undefined {
    const kept = this.#byCallId.get(callId)
    kept?.expiry.clear()
    this.#byCallId.delete(callId)
    return kept
  }

  #expired(callId: string): void {
    const kept = this.#take(callId)
    if (kept) this.#apply(kept.flow)
  }

  #apply(flow: Flow): void {
    const intervals = [...this.#byCallId.values()].flatMap((kept) =>
      kept.flow.id === flow.id ? [kept.interval] : [],
    )
    this.#keep(flow, intervals.length > 0 ? Math.min(...intervals) : undefined)
  }
}

/** Seconds between pings; undefined where the registrar does not ask for any (RFC 5626 §4.2.1). */
function flowTimer(request: SipRequest, response: SipResponse): number | undefined {
  if (!hasOption(request, 'supported', 'outbound') && !namesFlow(request)) return undefined
  const timer = secondsOf(headerValue(response.headers, 'flow-timer'))
  if (timer !== undefined && timer > 0) return timer
  return hasOption(response, 'require', 'outbound') ? USUAL : undefined
}

/** Whether a message has an option tag in Require or Supported. */
export function hasOption(message: SipMessage, key: string, option: string): boolean {
  return headerValues(message.headers, key)
    .flatMap(splitList)
    .some((tag) => tag.toLowerCase() === option)
}

/** Whether a Contact names a flow of an instance (RFC 5626 §4.2). */
function namesFlow(request: SipRequest): boolean {
  return headerValues(request.headers, 'contact').some((value) => {
    const params = parseNameAddr(value)?.params ?? {}
    return 'reg-id' in params && '+sip.instance' in params
  })
}

/** The longest lifetime among the contacts, seconds; 0 when they were removed. */
function lifetimeOf(request: SipRequest, response: SipResponse): number {
  const asked = lifetimes(request)
  // The response also lists contacts of others.
  if (asked.length > 0 && asked.every((seconds) => seconds === 0)) return 0
  const granted = lifetimes(response)
  const all = granted.length > 0 ? granted : asked
  return all.length > 0 ? Math.max(...all) : LIFETIME
}

function lifetimes(message: SipMessage): number[] {
  const general = secondsOf(headerValue(message.headers, 'expires'))
  const contacts = headerValues(message.headers, 'contact')
  const named = contacts.map((value) => secondsOf(parseNameAddr(value)?.params['expires']))
  return (named.length > 0 ? named : [undefined]).flatMap((seconds) => seconds ?? general ?? [])
}

/** Whole seconds at the start of a header or parameter. */
export function secondsOf(value: string | undefined): number | undefined {
  const text = /^\s*(\d{1,9})\b/.exec(value ?? '')?.[1]
  return text === undefined ? undefined : Number(text)
}
