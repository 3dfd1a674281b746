import t from 'tap'
import { parseMessage, SipParseError } from '../../../src/embedded-drachtio/message/index.ts'
import { flowOf, Harness, incoming, ours } from './harness.ts'

const flow = flowOf('udp')
const tagged = '<sip:a@192.0.2.1>;tag=ours'

t.test('branch, sent-by and method tell transactions apart', async (t) => {
  const h = new Harness()
  h.receive(incoming('OPTIONS'), flow)
  h.receive(incoming('MESSAGE'), flow)
  const elsewhere = incoming('OPTIONS', { callId: 'call-3' })
  elsewhere.via = { ...elsewhere.via, port: 5062 }
  h.receive(elsewhere, flow)
  t.equal(h.requests.length, 3)
  t.equal(h.layer.sizes().server, 3)
})

t.test('a merged request gets 482 while the first is pending (§8.2.2.2)', async (t) => {
  const h = new Harness()
  h.receive(incoming('INVITE'), flow)
  h.receive(incoming('INVITE', { branch: 'z9hG4bKpath2' }), flow)
  t.same(h.log, ['100 INVITE', '482 INVITE'])
  t.equal(h.requests.length, 1)
  h.requests[0]?.respond(ours(h.requests[0], 200))
  h.receive(incoming('INVITE', { branch: 'z9hG4bKpath3' }), flow)
  t.equal(h.log.at(-1), '482 INVITE', 'also once it is answered')
  h.receive(incoming('INVITE', { branch: 'z9hG4bKnew', cseq: 8 }), flow)
  h.receive(incoming('INVITE', { branch: 'z9hG4bKcall', callId: 'other' }), flow)
  h.receive(incoming('INVITE', { branch: 'z9hG4bKfrom', fromTag: 'other' }), flow)
  h.receive(incoming('INVITE', { branch: 'z9hG4bKdialog', to: tagged }), flow)
  t.equal(h.requests.length, 5, 'none of these is the same request')
})

t.test('a merged OPTIONS likewise; after a failure the request is a new one', async (t) => {
  const h = new Harness()
  h.receive(incoming('OPTIONS'), flow)
  h.receive(incoming('OPTIONS', { branch: 'z9hG4bKpath2' }), flow)
  t.same(h.log, ['482 OPTIONS'])
  h.requests[0]?.respond(ours(h.requests[0], 401))
  h.receive(incoming('OPTIONS', { branch: 'z9hG4bKagain' }), flow)
  t.equal(h.requests.length, 2)
})

t.test('Max-Forwards 0 gets 483, an ACK nothing', async (t) => {
  const h = new Harness()
  h.receive(incoming('OPTIONS', { maxForwards: 0 }), flow)
  h.receive(incoming('INVITE', { maxForwards: 0 }), flow)
  h.receive(incoming('ACK', { maxForwards: 0 }), flow)
  t.same(h.log, ['483 OPTIONS', '483 INVITE'])
  t.not(h.last.message.toTag, '')
  t.same(h.requests, [])
  t.equal(h.acks.length, 1)
  t.ok(h.empty)
})

t.test('a peer of RFC 2543 is told apart by the rest of the message (§17.2.3)', async (t) => {
  for (const branch of ['', 'abc', 'z9hG4bK']) {
    const h = new Harness()
    h.receive(incoming('INVITE', { branch }), flow)
    h.receive(incoming('INVITE', { branch }), flow)
    t.same(h.log, ['100 INVITE', '100 INVITE'])
    h.receive(incoming('INVITE', { branch, callId: 'other' }), flow)
    t.equal(h.requests.length, 2)
    h.onCancelled = (invite) => invite.respond(ours(invite, 487))
    h.receive(incoming('CANCEL', { branch, callId: 'other' }), flow)
    t.same(h.cancelled, [h.requests[1]])
    h.requests[0]?.respond(ours(h.requests[0], 486))
    h.receive(incoming('ACK', { branch, to: tagged }), flow)
    t.equal(h.requests[0]?.state, 'confirmed')
    t.same(h.acks, [])
  }
})

t.test('the ACK of an RFC 2543 peer for a 2xx has the Via of the INVITE', async (t) => {
  const h = new Harness()
  h.answer = (transaction) => transaction.respond(ours(transaction, 200))
  h.receive(incoming('INVITE', { branch: '' }), flow)
  h.receive(incoming('ACK', { branch: '', to: tagged }), flow)
  t.equal(h.acks.length, 1)
  h.clock.advance(40_000)
  t.same(h.times('200 INVITE'), [0])
  t.same(h.ackTimeouts, [])
  t.ok(h.empty)
})

t.test('beyond the bound of transactions requests get 503', async (t) => {
  const h = new Harness({ limits: { serverTransactions: 2 } })
  for (const n of [1, 2, 3]) {
    h.receive(incoming('OPTIONS', { branch: `z9hG4bK${n}`, callId: `c${n}` }), flow)
  }
  t.equal(h.requests.length, 2)
  t.same(h.log, ['503 OPTIONS'])
  t.ok(h.last.message.headers.some((line) => line.key === 'retry-after'))
})

t.test('a malformed request is answered when it can be', async (t) => {
  const h = new Harness()
  const text = (method: string) =>
    `${method} sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n` +
    `From: <sip:b@192.0.2.9>;tag=x\r\nTo: <sip:a@192.0.2.1>\r\nCall-ID: c\r\nCSeq: 1 ${method}\r\n` +
    'Content-Length: 99\r\n\r\nshort'
  for (const method of ['INVITE', 'ACK']) {
    try {
      parseMessage(Buffer.from(text(method)))
      t.fail('should not parse')
    } catch (error) {
      if (!(error instanceof SipParseError)) throw error
      h.layer.onMalformed(error, flow)
    }
  }
  t.same(h.log, ['400 INVITE'])
  h.layer.onMalformed(new SipParseError('nothing readable'), flow)
  t.equal(h.sent.length, 1)
  t.ok(h.empty)
})
