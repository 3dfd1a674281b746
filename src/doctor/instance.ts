import { nearOf } from '../config/addresses.ts'
import type { HttpConfig } from '../config/types.ts'
import type { Clock } from '../shared/clock.ts'
import { formatHostPort } from '../shared/host-port.ts'

/** One check of `GET /healthz` of a running instance. */
export interface InstanceCheck {
  component: string
  id: string
  status: 'pass' | 'warn' | 'fail'
  output: string
}

/** A running instance, as its `GET /healthz` shows it. */
export interface InstanceFacts {
  url: string
  version: string
  checks: readonly InstanceCheck[]
  /** Where it listens for WhatsApp by TLS; undefined when a drachtio-server elsewhere does. */
  whatsapp: { host: string; port: number } | undefined
}

/** Asks for the running instance once, when the first check wants to know. */
export interface InstanceProbe {
  /** Where it is looked for; undefined when `http.listen` leaves the port to the system. */
  readonly url: string | undefined
  /** Undefined when none answers. */
  facts(): Promise<InstanceFacts | undefined>
}

/** Milliseconds an instance on this machine may take. */
const PATIENCE = 3000

/** Makes the probe; nothing is asked yet. `url` replaces what follows from `http.listen`. */
export function createInstanceProbe(options: {
  http: HttpConfig
  url: string | undefined
  clock: Clock
  signal: AbortSignal
}): InstanceProbe {
  const url = options.url ?? urlOf(options.http)
  let facts: Promise<InstanceFacts | undefined> | undefined
  return {
    url,
    facts() {
      facts ??= url === undefined ? Promise.resolve(undefined) : ask(url, options)
      return facts
    },
  }
}

function urlOf({ listen: { host, port } }: HttpConfig): string | undefined {
  if (port === 0) return undefined
  return `http://${formatHostPort(nearOf(host), port)}`
}

async function ask(
  url: string,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<InstanceFacts | undefined> {
  const limit = new AbortController()
  const timer = clock.setTimeout(() => limit.abort(), PATIENCE)
  try {
    const response = await fetch(`${url}/healthz`, {
      redirect: 'manual',
      signal: AbortSignal.any([signal, limit.signal]),
    })
    return factsOf(url, await response.json())
  } catch {
    return undefined
  } finally {
    timer.clear()
  }
}

/** Reads `GET /healthz`; undefined when it is another program's. */
export function factsOf(url: string, body: unknown): InstanceFacts | undefined {
  const { serviceId, releaseId, checks } = (body ?? {}) as Record<string, unknown>
  if (serviceId !== 'causeway' || typeof checks !== 'object' || checks === null) return undefined
  const list = Object.entries(checks).flatMap(([component, group]) =>
    (Array.isArray(group) ? group : []).map((one: Record<string, unknown>) => ({
      component,
      id: String(one['componentId'] ?? ''),
      status: one['status'] === 'fail' || one['status'] === 'warn' ? one['status'] : 'pass',
      output: String(one['output'] ?? ''),
    })),
  ) as InstanceCheck[]
  const tls = list.find(({ component }) => component === 'certificate')
  const at = tls && /^tls:\/\/(.+):(\d+)$/.exec(tls.id)
  return {
    url,
    version: String(releaseId ?? ''),
    checks: list,
    whatsapp: at ? { host: at[1]!.replace(/^\[|\]$/g, ''), port: Number(at[2]) } : undefined,
  }
}
