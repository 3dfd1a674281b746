import t from 'tap'
import { flowOf, Harness, incoming, ours, targetOf } from './harness.ts'

const reason = [{ key: 'reason', name: 'Reason', value: 'Q.850;cause=16' }]

t.test('our CANCEL, before any response: held until the first provisional', async (t) => {
  const h = new Harness()
  const transaction = h.send('INVITE')
  transaction.cancel(reason)
  transaction.cancel()
  h.clock.advance(600)
  t.same(h.log, ['INVITE', 'INVITE'])
  h.reply(100, 'INVITE')
  t.same(h.log, ['INVITE', 'INVITE', 'CANCEL'])
  const cancel = h.last.message
  t.equal(cancel.via.branch, transaction.request.via.branch)
  t.match(cancel, { method: 'CANCEL', cseq: 1, callId: 'call-1', fromTag: 'from', toTag: '' })
  t.match(
    cancel.headers.find((line) => line.key === 'reason'),
    { value: 'Q.850;cause=16' },
  )
  h.reply(200, 'CANCEL')
  h.reply(487, 'INVITE')
  t.same(h.heard, ['487'])
  t.same(h.log.slice(3), ['ACK'])
  h.clock.advance(32_000)
  t.ok(h.empty)
})

t.test('our CANCEL, after a provisional: at once, resent on timer E', async (t) => {
  const h = new Harness()
  const transaction = h.send('INVITE')
  h.reply(180, 'INVITE')
  transaction.cancel()
  h.clock.advance(1600)
  t.same(h.times('CANCEL'), [0, 500, 1500])
  h.reply(200, 'CANCEL')
  h.clock.advance(10_000)
  t.same(h.times('CANCEL'), [0, 500, 1500])
  h.reply(487, 'INVITE')
  t.same(h.heard, ['180', '487'])
  h.clock.advance(32_000)
  t.ok(h.empty)
})

t.test('our CANCEL, crossed by 200: the 200 is told like any other', async (t) => {
  const h = new Harness()
  const transaction = h.send('INVITE')
  h.reply(180, 'INVITE')
  transaction.cancel()
  h.reply(200, 'INVITE')
  h.reply(481, 'CANCEL')
  t.same(h.heard, ['180', '200'])
  h.clock.advance(32_000)
  t.same(h.heard, ['180', '200'])
  t.ok(h.empty)
})

t.test('our CANCEL, after a final response: nothing', async (t) => {
  for (const status of [200, 486]) {
    const h = new Harness()
    const transaction = h.send('INVITE')
    h.reply(status, 'INVITE')
    transaction.cancel()
    h.clock.advance(40_000)
    t.same(h.times('CANCEL'), [])
    t.ok(h.empty)
  }
})

t.test('our CANCEL without a final response: 487 made here after 64·T1', async (t) => {
  const h = new Harness()
  const transaction = h.send('INVITE', [targetOf('tcp')])
  h.reply(180, 'INVITE')
  h.clock.advance(1000)
  transaction.cancel()
  h.reply(200, 'CANCEL')
  h.clock.advance(31_999)
  t.same(h.heard, ['180'])
  h.clock.advance(1)
  t.same(h.heard, ['180', 'failure 487'])
  t.same(h.ended, [transaction])
  t.equal(h.counters.cancelTimeouts, 1)
  t.ok(h.empty)
  h.reply(200, 'INVITE')
  t.equal(h.stray.length, 1, 'an answer after that is for the user to end')
})

t.test('our CANCEL of an INVITE nobody answers: 487 with timer B, no further target', async (t) => {
  const h = new Harness()
  h.send('INVITE', [targetOf('udp', 9), targetOf('udp', 10)]).cancel()
  h.clock.advance(32_000)
  t.same(h.heard, ['failure 487'])
  t.same(h.times('CANCEL'), [])
  t.ok(h.empty)
})

t.test('our CANCEL means nothing for other methods', async (t) => {
  const h = new Harness()
  const transaction = h.send('OPTIONS')
  h.reply(183, 'OPTIONS')
  transaction.cancel()
  t.same(h.log, ['OPTIONS'])
})

