import { once } from 'node:events'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import t from 'tap'
import { loadCertificate } from '../../../src/embedded-drachtio/transport/certificate.ts'
import type {
  CertificateEvent,
  TransportLayer,
} from '../../../src/embedded-drachtio/transport/index.ts'
import { makeCa, makeCert, writeCertificate } from '../../support/certificates.ts'
import { openLayer, request, type Teardown, targetOf } from './support.ts'

const ca = makeCa()
const via = '127.0.0.1:9;branch=z9hG4bK1'

/** A layer with one TLS listener on files of its own, and the reloads it reports. */
async function setUp(t: Teardown, settle = 20) {
  const files = writeCertificate(makeCert({ ca, dns: ['old.example.com'] }))
  t.teardown(() => rmSync(files.folder, { recursive: true, force: true }))
  const reloads: CertificateEvent[] = []
  let wake: (() => void) | undefined
  const { layer, heard } = await openLayer(t, {
    listeners: [{ transport: 'tls', host: '127.0.0.1', port: 0, tls: files }],
    certificateSettle: settle,
    certificateChanged: (event) => {
      reloads.push(event)
      wake?.()
    },
  })
  const reloaded = async (count: number): Promise<CertificateEvent> => {
    while (reloads.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    return reloads[count - 1]!
  }
  return { files, layer, heard, reloads, reloaded }
}

async function connect(t: Teardown, layer: TransportLayer): Promise<tls.TLSSocket> {
  const { address, port } = targetOf(layer, 'tls')
  const socket = tls.connect({
    host: address,
    port,
    ca: ca.cert,
    checkServerIdentity: () => undefined,
  })
  t.teardown(() => socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

const nameOf = (socket: tls.TLSSocket): unknown => socket.getPeerCertificate().subject.CN

t.test('a renewed certificate serves new connections; open ones live on', async (t) => {
  const { files, layer, heard, reloaded } = await setUp(t)
  const before = await connect(t, layer)
  t.equal(nameOf(before), 'old.example.com')

  writeCertificate(makeCert({ ca, dns: ['new.example.com'] }), files.folder)
  // The two files are written one after the other; between them they may not fit.
  for (let count = 1; (await reloaded(count)).kind !== 'reloaded'; count++);

  t.equal(nameOf(await connect(t, layer)), 'new.example.com')
  t.match(layer.listeners()[0]!.certificate, { subject: 'CN=new.example.com' })
  before.write(request('tls', via))
  await heard.message()
})

t.test('a broken file keeps the certificate and is reported', async (t) => {
  const { files, layer, reloads, reloaded } = await setUp(t)
  writeFileSync(files.cert, 'no certificate')
  t.match(await reloaded(1), { kind: 'failed', error: { code: 'SIP_CERTIFICATE_UNUSABLE' } })
  t.equal(nameOf(await connect(t, layer)), 'old.example.com')
  t.match(layer.metrics, { certificateFailures: 1, certificateReloads: 0 })
  t.match(layer.listeners()[0]!.certificate, { subject: 'CN=old.example.com' })
  t.equal(reloads.length, 1)
})

t.test('reloadCertificates reads at once', async (t) => {
  const { files, layer, reloads } = await setUp(t, 3_600_000)
  writeCertificate(makeCert({ ca, dns: ['new.example.com'] }), files.folder)
  t.match(layer.reloadCertificates(), [{ kind: 'reloaded', listener: { transport: 'tls' } }])
  t.equal(nameOf(await connect(t, layer)), 'new.example.com')
  t.equal(reloads.length, 1)
})

t.test('other files are in use, and are the ones that are watched', async (t) => {
  const { layer, reloads, reloaded } = await setUp(t)
  const other = writeCertificate(makeCert({ ca, dns: ['other.example.com'] }))
  t.teardown(() => rmSync(other.folder, { recursive: true, force: true }))
  const before = await connect(t, layer)
  t.match(layer.configure({ tls: other, externalAddress: undefined }), [{ kind: 'reloaded' }])
  t.equal(nameOf(await connect(t, layer)), 'other.example.com')
  t.equal(nameOf(before), 'old.example.com')
  t.equal(reloads.length, 1)
  const renewed = makeCert({ ca, dns: ['renewed.example.com'] })
  writeFileSync(other.cert, renewed.cert)
  writeFileSync(other.key, renewed.key)
  t.equal((await reloaded(2)).kind, 'reloaded')
  t.equal(nameOf(await connect(t, layer)), 'renewed.example.com')
})

t.test('a chain that gets longer is a change, though the certificate is the same', async (t) => {
  const { files, layer } = await setUp(t, 100_000)
  const same = { tls: files, externalAddress: undefined }
  t.same(layer.configure(same), [])
  writeFileSync(files.cert, `${readFileSync(files.cert, 'utf8')}${ca.cert}`)
  t.match(layer.configure(same), [{ kind: 'reloaded' }])
  t.same(layer.configure(same), [])
})

t.test('files behind links that are switched, as by certbot and Kubernetes', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-links-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['old', 'new']) {
    mkdirSync(join(folder, name))
    writeCertificate(makeCert({ ca, dns: [`${name}.example.com`] }), join(folder, name))
  }
  symlinkSync('old', join(folder, 'data'))
  symlinkSync(join('data', 'cert.pem'), join(folder, 'cert.pem'))
  symlinkSync(join('data', 'key.pem'), join(folder, 'key.pem'))
  const reloaded = new Promise<CertificateEvent>((resolve) => {
    const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
    void openLayer(t, {
      listeners: [{ transport: 'tls', host: '127.0.0.1', port: 0, tls: files }],
      certificateSettle: 20,
      certificateChanged: resolve,
    }).then(() => {
      symlinkSync('new', join(folder, 'next'))
      renameSync(join(folder, 'next'), join(folder, 'data'))
    })
  })
  t.match(await reloaded, {
    kind: 'reloaded',
    listener: { certificate: { subject: 'CN=new.example.com' } },
  })
})

t.test('what is known of a certificate', async (t) => {
  const notAfter = new Date('2031-05-06T07:08:09Z')
  const files = writeCertificate(
    makeCert({ ca, dns: ['a.example'], ip: ['192.0.2.1'], uri: ['sip:a.example'], notAfter }),
  )
  t.teardown(() => rmSync(files.folder, { recursive: true }))
  const { info } = loadCertificate(files)
  t.match(info, {
    subject: 'CN=a.example',
    issuer: 'CN=Causeway test CA',
    names: ['DNS:a.example', 'URI:sip:a.example', 'IP Address:192.0.2.1'],
    notAfter: notAfter.getTime(),
    fingerprint: /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/,
  })
})

t.test('unusable files are refused, naming the file', async (t) => {
  const files = writeCertificate(makeCert({ ca, dns: ['a.example'] }))
  t.teardown(() => rmSync(files.folder, { recursive: true }))
  const other = makeCert({ ca, dns: ['a.example'] })
  const cases: [() => void, RegExp][] = [
    [() => writeFileSync(files.key, other.key), /key\.pem is not that of/],
    [() => writeFileSync(files.key, 'x'), /key\.pem/],
    [() => rmSync(files.cert), /cert\.pem.*ENOENT/],
  ]
  for (const [spoil, detail] of cases) {
    spoil()
    t.throws(() => loadCertificate(files), { code: 'SIP_CERTIFICATE_UNUSABLE', detail })
  }
  const listener = { transport: 'tls' as const, host: '127.0.0.1', port: 0 }
  await t.rejects(openLayer(t, { listeners: [{ ...listener, tls: files }] }), {
    code: 'SIP_CERTIFICATE_UNUSABLE',
  })
  await t.rejects(openLayer(t, { listeners: [listener] }), { code: 'SIP_CERTIFICATE_UNUSABLE' })
})
