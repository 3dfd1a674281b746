import { once } from 'node:events'
import type { Socket } from 'node:net'
import t from 'tap'
import { FakeClock } from '../../support/fake-clock.ts'
import { openLayer, read, request, send, targetOf, tcpClient, tcpServer } from './support.ts'

const listeners = [{ transport: 'tcp' as const, host: '127.0.0.1', port: 0 }]
const via = '127.0.0.1:9;branch=z9hG4bK1'

t.test('an inbound connection must bring a message in time', async (t) => {
  const clock = new FakeClock()
  const { layer, heard } = await openLayer(t, {
    listeners,
    clock,
    limits: { firstMessageTimeout: 5_000, idleTimeout: 0 },
  })
  const silent = await tcpClient(t, targetOf(layer, 'tcp'))
  const pinging = await tcpClient(t, targetOf(layer, 'tcp'))
  const talking = await tcpClient(t, targetOf(layer, 'tcp'))
  const pong = read(pinging, /\r\n/)
  pinging.write('\r\n\r\n')
  await pong
  talking.write(request('tcp', via))
  const { flow } = await heard.message()
  const closed = Promise.all([once(silent, 'close'), once(pinging, 'close')])
  silent.resume()
  pinging.resume()
  clock.advance(4_000)
  t.equal(layer.metrics.connectionsOpen, 3)
  clock.advance(2_000)
  t.equal(layer.metrics.connectionsOpen, 1)
  await closed
  clock.advance(86_400_000)
  t.ok(layer.isOpen(flow))
})

t.test('a message must arrive in full in time', async (t) => {
  const clock = new FakeClock()
  const { layer, heard } = await openLayer(t, {
    listeners,
    clock,
    limits: { messageTimeout: 5_000 },
  })
  const client = await tcpClient(t, targetOf(layer, 'tcp'))
  client.write(Buffer.concat([request('tcp', via), request('tcp', via).subarray(0, 50)]))
  await heard.message()
  clock.advance(4_000)
  t.equal(layer.metrics.connectionsOpen, 1)
  clock.advance(2_000)
  t.equal(layer.metrics.connectionsOpen, 0)
})

t.test('an idle connection closes, and no timer is left', async (t) => {
  const clock = new FakeClock()
  const target = await tcpServer(t, (socket) => socket.resume())
  const { layer } = await openLayer(t, { listeners, clock, limits: { idleTimeout: 60_000 } })
  const flow = await send(layer, target, request('tcp', via))
  clock.advance(59_000)
  t.ok(layer.isOpen(flow))
  clock.advance(2_000)
  t.notOk(layer.isOpen(flow))
  clock.advance(5_000)
  t.equal(clock.pending, 0)
})

t.test('more connections than allowed are refused, both ways', async (t) => {
  const target = await tcpServer(t, (socket) => socket.resume())
  const { layer, heard } = await openLayer(t, { listeners, limits: { connections: 2 } })
  await send(layer, target, request('tcp', via))
  const allowed = await tcpClient(t, targetOf(layer, 'tcp'))
  allowed.write(request('tcp', via))
  await heard.message()
  const refused = await tcpClient(t, targetOf(layer, 'tcp'))
  refused.resume()
  await once(refused, 'close')
  const other = await tcpServer(t, (socket) => socket.resume())
  await t.rejects(send(layer, other, request('tcp', via)), { code: 'SIP_CONNECTION_LIMIT' })
  t.match(layer.metrics, { connectionsOpen: 2, connectionsRefused: 2 })
})

t.test('a peer that does not read loses its connection', async (t) => {
  const sockets: Socket[] = []
  const target = await tcpServer(t, (socket) => sockets.push(socket.pause()))
  const { layer, heard } = await openLayer(t, { listeners, limits: { writeQueueBytes: 200_000 } })
  const bytes = request('tcp', via, 'x'.repeat(60_000))
  let failure: unknown
  for (let i = 0; i < 1000 && failure === undefined; i++) {
    await send(layer, target, bytes).catch((error: unknown) => {
      failure = error
    })
  }
  t.match(failure, { code: 'SIP_PEER_NOT_READING' })
  t.equal(heard.closings.length, 1)
})

t.test('what waits for a connection is bounded', async (t) => {
  const target = await tcpServer(t, (socket) => socket.resume())
  const { layer } = await openLayer(t, { listeners, limits: { writeQueueBytes: 1000 } })
  const results = await Promise.allSettled(
    [1, 2, 3, 4, 5, 6].map(() => send(layer, target, request('tcp', via))),
  )
  const rejected = results.filter((result) => result.status === 'rejected')
  t.ok(rejected.length > 0 && rejected.length < 6)
  for (const { reason } of rejected) t.match(reason, { code: 'SIP_PEER_NOT_READING' })
})

t.test('outbound connections are pinged; one that stops answering is closed', async (t) => {
  const clock = new FakeClock()
  const sockets: Socket[] = []
  const target = await tcpServer(t, (socket) => sockets.push(socket))
  const { layer } = await openLayer(t, {
    listeners,
    clock,
    keepalive: 60_000,
    limits: { idleTimeout: 0 },
  })
  const flow = await send(layer, target, request('tcp', via))
  await read(sockets[0]!, /\r\n\r\n$/)

  const unanswered = read(sockets[0]!, /^\r\n\r\n$/)
  clock.advance(61_000)
  await unanswered
  clock.advance(30_000)
  t.ok(layer.isOpen(flow), 'a peer that knows no pings is left alone')

  const ping = read(sockets[0]!, /^\r\n\r\n$/)
  sockets[0]!.write('\r\n')
  while (layer.metrics.keepalives === 0) await new Promise(setImmediate)
  clock.advance(61_000)
  await ping
  clock.advance(11_000)
  t.notOk(layer.isOpen(flow))
})
