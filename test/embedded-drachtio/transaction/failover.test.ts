import t from 'tap'
import { flowOf, Harness, requestOf, targetOf } from './harness.ts'

const three = [targetOf('udp', 9), targetOf('udp', 10), targetOf('udp', 11)]
const addresses = (h: Harness, method: string) =>
  h.sent.filter(({ message }) => message.method === method).map(({ target }) => target?.address)

t.test('a target that refuses: the next one, with a new branch', async (t) => {
  const h = new Harness()
  h.transport.refusing.add('192.0.2.9')
  const transaction = h.send('INVITE', three)
  t.same(addresses(h, 'INVITE'), ['192.0.2.10'])
  h.transport.refusing.add('192.0.2.10')
  h.clock.advance(500)
  t.same(addresses(h, 'INVITE'), ['192.0.2.10', '192.0.2.11'], 'also when a resend is refused')
  t.not(h.sent[0]?.message.via.branch, h.sent[1]?.message.via.branch)
  t.equal(transaction.request.via.branch, h.sent[1]?.message.via.branch)
  t.equal(transaction.flow?.remoteAddress, '192.0.2.11')
  h.reply(200, 'INVITE')
  t.same(h.heard, ['200'])
  t.equal(h.counters.failovers, 2)
})

t.test('no target is left: 503, never before send has returned', async (t) => {
  const h = new Harness()
  for (const { address } of three) h.transport.refusing.add(address)
  const transaction = h.send('INVITE', three)
  t.same(h.heard, [])
  h.clock.advance(0)
  t.same(h.heard, ['failure 503'])
  t.match(transaction.error, { message: 'refused' })
  t.same(h.ended, [transaction])
  t.equal(transaction.state, 'terminated')
  t.ok(h.empty)
})

t.test('no targets, and targets no listener reaches: 503', async (t) => {
  const h = new Harness()
  h.transport.missing.add('tls')
  h.send('OPTIONS', [])
  const transaction = h.send('OPTIONS', [targetOf('tls')])
  h.clock.advance(0)
  t.same(h.heard, ['failure 503', 'failure 503'])
  t.match(transaction.error, { code: 'SIP_NO_TRANSPORT' })
  t.ok(h.empty)
})

t.test('timeout without any response: the next target gets its own 64·T1', async (t) => {
  for (const method of ['INVITE', 'OPTIONS']) {
    const h = new Harness()
    h.send(method, [targetOf('tcp', 9), targetOf('tcp', 10)])
    h.clock.advance(32_000)
    t.same(addresses(h, method), ['192.0.2.9', '192.0.2.10'])
    t.same(h.heard, [])
    h.clock.advance(32_000)
    t.same(h.heard, ['failure 408'])
    t.ok(h.empty)
  }
})

t.test('a peer that sent 100 to a slow request is not replaced', async (t) => {
  const h = new Harness()
  h.send('OPTIONS', [targetOf('tcp', 9), targetOf('tcp', 10)])
  h.reply(100, 'OPTIONS')
  h.clock.advance(32_000)
  t.same(addresses(h, 'OPTIONS'), ['192.0.2.9'])
  t.same(h.heard, ['failure 408'])
})

t.test('a silent datagram target is left sooner while others are left', async (t) => {
  for (const method of ['INVITE', 'OPTIONS']) {
    const reached: string[] = []
    const h = new Harness({
      limits: { silence: 2000 },
      reached: ({ address }, answered) => void reached.push(`${address} ${answered}`),
    })
    h.send(method, [...three.slice(0, 2)])
    h.clock.advance(1999)
    t.same([...new Set(addresses(h, method))], ['192.0.2.9'])
    h.clock.advance(1)
    t.equal(addresses(h, method).at(-1), '192.0.2.10')
    t.same(reached, ['192.0.2.9 false'])
    const sent = h.sent.length
    h.clock.advance(2500)
    t.notOk(addresses(h, method).slice(sent).includes('192.0.2.9'), 'nothing is resent to it')
    t.equal(addresses(h, method).at(-1), '192.0.2.10', 'the last one has all the time there is')
    h.reply(200, method)
    t.same(h.heard, ['200'])
    t.same(reached, ['192.0.2.9 false', '192.0.2.10 true'])
    h.clock.advance(64_000)
    t.ok(h.empty)
  }
})

