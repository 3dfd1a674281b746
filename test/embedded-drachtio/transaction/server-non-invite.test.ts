import t from 'tap'
import { flowOf, Harness, incoming, ours } from './harness.ts'

t.test('timer J: the last response is repeated for 64·T1 over UDP', async (t) => {
  const h = new Harness()
  const flow = flowOf('udp')
  h.receive(incoming('OPTIONS'), flow)
  const transaction = h.requests[0]!
  t.equal(transaction.state, 'trying')
  h.receive(incoming('OPTIONS'), flow)
  t.same(h.log, [], 'no response yet')
  transaction.respond(ours(transaction, 100))
  t.equal(transaction.state, 'proceeding')
  h.receive(incoming('OPTIONS'), flow)
  transaction.respond(ours(transaction, 200))
  t.equal(transaction.state, 'completed')
  t.notOk(transaction.respond(ours(transaction, 500)))
  h.clock.advance(31_999)
  h.receive(incoming('OPTIONS'), flow)
  t.same(h.log, ['100 OPTIONS', '100 OPTIONS', '200 OPTIONS', '200 OPTIONS'])
  t.equal(h.requests.length, 1)
  h.clock.advance(1)
  t.same(h.ended, [transaction])
  t.ok(h.empty)
})

t.test('timer J is zero over a stream', async (t) => {
  const h = new Harness()
  h.answer = (transaction) => transaction.respond(ours(transaction, 200))
  h.receive(incoming('BYE'), flowOf('tls'))
  t.same(h.log, ['200 BYE'])
  t.equal(h.requests[0]?.state, 'terminated')
  t.ok(h.empty)
})

t.test('a request never answered is forgotten when its client has given up', async (t) => {
  const h = new Harness()
  h.receive(incoming('INFO'), flowOf('tcp'))
  h.clock.advance(32_000)
  t.same(h.log, [])
  t.equal(h.counters.unanswered, 1)
  t.notOk(h.requests[0]?.respond(ours(h.requests[0], 200)))
  t.ok(h.empty)
})

t.test('what is for INVITE alone does nothing', async (t) => {
  const h = new Harness()
  h.receive(incoming('INFO'), flowOf('udp'))
  const transaction = h.requests[0]!
  t.notOk(transaction.respondReliably(ours(transaction, 183), () => {}))
  transaction.pracked()
  transaction.acknowledged()
  t.same(h.log, [])
})
