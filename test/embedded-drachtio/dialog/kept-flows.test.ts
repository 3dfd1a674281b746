import t from 'tap'
import { KeptFlows } from '../../../src/embedded-drachtio/dialog/kept-flows.ts'
import {
  type Flow,
  headerLine,
  makeRequest,
  makeResponse,
} from '../../../src/embedded-drachtio/message/index.ts'
import { FakeClock } from '../../support/fake-clock.ts'

type Lines = Readonly<Record<string, string>>

function lines(headers: Lines) {
  return Object.entries(headers).map(([name, value]) => headerLine(name, value))
}

const flowOf = (id: number, transport: Flow['transport'] = 'tcp'): Flow => ({
  id,
  transport,
  localAddress: '10.0.0.5',
  localPort: 40000,
  remoteAddress: '10.0.0.9',
  remotePort: 5060,
})

/** What is kept, and every change of it. */
function lab() {
  const clock = new FakeClock()
  const intervals = new Map<number, number | undefined>()
  const kept = new KeptFlows(clock, ({ id }, interval) => intervals.set(id, interval))
  let cseq = 0
  /** A REGISTER and its 2xx. */
  const learn = (asked: Lines, granted: Lines, flow = flowOf(1), callId = 'c1') => {
    const request = makeRequest({
      method: 'REGISTER',
      uri: 'sip:10.0.0.9',
      callId,
      cseq: ++cseq,
      from: '<sip:causeway@10.0.0.9>;tag=a',
      to: '<sip:causeway@10.0.0.9>',
      headers: lines(asked),
    })
    kept.learn(request, makeResponse(request, 200, 'OK', { headers: lines(granted) }), flow)
  }
  return { clock, kept, intervals, learn }
}

const CONTACT = '<sip:causeway@10.0.0.5;transport=tcp>'
const plain = { Contact: `${CONTACT};expires=300` }
const ours = { ...plain, Supported: 'path, outbound' }
const named = {
  Contact: `${CONTACT};+sip.instance="<urn:uuid:9f2b>";reg-id=1;expires=300`,
}

const cases: [what: string, asked: Lines, granted: Lines, interval: number | undefined][] = [
  ['a Flow-Timer', ours, { 'Flow-Timer': '60' }, 60_000],
  ['a Flow-Timer for a flow of an instance', named, { 'Flow-Timer': '60' }, 60_000],
  ['both', ours, { Require: 'path, outbound', 'Flow-Timer': '60' }, 60_000],
  ['Require alone', ours, { Require: 'Outbound' }, 120_000],
  ['a Flow-Timer of nothing', ours, { Require: 'outbound', 'Flow-Timer': '0' }, 120_000],
  ['neither', ours, { Require: 'path' }, undefined],
  ['nothing we have offered', plain, { Require: 'outbound', 'Flow-Timer': '60' }, undefined],
  ['a Flow-Timer that is none', ours, { 'Flow-Timer': 'soon' }, undefined],
]

for (const [what, asked, granted, interval] of cases) {
  t.test(`${what}: ${interval ?? 'no'} ms`, async (t) => {
    const { kept, intervals, learn, clock } = lab()
    learn(asked, granted)
    t.equal(intervals.get(1), interval)
    t.equal(kept.size, interval === undefined ? 0 : 1)
    kept.clear()
    t.equal(clock.pending, 0)
  })
}

t.test('over UDP nothing is kept: that would be STUN', async (t) => {
  const { kept, learn, intervals } = lab()
  learn(ours, { 'Flow-Timer': '60' }, flowOf(1, 'udp'))
  t.equal(kept.size + intervals.size, 0)
})

t.test(
  'another timer, the end of the registration, and a question that changes nothing',
  async (t) => {
    const { kept, learn, intervals, clock } = lab()
    learn(ours, { 'Flow-Timer': '60' })
    learn(ours, { 'Flow-Timer': '30' })
    t.equal(intervals.get(1), 30_000)
    learn({ Supported: 'outbound' }, { 'Flow-Timer': '90' })
    t.equal(intervals.get(1), 30_000)
    // The answer to the end of ours still lists the contacts of others.
    const others = { Contact: '<sip:other@10.0.0.7>;expires=600', 'Flow-Timer': '30' }
    learn({ ...ours, Contact: `${CONTACT};expires=0`, Expires: '0' }, others)
    t.equal(intervals.get(1), undefined)
    t.equal(kept.size, 0)
    t.equal(clock.pending, 0)
  },
)

t.test('a registration that nobody renews ends the pings when it runs out', async (t) => {
  const { kept, learn, intervals, clock } = lab()
  learn(ours, { Contact: `${CONTACT};expires=100`, 'Flow-Timer': '60' })
  clock.advance(99_000)
  t.equal(intervals.get(1), 60_000)
  learn(ours, { Expires: '200', 'Flow-Timer': '60' })
  clock.advance(199_000)
  t.equal(kept.size, 1)
  clock.advance(1000)
  t.equal(intervals.get(1), undefined)
  t.equal(kept.size, 0)
})

t.test('two registrations over one connection: the shorter timer, until it is over', async (t) => {
  const { kept, learn, intervals } = lab()
  learn(ours, { 'Flow-Timer': '90' }, flowOf(1), 'a')
  learn(ours, { 'Flow-Timer': '60' }, flowOf(1), 'b')
  t.equal(intervals.get(1), 60_000)
  learn({ ...ours, Contact: `${CONTACT};expires=0` }, {}, flowOf(1), 'b')
  t.equal(intervals.get(1), 90_000)
  learn(ours, { 'Flow-Timer': '60' }, flowOf(2), 'b')
  t.same(kept.closed(flowOf(1)), [{ callId: 'a', cseq: 1 }])
  t.same(kept.closed(flowOf(1)), [], 'told once')
  t.equal(kept.size, 1)
})

t.test(
  'a registration that moved to another connection ends nothing with the old one',
  async (t) => {
    const { kept, learn, intervals } = lab()
    learn(ours, { 'Flow-Timer': '60' })
    learn(ours, { 'Flow-Timer': '60' }, flowOf(2))
    t.equal(intervals.get(1), undefined)
    t.equal(intervals.get(2), 60_000)
    t.same(kept.closed(flowOf(1)), [])
    t.same(kept.closed(flowOf(2)), [{ callId: 'c1', cseq: 2 }])
  },
)
