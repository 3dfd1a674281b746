import { rmSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { EndedFlow } from '../../src/embedded-drachtio/index.ts'
import { makeCa, makeCert, writeCertificate } from '../support/certificates.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { type PeerMessage, SipPeer } from '../support/sip-peer.ts'
import { bench } from './contract/cases.ts'
import { type App, type AppResponse, Calls, requests } from './contract/srf.ts'
import { openServer } from './support.ts'

const tcp = { transport: 'tcp' as const, host: '127.0.0.1', port: 0 }
const isPing = ({ text }: PeerMessage): boolean => text === '\r\n\r\n'

/** A server on a clock of the test's own, its application, and a peer over TCP. */
async function setUp(t: Test, handlers?: Parameters<ReturnType<typeof bench>['app']>[0]) {
  const clock = new FakeClock()
  const ends = new Calls<EndedFlow>()
  const { server, address } = await openServer({
    clock,
    listeners: [tcp],
    flowEnded: (ended) => ends.add(ended),
  })
  t.teardown(() => server.close())
  const app = await bench(t, address).app(handlers)
  const peer = await SipPeer.stream()
  t.teardown(() => peer.close())
  const sip = { host: '127.0.0.1', port: server.listeners()[0]!.port }
  /** Moves the clock to the next ping. */
  const ping = async (): Promise<PeerMessage> => {
    const before = server.metrics().counters.transport.bytesSent.tcp
    for (let passed = 0; passed < 130; passed++) {
      if (server.metrics().counters.transport.bytesSent.tcp > before) break
      clock.advance(1000)
    }
    const message = await peer.expect(isPing)
    peer.forget(message)
    return message
  }
  const pong = async ({ from }: PeerMessage): Promise<void> => {
    const before = server.metrics().counters.transport.keepalives
    peer.send(from, '\r\n')
    while (server.metrics().counters.transport.keepalives === before) {
      await new Promise(setImmediate)
    }
  }
  return { clock, server, app, peer, sip, ends, ping, pong }
}

let cseq = 0

/** A REGISTER of the application's, answered 200. */
async function register(
  app: App,
  peer: SipPeer,
  { expires = '300', granted = {} }: { expires?: string; granted?: Record<string, string> } = {},
): Promise<PeerMessage> {
  const transport = peer.transport.toLowerCase()
  const sent = await app.request(`sip:${peer.hostport};transport=${transport}`, {
    method: 'REGISTER',
    headers: {
      'Call-ID': 'registration',
      CSeq: `${++cseq} REGISTER`,
      Contact: `<sip:causeway@localhost;transport=${transport}>;expires=${expires}`,
      Expires: expires,
      Supported: 'path, outbound',
    },
  })
  const answered = new Promise<AppResponse>((resolve) => sent.on('response', resolve))
  const request = await peer.expect('REGISTER')
  peer.respond(request, 200, { headers: { Contact: request.header('contact'), ...granted } })
  await answered
  return request
}

t.test('the connection of a registration is pinged, and no other one', async (t) => {
  const { app, peer, server, clock, ping, pong } = await setUp(t)
  const other = await SipPeer.stream()
  t.teardown(() => other.close())
  const options = await app.request(`sip:${other.hostport};transport=tcp`, { method: 'OPTIONS' })
  const heard = new Promise((resolve) => options.on('response', resolve))
  other.respond(await other.expect('OPTIONS'), 200)
  await heard
  const { from } = await register(app, peer, { granted: { 'Flow-Timer': '60' } })
  t.equal(server.metrics().now.keptFlows, 1)
  for (let count = 0; count < 3; count++) {
    const message = await ping()
    t.same(message.from, from)
    await pong(message)
  }
  t.equal(server.metrics().now.connections, 2)
  t.same(other.received.filter(isPing), [])
  await register(app, peer, { expires: '0' })
  t.equal(server.metrics().now.keptFlows, 0)
  const before = peer.received.length
  clock.advance(1_000_000)
  t.equal(server.metrics().now.connections, 2, 'and they live on')
  t.equal(peer.received.length, before)
})

t.test('no pong: the flow is closed and told, the next REGISTER has another', async (t) => {
  const { app, peer, server, clock, ends, ping } = await setUp(t)
  const { from } = await register(app, peer, { granted: { Require: 'outbound' } })
  await ping()
  clock.advance(11_000)
  t.match(await ends.next(), {
    transport: 'tcp',
    address: '127.0.0.1',
    port: peer.port,
    why: 'unanswered',
    sent: [{ callId: 'registration', cseq }],
    received: [],
  })
  t.equal(server.metrics().now.keptFlows, 0)
  const again = await register(app, peer, { granted: { Require: 'outbound' } })
  t.not(again.from.port, from.port)
})

t.test('over TLS as well', async (t) => {
  const ca = makeCa()
  const files = writeCertificate(makeCert({ ca, dns: ['sip.example.com'] }))
  t.teardown(() => rmSync(files.folder, { recursive: true, force: true }))
  const { cert, key } = makeCert({ ca, dns: ['pbx.example.net'], ip: ['127.0.0.1'] })
  const peer = await SipPeer.stream({ server: { cert, key }, client: {} })
  t.teardown(() => peer.close())
  const clock = new FakeClock()
  const ends = new Calls<EndedFlow>()
  const { server, address } = await openServer({
    clock,
    listeners: [{ transport: 'tls', host: '127.0.0.1', port: 0, tls: files }],
    tlsClient: { ca: [ca.cert] },
    flowEnded: (ended) => ends.add(ended),
  })
  t.teardown(() => server.close())
  const app = await bench(t, address).app()
  await register(app, peer, { granted: { 'Flow-Timer': '30' } })
  for (let passed = 0; passed < 30; passed++) clock.advance(1000)
  await peer.expect(isPing)
  clock.advance(10_000)
  t.match(await ends.next(), { transport: 'tls', port: peer.port, why: 'unanswered' })
})

t.test('closed by the peer: told at once', async (t) => {
  const { app, peer, ends } = await setUp(t)
  await register(app, peer, { granted: { 'Flow-Timer': '60' } })
  peer.drop()
  t.match(await ends.next(), { why: 'closed', sent: [{ callId: 'registration', cseq }] })
})

t.test('a connection no registration hangs on ends without a word', async (t) => {
  const { app, peer, server, ends } = await setUp(t)
  await register(app, peer)
  peer.drop()
  while (server.metrics().now.connections > 0) await new Promise(setImmediate)
  await register(app, peer, { granted: { 'Flow-Timer': '60' } })
  peer.drop()
  t.equal((await ends.next()).sent[0]?.cseq, cseq, 'the first one told is the second')
})

t.test('a client that was given a Flow-Timer and is silent longer loses its flow', async (t) => {
  const registers = requests()
  const { peer, server, sip, clock, ends } = await setUp(t, { register: registers.handler })
  const contact = '<sip:phone@10.1.2.3:9999;transport=tcp>'
  const registration = peer.dialog(sip, { contact })
  const ask = async (expires: string): Promise<void> => {
    registration.request('REGISTER', { headers: { Expires: expires } })
    const { res } = await registers.next()
    const Contact = `${contact};expires=${expires}`
    res.send(200, { headers: { Contact, Require: 'outbound', 'Flow-Timer': '120' } })
    await peer.expect((m) => m.status === 200 && m.method === 'REGISTER')
  }
  await ask('600')
  for (let count = 0; count < 3; count++) {
    clock.advance(119_000)
    const before = server.metrics().counters.transport.keepalives
    peer.send(sip, '\r\n\r\n')
    while (server.metrics().counters.transport.keepalives === before) {
      await new Promise(setImmediate)
    }
  }
  clock.advance(120_000)
  t.equal(server.metrics().now.registeredFlows, 1, 'the way here takes its time')
  clock.advance(25_000)
  t.match(await ends.next(), {
    why: 'silent',
    sent: [],
    received: [{ callId: registration.callId, cseq: registration.cseq }],
  })
  t.equal(server.metrics().now.registeredFlows, 0)
  t.equal(server.metrics().now.connections, 0)
  // The peer may not have read yet that it is closed.
  peer.drop()
  await ask('600')
  await ask('0')
  clock.advance(600_000)
  t.equal(server.metrics().now.connections, 1, 'nobody waits for one that is not registered')
})
