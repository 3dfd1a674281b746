import t from 'tap'
import { flowOf, Harness, incoming, ours } from './harness.ts'

const tagged = '<sip:a@192.0.2.1>;tag=ours'

/** An INVITE on a new layer, answered with `status` at once when given. */
function invited(transport: 'udp' | 'tcp' | 'tls', status?: number) {
  const h = new Harness()
  const flow = flowOf(transport)
  h.receive(incoming('INVITE'), flow)
  const transaction = h.requests[0]!
  if (status !== undefined) transaction.respond(ours(transaction, status))
  return { h, flow, transaction }
}

t.test('100 at once, and again for a repeated INVITE', async (t) => {
  const { h, flow, transaction } = invited('udp')
  t.same(h.log, ['100 INVITE'])
  t.equal(h.last.message.toTag, '')
  t.equal(transaction.state, 'proceeding')
  t.equal(h.layer.server(transaction.id), transaction)
  h.receive(incoming('INVITE'), flow)
  t.same(h.log, ['100 INVITE', '100 INVITE'])
  t.equal(h.requests.length, 1)
  transaction.respond(ours(transaction, 180))
  h.receive(incoming('INVITE'), flow)
  t.same(h.log.slice(2), ['180 INVITE', '180 INVITE'])
  t.equal(h.counters.requestsRepeatedIn, 2)
})

t.test('timers G and H over UDP: a failure until ACK or 64·T1', async (t) => {
  const { h, transaction } = invited('udp', 486)
  t.equal(transaction.state, 'completed')
  h.clock.advance(31_999)
  t.same(
    h.times('486 INVITE'),
    [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500],
  )
  h.clock.advance(1)
  t.same(h.ended, [transaction])
  t.equal(h.counters.failureAckTimeouts, 1)
  t.ok(h.empty)
})

t.test('timer H over a stream: nothing is resent', async (t) => {
  const { h } = invited('tls', 603)
  h.clock.advance(31_999)
  t.same(h.times('603 INVITE'), [0])
  t.notOk(h.empty)
  h.clock.advance(1)
  t.ok(h.empty)
})

t.test('timer I: ACKs and INVITEs are absorbed for T4 over UDP', async (t) => {
  const { h, flow, transaction } = invited('udp', 404)
  h.clock.advance(500)
  h.receive(incoming('ACK', { to: tagged }), flow)
  t.equal(transaction.state, 'confirmed')
  h.clock.advance(4999)
  h.receive(incoming('ACK', { to: tagged }), flow)
  h.receive(incoming('INVITE'), flow)
  t.same(h.log, ['100 INVITE', '404 INVITE', '404 INVITE'])
  t.same(h.acks, [], 'never told to the user')
  h.clock.advance(1)
  t.same(h.ended, [transaction])
  t.ok(h.empty)
})

t.test('timer I is zero over a stream', async (t) => {
  const { h, flow } = invited('tcp', 404)
  h.receive(incoming('ACK', { to: tagged }), flow)
  t.ok(h.empty)
})

t.test('2xx over UDP: resent until its ACK, which has a branch of its own', async (t) => {
  const { h, flow, transaction } = invited('udp', 200)
  t.equal(transaction.state, 'accepted')
  h.clock.advance(4000)
  t.same(h.times('200 INVITE'), [0, 500, 1500, 3500])
  h.receive(incoming('INVITE'), flow)
  t.equal(h.log.filter((name) => name === '200 INVITE').length, 5, 'a repeated INVITE gets it')
  h.receive(incoming('ACK', { branch: 'z9hG4bKack', to: tagged }), flow)
  t.equal(h.acks.length, 1)
  h.receive(incoming('INVITE'), flow)
  h.clock.advance(27_999)
  t.equal(h.log.length, 6)
  t.notOk(h.empty)
  h.receive(incoming('ACK', { branch: 'z9hG4bKack2', to: tagged }), flow)
  t.equal(h.acks.length, 2, 'each ACK is told')
  h.clock.advance(1)
  t.same(h.ackTimeouts, [])
  t.same(h.ended, [transaction])
  t.ok(h.empty)
})

t.test('2xx without ACK: resent for 32 s over UDP, the user told once', async (t) => {
  const { h, transaction } = invited('udp', 200)
  h.clock.advance(31_999)
  t.same(
    h.times('200 INVITE'),
    [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500],
  )
  t.same(h.ackTimeouts, [])
  h.clock.advance(60_000)
  t.same(h.ackTimeouts, [transaction])
  t.equal(h.counters.ackTimeouts, 1)
  t.ok(h.empty)
})

t.test('2xx without ACK over a stream: not resent, the user told after 64·T1', async (t) => {
  const { h, transaction } = invited('tcp', 200)
  h.clock.advance(31_999)
  t.same(h.times('200 INVITE'), [0])
  t.same(h.ackTimeouts, [])
  h.clock.advance(1)
  t.same(h.ackTimeouts, [transaction])
  t.ok(h.empty)
})

