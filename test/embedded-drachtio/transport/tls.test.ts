import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import tls from 'node:tls'
import t from 'tap'
import type { Target } from '../../../src/embedded-drachtio/transport/index.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { makeCa, makeCert, writeCertificate } from '../../support/certificates.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import {
  openLayer,
  read,
  request,
  response,
  send,
  type Teardown,
  targetOf,
  tcpServer,
} from './support.ts'

const ca = makeCa()
const files = writeCertificate(
  makeCert({ ca, dns: ['sip.example.com', 'other.example.com'], ip: ['127.0.0.1', '::1'] }),
)
const listeners = [
  { transport: 'tls' as const, host: '127.0.0.1', port: 0, tls: files },
  { transport: 'tls' as const, host: '::1', port: 0, tls: files },
]
const tlsClient = { ca: [ca.cert] }
const via = '127.0.0.1:9;branch=z9hG4bK1'

/** A plain TLS server on loopback; `accept` gets its verified connections. */
async function tlsServer(
  t: Teardown,
  options: tls.TlsOptions,
  accept: (socket: tls.TLSSocket) => void = () => {},
): Promise<Target> {
  const server = tls.createServer(options, accept)
  const sockets = new Set<net.Socket>()
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})))
  server.on('secureConnection', (socket) => socket.on('error', () => {}))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { transport: 'tls', address: '127.0.0.1', port, domain: 'sip.example.com' }
}

for (const family of [4, 6] as const) {
  t.test(`a request and its response over IPv${family}`, async (t) => {
    const a = await openLayer(t, { listeners, tlsClient })
    const b = await openLayer(t, { listeners })
    b.heard.onMessage = (message, flow) => {
      b.layer.sendResponse(flow, message.via, response('tls', via))
    }
    const target = targetOf(b.layer, 'tls', 'sip.example.com', family)
    const flow = await send(a.layer, target, request('tls', via))
    t.match(flow, { transport: 'tls', remoteAddress: target.address })
    await a.heard.message()
    t.equal((await send(a.layer, target, request('tls', via))).id, flow.id)
  })
}

t.test('a connection serves only the domain it was verified for', async (t) => {
  const a = await openLayer(t, { listeners, tlsClient })
  const b = await openLayer(t, { listeners, tlsClient })
  const target = targetOf(b.layer, 'tls', 'sip.example.com')
  const first = await send(a.layer, target, request('tls', via))
  const second = await send(
    a.layer,
    { ...target, domain: 'other.example.com' },
    request('tls', via),
  )
  t.not(second.id, first.id)

  const { flow } = await b.heard.message()
  const back: Target = {
    transport: 'tls',
    address: flow.remoteAddress,
    port: flow.remotePort,
    domain: 'sip.example.com',
  }
  await t.rejects(send(b.layer, back, request('tls', via)), 'inbound peers are not verified')
  t.equal((await send(b.layer, back, request('tls', via), flow)).id, flow.id)
})

t.test('names and chains that do not verify are refused', async (t) => {
  const { layer } = await openLayer(t, { listeners, tlsClient })
  const stranger = makeCa('Stranger')
  const expired = makeCert({
    ca,
    dns: ['sip.example.com'],
    notBefore: new Date(Date.now() - 2 * 86_400_000),
    notAfter: new Date(Date.now() - 86_400_000),
  })
  const cases: [string, tls.TlsOptions, string, RegExp][] = [
    ['wrong name', makeCert({ ca, dns: ['wrong.example.com'] }), 'sip.example.com', /altnames/],
    ['address', makeCert({ ca, dns: ['sip.example.com'] }), '127.0.0.1', /127\.0\.0\.1/],
    [
      'issuer',
      makeCert({ ca: stranger, dns: ['sip.example.com'] }),
      'sip.example.com',
      /verify|issuer/,
    ],
    ['expiry', expired, 'sip.example.com', /expired/],
  ]
  for (const [name, certificate, domain, detail] of cases) {
    const target = await tlsServer(t, certificate)
    await t.rejects(
      send(layer, { ...target, domain }, request('tls', via)),
      { code: 'SIP_TLS_VERIFY_FAILED', detail, retryable: false },
      name,
    )
  }
  t.match(layer.metrics, { connectFailures: 4, tlsFailures: 4, messagesSent: { tls: 0 } })
})

