import type { SipTransport, TrunkTarget } from '../../config/types.ts'
import { formatHostPort } from '../../shared/host-port.ts'
import { parseSipAddress } from '../address/contacts.ts'

/** Where a REGISTER came from. */
export interface Source {
  /** IP literal. */
  address: string
  port: number
  transport: SipTransport
}

/** One contact a PBX has registered (RFC 3261 §10.3). Times in milliseconds since the epoch. */
export interface Binding {
  /** Contact URI as registered. */
  uri: string
  /** Preference, 0 to 1. */
  q: number
  expiresAt: number
  /** When this contact was added. */
  since: number
  callId: string
  cseq: number
  source: Source
  /** URIs of RFC 3327, first hop first. */
  path: readonly string[]
  /** `instance|reg-id` of RFC 5626; undefined without both. */
  flow: string | undefined
  userAgent: string
}

/** A registered contact as a place calls may go. Its transport is that of the next hop. */
export interface RegisteredTarget extends TrunkTarget {
  /** Parameters of the Request-URI, each with its semicolon: those of the contact. */
  params: string
  /** Next hop, where it is not the contact itself. */
  proxy: string | undefined
  /** Route set: the Path of the registration. */
  routes: readonly string[]
}

/** Whether a target is a registered contact. */
export function isRegistered(target: object): target is RegisteredTarget {
  return 'routes' in target
}

/** What makes two contacts the same (RFC 3261 §19.1.4, as far as it matters here). */
export function contactKey(uri: string): string {
  const address = parseSipAddress(uri)
  if (!address) return uri
  const { user, host, port, transport } = address
  return `${user}@${formatHostPort(host, port)};${transport}`
}

/**
 * The places a call to this contact is tried at. A contact that names another address than the
 * REGISTER came from is behind NAT: the call goes to the source. Over TCP and TLS it goes back over
 * the connection of the REGISTER; when that is closed, to the address in the contact if it is the
 * source's.
 */
export function targetsOf(binding: Binding): RegisteredTarget[] {
  const contact = parseSipAddress(binding.uri)
  if (!contact) return []
  const { source, path, uri } = binding
  const { host, port, transport, params } = contact
  const target = { host, port, weight: 1, params }
  const [edge] = path
  if (edge !== undefined) {
    const hop = parseSipAddress(edge)?.transport ?? transport
    return [{ ...target, transport: hop, uri: `${uri} via ${edge}`, proxy: edge, routes: path }]
  }
  // A contact that names no transport means the one it was registered by.
  const named = /;\s*transport=/i.test(params)
  const way = named || /^sips:/i.test(uri) ? transport : source.transport
  const direct = {
    ...target,
    params: named || way === 'udp' ? params : `${params};transport=${way}`,
    transport: way,
    uri,
    proxy: undefined,
    routes: [],
  }
  const at = formatHostPort(source.address, source.port)
  const proxy = `sip:${at};transport=${source.transport}`
  const back = {
    ...target,
    transport: source.transport,
    uri: `${uri} via ${at}`,
    proxy,
    routes: [],
  }
  const same = host === source.address
  if (source.transport === 'udp') return same ? [direct] : [back]
  if (way !== source.transport) return same ? [direct] : [back]
  return same && port !== source.port ? [back, direct] : [back]
}
