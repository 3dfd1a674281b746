import { isIP } from 'node:net'
import {
  type Flow,
  headerValue,
  headerValues,
  parseNameAddr,
  parseSipUri,
  type SipMessage,
  splitList,
} from '../message/index.ts'
import type { Target } from '../transport/types.ts'
import type { Dialog } from './dialog.ts'

/** Record-Routes in the order they stand in a message; reversed for the UAC (RFC 3261 §12.1). */
export function recordRoutes(message: SipMessage, reversed: boolean): string[] {
  const routes = headerValues(message.headers, 'record-route')
  return reversed ? routes.reverse() : routes
}

/** URI of the first Contact; undefined without a usable one. */
export function contactUri(message: SipMessage): string | undefined {
  const value = headerValue(message.headers, 'contact')
  if (value === undefined || value === '*') return undefined
  const first = value.includes(',') ? splitList(value)[0] : value
  return first === undefined ? undefined : parseNameAddr(first)?.uri
}

/** Request-URI, Route values and the URI the next hop is found by, for a request in a dialog. */
export interface Hop {
  uri: string
  routes: string[]
  next: string
}

/** RFC 3261 §12.2.1.1: loose routing, or strict routing when the first route has no `lr`. */
export function nextHop(dialog: Dialog): Hop {
  const first = dialog.routes[0]
  if (first === undefined) {
    return { uri: dialog.remoteTarget, routes: [], next: dialog.remoteTarget }
  }
  const uri = parseNameAddr(first)?.uri ?? dialog.remoteTarget
  const parsed = parseSipUri(uri)
  if (!parsed || 'lr' in parsed.params) {
    return { uri: dialog.remoteTarget, routes: dialog.routes, next: uri }
  }
  return { uri, routes: [...dialog.routes.slice(1), `<${dialog.remoteTarget}>`], next: uri }
}

/** The address a message came from, as a next hop. */
export function flowTarget(flow: Flow, domain = flow.remoteAddress): Target {
  return {
    transport: flow.transport,
    address: flow.remoteAddress,
    port: flow.remotePort,
    domain,
  }
}

/** RFC 1918 networks. */
export function isPrivate(host: string): boolean {
  const parts = host.split('.').map(Number)
  if (parts.length !== 4) return false
  const [a, b] = parts as [number, number]
  return a === 10 || (a === 192 && b === 168) || (a === 172 && b >= 16 && b <= 31)
}

/**
 * Where requests go instead of the remote target when a UDP peer is behind NAT: its Contact names
 * another address or port than it sends from. Contacts that are names are believed.
 */
export function natTarget(
  role: 'uas' | 'uac',
  flow: Flow,
  remoteTarget: string,
  routes: string[],
): Target | undefined {
  if (flow.transport !== 'udp') return undefined
  if (routes.length > 0) {
    if (role === 'uas') return undefined
    const host = parseSipUri(parseNameAddr(routes[0]!)?.uri ?? '')?.host ?? ''
    return isPrivate(host) && host !== flow.remoteAddress ? flowTarget(flow) : undefined
  }
  const uri = parseSipUri(remoteTarget)
  if (!uri || isIP(uri.host) === 0 || (uri.params['transport'] ?? 'udp').toLowerCase() !== 'udp') {
    return undefined
  }
  if (uri.host !== flow.remoteAddress) return flowTarget(flow)
  const moved = role === 'uas' && uri.port !== undefined && uri.port !== flow.remotePort
  return moved ? flowTarget(flow) : undefined
}