t.test('a sip URI in the certificate stands for its domain (RFC 5922)', async (t) => {
  const { layer } = await openLayer(t, { listeners, tlsClient })
  const target = await tlsServer(t, makeCert({ ca, uri: ['sip:sip.example.com'] }), (socket) => {
    socket.resume()
  })
  await send(layer, target, request('tls', via))
})

t.test('the client offers SNI, no ALPN, and TLS 1.2 or later', async (t) => {
  const { layer } = await openLayer(t, { listeners, tlsClient })
  // An ALPNCallback is called only when the client offers ALPN.
  let offered: unknown
  const seen: unknown[] = []
  let bothSeen = (): void => {}
  const both = new Promise<void>((resolve) => {
    bothSeen = resolve
  })
  const options: tls.TlsOptions = {
    ...makeCert({ ca, dns: ['sip.example.com'], ip: ['127.0.0.1'] }),
    ALPNCallback: (offer) => {
      offered = offer
      return undefined
    },
  }
  const target = await tlsServer(t, options, (socket) => {
    seen.push(socket.servername)
    if (seen.length === 2) bothSeen()
    socket.resume()
  })
  await send(layer, target, request('tls', via))
  await send(layer, { ...target, domain: '127.0.0.1' }, request('tls', via))
  await both
  t.same(seen, ['sip.example.com', false])
  t.equal(offered, undefined)
  const old = await tlsServer(t, { ...options, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' })
  await t.rejects(send(layer, old, request('tls', via)), { code: 'SIP_TLS_HANDSHAKE_FAILED' })
})

/** Handshake messages (RFC 5246 §7.4) in what a TLS 1.2 server sends before it encrypts. */
function handshakeTypes(bytes: Buffer): number[] {
  const types: number[] = []
  for (let at = 0; bytes[at] === 22; ) {
    const end = at + 5 + bytes.readUInt16BE(at + 3)
    for (let i = at + 5; i < end; i += 4 + bytes.readUIntBE(i + 1, 3)) types.push(bytes[i]!)
    at = end
  }
  return types
}

/** Connects to a TLS server with a certificate at hand; gives the types of its first messages. */
async function firstFlight(t: Teardown, target: Target): Promise<number[]> {
  const seen: Buffer[] = []
  const relay = await tcpServer(t, (near) => {
    const far = net.connect({ host: target.address, port: target.port }).on('error', () => {})
    far.on('data', (chunk) => seen.push(chunk))
    near.pipe(far).pipe(near)
  })
  const socket = tls.connect({
    host: relay.address,
    port: relay.port,
    ca: ca.cert,
    servername: 'sip.example.com',
    maxVersion: 'TLSv1.2',
    ...makeCert({ ca: makeCa('Elsewhere'), name: 'random.example' }),
  })
  await once(socket, 'secureConnect')
  socket.destroy()
  return handshakeTypes(Buffer.concat(seen))
}

t.test('the server asks for no client certificate', async (t) => {
  const CERTIFICATE_REQUEST = 13
  const { layer } = await openLayer(t, { listeners })
  const types = await firstFlight(t, targetOf(layer, 'tls'))
  t.ok(types.includes(11), 'its own certificate is there')
  t.notOk(types.includes(CERTIFICATE_REQUEST))
  const own = makeCert({ ca, dns: ['sip.example.com'] })
  const asking = await tlsServer(t, { ...own, requestCert: true, rejectUnauthorized: false })
  t.ok((await firstFlight(t, asking)).includes(CERTIFICATE_REQUEST), 'the test can tell')
})

t.test('the server ignores ALPN and refuses TLS 1.1', async (t) => {
  const { layer } = await openLayer(t, { listeners })
  const { address, port } = targetOf(layer, 'tls')
  const to = { host: address, port, servername: 'sip.example.com', ca: ca.cert }
  const client = tls.connect({ ...to, ALPNProtocols: ['sip'] })
  t.teardown(() => client.destroy())
  await once(client, 'secureConnect')
  t.equal(client.alpnProtocol, false)

  const old = tls.connect({
    ...to,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  })
  const [error] = await once(old, 'error')
  t.match(error.code, /PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/)
})

t.test('a client certificate is presented where one is configured', async (t) => {
  const own = makeCert({ ca, name: 'causeway.example.com' })
  const { layer } = await openLayer(t, {
    listeners,
    tlsClient: { ...tlsClient, certificate: { cert: own.cert, key: new Secret(own.key) } },
  })
  const asking = {
    ...makeCert({ ca, dns: ['sip.example.com'] }),
    ca: ca.cert,
    requestCert: true,
    rejectUnauthorized: true,
  }
  const accepted: tls.TLSSocket[] = []
  const target = await tlsServer(t, asking, (socket) => accepted.push(socket.resume()))
  await send(layer, target, request('tls', via))
  while (accepted.length === 0) await new Promise(setImmediate)
  t.equal(accepted[0]!.getPeerCertificate().subject.CN, 'causeway.example.com')
})

t.test('a peer that aborts the handshake is told apart', async (t) => {
  const { layer } = await openLayer(t, { listeners, tlsClient })
  const closing = { ...(await tcpServer(t, (socket) => socket.once('data', () => socket.end()))) }
  await t.rejects(send(layer, { ...closing, transport: 'tls' }, request('tls', via)), {
    code: 'SIP_TLS_HANDSHAKE_FAILED',
    detail: /closed the connection during the TLS handshake/,
  })
  // A fatal alert: no_application_protocol (120), as WhatsApp's server sends it.
  const alerting = await tcpServer(t, (socket) => {
    socket.once('data', () => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, 120])))
  })
  await t.rejects(send(layer, { ...alerting, transport: 'tls' }, request('tls', via)), {
    code: 'SIP_TLS_HANDSHAKE_FAILED',
    detail: /the alert no application protocol/,
  })
  const plain = await tcpServer(t, (socket) => {
    socket.once('data', () => socket.end('SIP/2.0 400 Bad Request\r\n\r\n'))
  })
  await t.rejects(send(layer, { ...plain, transport: 'tls' }, request('tls', via)), {
    code: 'SIP_TLS_HANDSHAKE_FAILED',
  })
})

