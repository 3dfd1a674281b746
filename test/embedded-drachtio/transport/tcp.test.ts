import { once } from 'node:events'
import type { Socket } from 'node:net'
import t from 'tap'
import {
  openLayer,
  read,
  request,
  response,
  send,
  targetOf,
  tcpClient,
  tcpServer,
} from './support.ts'

const listeners = [
  { transport: 'tcp' as const, host: '127.0.0.1', port: 0 },
  { transport: 'tcp' as const, host: '::1', port: 0 },
]
const via = '127.0.0.1:9;branch=z9hG4bK1'

for (const family of [4, 6] as const) {
  t.test(`requests share a connection over IPv${family}, responses come back on it`, async (t) => {
    const a = await openLayer(t, { listeners })
    const b = await openLayer(t, { listeners })
    const target = targetOf(b.layer, 'tcp', undefined, family)
    b.heard.onMessage = (message, flow) => {
      b.layer.sendResponse(flow, message.via, response('tcp', via))
    }
    // The second request is sent while the connection is still being made.
    const flows = await Promise.all([1, 2].map(() => send(a.layer, target, request('tcp', via))))
    flows.push(await send(a.layer, target, request('tcp', via)))
    t.equal(new Set(flows.map((flow) => flow.id)).size, 1)
    await a.heard.message(3)
    t.equal(b.layer.metrics.connectionsAccepted, 1)
    t.match(a.layer.metrics, { connectionsOpened: 1, connectionsOpen: 1 })
    t.equal(a.heard.messages[0]!.flow.id, flows[0]!.id)
    t.match(flows[0], { remoteAddress: target.address, remotePort: target.port })
  })
}

t.test('Via names the listener, not the port of the connection', async (t) => {
  const a = await openLayer(t, { listeners })
  const b = await openLayer(t, { listeners })
  const target = targetOf(b.layer, 'tcp')
  const flow = await send(a.layer, target, request('tcp', via))
  const local = a.layer.localFor(target)!
  t.equal(local.port, targetOf(a.layer, 'tcp').port)
  t.not(flow.localPort, local.port)
})

t.test('an inbound connection carries requests to its peer', async (t) => {
  const a = await openLayer(t, { listeners })
  const b = await openLayer(t, { listeners })
  await send(a.layer, targetOf(b.layer, 'tcp'), request('tcp', via))
  const { flow } = await b.heard.message()
  t.ok(b.layer.isOpen(flow))
  const elsewhere = {
    transport: 'udp' as const,
    address: '192.0.2.1',
    port: 5060,
    domain: '192.0.2.1',
  }
  t.equal((await send(b.layer, elsewhere, request('tcp', via), flow)).id, flow.id, 'as preferred')
  const back = { transport: 'tcp' as const, address: flow.remoteAddress, port: flow.remotePort }
  const same = await send(b.layer, { ...back, domain: back.address }, request('tcp', via))
  t.equal(same.id, flow.id, 'by its address')
  await a.heard.message(2)
  t.equal(b.layer.metrics.connectionsOpened, 0)
})

t.test('a response whose connection is gone opens one to sent-by', async (t) => {
  const { layer, heard } = await openLayer(t, { listeners })
  const sentBy = new Promise<Socket>((resolve) => {
    tcpServer(t, resolve).then((server) => {
      void tcpClient(t, targetOf(layer, 'tcp')).then((client) => {
        client.write(request('tcp', `pbx.example:${server.port};branch=z9hG4bK1`))
        client.end()
      })
    })
  })
  const { message, flow } = await heard.message()
  await heard.until(() => heard.closings.length === 1)
  t.equal(heard.closings[0], flow)
  layer.sendResponse(flow, message.via, response('tcp', via))
  t.match(await read(await sentBy, /\r\n\r\n/), /^SIP\/2.0 200/)
})

t.test('as a last resort the sent-by name is resolved', async (t) => {
  const peer = await openLayer(t, { listeners })
  const asked: unknown[] = []
  const { layer, heard } = await openLayer(t, {
    listeners,
    resolveSentBy: async (...query) => {
      asked.push(query)
      const good = targetOf(peer.layer, 'tcp')
      return [{ ...good, port: 1 }, good]
    },
  })
  const client = await tcpClient(t, targetOf(layer, 'tcp'))
  client.end(request('tcp', 'pbx.example:1;branch=z9hG4bK1'))
  const { message, flow } = await heard.message()
  await heard.until(() => heard.closings.length === 1)
  layer.sendResponse(flow, message.via, response('tcp', via))
  await peer.heard.message()
  t.same(asked, [['pbx.example', 1, 'tcp']])
})