t.test('100 is enough to stay, and streams have their time', async (t) => {
  const h = new Harness({ limits: { silence: 2000 } })
  h.send('INVITE', three)
  h.reply(100, 'INVITE')
  h.clock.advance(30_000)
  t.same(new Set(addresses(h, 'INVITE')), new Set(['192.0.2.9']))
  const stream = new Harness({ limits: { silence: 2000 } })
  stream.send('INVITE', [targetOf('tcp', 9), targetOf('tcp', 10)])
  stream.clock.advance(30_000)
  t.same(addresses(stream, 'INVITE'), ['192.0.2.9'])
})

t.test(
  'a target that was left and rings after all is cancelled, its answer handed up',
  async (t) => {
    const h = new Harness({ limits: { silence: 2000 } })
    h.send('INVITE', three.slice(0, 2))
    const first = h.sent[0]!
    h.clock.advance(2000)
    h.reply(180, 'INVITE', { to: first })
    t.same(h.heard, [])
    t.same(addresses(h, 'CANCEL'), ['192.0.2.9'])
    h.reply(183, 'INVITE', { to: first })
    t.equal(addresses(h, 'CANCEL').length, 1)
    h.reply(200, 'CANCEL')
    h.reply(200, 'INVITE', { to: first })
    t.same(h.heard, ['late 200'])
    h.reply(180, 'INVITE')
    h.reply(200, 'INVITE')
    t.same(h.heard, ['late 200', '180', '200'])
    h.clock.advance(64_000)
    t.ok(h.empty)

    const mute = new Harness({ limits: { silence: 2000 } })
    mute.send('INVITE', three.slice(0, 2))
    const ringing = mute.sent[0]!
    mute.clock.advance(2000)
    mute.reply(200, 'INVITE')
    mute.reply(180, 'INVITE', { to: ringing })
    mute.clock.advance(64_000)
    t.ok(mute.empty, 'one that never ends is forgotten')

    const refused = new Harness({ limits: { silence: 2000 } })
    refused.send('INVITE', three.slice(0, 2))
    const early = refused.sent[0]!
    refused.clock.advance(2000)
    refused.reply(486, 'INVITE', { to: early })
    t.same(addresses(refused, 'ACK'), ['192.0.2.9'])
    t.same(refused.heard, [], 'the other one decides')
  },
)

t.test('503 is acknowledged and followed by the next target; the last is told', async (t) => {
  const h = new Harness()
  h.send('INVITE', three.slice(0, 2))
  const first = h.sent[0]!
  h.reply(503, 'INVITE')
  t.same(h.log, ['INVITE', 'ACK', 'INVITE'])
  t.same(addresses(h, 'ACK'), ['192.0.2.9'])
  t.same(h.heard, [])
  h.reply(503, 'INVITE', { to: first })
  t.same(addresses(h, 'ACK'), ['192.0.2.9', '192.0.2.9'], 'a repeated 503 gets its ACK again')
  h.reply(180, 'INVITE')
  h.reply(503, 'INVITE')
  t.same(h.heard, ['180', '503'])
  h.clock.advance(32_000)
  t.equal(h.ended.length, 1)
  t.ok(h.empty)
})

t.test('other failures are final', async (t) => {
  for (const status of [404, 500, 504, 603]) {
    const h = new Harness()
    h.send('INVITE', three)
    h.reply(status, 'INVITE')
    t.same(h.heard, [String(status)])
    t.same(addresses(h, 'INVITE'), ['192.0.2.9'])
  }
})

t.test('no failover once cancelled', async (t) => {
  const h = new Harness()
  const transaction = h.send('INVITE', three)
  h.reply(100, 'INVITE')
  transaction.cancel()
  h.reply(503, 'INVITE')
  t.same(h.heard, ['503'])
})