t.test('a peer that never answers the handshake fails in time', async (t) => {
  const clock = new FakeClock()
  const { layer } = await openLayer(t, { listeners, tlsClient, clock })
  const greeted = new Promise<Target>((resolve) => {
    const server = tcpServer(t, (socket) => {
      socket.once('data', () => void server.then(resolve))
    })
    void server.then((target) => {
      const failed = send(layer, { ...target, transport: 'tls' }, request('tls', via))
      void t.rejects(failed, { code: 'SIP_TLS_HANDSHAKE_FAILED', detail: /within 5000 ms/ })
    })
  })
  await greeted
  clock.advance(4_000)
  t.equal(layer.metrics.connectionsOpen, 1)
  clock.advance(2_000)
  while (layer.metrics.connectFailures === 0) await new Promise(setImmediate)
  t.equal(layer.metrics.connectionsOpen, 0)
})

t.test('a failed inbound handshake is counted and harms nothing', async (t) => {
  const { layer, heard } = await openLayer(t, { listeners })
  const target = targetOf(layer, 'tls')
  const stranger = net.connect({ host: target.address, port: target.port })
  stranger.on('error', () => {})
  stranger.write(request('tcp', via))
  await once(stranger.resume(), 'close')
  t.equal(layer.metrics.tlsFailures, 1)
  const other = await openLayer(t, { listeners, tlsClient })
  await send(other.layer, { ...target, domain: 'sip.example.com' }, request('tls', via))
  await heard.message()
})

t.test('closing ends handshakes that have not come to an end', async (t) => {
  const { layer } = await openLayer(t, { listeners })
  const target = targetOf(layer, 'tls')
  const silent = net.connect({ host: target.address, port: target.port })
  silent.on('error', () => {})
  t.teardown(() => silent.destroy())
  await once(silent, 'connect')
  const client = tls.connect({ host: target.address, port: target.port, ca: ca.cert })
  client.on('error', () => {})
  await once(client, 'secureConnect')
  const closed = Promise.all([once(silent.resume(), 'close'), once(client.resume(), 'close')])
  await layer.close()
  await closed
})

t.test('an inbound connection reads what came with the handshake', async (t) => {
  const { layer, heard } = await openLayer(t, { listeners })
  const { address, port } = targetOf(layer, 'tls')
  const client = tls.connect({ host: address, port, ca: ca.cert, servername: 'sip.example.com' })
  t.teardown(() => client.destroy())
  client.write(request('tls', via))
  const { message, flow } = await heard.message()
  layer.sendResponse(flow, message.via, response('tls', via))
  t.match(await read(client, /\r\n\r\n/), /^SIP\/2.0 200/)
})