t.test('an ACK for another dialog or CSeq does not stop the 2xx', async (t) => {
  const { h, flow, transaction } = invited('udp', 200)
  h.receive(incoming('ACK', { branch: 'z9hG4bKx', to: '<sip:a@192.0.2.1>;tag=not' }), flow)
  h.receive(incoming('ACK', { branch: 'z9hG4bKy', to: tagged, cseq: 8 }), flow)
  t.equal(h.acks.length, 2)
  h.clock.advance(500)
  t.same(h.times('200 INVITE'), [0, 500])
  transaction.acknowledged()
  h.clock.advance(5000)
  t.same(h.times('200 INVITE'), [0, 500])
})

t.test('the 2xx to a re-INVITE likewise', async (t) => {
  const h = new Harness()
  const flow = flowOf('udp')
  h.answer = (transaction) => transaction.respond(ours(transaction, 200))
  h.receive(incoming('INVITE', { to: tagged, cseq: 8 }), flow)
  h.clock.advance(1600)
  t.same(h.times('200 INVITE'), [0, 500, 1500])
  h.receive(incoming('ACK', { branch: 'z9hG4bKack', to: tagged, cseq: 8 }), flow)
  h.clock.advance(40_000)
  t.same(h.times('200 INVITE'), [0, 500, 1500])
  t.same(h.ackTimeouts, [])
  t.ok(h.empty)
})

t.test('one final response only', async (t) => {
  const { transaction, h } = invited('udp', 200)
  t.notOk(transaction.respond(ours(transaction, 486)))
  t.notOk(transaction.respond(ours(transaction, 180)))
  t.notOk(transaction.respondReliably(ours(transaction, 183), () => {}))
  t.same(h.log, ['100 INVITE', '200 INVITE'])
  t.notOk(transaction.request.body)
})

t.test('a reliable 1xx is resent, doubling, until PRACK (RFC 3262)', async (t) => {
  for (const transport of ['udp', 'tcp'] as const) {
    const { h, transaction } = invited(transport)
    let expired = 0
    t.ok(transaction.respondReliably(ours(transaction, 183), () => expired++))
    h.clock.advance(3000)
    t.same(h.times('183 INVITE'), [0, 500, 1500])
    transaction.respond(ours(transaction, 180))
    h.clock.advance(500)
    t.same(h.times('183 INVITE'), [0, 500, 1500, 3500], 'a plain 1xx in between changes nothing')
    transaction.pracked()
    h.clock.advance(60_000)
    t.same(h.times('183 INVITE'), [0, 500, 1500, 3500])
    t.equal(expired, 0)
  }
})

t.test('a reliable 1xx without PRACK expires after 64·T1', async (t) => {
  const { h, transaction } = invited('udp')
  let expired = 0
  transaction.respondReliably(ours(transaction, 183), () => expired++)
  h.clock.advance(31_999)
  t.same(h.times('183 INVITE'), [0, 500, 1500, 3500, 7500, 15_500, 31_500])
  t.equal(expired, 0)
  h.clock.advance(1)
  t.equal(expired, 1)
  h.clock.advance(60_000)
  t.equal(h.times('183 INVITE').length, 7)
  t.equal(h.counters.prackTimeouts, 1)
})

t.test('a final response ends the wait for PRACK', async (t) => {
  const { h, flow, transaction } = invited('udp')
  transaction.respondReliably(ours(transaction, 183), () => t.fail('expired'))
  transaction.respond(ours(transaction, 200))
  h.receive(incoming('ACK', { branch: 'z9hG4bKack', to: tagged }), flow)
  h.clock.advance(60_000)
  t.same(h.times('183 INVITE'), [0])
  t.ok(h.empty)
})

t.test('an INVITE the user never answers gets 408 in the end', async (t) => {
  const h = new Harness({ limits: { unansweredInvite: 60_000 } })
  h.receive(incoming('INVITE'), flowOf('tcp'))
  h.clock.advance(59_000)
  h.requests[0]?.respond(ours(h.requests[0], 180))
  h.clock.advance(59_999)
  t.same(h.log, ['100 INVITE', '180 INVITE'])
  h.clock.advance(1)
  t.same(h.log.slice(2), ['408 INVITE'])
  t.equal(h.last.message.toTag, 'ours')
  h.clock.advance(32_000)
  t.equal(h.counters.unanswered, 1)
  t.ok(h.empty)
})

t.test('a response that cannot be sent is told to who gave it', async (t) => {
  const h = new Harness()
  h.receive(incoming('INVITE'), flowOf('tcp'))
  h.transport.refusing.add('192.0.2.9')
  const errors: Error[] = []
  const transaction = h.requests[0]!
  t.ok(transaction.respond(ours(transaction, 486), (error) => void errors.push(error)))
  t.equal(errors.length, 1)
  h.clock.advance(32_000)
  t.ok(h.empty)
})
