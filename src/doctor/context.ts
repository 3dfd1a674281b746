import { isIP } from 'node:net'
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { isLoopback, parseSipUri, type SipUri } from '../config/addresses.ts'
import type { Config } from '../config/types.ts'
import { readAnchor } from '../settings/index.ts'
import type { Clock } from '../shared/clock.ts'
import type { CausewayError } from '../shared/errors/index.ts'
import type { Random } from '../shared/random.ts'
import { isPrivate } from './addresses.ts'
import { createGraphProbe, type GraphProbe } from './graph.ts'
import { createInstanceProbe, type InstanceProbe } from './instance.ts'
import { type StartRelay, startRelay } from './probe/relay.ts'
import type { System } from './system.ts'

/** What every check is given. */
export interface DoctorContext {
  readonly config: Config
  /** What the offline check of the file warned of. */
  readonly warnings: readonly CausewayError[]
  /** WhatsApp's side is a simulator in a private network: rules about the Internet do not apply. */
  readonly lab: boolean
  readonly clock: Clock
  readonly random: Random
  readonly system: System
  readonly graph: GraphProbe
  /** The running instance of this configuration, if there is one. */
  readonly instance: InstanceProbe
  readonly startRelay: StartRelay
  /** What TLS connections trust: the public authorities and `whatsapp.ca`. */
  readonly trust: Trust
  /** Server that says from where it sees our UDP; undefined: nobody is asked. */
  readonly stun: { host: string; port: number } | undefined
  /** Aborted when the check's time is over or the run is interrupted. */
  readonly signal: AbortSignal
}

/** What a context is made of. */
export interface ContextOptions {
  config: Config
  warnings: readonly CausewayError[]
  clock: Clock
  random: Random
  system: System
  /** Base URL of the instance, instead of the one that follows from `http.listen`. */
  url?: string | undefined
  stun?: { host: string; port: number } | undefined
  /** Default: a real one. */
  startRelay?: StartRelay
  /** Default: whether `sip_proxy` is an address of a private network. */
  lab?: boolean
  signal: AbortSignal
}

/** The context of a run, and how to close what it opened. */
export function createContext(options: ContextOptions): {
  context: DoctorContext
  close(): Promise<void>
} {
  const { config, warnings, clock, random, system, stun, signal } = options
  const instance = createInstanceProbe({ http: config.http, url: options.url, clock, signal })
  const graph = createGraphProbe({ config, clock, random, instance, signal })
  const context: DoctorContext = {
    config,
    warnings,
    lab: options.lab ?? isLab(config),
    clock,
    random,
    system,
    graph,
    instance,
    startRelay: options.startRelay ?? startRelay,
    trust: createTrust(config.whatsapp.ca),
    stun,
    signal,
  }
  return { context, close: () => graph.close() }
}

/** Where requests for WhatsApp go. */
export function proxyOf(config: Config): SipUri {
  const uri = parseSipUri(config.whatsapp.sipProxy)
  if (!('uri' in uri)) throw new TypeError(`sip_proxy: ${config.whatsapp.sipProxy}`)
  return uri
}

function isLab(config: Config): boolean {
  const { host } = proxyOf(config)
  return isLoopback(host) || (isIP(host) !== 0 && isPrivate(host))
}

/** TLS contexts by version, built once: reading all authorities takes a while. */
export type Trust = (version?: 'TLSv1.2' | 'TLSv1.3') => SecureContext

function createTrust(file: string | undefined): Trust {
  const known = new Map<string, SecureContext>()
  return (version) => {
    let context = known.get(version ?? '')
    if (!context) {
      const limit = version ? { maxVersion: version } : {}
      const ca = anchorsOf(file)
      context = createSecureContext({ ca, minVersion: version ?? 'TLSv1.2', ...limit })
      known.set(version ?? '', context)
    }
    return context
  }
}

/** The public authorities and that of `whatsapp.ca`. */
export function anchorsOf(file: string | undefined): string[] {
  return [...getCACertificates('default'), ...extraAnchor(file)]
}

/** A file that cannot be used is told by the check `config`. */
function extraAnchor(file: string | undefined): string[] {
  if (file === undefined) return []
  try {
    return [readAnchor(file)]
  } catch {
    return []
  }
}