t.test('a response that finds no way is reported', async (t) => {
  const { layer, heard } = await openLayer(t, { listeners })
  const client = await tcpClient(t, targetOf(layer, 'tcp'))
  client.end(request('tcp', '127.0.0.1:1;branch=z9hG4bK1'))
  const { message, flow } = await heard.message()
  await heard.until(() => heard.closings.length === 1)
  const failed = new Promise((resolve) =>
    layer.sendResponse(flow, message.via, response('tcp', via), resolve),
  )
  t.match(await failed, { code: 'SIP_CONNECT_FAILED' })
})

t.test('a refused connection fails every message that waits for it', async (t) => {
  const { layer, heard } = await openLayer(t, { listeners })
  const target = { ...targetOf(layer, 'tcp'), port: 1 }
  const results = await Promise.allSettled(
    [1, 2].map(() => send(layer, target, request('tcp', via))),
  )
  for (const result of results) {
    t.match(result, { status: 'rejected', reason: { code: 'SIP_CONNECT_FAILED', sip: 503 } })
  }
  t.match(layer.metrics, { connectFailures: 1, connectionsOpen: 0, connectionsOpened: 0 })
  t.same(heard.closings, [], 'a connection that never opened does not close')
})

t.test('a closed connection is reported, and the next request opens another', async (t) => {
  const sockets: Socket[] = []
  const target = await tcpServer(t, (socket) => sockets.push(socket.resume()))
  const { layer, heard } = await openLayer(t, { listeners })
  const first = await send(layer, target, request('tcp', via))
  sockets[0]!.end()
  await heard.until(() => heard.closings.length === 1)
  t.equal(layer.isOpen(first), false)
  const second = await send(layer, target, request('tcp', via), first)
  t.not(second.id, first.id)
})

t.test('messages are cut out of the stream; a ping is answered', async (t) => {
  const { layer, heard } = await openLayer(t, { listeners })
  const client = await tcpClient(t, targetOf(layer, 'tcp'))
  const pong = read(client, /^\r\n$/)
  const bytes = Buffer.concat([request('tcp', via, 'body'), request('tcp', via)])
  client.write(bytes.subarray(0, 100))
  client.write(Buffer.concat([bytes.subarray(100), Buffer.from('\r\n\r\n')]))
  const { message, flow } = await heard.message(2)
  t.equal(message.kind, 'request')
  t.equal(heard.messages[0]!.message.body?.toString(), 'body')
  t.equal(heard.messages[0]!.flow, flow)
  await pong
})

t.test('a stream that cannot be followed is reported, answered and closed', async (t) => {
  const { layer, heard } = await openLayer(t, { listeners })
  const client = await tcpClient(t, targetOf(layer, 'tcp'))
  const bad = request('tcp', via).toString().replace('Content-Length: 0', 'Content-Length: x')
  const original = heard.events.malformed
  heard.events.malformed = (error, flow) => {
    original(error, flow)
    layer.sendResponse(flow, error.partial!.via, response('tcp', via))
  }
  const answer = read(client, /\r\n\r\n/)
  client.write(`${bad}${request('tcp', via)}`)
  t.match(await answer, /^SIP\/2.0 200/)
  await once(client, 'close')
  await heard.until(() => heard.closings.length === 1)
  t.equal(heard.errors.length, 1)
  t.same(heard.messages, [], 'nothing after it is read')
})

t.test('a message that does not parse leaves the connection open', async (t) => {
  const { layer, heard } = await openLayer(t, { listeners })
  const client = await tcpClient(t, targetOf(layer, 'tcp'))
  client.write(request('tcp', via).toString().replace('Max-Forwards: 70', 'Max-Forwards: x'))
  client.write(request('tcp', via))
  await heard.message()
  t.equal(heard.errors[0]!.error.partial?.via.received, undefined)
  t.equal(heard.errors.length, 1)
})

t.test('closing writes what is queued and closes every connection', async (t) => {
  const { layer, heard } = await openLayer(t, { listeners })
  const client = await tcpClient(t, targetOf(layer, 'tcp'))
  client.write(request('tcp', via))
  const { message, flow } = await heard.message()
  const text = read(client, /\r\n\r\n/)
  layer.sendResponse(flow, message.via, response('tcp', via))
  const closed = once(client, 'close')
  await layer.close()
  t.match(await text, /^SIP\/2.0 200/)
  await closed
  t.match(layer.metrics, { connectionsOpen: 0, connectionsClosed: 1 })
})

t.test('a connection to IPv4 is opened where only IPv6 is listened on', async (t) => {
  const a = await openLayer(t, { listeners: [{ transport: 'tcp', host: '::1', port: 0 }] })
  const b = await openLayer(t, { listeners: [{ transport: 'tcp', host: '127.0.0.1', port: 0 }] })
  const target = targetOf(b.layer, 'tcp', undefined, 4)
  b.heard.onMessage = (message, flow) => {
    b.layer.sendResponse(flow, message.via, response('tcp', via))
  }
  const flow = await send(a.layer, target, request('tcp', via))
  await a.heard.message(1)
  t.equal(flow.remoteAddress, '127.0.0.1')
})
