import t from 'tap'
import { sipFamilies } from '../../../src/app/metrics/sip-metrics.ts'
import { METHODS, type SipServerMetrics } from '../../../src/embedded-drachtio/index.ts'

const none = METHODS.map(() => 0)
/** Counts by method, in the order of the server. */
const methods = (counts: Partial<Record<(typeof METHODS)[number], number>>): number[] =>
  METHODS.map((name) => counts[name] ?? 0)

const metrics = {
  now: {},
  counters: {
    transport: {},
    transactions: {
      inviteTimeouts: 1,
      requestTimeouts: 2,
      progressTimeouts: 3,
      failureAckTimeouts: 4,
      ackTimeouts: 5,
      serverInvite: 6,
      serverOther: 7,
      clientInvite: 8,
      clientOther: 9,
    },
    dialogs: {},
    traffic: [
      {
        peer: 'whatsapp',
        requests: { in: methods({ INVITE: 3, BYE: 1 }), out: none },
        responses: { in: [0, 0, 0, 0, 0, 0], out: [3, 2, 0, 1, 0, 0] },
        repeated: { in: { request: 2, response: 0 }, out: { request: 0, response: 1 } },
        response: { bounds: [0.1, 1], counts: [4, 2], sum: 1.5, count: 7 },
      },
    ],
  },
} as unknown as SipServerMetrics

/** The samples of a family, as `labels: value`. */
function samplesOf(name: string): string[] {
  const family = sipFamilies(metrics).find((one) => one.name === name)
  return (family?.samples ?? []).map(
    ({ part, labels, value }) => `${[part, ...Object.values(labels)].filter(Boolean)}: ${value}`,
  )
}

t.test('timers are named as in RFC 3261', async (t) => {
  t.same(samplesOf('sip_timeouts'), ['B: 1', 'F: 2', 'C: 3', 'H: 4', 'L: 5'])
  t.same(samplesOf('sip_transactions_created'), [
    'server,invite: 6',
    'server,other: 7',
    'client,invite: 8',
    'client,other: 9',
  ])
})

t.test('methods and classes that never came up are left out', async (t) => {
  t.same(samplesOf('sip_requests'), ['in,INVITE,whatsapp: 3', 'in,BYE,whatsapp: 1'])
  t.same(samplesOf('sip_responses'), [
    '1xx,out,whatsapp: 3',
    '2xx,out,whatsapp: 2',
    '4xx,out,whatsapp: 1',
  ])
  t.same(samplesOf('sip_retransmissions'), [
    'in,request,whatsapp: 2',
    'in,response,whatsapp: 0',
    'out,request,whatsapp: 0',
    'out,response,whatsapp: 1',
  ])
})

t.test('buckets hold what is at most their bound', async (t) => {
  t.same(samplesOf('sip_response_seconds'), [
    'bucket,whatsapp,0.1: 4',
    'bucket,whatsapp,1: 6',
    'bucket,whatsapp,+Inf: 7',
    'sum,whatsapp: 1.5',
    'count,whatsapp: 7',
  ])
})
