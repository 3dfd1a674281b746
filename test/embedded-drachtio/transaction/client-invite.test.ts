import t from 'tap'
import { flowOf, Harness, targetOf } from './harness.ts'

t.test('timers A and B over UDP: seven INVITEs, then 408', async (t) => {
  const h = new Harness()
  const transaction = h.send('INVITE')
  t.equal(transaction.state, 'trying')
  t.equal(h.layer.client(transaction.id), transaction)
  h.clock.advance(31_999)
  t.same(h.times('INVITE'), [0, 500, 1500, 3500, 7500, 15_500, 31_500])
  t.same(h.heard, [])
  h.clock.advance(1)
  t.same(h.heard, ['failure 408'])
  t.same(h.ended, [transaction])
  t.equal(h.counters.inviteTimeouts, 1)
  t.equal(h.counters.requestsRepeatedOut, 6)
  t.ok(h.empty)
})

t.test('timer B over a stream: one INVITE, then 408', async (t) => {
  for (const transport of ['tcp', 'tls'] as const) {
    const h = new Harness()
    h.send('INVITE', [targetOf(transport)])
    h.clock.advance(31_999)
    t.same(h.times('INVITE'), [0])
    t.same(h.heard, [])
    h.clock.advance(1)
    t.same(h.heard, ['failure 408'])
    t.ok(h.empty)
  }
})

t.test('the Via names our address there and asks for rport over UDP only', async (t) => {
  const h = new Harness()
  const transaction = h.send('INVITE')
  t.match(
    transaction.request.headers[0]?.value,
    /^SIP\/2\.0\/UDP 192\.0\.2\.1:5060;rport;branch=z9hG4bK[0-9a-f]{16}0$/,
  )
  h.send('OPTIONS', [targetOf('tls')])
  t.match(h.last.message.headers[0]?.value, /^SIP\/2\.0\/TLS 192\.0\.2\.1:5060;branch=z9hG4bK/)
  h.send('BYE', [targetOf('udp')], flowOf('tcp', 44, 40_000))
  t.match(h.last.message.headers[0]?.value, /^SIP\/2\.0\/TCP /, 'the preferred flow decides')
  t.equal(h.last.flow?.id, 44)
})

t.test('100 is absorbed and stops timers A and B', async (t) => {
  const h = new Harness()
  const transaction = h.send('INVITE')
  h.clock.advance(600)
  h.reply(100, 'INVITE')
  t.equal(transaction.state, 'proceeding')
  h.clock.advance(100_000)
  t.same(h.times('INVITE'), [0, 500])
  t.same(h.heard, [])
  h.reply(180, 'INVITE')
  h.reply(180, 'INVITE')
  t.same(h.heard, ['180', '180'])
})

t.test('timer C: CANCEL 185 s after the last provisional response', async (t) => {
  const h = new Harness()
  h.send('INVITE')
  h.reply(100, 'INVITE')
  h.clock.advance(100_000)
  h.reply(180, 'INVITE')
  h.clock.advance(100_000)
  h.reply(100, 'INVITE')
  h.clock.advance(84_999)
  t.same(h.times('CANCEL'), [])
  h.clock.advance(1)
  t.same(h.times('CANCEL'), [285_000])
  h.reply(200, 'CANCEL')
  h.reply(487, 'INVITE')
  t.same(h.heard, ['180', '487'])
  h.clock.advance(32_000)
  t.equal(h.counters.progressTimeouts, 1)
  t.ok(h.empty)
})

t.test('a failure over UDP is acknowledged, again for each repetition, for timer D', async (t) => {
  const h = new Harness()
  const transaction = h.send('INVITE')
  h.reply(180, 'INVITE')
  h.reply(486, 'INVITE')
  t.equal(transaction.state, 'completed')
  const ack = h.last.message
  t.match(ack, { kind: 'request', method: 'ACK', cseq: 1, toTag: 'peer', uri: 'sip:b@192.0.2.9' })
  t.equal(ack.via.branch, transaction.request.via.branch, 'same branch as the INVITE')
  t.same(h.last.flow, h.sent[0]?.flow)
  h.clock.advance(31_999)
  h.reply(486, 'INVITE')
  t.equal(h.log.filter((name) => name === 'ACK').length, 2)
  t.same(h.heard, ['180', '486'], 'told once')
  h.clock.advance(1)
  t.equal(transaction.state, 'terminated')
  t.ok(h.empty)
  h.reply(486, 'INVITE')
  t.equal(h.stray.length, 1)
})

t.test('a failure over a stream ends the transaction at once', async (t) => {
  const h = new Harness()
  const transaction = h.send('INVITE', [targetOf('tcp')])
  h.reply(404, 'INVITE')
  t.same(h.log, ['INVITE', 'ACK'])
  t.equal(h.last.flow?.id, h.sent[0]?.flow?.id)
  t.same(h.heard, ['404'])
  t.same(h.ended, [transaction])
  t.ok(h.empty)
})

t.test('2xx: every one is delivered for timer M, forks and repetitions alike', async (t) => {
  for (const transport of ['udp', 'tcp'] as const) {
    const h = new Harness()
    const transaction = h.send('INVITE', [targetOf(transport)])
    h.reply(183, 'INVITE', { tag: 'a' })
    h.reply(200, 'INVITE', { tag: 'a' })
    t.equal(transaction.state, 'accepted')
    h.reply(200, 'INVITE', { tag: 'a' })
    h.reply(200, 'INVITE', { tag: 'b' })
    h.reply(180, 'INVITE', { tag: 'c' })
    h.reply(486, 'INVITE', { tag: 'c' })
    h.clock.advance(31_999)
    h.reply(200, 'INVITE', { tag: 'a' })
    t.same(h.heard, ['183', '200', '200', '200', '200'])
    t.same(
      h.responses.map((response) => response.toTag),
      ['a', 'a', 'a', 'b', 'a'],
    )
    t.same(h.log, ['INVITE'], 'the ACK is the business of the user')
    h.clock.advance(1)
    t.ok(h.empty)
    h.reply(200, 'INVITE', { tag: 'd' })
    t.equal(h.stray.length, 1)
  }
})

t.test('a 2xx of a fork after a failure is a stray one', async (t) => {
  const h = new Harness()
  h.send('INVITE')
  h.reply(486, 'INVITE', { tag: 'a' })
  h.reply(200, 'INVITE', { tag: 'b' })
  t.same(h.heard, ['486'])
  t.match(h.stray, [{ status: 200, toTag: 'b' }])
})

t.test('a response to another method or branch is a stray one', async (t) => {
  const h = new Harness()
  const other = new Harness()
  h.send('INVITE')
  other.send('OPTIONS')
  h.layer.onMessage(
    { ...(h.responses[0] ?? replyOf(h)), method: 'OPTIONS' },
    h.last.flow ?? flowOf('udp'),
  )
  t.same(h.heard, [])
  t.equal(h.stray.length, 1)
  t.equal(h.counters.strayResponses, 1)
})

function replyOf(h: Harness) {
  const probe = new Harness()
  probe.send('INVITE')
  probe.reply(200, 'INVITE')
  const response = probe.responses[0]!
  return { ...response, via: h.last.message.via }
}

t.test('the body is not kept beyond the final response', async (t) => {
  const h = new Harness()
  const transaction = h.send('INVITE')
  t.ok(transaction.request.body)
  h.reply(180, 'INVITE')
  t.ok(transaction.request.body)
  h.reply(200, 'INVITE')
  t.notOk(transaction.request.body)
})
