import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import tls from 'node:tls'
import t, { type Test } from 'tap'
import type { Target, TlsPeer } from '../../../src/embedded-drachtio/transport/index.ts'
import { makeCa, makeCert, writeCertificate } from '../../support/certificates.ts'
import { openLayer, request, send } from './support.ts'

/** The authority everybody trusts here, the PBX's own, and the one for its clients. */
const [known, pbxCa, clientCa] = [makeCa('known'), makeCa('PBX'), makeCa('clients')]
const via = '127.0.0.1:9;branch=z9hG4bK1'
const own = writeCertificate(makeCert({ ca: known, dns: ['sip.example.com'] }))
const listeners = [{ transport: 'tls' as const, host: '127.0.0.1', port: 0, tls: own }]
const layers = { listeners, tlsClient: { ca: [known.cert] } }

/** A PBX with a certificate of its own authority that takes none but clients of the other one. */
async function mutualPbx(t: Test, dns = ['pbx.example.com'], ca = pbxCa) {
  const clients: string[] = []
  const options = {
    ...makeCert({ ca, dns }),
    ...{ ca: clientCa.cert, requestCert: true, rejectUnauthorized: true },
  }
  const server = tls.createServer(options, (socket) => {
    clients.push(String(socket.getPeerCertificate().subject.CN))
    socket.on('error', () => {}).resume()
  })
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})))
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const drop = () => {
    for (const socket of sockets) socket.destroy()
  }
  t.teardown(() => {
    drop()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const target: Target = {
    ...{ transport: 'tls', address: '127.0.0.1', port, domain: 'pbx.example.com' },
  }
  /** Resolves once as many clients were let in. */
  const accepted = async (count: number): Promise<string[]> => {
    while (clients.length < count) await new Promise(setImmediate)
    return clients
  }
  return { target, accepted, drop, port }
}

/** Files of a client certificate and of the PBX's authority. */
function clientFiles(name = 'causeway.example.com') {
  const { cert, key } = writeCertificate(makeCert({ ca: clientCa, name }))
  const ca = join(cert, '..', 'ca.pem')
  writeFileSync(ca, pbxCa.cert)
  return { certificate: { cert, key }, ca }
}

const peer = (change: Partial<TlsPeer> = {}): TlsPeer => ({
  ...{ host: 'PBX.example.com', port: undefined, serverName: undefined },
  ...clientFiles(),
  ...change,
})

t.test('a PBX that asks for a client certificate, its own from a private authority', async (t) => {
  const { target, accepted } = await mutualPbx(t)
  const { layer } = await openLayer(t, { ...layers, tlsPeers: [peer()] })
  const flow = await send(layer, target, request('tls', via))
  t.same(await accepted(1), ['causeway.example.com'])
  const byAddress = { ...target, domain: target.address }
  const again = await send(layer, byAddress, request('tls', via))
  t.equal(again.id, flow.id, 'its Contact may name the address: the connection is the same')
})

t.test('without settings of its own it is refused', async (t) => {
  const { target, port } = await mutualPbx(t)
  for (const tlsPeers of [[], [peer({ port: port + 1 })], [peer({ host: 'other.example.com' })]]) {
    const { layer } = await openLayer(t, { ...layers, tlsPeers })
    await t.rejects(send(layer, target, request('tls', via)), { code: 'SIP_TLS_VERIFY_FAILED' })
  }
})

t.test('the PBX must prove its name', async (t) => {
  const { target, accepted } = await mutualPbx(t, ['node7.example.com'])
  const wrong = await openLayer(t, { ...layers, tlsPeers: [peer()] })
  await t.rejects(send(wrong.layer, target, request('tls', via)), {
    code: 'SIP_TLS_VERIFY_FAILED',
    detail: /node7\.example\.com/,
  })
  const named = { ...peer(), host: '127.0.0.1', serverName: 'node7.example.com' }
  const { layer } = await openLayer(t, { ...layers, tlsPeers: [named] })
  await send(layer, { ...target, domain: '127.0.0.1' }, request('tls', via))
  t.equal((await accepted(1)).length, 1, 'the name it is configured to have')
})

t.test('an authority of its own is the only one', async (t) => {
  const { target } = await mutualPbx(t, ['pbx.example.com'], known)
  const { layer } = await openLayer(t, { ...layers, tlsPeers: [peer()] })
  await t.rejects(send(layer, target, request('tls', via)), { code: 'SIP_TLS_VERIFY_FAILED' })
  const general = await openLayer(t, { ...layers, tlsPeers: [peer({ ca: undefined })] })
  await t.resolves(send(general.layer, target, request('tls', via)))
})

t.test('files are read again when they change; bad ones leave the former in place', async (t) => {
  const { target, accepted, drop } = await mutualPbx(t)
  const settings = peer()
  const { layer, heard } = await openLayer(t, { ...layers, tlsPeers: [settings] })
  const reconnect = async (count: number) => {
    await send(layer, target, request('tls', via))
    const clients = await accepted(count)
    drop()
    await heard.until(() => heard.closings.length === count)
    return clients.at(-1)
  }
  t.equal(await reconnect(1), 'causeway.example.com')
  const { cert, key } = makeCert({ ca: clientCa, name: 'renewed.example.com' })
  writeFileSync(settings.certificate!.cert, cert)
  t.equal(await reconnect(2), 'causeway.example.com', 'a half-written pair is not taken')
  writeFileSync(settings.certificate!.key, key)
  t.equal(await reconnect(3), 'renewed.example.com')
  rmSync(settings.certificate!.key)
  t.equal(await reconnect(4), 'renewed.example.com')
  layer.configureTls([peer({ certificate: clientFiles('other.example.com').certificate })])
  t.equal(await reconnect(5), 'other.example.com', 'a reload takes other settings')
})

t.test('files that were never usable are named', async (t) => {
  const { target } = await mutualPbx(t)
  const { certificate } = clientFiles()
  for (const bad of [
    peer({ ca: '/nowhere/ca.pem' }),
    peer({ ca: certificate.key }),
    peer({ certificate: { cert: certificate.cert, key: clientFiles().certificate.key } }),
  ]) {
    const { layer } = await openLayer(t, { ...layers, tlsPeers: [bad] })
    await t.rejects(send(layer, target, request('tls', via)), {
      code: 'SIP_CERTIFICATE_UNUSABLE',
      detail: /^for pbx\.example\.com \(/,
    })
  }
})
