import {
  headerValue,
  headerValues,
  parseNameAddr,
  parseSipUri,
  type SipMessage,
  type SipRequest,
  sameSipUri,
} from '../../embedded-drachtio/message/index.ts'
import { RECORD_ROUTES } from './identity.ts'

/** A dialog as WhatsApp keeps it (RFC 3261 §12). */
export interface Dialog {
  callId: string
  localTag: string
  remoteTag: string
  /** From and To of our requests, tags included. */
  from: string
  to: string
  /** Contact of the business: the Request-URI of our requests. */
  target: string
  /** The business's own proxies, next hop first; WhatsApp's two are behind us already. */
  routes: string[]
  /** URI the business must send in-dialog requests to. */
  contact: string
  /** Sequence number of our last request. */
  cseq: number
}

/** URI of the Contact of a message; undefined without a usable one. */
export function contactUri(message: SipMessage): string | undefined {
  const [value] = headerValues(message.headers, 'contact')
  const address = value === undefined ? undefined : parseNameAddr(value)
  return address && parseSipUri(address.uri) ? address.uri : undefined
}

/**
 * Splits the Record-Routes of a 200 from the business: WhatsApp's two must be its last, unmodified
 * and in order; what precedes them are the business's proxies. Undefined when they are not.
 */
export function ownRoutes(response: SipMessage): string[] | undefined {
  const routes = headerValues(response.headers, 'record-route')
  const tail = routes.slice(-2)
  if (tail[0] !== RECORD_ROUTES[0] || tail[1] !== RECORD_ROUTES[1]) return undefined
  // The caller's route set is the list in reverse (RFC 3261 §12.1.2).
  return routes.slice(0, -2).reverse()
}

/** Whether a request of the business carries WhatsApp's two proxies as its Route set. */
export function hasRouteSet(request: SipRequest): boolean {
  const routes = headerValues(request.headers, 'route')
  if (routes.length !== RECORD_ROUTES.length) return false
  return routes.every((route, i) => {
    const uri = routeUri(route)
    const expected = routeUri(RECORD_ROUTES[i]!)
    return uri !== undefined && expected !== undefined && sameSipUri(uri, expected)
  })
}

function routeUri(route: string): ReturnType<typeof parseSipUri> {
  const address = parseNameAddr(route)
  const uri = address && parseSipUri(address.uri)
  return uri && 'lr' in uri.params ? uri : undefined
}

/** What is wrong with the Request-URI of an in-dialog request, undefined when it is our Contact. */
export function wrongTarget(request: SipRequest, contact: string): string | undefined {
  const uri = parseSipUri(request.uri)
  const expected = parseSipUri(contact)
  if (uri && expected && sameSipUri(uri, expected)) return undefined
  return `${request.method} goes to ${request.uri}, not to the Contact ${contact}`
}

/** A From or To value with a tag. */
export function tagged(value: string, tag: string): string {
  return /;tag=/i.test(value) ? value : `${value};tag=${tag}`
}

/** The value of a header every valid message has. */
export function required(message: SipMessage, key: string): string {
  return headerValue(message.headers, key) ?? ''
}
