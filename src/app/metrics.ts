import type { BridgeStatus, DigestCount } from '../bridge/index.ts'
import type { ListenerInfo, SipServerMetrics } from '../embedded-drachtio/index.ts'
import type { HealthCheck, MetricFamily } from '../http/index.ts'
import { counter, gauge, labelled, one } from './metrics/families.ts'
import { sipFamilies } from './metrics/sip-metrics.ts'

/** What the metrics are made of. */
export interface MetricSources {
  version: string
  bridge: BridgeStatus
  digests: readonly DigestCount[]
  checks: readonly HealthCheck[]
  listeners: readonly ListenerInfo[]
  /** Undefined for a drachtio-server elsewhere. */
  sip: SipServerMetrics | undefined
}

/** Metrics of the instance, its bridge and its SIP server; labels name configured things, never a phone number. */
export function metricFamilies(sources: MetricSources): MetricFamily[] {
  const { version, bridge, checks, sip } = sources
  return [
    gauge('build_info', 'Version of Causeway and of Node.', [
      { labels: { node: process.version, version }, value: 1 },
    ]),
    counter(
      'invites_refused',
      'INVITEs that did not become calls.',
      bridge.refusals.map(({ side, code, count }) => ({ labels: { side, code }, value: count })),
    ),
    counter(
      'digests',
      'What became of digests: theirs that we checked, ours that answered a challenge.',
      sources.digests.map(({ side, role, result, count }) => ({
        labels: { side, role, result },
        value: count,
      })),
    ),
    gauge('draining', 'Whether new calls are refused.', one(bridge.draining ? 1 : 0)),
    gauge(
      'bridge_held',
      'What the bridge holds for calls: all are zero without calls.',
      labelled('kind', { ...bridge.held }),
    ),
    gauge('sip_server_up', 'Whether the SIP server is connected.', one(bridge.connected ? 1 : 0)),
    gauge(
      'check_status',
      'Health checks: 0 pass, 1 warn, 2 fail.',
      checks.map(({ component, id, status }) => ({
        labels: { component, id },
        value: { pass: 0, warn: 1, fail: 2 }[status],
      })),
    ),
    gauge(
      'certificate_expiry_timestamp_seconds',
      'End of the validity of the certificate of a listener, Unix time.',
      sources.listeners.flatMap(({ transport, host, port, certificate }) =>
        certificate
          ? [
              {
                labels: { listener: `${transport}://${host}:${port}` },
                value: certificate.notAfter / 1000,
              },
            ]
          : [],
      ),
    ),
    ...(sip ? sipFamilies(sip) : []),
  ]
}
