import { METHODS, type PeerTraffic, type SipServerMetrics } from '../../embedded-drachtio/index.ts'
import type { MetricFamily, Sample } from '../../http/index.ts'
import { counter, gauge, histogram, labelled, one } from './families.ts'

const WAYS = ['in', 'out'] as const

/** Metrics of the embedded SIP server. */
export function sipFamilies({ now, counters }: SipServerMetrics): MetricFamily[] {
  const { transport, transactions, dialogs, traffic } = counters
  const { serverTransactions: server, clientTransactions: client } = now
  return [
    gauge('sip_transactions', 'Transactions in the tables.', labelled('side', { server, client })),
    gauge('sip_timers', 'Pending transaction timers.', one(now.timers)),
    gauge('sip_dialogs', 'Dialogs of the SIP server.', one(now.dialogs)),
    gauge('sip_incoming_pending', 'Requests that wait for an application.', one(now.incoming)),
    gauge('sip_invites_pending', 'INVITEs of ours whose transaction lives.', one(now.invites)),
    gauge('sip_connections', 'Open SIP stream connections.', one(now.connections)),
    gauge('sip_flows_kept', 'Registrations whose connection is pinged.', one(now.keptFlows)),
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
    ...trafficFamilies(traffic),
    counter('sip_keepalives', 'CRLF keepalives received.', one(transport.keepalives)),
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
    counter(
      'sip_timeouts',
      'Transactions without the message they waited for.',
      labelled('timer', {
        B: transactions.inviteTimeouts,
        F: transactions.requestTimeouts,
        C: transactions.progressTimeouts,
        H: transactions.failureAckTimeouts,
        L: transactions.ackTimeouts,
      }),
    ),
    counter('sip_dialogs_created', 'Dialogs made.', one(dialogs.dialogsMade)),
    counter('sip_faults', 'Faults of the SIP server itself.', one(counters.faults)),
  ]
}

/** What went to and fro, by peer. Methods and classes that never came up are left out. */
function trafficFamilies(traffic: readonly PeerTraffic[]): MetricFamily[] {
  const requests: Sample[] = []
  const responses: Sample[] = []
  const repeated: Sample[] = []
  for (const { peer, ...counts } of traffic) {
    for (const direction of WAYS) {
      counts.requests[direction].forEach((value, index) => {
        const labels = { direction, method: METHODS[index]!, peer }
        if (value > 0) requests.push({ labels, value })
      })
      counts.responses[direction].forEach((value, index) => {
        const labels = { class: `${index + 1}xx`, direction, peer }
        if (value > 0) responses.push({ labels, value })
      })
      for (const kind of ['request', 'response'] as const) {
        const labels = { direction, kind, peer }
        repeated.push({ labels, value: counts.repeated[direction][kind] })
      }
    }
  }
  return [
    counter('sip_requests', 'SIP requests by method and peer.', requests),
    counter('sip_responses', 'SIP responses by class and peer.', responses),
    counter('sip_retransmissions', 'Messages repeated, by direction.', repeated),
    histogram(
      'sip_response_seconds',
      'From a request of ours to the first response to it.',
      traffic.map(({ peer, response }) => ({ labels: { peer }, state: response })),
    ),
  ]
}
