import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { startSipServerWorker } from '../../src/embedded-drachtio/index.ts'
import { createLogger, silentLogger } from '../../src/shared/log.ts'
import { Secret } from '../../src/shared/secret.ts'
import { makeCa, makeCert, writeCertificate } from '../support/certificates.ts'
import { SipPeer } from '../support/sip-peer.ts'
import { bench } from './contract/cases.ts'
import { answered } from './contract/incoming.ts'
import { hangUp } from './contract/outgoing.ts'
import { RawApp } from './contract/raw-app.ts'
import { event } from './contract/srf.ts'
import { testSecret } from './support.ts'

const admin = { host: '127.0.0.1', port: 0, secret: new Secret(testSecret) }
const udp = { transport: 'udp' as const, host: '127.0.0.1', port: 0 }

t.test('a server in a thread of its own', async (t) => {
  const worker = await startSipServerWorker({ admin, listeners: [udp], log: silentLogger() })
  t.teardown(() => worker.close())
  const [listener] = await worker.listeners()
  const address = {
    host: worker.admin.host,
    port: worker.admin.port,
    secret: testSecret,
    sipHost: listener!.host,
    sipPort: listener!.port,
  }
  const { peer, dialog, app } = await answered(bench(t, address))
  t.equal((await worker.metrics()).now.dialogs, 1)
  await hangUp(peer, dialog)
  t.equal((await worker.metrics()).now.dialogs, 0)
  // Before the server goes: it would try to connect again for ever.
  app.disconnect()
  await event(app, 'close')
  const crashes: unknown[] = []
  worker.events.on('crashed', (error) => crashes.push(error))
  await worker.close()
  await worker.close()
  t.same(crashes, [], 'closing is no crash')
  await t.rejects(worker.metrics(), { code: 'SIP_SERVER_CRASHED' })
})

t.test('its messages can be tapped, and are not before and after', async (t) => {
  const worker = await startSipServerWorker({ admin, listeners: [udp], log: silentLogger() })
  t.teardown(() => worker.close())
  const [listener] = await worker.listeners()
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  const send = (text: string): Promise<unknown> =>
    new Promise((resolve) => socket.send(text, listener!.port, listener!.host, resolve))
  const told: string[] = []
  worker.events.on('tapped', ({ messages }) => {
    told.push(...messages.map(({ dir, text }) => `${dir} ${text}`))
  })
  /** They do not parse, and are answered by nobody. */
  const received = async (count: number): Promise<void> => {
    while ((await worker.metrics()).counters.transport.parseErrors.udp < count) {}
  }
  await send('unheard')
  await received(1)
  worker.tap(true)
  const heard = once(worker.events, 'tapped')
  await send('heard')
  await heard
  worker.tap(false)
  await send('unheard again')
  await received(3)
  t.same(told, ['in heard'])
})

t.test('the end of a connection that a registration hung on', async (t) => {
  const listeners = [{ ...udp, transport: 'tcp' as const }]
  const worker = await startSipServerWorker({ admin, listeners, log: silentLogger() })
  t.teardown(() => worker.close())
  const address = { ...worker.admin, secret: testSecret, sipHost: '', sipPort: 0 }
  const app = await bench(t, address).app()
  const peer = await SipPeer.stream()
  t.teardown(() => peer.close())
  const sent = await app.request(`sip:${peer.hostport};transport=tcp`, {
    method: 'REGISTER',
    headers: {
      'Call-ID': 'registration',
      Contact: '<sip:causeway@localhost;transport=tcp>;expires=300',
      Supported: 'outbound',
    },
  })
  const answered = new Promise((resolve) => sent.on('response', resolve))
  peer.respond(await peer.expect('REGISTER'), 200, { headers: { 'Flow-Timer': '60' } })
  await answered
  const told = once(worker.events, 'flowEnded')
  peer.drop()
  t.match(await told, [{ why: 'closed', port: peer.port, sent: [{ callId: 'registration' }] }])
})

t.test('a listener that cannot be opened, with its code', async (t) => {
  const first = await startSipServerWorker({ admin, listeners: [udp], log: silentLogger() })
  t.teardown(() => first.close())
  const taken = { ...udp, port: (await first.listeners())[0]!.port }
  await t.rejects(startSipServerWorker({ admin, listeners: [taken], log: silentLogger() }), {
    code: 'SIP_LISTEN_FAILED',
  })
  const busy = { ...admin, port: first.admin.port }
  await t.rejects(startSipServerWorker({ admin: busy, listeners: [udp], log: silentLogger() }), {
    code: 'SIP_ADMIN_LISTEN_FAILED',
  })
})

