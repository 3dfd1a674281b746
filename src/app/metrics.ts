import type { BridgeStatus } from '../bridge/index.ts'
import type { CallRegistry } from '../calls/index.ts'
import type { ListenerInfo, SipServerMetrics } from '../embedded-drachtio/index.ts'
import type { HealthCheck, MetricFamily, Sample } from '../http/index.ts'

/** What the metrics are made of. */
export interface MetricSources {
  version: string
  calls: CallRegistry
  bridge: BridgeStatus
  checks: readonly HealthCheck[]
  listeners: readonly ListenerInfo[]
  /** Undefined for a drachtio-server elsewhere. */
  sip: SipServerMetrics | undefined
}

const one = (value: number): Sample[] => [{ labels: {}, value }]

function gauge(name: string, help: string, samples: Sample[]): MetricFamily {
  return { name, help, type: 'gauge', samples }
}

function counter(name: string, help: string, samples: Sample[]): MetricFamily {
  return { name, help, type: 'counter', samples }
}

function labelled(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value }))
}

/** Every metric of the instance; labels name configured things, never a phone number. */
export function metricFamilies(sources: MetricSources): MetricFamily[] {
  const { version, bridge, checks, sip } = sources
  return [
    gauge('build_info', 'Version of Causeway.', [{ labels: { version }, value: 1 }]),
    ...callFamilies(sources),
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

function callFamilies({ calls, bridge }: MetricSources): MetricFamily[] {
  const active = { 'user-initiated': 0, 'business-initiated': 0 }
  for (const call of calls.active()) active[call.direction]++
  return [
    gauge('calls_active', 'Calls in progress.', labelled('direction', active)),
    counter('calls_started', 'Calls begun.', labelled('direction', { ...calls.startedTotals })),
    counter(
      'calls_ended',
      'Calls ended, by result class and code.',
      calls.counts().map(({ direction, result, code, count }) => ({
        labels: { direction, result, code },
        value: count,
      })),
    ),
    counter(
      'invites_refused',
      'INVITEs that did not become calls.',
      bridge.refusals.map(({ side, code, count }) => ({ labels: { side, code }, value: count })),
    ),
  ]
}

function sipFamilies({ now, counters }: SipServerMetrics): MetricFamily[] {
  const { transport, transactions, dialogs } = counters
  const { serverTransactions: server, clientTransactions: client } = now
  return [
    gauge('sip_transactions', 'Transactions in the tables.', labelled('side', { server, client })),
    gauge('sip_timers', 'Pending transaction timers.', one(now.timers)),
    gauge('sip_dialogs', 'Dialogs of the SIP server.', one(now.dialogs)),
    gauge('sip_incoming_pending', 'Requests that wait for an application.', one(now.incoming)),
    gauge('sip_invites_pending', 'INVITEs of ours whose transaction lives.', one(now.invites)),
    gauge('sip_connections', 'Open SIP stream connections.', one(now.connections)),
    gauge('sip_applications', 'Connected applications.', one(now.applications)),
    gauge('sip_queue_bytes', 'Bytes applications have not read.', one(now.queuedBytes)),
    gauge('sip_dns_cached', 'DNS answers kept.', one(now.dnsCached)),
    counter(
      'sip_messages_received',
      'SIP messages received.',
      labelled('transport', { ...transport.messagesReceived }),
    ),
    counter(
      'sip_messages_sent',
      'SIP messages sent.',
      labelled('transport', { ...transport.messagesSent }),
    ),
    counter(
      'sip_parse_errors',
      'Messages that could not be parsed.',
      labelled('transport', { ...transport.parseErrors }),
    ),
    counter(
      'sip_send_errors',
      'Sends the system refused.',
      labelled('transport', { ...transport.sendErrors }),
    ),
    counter('sip_tls_failures', 'TLS handshakes that failed.', one(transport.tlsFailures)),
    counter(
      'sip_connect_failures',
      'Outbound connections that failed.',
      one(transport.connectFailures),
    ),
    counter('sip_transactions_created', 'Transactions by kind.', [
      { labels: { side: 'server', method: 'invite' }, value: transactions.serverInvite },
      { labels: { side: 'server', method: 'other' }, value: transactions.serverOther },
      { labels: { side: 'client', method: 'invite' }, value: transactions.clientInvite },
      { labels: { side: 'client', method: 'other' }, value: transactions.clientOther },
    ]),
    counter('sip_retransmissions', 'Messages repeated, by direction.', [
      { labels: { direction: 'in', kind: 'request' }, value: transactions.requestsRepeatedIn },
      { labels: { direction: 'in', kind: 'response' }, value: transactions.responsesRepeatedIn },
      { labels: { direction: 'out', kind: 'request' }, value: transactions.requestsRepeatedOut },
      { labels: { direction: 'out', kind: 'response' }, value: transactions.responsesRepeatedOut },
    ]),
    counter('sip_timeouts', 'Transactions without the message they waited for.', [
      { labels: { timer: 'B' }, value: transactions.inviteTimeouts },
      { labels: { timer: 'F' }, value: transactions.requestTimeouts },
      { labels: { timer: 'C' }, value: transactions.progressTimeouts },
      { labels: { timer: 'H' }, value: transactions.failureAckTimeouts },
      { labels: { timer: 'L' }, value: transactions.ackTimeouts },
    ]),
    counter('sip_dialogs_created', 'Dialogs made.', one(dialogs.dialogsMade)),
  ]
}
