import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import { openLayer, request, response, send, type Teardown, targetOf, viaLine } from './support.ts'

const listeners = [
  { transport: 'udp' as const, host: '127.0.0.1', port: 0 },
  { transport: 'udp' as const, host: '::1', port: 0 },
]

/** A UDP peer; `port` is its own. */
async function peer(t: Teardown, host = '127.0.0.1'): Promise<{ socket: Socket; port: number }> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  socket.bind(0, host)
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  return { socket, port: socket.address().port }
}

for (const family of [4, 6] as const) {
  t.test(`a request and its response over IPv${family}`, async (t) => {
    const a = await openLayer(t, { listeners })
    const b = await openLayer(t, { listeners })
    const target = targetOf(b.layer, 'udp', undefined, family)
    const local = a.layer.localFor(target)!
    t.equal(local.port, targetOf(a.layer, 'udp', undefined, family).port)
    const via = `${family === 4 ? local.host : `[${local.host}]`}:${local.port};branch=z9hG4bK1;rport`
    const flow = await send(a.layer, target, request('udp', via))
    t.match(flow, { transport: 'udp', remoteAddress: target.address, remotePort: target.port })

    const { message, flow: inbound } = await b.heard.message()
    t.match(message.via, { received: local.host, rport: local.port })
    t.match(viaLine(message), `rport=${local.port}`)
    t.match(inbound, { localPort: target.port, remotePort: local.port, localAddress: local.host })
    t.ok(b.layer.isOpen(inbound))

    b.layer.sendResponse(inbound, message.via, response('udp', via))
    t.equal((await a.heard.message()).message.kind, 'response')
    t.match(a.layer.metrics, { messagesSent: { udp: 1 }, messagesReceived: { udp: 1 } })
  })
}

t.test('done is called before sendRequest returns', async (t) => {
  const { layer } = await openLayer(t, { listeners })
  let called = false
  layer.sendRequest(targetOf(layer, 'udp'), request('udp', 'a.example'), undefined, (error) => {
    called = error === undefined
  })
  t.ok(called)
})

t.test('without rport the response goes to the sent-by port at the source', async (t) => {
  const { layer, heard } = await openLayer(t, { listeners })
  const sender = await peer(t)
  const answered = await peer(t)
  const via = `pc.example.com:${answered.port};branch=z9hG4bK1;received=192.0.2.66`
  sender.socket.send(request('udp', via), targetOf(layer, 'udp').port, '127.0.0.1')
  const { message, flow } = await heard.message()
  t.equal(message.via.received, '127.0.0.1', 'what the peer claimed is replaced')
  t.notMatch(viaLine(message), '192.0.2.66')
  layer.sendResponse(flow, message.via, response('udp', via))
  const [bytes] = await once(answered.socket, 'message')
  t.match(bytes.toString(), /^SIP\/2.0 200/)
})

t.test('with rport the response goes to the source port', async (t) => {
  const { layer, heard } = await openLayer(t, { listeners })
  const { socket } = await peer(t)
  const via = 'pc.example.com:9;rport=7;branch=z9hG4bK1'
  socket.send(request('udp', via), targetOf(layer, 'udp').port, '127.0.0.1')
  const { message, flow } = await heard.message()
  layer.sendResponse(flow, message.via, response('udp', via))
  await once(socket, 'message')
})

t.test('keepalives are no messages', async (t) => {
  const { layer, heard } = await openLayer(t, { listeners })
  const { socket } = await peer(t)
  const { port } = targetOf(layer, 'udp')
  const stun = Buffer.from([0, 1, 0, 0])
  for (const bytes of [
    Buffer.from('\r\n\r\n'),
    Buffer.alloc(4),
    stun,
    request('udp', 'a.example'),
  ]) {
    socket.send(bytes, port, '127.0.0.1')
  }
  await heard.message()
  t.equal(layer.metrics.keepalives, 3)
  t.same(heard.errors, [])
})

t.test('a malformed request is reported with what can be answered', async (t) => {
  const { layer, heard } = await openLayer(t, { listeners })
  const { socket, port } = await peer(t)
  const bad = request('udp', 'a.example;rport;branch=z9hG4bK1').toString().replace('70', '-1')
  socket.send(bad, targetOf(layer, 'udp').port, '127.0.0.1')
  socket.send('hello', targetOf(layer, 'udp').port, '127.0.0.1')
  await heard.until(() => heard.errors.length === 2)
  t.match(heard.errors[0]!.error.partial?.via, { received: '127.0.0.1', rport: port })
  t.equal(heard.errors[1]!.error.partial, undefined)
  t.equal(layer.metrics.parseErrors.udp, 2)
})

t.test('a fault above the layer does not end the listener', async (t) => {
  const { layer, heard } = await openLayer(t, { listeners })
  const { socket } = await peer(t)
  heard.onMessage = () => {
    throw new Error('fault')
  }
  for (let i = 0; i < 2; i++) {
    socket.send(request('udp', 'a.example'), targetOf(layer, 'udp').port, '127.0.0.1')
  }
  await heard.message(2)
})