t.test('a crash is told, and what was asked of the server fails', async (t) => {
  // An interval no timer takes: the thread ends when the application goes.
  const orphanTimeout = 1n as unknown as number
  const options = { admin, listeners: [udp], log: silentLogger(), dialogs: { orphanTimeout } }
  const worker = await startSipServerWorker(options)
  const crashed = once(worker.events, 'crashed')
  const app = await RawApp.open({ ...worker.admin, secret: '', sipHost: '', sipPort: 0 })
  await app.authenticate(testSecret)
  app.close()
  const [error] = await crashed
  t.match(error, { code: 'SIP_SERVER_CRASHED', message: /BigInt/ })
  await t.rejects(worker.metrics(), { code: 'SIP_SERVER_CRASHED' })
  await worker.close()
})

t.test('certificates are read again, and both outcomes are told', async (t) => {
  const ca = makeCa()
  const files = writeCertificate(makeCert({ ca, dns: ['old.example.com'] }))
  t.teardown(() => rmSync(files.folder, { recursive: true, force: true }))
  const lines: string[] = []
  const log = createLogger({
    level: 'trace',
    numbers: 'masked',
    destination: { write: (line) => lines.push(line) },
  })
  const worker = await startSipServerWorker({
    admin,
    listeners: [{ transport: 'tls', host: '127.0.0.1', port: 0, tls: files }],
    log,
  })
  t.teardown(() => worker.close())
  t.match((await worker.listeners())[0]?.certificate?.names, ['DNS:old.example.com'])
  const fresh = makeCert({ ca, dns: ['new.example.com'] })
  writeFileSync(files.cert, fresh.cert)
  writeFileSync(files.key, fresh.key)
  const told: (string | undefined)[] = []
  worker.events.on('certificate', (report) => told.push(report.error))
  const [reloaded] = await worker.reloadCertificates()
  t.match(reloaded, {
    error: undefined,
    listener: { certificate: { names: ['DNS:new.example.com'] } },
  })
  writeFileSync(files.key, 'broken')
  const [failed] = await worker.reloadCertificates()
  t.match(failed?.error, /SIP_CERTIFICATE_UNUSABLE/)
  t.match((await worker.listeners())[0]?.certificate?.names, ['DNS:new.example.com'])
  await worker.metrics()
  t.equal(told[0], undefined)
  t.match(told.at(-1), /SIP_CERTIFICATE_UNUSABLE/)
  t.notMatch(lines.join(''), testSecret, 'the secret is in no line')
})

t.test('what can change under way: certificate files, external address, log level', async (t) => {
  const ca = makeCa()
  const old = writeCertificate(makeCert({ ca, dns: ['old.example.com'] }))
  const other = writeCertificate(makeCert({ ca, dns: ['other.example.com'] }))
  t.teardown(() => {
    for (const { folder } of [old, other]) rmSync(folder, { recursive: true, force: true })
  })
  const lines: string[] = []
  const log = createLogger({
    level: 'warn',
    numbers: 'full',
    destination: { write: (line) => lines.push(line) },
  })
  const worker = await startSipServerWorker({
    admin,
    listeners: [udp, { transport: 'tls', host: '127.0.0.1', port: 0, tls: old }],
    log,
  })
  t.teardown(() => worker.close())
  const changes = { tls: old, externalAddress: '203.0.113.77', logLevel: 'warn' as const }
  t.same(await worker.configure(changes), [], 'the same certificate is not told of')
  const moved = await worker.listeners()
  t.same(
    moved.map(({ externalAddress }) => externalAddress),
    ['203.0.113.77', '203.0.113.77'],
  )
  log.level = 'info'
  const [taken] = await worker.configure({ ...changes, tls: other, logLevel: 'info' })
  t.match(taken, {
    error: undefined,
    listener: { certificate: { names: ['DNS:other.example.com'] } },
  })
  t.match(lines.join(''), 'SIP certificate reloaded', 'at the level it has now')
  const [failed] = await worker.configure({ ...changes, tls: { cert: other.cert, key: old.key } })
  t.match(failed?.error, /SIP_CERTIFICATE_UNUSABLE/)
  t.match((await worker.listeners())[1]?.certificate?.names, ['DNS:other.example.com'])
  const [again] = await worker.reloadCertificates()
  t.equal(again?.error, undefined, 'the files of before are still those that are read')
  await worker.configure({ ...changes, externalAddress: undefined })
  t.equal((await worker.listeners())[0]?.externalAddress, undefined)
})