t.test('their CANCEL, before any response of ours: 200 and 487 share a To tag', async (t) => {
  const h = new Harness()
  const flow = flowOf('udp')
  h.onCancelled = (invite) => invite.respond(ours(invite, 487, 'other'))
  h.receive(incoming('INVITE'), flow)
  h.receive(incoming('CANCEL'), flow)
  t.same(h.log, ['100 INVITE', '200 CANCEL', '487 INVITE'])
  t.equal(h.sent[1]?.message.toTag, h.sent[2]?.message.toTag)
  t.not(h.sent[1]?.message.toTag, '')
  t.equal(h.cancelled.length, 1)
  h.receive(incoming('CANCEL'), flow)
  t.same(h.log.slice(3), ['200 CANCEL'], 'a repeated CANCEL gets the 200 again')
  t.equal(h.cancelled.length, 1)
  h.receive(incoming('ACK', { to: `<sip:a@192.0.2.1>;tag=${h.sent[2]?.message.toTag}` }), flow)
  t.same(h.acks, [])
  h.clock.advance(32_000)
  t.ok(h.empty)
})

t.test('their CANCEL, after a provisional of ours: its tag everywhere', async (t) => {
  const h = new Harness()
  const flow = flowOf('tls')
  h.receive(incoming('INVITE'), flow)
  h.requests[0]?.respond(ours(h.requests[0], 180, 'mine'))
  h.receive(incoming('CANCEL'), flow)
  h.requests[0]?.respond(ours(h.requests[0], 487, 'mine'))
  t.same(h.log, ['100 INVITE', '180 INVITE', '200 CANCEL', '487 INVITE'])
  t.same(
    h.sent.map(({ message }) => message.toTag),
    ['', 'mine', 'mine', 'mine'],
  )
})

t.test('their CANCEL, after a final response of ours: 200 and nothing more', async (t) => {
  for (const status of [200, 486]) {
    const h = new Harness()
    const flow = flowOf('udp')
    h.answer = (transaction) => transaction.respond(ours(transaction, status))
    h.receive(incoming('INVITE'), flow)
    h.receive(incoming('CANCEL'), flow)
    t.same(h.log, ['100 INVITE', `${status} INVITE`, '200 CANCEL'])
    t.equal(h.last.message.toTag, 'ours')
    t.same(h.cancelled, [])
  }
})

t.test('their CANCEL, matching nothing: 481, the same each time', async (t) => {
  const h = new Harness()
  const flow = flowOf('udp')
  h.receive(incoming('INVITE', { branch: 'z9hG4bKother' }), flow)
  h.receive(incoming('CANCEL'), flow)
  h.receive(incoming('CANCEL'), flow)
  t.same(h.log, ['100 INVITE', '481 CANCEL', '481 CANCEL'])
  t.equal(h.sent[1]?.message.toTag, h.sent[2]?.message.toTag)
  t.same(h.cancelled, [])
  t.equal(h.layer.sizes().server, 1, 'no state for it')
})

t.test('their CANCEL, left alone by the user: 487 after 64·T1', async (t) => {
  const h = new Harness()
  h.receive(incoming('INVITE'), flowOf('tcp'))
  h.receive(incoming('CANCEL'), flowOf('tcp'))
  h.clock.advance(31_999)
  t.same(h.log, ['100 INVITE', '200 CANCEL'])
  h.clock.advance(1)
  t.same(h.log.slice(2), ['487 INVITE'])
  t.equal(h.sent[1]?.message.toTag, h.sent[2]?.message.toTag)
  h.clock.advance(32_000)
  t.ok(h.empty)
})

t.test('a 200 of ours that crosses their CANCEL goes out with its own tag', async (t) => {
  const h = new Harness()
  h.receive(incoming('INVITE'), flowOf('udp'))
  h.receive(incoming('CANCEL'), flowOf('udp'))
  t.ok(h.requests[0]?.respond(ours(h.requests[0], 200, 'dialog')))
  t.equal(h.last.message.toTag, 'dialog')
  t.notOk(h.requests[0]?.respond(ours(h.requests[0], 487)))
})
