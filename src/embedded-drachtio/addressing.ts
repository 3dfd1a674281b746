import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { DialogLayerOptions } from './dialog/layer.ts'
import type { Local } from './dialog/placeholder.ts'
import { flowTarget } from './dialog/routing.ts'
import { bracketed, type Flow, parseSipUri } from './message/index.ts'
import type { Resolver, ResolveUri } from './resolve/index.ts'
import type { ListenerInfo, Target, TransportLayer } from './transport/index.ts'

/** What the dialog layer asks of addresses, ours and others', and of connections. */
export interface Addressing
  extends Pick<
    DialogLayerOptions,
    'resolve' | 'localFor' | 'localOf' | 'anyLocal' | 'isOpen' | 'isSelf' | 'keep' | 'limitSilence'
  > {
  /** Listeners as applications are told: `udp/192.0.2.1:5060`, comma separated. */
  hostports(): { external: string; local: string }
}

/** Ties the dialog layer's questions to transport and resolver. */
export function createAddressing(transport: TransportLayer, resolver: Resolver): Addressing {
  let known: ListenerInfo[] | undefined
  const listeners = (): ListenerInfo[] => {
    known ??= transport.listeners()
    return known
  }
  const supports: TransportLayer['supports'] = (name, family) => transport.supports(name, family)

  return {
    resolve(uri, done) {
      const parsed = parseNextHop(uri)
      if (!parsed) {
        done(new Error(`no SIP URI: ${uri.slice(0, 200)}`), [])
        return
      }
      const literal = resolver.resolveLiteral(parsed)
      if (literal) {
        done(literal.length === 0 ? new Error('no transport') : undefined, literal)
        return
      }
      resolver.resolve(parsed, supports).then(
        (targets) => done(undefined, targets),
        (error: unknown) => done(error instanceof Error ? error : new Error(String(error)), []),
      )
    },
    localFor: (target) => transport.localFor(target),
    localOf(flow) {
      const listener = listeners().find(
        (info) =>
          info.transport === flow.transport &&
          info.port === flow.localPort &&
          (isWild(info.host) || info.host === flow.localAddress),
      )
      if (listener) return { ...localOf(listener, flow), transport: flow.transport }
      const target = flowTarget(flow)
      return (
        transport.localFor(target) ?? {
          host: flow.localAddress,
          port: flow.localPort,
          transport: flow.transport,
        }
      )
    },
    anyLocal() {
      const info = listeners()[0]
      return info && { host: advertised(info), port: info.port, transport: info.transport }
    },
    isOpen: (flow) => transport.isOpen(flow),
    keep: (flow, interval) => transport.keep(flow, interval),
    limitSilence: (flow, ms) => transport.limitSilence(flow, ms),
    isSelf: (target) => listeners().some((info) => listensAt(info, target)),
    hostports() {
      const list = (hosts: (info: ListenerInfo) => string[]): string =>
        listeners()
          .flatMap((info) =>
            hosts(info).map((host) => `${info.transport}/${bracketed(host)}:${info.port}`),
          )
          .join(',')
      return {
        external: list((info) => (info.externalAddress ? [info.externalAddress] : bound(info))),
        local: list(bound),
      }
    },
  }
}

function parseNextHop(uri: string): ResolveUri | undefined {
  const parsed = parseSipUri(uri)
  if (!parsed) return undefined
  const { scheme, host, port, params } = parsed
  // RFC 3263 §4: maddr, when present, is the host to contact.
  const maddr = params['maddr']
  return {
    scheme,
    host: maddr && isIP(maddr) !== 0 ? maddr : host,
    port,
    transportParam: params['transport']?.toLowerCase(),
  }
}

function isWild(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

function localOf(info: ListenerInfo, flow: Flow): Pick<Local, 'host' | 'port'> {
  if (info.externalAddress !== undefined) return { host: info.externalAddress, port: info.port }
  const host = isWild(info.host) ? flow.localAddress : info.host
  return { host, port: info.port }
}

function advertised(info: ListenerInfo): string {
  return info.externalAddress ?? info.host
}

function listensAt(info: ListenerInfo, target: Target): boolean {
  if (info.transport !== target.transport || info.port !== target.port) return false
  if (info.host === target.address || info.externalAddress === target.address) return true
  return isWild(info.host) && ownAddresses().has(target.address)
}

/** The addresses a listener is bound to; a wildcard stands for all of its family. */
function bound(info: ListenerInfo): string[] {
  if (!isWild(info.host)) return [info.host]
  return [...ownAddresses()].filter((address) => isIP(address) === info.family)
}

/** Addresses of this machine; asked for only when a target has the port of one of our listeners. */
function ownAddresses(): Set<string> {
  const entries = Object.values(networkInterfaces()).flat()
  return new Set(entries.map((entry) => entry?.address ?? ''))
}