t.test('a stream that closes: the next target before it rang, 503 after', async (t) => {
  const h = new Harness()
  const targets = [targetOf('tcp', 9), targetOf('tcp', 10)]
  h.send('INVITE', targets)
  h.reply(100, 'INVITE')
  h.layer.onClosed(flowOf('tcp', 8))
  t.same(addresses(h, 'INVITE'), ['192.0.2.9'], 'another stream does not matter')
  h.layer.onClosed(h.sent[0]!.flow!)
  t.same(addresses(h, 'INVITE'), ['192.0.2.9', '192.0.2.10'])
  h.reply(180, 'INVITE')
  h.layer.onClosed(h.last.flow!)
  t.same(h.heard, ['180', 'failure 503'])
  t.ok(h.empty)

  const ringing = new Harness()
  ringing.send('INVITE', targets)
  ringing.reply(180, 'INVITE')
  ringing.layer.onClosed(ringing.last.flow!)
  t.same(ringing.heard, ['180', 'failure 503'], 'a call that rings is not started elsewhere')
  t.ok(ringing.empty)
})

t.test('a stream that closes after the final response changes nothing', async (t) => {
  const h = new Harness()
  h.send('INVITE', [targetOf('tcp', 9), targetOf('tcp', 10)])
  h.reply(200, 'INVITE')
  h.layer.onClosed(h.sent[0]!.flow!)
  t.same(h.heard, ['200'])
  t.equal(h.sent.length, 1)
})

t.test('a large request is tried by TCP first, by UDP when that fails', async (t) => {
  const sizes: number[] = []
  const refused: string[] = []
  const h = new Harness({
    streamRefused: ({ transport, address }) => void refused.push(`${transport} ${address}`),
    expandForSize: (targets, size) => {
      const target = targets[0]!
      sizes.push(size)
      return size > 200
        ? [{ ...target, transport: 'tcp', address: '192.0.2.77' }, target]
        : [target]
    },
  })
  h.send('INVITE')
  t.match(h.last, { target: { transport: 'tcp' }, message: { via: { transport: 'TCP' } } })
  h.transport.refusing.add('192.0.2.77')
  h.send('INVITE')
  t.match(h.last, { target: { transport: 'udp' }, message: { via: { transport: 'UDP' } } })
  t.equal(sizes.length, 2, 'asked once a target')
  t.same(refused, ['tcp 192.0.2.77'])
  h.send('INVITE', [targetOf('tls')])
  t.equal(sizes.length, 2, 'streams take any size')
})

t.test('sendAck: a branch of its own, the first target that takes it', async (t) => {
  const h = new Harness()
  const ack = requestOf('ACK')
  const outcomes: (Error | undefined)[] = []
  h.transport.refusing.add('192.0.2.9')
  h.layer.sendAck(ack, three, undefined, (error) => void outcomes.push(error))
  t.same(outcomes, [undefined])
  t.same(addresses(h, 'ACK'), ['192.0.2.10'])
  t.equal(ack.via.branch, h.last.message.via.branch, 'the caller sees the message as sent')
  h.layer.sendAck(ack, three, flowOf('tcp', 5), () => {})
  h.layer.sendAck(ack, [targetOf('udp', 10)], undefined, (error) => void outcomes.push(error))
  t.equal(h.last.message.headers.filter((line) => line.key === 'via').length, 1)
  t.not(h.sent[0]?.message.via.branch, h.last.message.via.branch)
  h.layer.sendAck(ack, [targetOf('udp', 9)], undefined, (error) => void outcomes.push(error))
  h.layer.sendAck(ack, [], undefined, (error) => void outcomes.push(error))
  t.match(outcomes, [undefined, undefined, { message: 'refused' }, { code: 'SIP_NO_TRANSPORT' }])
  t.ok(h.empty)
})

t.test('ids: one of ours, or the one given', async (t) => {
  const h = new Harness()
  const given = h.layer.send(requestOf('OPTIONS'), three, h.user, { id: 'given' })
  t.equal(given.id, 'given')
  t.equal(h.layer.client('given'), given)
  t.match(h.send('OPTIONS').id, /^[0-9a-f-]{36}$/)
  h.layer.close()
  t.ok(h.empty)
})

t.test('a preferred flow that has closed: the target and its transport instead', async (t) => {
  const h = new Harness()
  h.transport.closed.add(44)
  h.send('BYE', [targetOf('udp')], flowOf('tcp', 44, 40_000))
  t.match(h.last, { flow: { transport: 'udp' }, message: { via: { transport: 'UDP' } } })
  h.layer.sendAck(requestOf('ACK'), [targetOf('udp')], flowOf('tcp', 44, 40_000), () => {})
  t.match(h.last, { flow: { transport: 'udp' }, message: { via: { transport: 'UDP' } } })
})
