import { rmSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { SipServerOptions } from '../../src/embedded-drachtio/server.ts'
import type { ListenerOptions } from '../../src/embedded-drachtio/transport/index.ts'
import { makeCa, makeCert, writeCertificate } from '../support/certificates.ts'
import { PeerDialog, SipPeer } from '../support/sip-peer.ts'
import { bench } from './contract/cases.ts'
import { type AppResponse, event, requests, sdp } from './contract/srf.ts'
import { openServer } from './support.ts'

const ca = makeCa()
const files = writeCertificate(makeCert({ ca, dns: ['sip.example.com'], ip: ['127.0.0.1'] }))
t.teardown(() => rmSync(files.folder, { recursive: true, force: true }))
const peerCert = makeCert({ ca, dns: ['wa.example.net'] })

const tcp: ListenerOptions = { transport: 'tcp', host: '127.0.0.1', port: 0 }
const udp: ListenerOptions = { transport: 'udp', host: '127.0.0.1', port: 0 }
const tlsListener: ListenerOptions = {
  transport: 'tls',
  host: '127.0.0.1',
  port: 0,
  externalAddress: '203.0.113.10',
  tls: { cert: files.cert, key: files.key },
}

async function setUp(t: Test, listeners: ListenerOptions[], more: Partial<SipServerOptions> = {}) {
  const { server, address } = await openServer({
    listeners,
    tlsClient: { ca: [ca.cert] },
    ...more,
  })
  t.teardown(() => server.close())
  return { server, bench: bench(t, address) }
}

async function streamPeer(t: Test, tls = false): Promise<SipPeer> {
  const options = {
    server: { cert: peerCert.cert, key: peerCert.key },
    client: { ca: ca.cert, servername: 'sip.example.com' },
  }
  const peer = await SipPeer.stream(tls ? options : undefined)
  t.teardown(() => peer.close())
  return peer
}

t.test('a call over TCP stays on its connection, whatever the Contact', async (t) => {
  const { bench } = await setUp(t, [tcp])
  const { app, invites } = await bench.service()
  const peer = await streamPeer(t)
  const call = peer.dialog(bench.sip, { contact: '<sip:x@nowhere.invalid;transport=tcp>' })
  call.request('INVITE', { body: sdp(4000) })
  const { req, res } = await invites.next()
  t.equal(req.protocol, 'tcp')
  const dialog = await app.createUAS(req, res, { localSdp: sdp(5000) })
  const ok = await peer.expect(200)
  t.equal(ok.contact, `sip:127.0.0.1:${bench.sip.port};transport=tcp`)
  call.learn(ok)
  call.request('ACK')
  const ended = dialog.destroy()
  const bye = await peer.expect('BYE')
  t.equal(bye.uri, 'sip:x@nowhere.invalid;transport=tcp')
  t.match(bye.header('via'), /^SIP\/2.0\/TCP 127/)
  peer.respond(bye, 200)
  await ended
})

t.test('a connection lost in a call is replaced by one to the Contact', async (t) => {
  const { bench } = await setUp(t, [tcp])
  const { app, invites } = await bench.service()
  const peer = await streamPeer(t)
  const call = peer.dialog(bench.sip)
  call.request('INVITE', { body: sdp(4000) })
  const { req, res } = await invites.next()
  const dialog = await app.createUAS(req, res, { localSdp: sdp(5000) })
  call.learn(await peer.expect(200))
  call.request('ACK')
  await event(dialog, 'ack')
  peer.drop()
  const info = dialog.request({ method: 'INFO' })
  const request = await peer.expect('INFO')
  peer.respond(request, 200)
  t.equal((await info).status, 200)
  // The peer connects anew as well: its next request is answered where it came from.
  peer.drop()
  const destroyed = event(dialog, 'destroy')
  call.request('BYE')
  await destroyed
  await peer.expect(200)
})

t.test('TLS: the Contact names transport and external address', async (t) => {
  const { bench, server } = await setUp(t, [tlsListener, udp])
  const { app, invites } = await bench.service()
  const peer = await streamPeer(t, true)
  const call = peer.dialog(bench.sip)
  call.request('INVITE', { body: sdp(4000) })
  const { req, res } = await invites.next()
  t.equal(req.protocol, 'tls')
  const dialog = await app.createUAS(req, res, {
    localSdp: sdp(5000),
    headers: { Contact: 'sip:me@localhost' },
  })
  const ok = await peer.expect(200)
  const port = server.listeners()[0]!.port
  t.equal(ok.contact, `sip:me@203.0.113.10:${port};transport=tls`)
  t.equal(ok.header('contact').startsWith('<'), true)
  call.learn(ok)
  call.request('ACK')
  await event(dialog, 'ack')
  call.request('BYE')
  await peer.expect(200)
})

t.test('a domain with a next hop of its own: every request goes there by its name', async (t) => {
  const peer = await streamPeer(t, true)
  const next = `sip:127.0.0.1:${peer.port};transport=tls`
  const { bench } = await setUp(t, [tlsListener], {
    overrides: new Map([['wa.example.net', next]]),
  })
  const app = await bench.app()
  const pending = app.createUAC('sip:+1@wa.example.net;transport=tls', {
    localSdp: sdp(4000),
    callingNumber: '123',
  })
  const invite = await peer.expect('INVITE')
  t.equal(invite.uri, 'sip:+1@wa.example.net;transport=tls')
  t.match(invite.header('via'), /^SIP\/2.0\/TLS 203\.0\.113\.10:/)
  t.match(invite.contact, /^sip:123@203\.0\.113\.10:\d+;transport=tls$/)
  peer.respond(invite, 200, {
    tag: 'm',
    headers: {
      Contact: '<sip:relay@wa.example.net;transport=tls>',
      'Record-Route': '<sip:wa.example.net;transport=tls;lr>',
    },
    body: sdp(6000),
  })
  const dialog = await pending
  const ack = await peer.expect('ACK')
  t.equal(ack.uri, 'sip:relay@wa.example.net;transport=tls')
  t.equal(ack.header('route'), '<sip:wa.example.net;transport=tls;lr>')
  // A new connection verifies the same name.
  peer.drop()
  const ended = dialog.destroy()
  peer.respond(await peer.expect('BYE'), 200)
  await ended
})

t.test('a certificate for another name ends the call with 503', async (t) => {
  const peer = await streamPeer(t, true)
  const { bench } = await setUp(t, [tlsListener], {
    overrides: new Map([['other.example.net', `sip:127.0.0.1:${peer.port};transport=tls`]]),
  })
  const app = await bench.app()
  const pending = app.createUAC('sip:+1@other.example.net;transport=tls', { localSdp: sdp(4000) })
  const outcome = await pending.catch((error: unknown) => error)
  t.match(outcome, { status: 503 })
})

t.test('a client that registered over TCP is called over its connection', async (t) => {
  const { bench, server } = await setUp(t, [udp, tcp])
  const registers = requests()
  const app = await bench.app({ register: registers.handler })
  const peer = await streamPeer(t)
  const port = server.listeners()[1]!.port
  const contact = '<sip:phone@10.1.2.3:9999;transport=tcp>'
  const registration = peer.dialog({ host: '127.0.0.1', port }, { contact })
  const register = async (expires: string): Promise<void> => {
    registration.request('REGISTER', { headers: { Expires: expires } })
    const { res } = await registers.next()
    res.send(200, { headers: { Contact: `${contact};expires=${expires}` } })
    await peer.expect((m) => m.status === 200 && m.method === 'REGISTER')
  }
  await register('60')
  t.equal(server.metrics().now.registeredFlows, 1)
  const pending = app.createUAC('sip:phone@10.1.2.3:9999;transport=tcp', { localSdp: sdp(4000) })
  const invite = await peer.expect('INVITE')
  t.equal(invite.uri, 'sip:phone@10.1.2.3:9999;transport=tcp')
  peer.respond(invite, 200, { tag: 'p', headers: { Contact: contact }, body: sdp(6000) })
  const dialog = await pending
  await peer.expect('ACK')
  const callee = PeerDialog.of(peer, invite, 'p')
  dialog.on('info', (_: unknown, res: AppResponse) => res.send(200))
  callee.request('INFO')
  await peer.expect((m) => m.status === 200 && m.method === 'INFO')
  const ended = dialog.destroy()
  peer.respond(await peer.expect('BYE'), 200)
  await ended
  await register('0')
  t.equal(server.metrics().now.registeredFlows, 0)
})

t.test('UDP is not offered where only TCP listens', async (t) => {
  const { bench } = await setUp(t, [tcp])
  const app = await bench.app()
  await t.rejects(app.request('sip:x@127.0.0.1:9;transport=udp', { method: 'OPTIONS' }), {
    message: 'requested protocol/transport not available',
  })
  const self = `sip:x@127.0.0.1:${bench.sip.port};transport=tcp`
  await t.rejects(app.request(self, { method: 'OPTIONS' }), {
    message: 'can not send request to myself',
  })
})
