import { type CallRecord, CallRegistry } from '../../src/calls/index.ts'
import {
  buildHttp,
  type HealthCheck,
  type Operations,
  type WebhookDoor,
} from '../../src/http/index.ts'
import { CausewayError } from '../../src/shared/errors/index.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { Secret } from '../../src/shared/secret.ts'
import { FakeClock } from '../support/fake-clock.ts'

export const healthy: HealthCheck = {
  component: 'sip-server',
  id: 'embedded',
  status: 'pass',
  output: 'connected',
  ready: true,
}

/** An HTTP interface over a real call registry and otherwise canned state. */
export function httpFixture(
  change: Partial<Operations> = {},
  token?: string,
  webhooks?: WebhookDoor,
) {
  const clock = new FakeClock()
  const registry = new CallRegistry(clock)
  const log: string[] = []
  const operations: Operations = {
    version: '1.2.3',
    checks: () => [healthy],
    metrics: async () => [],
    calls: {
      active: () => [...registry.active()].map((call) => registry.record(call.id) as CallRecord),
      ended: () => registry.ended(),
      get: (id) => registry.record(id),
      report: async () => undefined,
      hangUp: (id) => {
        log.push(`hang up ${id}`)
        return registry.get(id) !== undefined
      },
      messages: (id) => {
        throw new CausewayError('APP_MESSAGES_OFF', { place: id })
      },
      pcap: (id) => {
        throw new CausewayError('APP_MESSAGES_OFF', { place: id })
      },
    },
    numbers: () => [],
    rotate: (number) => ({
      number,
      state: 'running',
      unfinished: true,
      steps: [],
      calls: 0,
      window_ms: null,
      error: null,
    }),
    journal: () => [],
    trunks: () => [],
    config: () => ({ sip: { domain: 'sip.example.com' } }),
    reload: async () => ({
      ok: true,
      applied: [],
      restart: [],
      reasons: {},
      errors: [],
      warnings: [],
    }),
    reloads: () => ({
      loaded_at: '2026-11-29T10:00:00.000Z',
      hash: 'sha256:0123456789ab',
      restart: [],
      last: null,
    }),
    drain: () => void log.push('drain'),
    undrain: () => void log.push('undrain'),
    ...change,
  }
  const secret = token === undefined ? undefined : new Secret(token)
  const app = buildHttp({ operations, token: () => secret, webhooks, log: silentLogger() })
  return { app, clock, registry, log, operations }
}

/** Begins a call of the number `support`. */
export function beginCall(registry: CallRegistry, id: string, wacid?: string) {
  return registry.begin({
    id,
    direction: 'user-initiated',
    number: 'support',
    business: '+441632960123',
    consumer: '+33199001234',
    trunk: 'main',
    ...(wacid ? { whatsapp: { wacid } } : {}),
  })
}