t.test('a datagram that the system refuses is reported', async (t) => {
  const { layer } = await openLayer(t, { listeners })
  const target = targetOf(layer, 'udp')
  const outcome = await new Promise<unknown[]>((resolve) => {
    const calls: unknown[] = []
    layer.sendRequest(target, Buffer.alloc(70_000, 65), undefined, (error) => {
      calls.push(error)
      if (error) resolve(calls)
    })
  })
  t.match(outcome, [undefined, { code: 'SIP_SEND_FAILED' }])
  const failed = new Promise((resolve) => {
    const flow = {
      ...target,
      id: 0,
      localAddress: '',
      localPort: 0,
      remoteAddress: '',
      remotePort: 0,
    }
    const via = { host: 'a.example', port: 1, received: undefined, rport: undefined }
    layer.sendResponse(flow, via, Buffer.alloc(1), resolve)
  })
  t.match(await failed, { code: 'SIP_NO_TRANSPORT' })
})

t.test('a port where nobody listens harms nothing', async (t) => {
  const { layer, heard } = await openLayer(t, { listeners })
  const gone = createSocket('udp4')
  gone.bind(0, '127.0.0.1')
  await once(gone, 'listening')
  const { port } = gone.address()
  gone.close()
  await once(gone, 'close')
  const target = targetOf(layer, 'udp')
  for (let i = 0; i < 3; i++) await send(layer, { ...target, port }, request('udp', 'a.example'))
  await send(layer, target, request('udp', 'a.example'))
  await heard.message()
})

t.test('a target without a listener of its family or transport', async (t) => {
  const { layer } = await openLayer(t, { listeners: listeners.slice(0, 1) })
  const six = { transport: 'udp' as const, address: '::1', port: 5060, domain: '::1' }
  await t.rejects(send(layer, six, request('udp', 'a.example')), { code: 'SIP_NO_TRANSPORT' })
  t.equal(layer.localFor(six), undefined)
  t.equal(layer.supports('udp', 6), false)
  t.equal(layer.supports('udp', 4), true)
  const tcp = { ...six, transport: 'tcp' as const, address: '127.0.0.1' }
  await t.rejects(send(layer, tcp, request('tcp', 'a.example')), { code: 'SIP_NO_TRANSPORT' })
})

t.test('the preferred flow chooses the listener', async (t) => {
  const two = [listeners[0]!, listeners[0]!]
  const a = await openLayer(t, { listeners: two })
  const b = await openLayer(t, { listeners: two })
  const [, second] = b.layer.listeners()
  const toSecond = { ...targetOf(b.layer, 'udp'), port: second!.port }
  await send(a.layer, toSecond, request('udp', 'a.example;rport'))
  const { flow } = await b.heard.message()
  await send(b.layer, targetOf(a.layer, 'udp'), request('udp', 'b.example;rport'), flow)
  t.equal((await a.heard.message()).flow.remotePort, second!.port)
})

t.test('a wildcard listener names a real address', async (t) => {
  const { layer, heard } = await openLayer(t, {
    listeners: [{ transport: 'udp', host: '0.0.0.0', port: 0 }],
  })
  const target = { ...targetOf(layer, 'udp'), address: '127.0.0.1' }
  t.equal(layer.localFor(target)!.host, '127.0.0.1')
  await send(layer, target, request('udp', 'a.example'))
  t.equal((await heard.message()).flow.localAddress, '127.0.0.1')
})

t.test('an external address stands in Via and Contact', async (t) => {
  const { layer } = await openLayer(t, {
    listeners: [{ ...listeners[0]!, externalAddress: '203.0.113.10' }],
  })
  const target = targetOf(layer, 'udp')
  t.same(layer.localFor(target), { host: '203.0.113.10', port: target.port, transport: 'udp' })
})

t.test('a port that is taken is a coded error and leaves nothing open', async (t) => {
  const { layer } = await openLayer(t, { listeners })
  const { port } = targetOf(layer, 'udp')
  const taken = { transport: 'udp' as const, host: '127.0.0.1', port }
  await t.rejects(openLayer(t, { listeners: [taken, listeners[1]!] }), {
    code: 'SIP_LISTEN_FAILED',
  })
  await t.rejects(openLayer(t, { listeners: [{ ...taken, host: '203.0.113.1' }] }), {
    code: 'SIP_LISTEN_FAILED',
  })
})

t.test('a closed layer sends no more', async (t) => {
  const { layer } = await openLayer(t, { listeners })
  const target = targetOf(layer, 'udp')
  await layer.close()
  await t.rejects(send(layer, target, request('udp', 'a.example')), { code: 'SIP_NO_TRANSPORT' })
  t.same(layer.listeners(), [])
  await layer.close()
})
