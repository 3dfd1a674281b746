import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import t, { type Test } from 'tap'
import type { CallingConfig, Config } from '../../src/config/types.ts'
import { createSettingsManager, type SettingsManager } from '../../src/settings/index.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { createLogger, silentLogger } from '../../src/shared/log.ts'
import { systemRandom } from '../../src/shared/random.ts'
import { Secret } from '../../src/shared/secret.ts'
import { LabAuthority } from '../../src/simulator/certificates.ts'
import { createGraphSimulator, type GraphSimulator } from '../../src/simulator/graph/index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeRandom } from '../support/fake-random.ts'
import { makeConfig, makeNumber } from './support.ts'

const SUPPORT = {
  phoneNumberId: '106540352242922',
  phoneNumber: '+441632960123',
  accessToken: 'token-support',
  appId: '634974688087057',
}
const SALES = {
  phoneNumberId: '206540352242922',
  phoneNumber: '+441632960124',
  accessToken: 'token-sales',
  appId: '634974688087057',
}
const sales = makeNumber({
  name: 'sales',
  phoneNumber: '+441632960124',
  phoneNumberId: '206540352242922',
  accessToken: new Secret('token-sales'),
})

async function simulate(t: Test, dialect: 'meta' | 'v23' | '360dialog' = 'meta') {
  const random = new FakeRandom(7)
  const numbers = [SUPPORT, SALES]
  const graph = createGraphSimulator({ numbers, dialect, clock: systemClock, random })
  await graph.start()
  t.teardown(() => graph.stop())
  return graph
}

function manage(t: Test, config: Config, clock = new FakeClock()): SettingsManager {
  const random = new FakeRandom(3)
  const manager = createSettingsManager({ config, clock, random, log: silentLogger() })
  t.teardown(() => manager.stop())
  return manager
}

const posts = (graph: GraphSimulator) => graph.requests.of('POST').map(({ body }) => body)

for (const dialect of ['meta', 'v23', '360dialog'] as const) {
  t.test(`a fresh number is applied and its password kept (${dialect})`, async (t) => {
    const graph = await simulate(t, dialect)
    const calling: CallingConfig = {
      sip: { request_uri_user_params: { tgrp: 'support' }, webhook_delivery: 'ENABLED' },
      audio: { additional_codecs: ['PCMA', 'PCMU'] },
    }
    const number = makeNumber({ calling })
    const provider = dialect === '360dialog' ? '360dialog' : 'meta'
    const clock = new FakeClock()
    const manager = manage(t, makeConfig(graph.url, [number], { provider }), clock)
    t.equal(manager.state('support')!.status, 'pending')
    await manager.start()
    const sip = {
      status: 'ENABLED',
      webhook_delivery: 'ENABLED',
      servers: [
        { hostname: 'sip.example.com', port: 5061, request_uri_user_params: { tgrp: 'support' } },
      ],
    }
    const srtp_key_exchange_protocol = 'SDES'
    const audio = { additional_codecs: ['PCMA', 'PCMU'] }
    const requests =
      dialect === '360dialog'
        ? [{ srtp_key_exchange_protocol, sip }, { status: 'ENABLED' }, { audio }]
        : [{ status: 'ENABLED', srtp_key_exchange_protocol, sip, audio }]
    t.same(
      posts(graph),
      requests.map((calling) => ({ calling })),
    )
    const last = graph.requests.all.at(-1)!
    t.match(last.url, /include_sip_credentials=true/, 'read back with credentials')
    const state = manager.state('support')!
    t.match(state, { status: 'ok', drift: [], error: undefined, lastChecked: clock.now() })
    t.equal(state.credentialsAt, clock.now())
    const simulated = graph.store.lookupNumberByPhone('441632960123')!
    const trunk = graph.store.sipServerFor(simulated)!
    t.equal(manager.credentials.get('support')!.reveal(), trunk.password)
    t.match(trunk, { status: 'ENABLED', srtp: 'SDES', params: { tgrp: 'support' } })
    await manager.check('support')
    t.equal(posts(graph).length, requests.length, 'nothing differs, nothing is written')
    t.equal(clock.pending, 0, 'no timer is left')
  })
}

t.test('only what differs is written', async (t) => {
  const graph = await simulate(t)
  const manager = manage(t, makeConfig(graph.url))
  await manager.start()
  graph.store.lookupNumberByPhone('441632960123')!.calling.status = 'DISABLED'
  await manager.check('support')
  t.same(posts(graph).at(-1), { calling: { status: 'ENABLED' } })
  t.equal(manager.state('support')!.status, 'ok')
})

t.test('verify reports drift and writes nothing', async (t) => {
  const graph = await simulate(t)
  const manager = manage(t, makeConfig(graph.url, [makeNumber({ manage: 'verify' })]))
  await manager.start()
  t.same(posts(graph), [])
  const state = manager.state('support')!
  t.equal(state.status, 'drift')
  t.same(
    state.drift.map(({ path }) => path),
    [
      'calling.status',
      'calling.srtp_key_exchange_protocol',
      'calling.sip.status',
      'calling.sip.servers[sip.example.com]',
    ],
  )
  t.equal(state.error!.code, 'SETTINGS_CREDENTIALS_MISSING')
})

t.test('off reads the credentials and nothing else', async (t) => {
  const graph = await simulate(t)
  await manage(t, makeConfig(graph.url)).start()
  const writes = posts(graph).length
  const manager = manage(t, makeConfig(graph.url, [makeNumber({ manage: 'off' }), sales]))
  await manager.start()
  t.equal(manager.state('support')!.status, 'ok')
  t.ok(manager.credentials.get('support'))
  const written = graph.requests.of('POST').slice(writes)
  t.ok(written.every(({ url }) => url.includes(sales.phoneNumberId)))
})

t.test('off without a server has no password and says so', async (t) => {
  const graph = await simulate(t)
  const manager = manage(t, makeConfig(graph.url, [makeNumber({ manage: 'off' })]))
  await manager.start()
  t.equal(manager.state('support')!.error!.code, 'SETTINGS_CREDENTIALS_MISSING')
  t.equal(manager.credentials.get('support'), undefined)
})

t.test('off with sip_password asks nobody', async (t) => {
  const graph = await simulate(t)
  const number = makeNumber({
    manage: 'off',
    sipPassword: new Secret('own'),
    accessToken: undefined,
  })
  const manager = manage(t, makeConfig(graph.url, [number]))
  await manager.start()
  t.equal(manager.state('support')!.status, 'ok')
  t.equal(manager.credentials.get('support')!.reveal(), 'own')
  t.equal((await manager.credentials.refresh('support'))!.reveal(), 'own')
  t.equal(graph.requests.all.length, 0)
})

t.test('sip_password stands above what the settings say', async (t) => {
  const graph = await simulate(t)
  const manager = manage(t, makeConfig(graph.url, [makeNumber({ sipPassword: new Secret('own') })]))
  await manager.start()
  t.equal(manager.state('support')!.status, 'ok')
  t.equal(manager.credentials.get('support')!.reveal(), 'own')
})

t.test('SDES that was reset by the write is sent again, alone', async (t) => {
  const graph = await simulate(t)
  graph.modes.srtpReset = 'always'
  const manager = manage(t, makeConfig(graph.url))
  await manager.start()
  t.same(posts(graph).slice(1), [{ calling: { srtp_key_exchange_protocol: 'SDES' } }])
  t.equal(manager.state('support')!.status, 'ok')
  t.equal(graph.store.lookupNumberByPhone('441632960123')!.calling.srtp, 'SDES')
})

t.test('a write of sip names the key exchange, so that it is not reset', async (t) => {
  const graph = await simulate(t)
  graph.modes.srtpReset = 'omitted'
  const manager = manage(t, makeConfig(graph.url))
  await manager.start()
  graph.store.lookupNumberByPhone('441632960123')!.calling.sipStatus = 'DISABLED'
  await manager.check('support')
  t.equal(posts(graph).length, 2, 'one write each time')
  t.equal(graph.store.lookupNumberByPhone('441632960123')!.calling.srtp, 'SDES')
})

t.test('SDES that never stays is an error, after one repetition', async (t) => {
  const graph = await simulate(t)
  graph.modes.srtpReset = 'stubborn'
  const manager = manage(t, makeConfig(graph.url))
  await manager.start()
  const state = manager.state('support')!
  t.equal(state.status, 'failed')
  t.equal(state.error!.code, 'SETTINGS_SRTP_NOT_KEPT')
  t.match(state.drift, [{ path: 'calling.srtp_key_exchange_protocol', actual: 'DTLS' }])
  t.equal(posts(graph).length, 2)
  t.ok(manager.credentials.get('support'), 'the password is known all the same')
})

t.test('fields that are not reported are written once and taken as settled', async (t) => {
  const graph = await simulate(t)
  graph.modes.reportServerDetails = false
  const calling = { sip: { port: 5081, request_uri_user_params: { tgrp: 'a' } } }
  const manager = manage(t, makeConfig(graph.url, [makeNumber({ calling })]))
  await manager.start()
  const state = manager.state('support')!
  t.equal(state.status, 'ok')
  t.same(
    state.warnings.map(({ code }) => code),
    ['SETTINGS_UNVERIFIED'],
  )
  await manager.check('support')
  t.equal(posts(graph).length, 1, 'a webhook about our own write starts no second one')
})

t.test("another app's server stays, with a warning", async (t) => {
  const random = new FakeRandom()
  const other = { ...SUPPORT, appId: '77', accessToken: 'token-other' }
  const numbers = [SUPPORT, other]
  const graph = createGraphSimulator({ numbers, clock: systemClock, random })
  await graph.start()
  t.teardown(() => graph.stop())
  const config = makeConfig(graph.url, [makeNumber({ accessToken: new Secret('token-other') })])
  config.sip.domain = 'old.example.com'
  await manage(t, config).start()
  const manager = manage(t, makeConfig(graph.url))
  await manager.start()
  const state = manager.state('support')!
  t.equal(state.status, 'ok')
  t.match(state.warnings, [{ code: 'SETTINGS_FOREIGN_SERVER', detail: 'old.example.com (app 77)' }])
  const simulated = graph.store.lookupNumberByPhone('441632960123')!
  t.equal(simulated.calling.servers.size, 2)
  const ours = graph.store.sipServerForDomain(simulated, 'sip.example.com')!
  t.equal(manager.credentials.get('support')!.reveal(), ours.password)
})

t.test('a number that fails does not stop the others', async (t) => {
  const graph = await simulate(t)
  const bad = makeNumber({ name: 'bad', accessToken: new Secret('mistyped') })
  const none = makeNumber({ name: 'none', accessToken: undefined })
  const alien = makeNumber({ name: 'alien', phoneNumberId: '1' })
  const clock = new FakeClock()
  const config = makeConfig(graph.url, [bad, none, alien, makeNumber(), sales])
  const manager = manage(t, config, clock)
  await manager.start()
  t.equal(manager.state('bad')!.error!.code, 'SETTINGS_GRAPH_190')
  t.equal(manager.state('none')!.error!.code, 'SETTINGS_TOKEN_MISSING')
  t.equal(manager.state('alien')!.error!.code, 'SETTINGS_GRAPH_100_33')
  t.equal(manager.state('support')!.status, 'ok')
  t.equal(manager.state('sales')!.status, 'ok')
  t.equal(clock.pending, 0, 'what cannot pass is not tried again')
})

t.test('an unreachable number is tried again in the background until it answers', async (t) => {
  const graph = await simulate(t)
  graph.faults.inject({ path: SUPPORT.phoneNumberId, hangUp: true, count: 2 })
  const clock = new FakeClock()
  const manager = manage(t, makeConfig(graph.url, [makeNumber(), sales]), clock)
  await manager.start()
  t.equal(manager.state('sales')!.status, 'ok')
  t.equal(manager.state('support')!.error!.code, 'SETTINGS_UNREACHABLE')
  const next = () =>
    new Promise<string>((resolve) => {
      const off = manager.onChange((_name, { status }) => {
        off()
        setImmediate(() => resolve(status))
      })
    })
  for (const expected of ['failed', 'ok']) {
    t.equal(clock.pending, 1, 'one attempt is planned')
    const changed = next()
    clock.advance(10_000)
    t.equal(await changed, expected)
  }
  t.equal(clock.pending, 0)
  t.equal(manager.state('support')!.error, undefined)
})

t.test('a refused write keeps the password that was read', async (t) => {
  const graph = await simulate(t)
  const manager = manage(t, makeConfig(graph.url))
  await manager.start()
  const number = graph.store.lookupNumberByPhone('441632960123')!
  number.calling.status = 'DISABLED'
  number.messagingLimit = 250
  number.passwords.set(SUPPORT.appId, 'rotated')
  await manager.check('support')
  const state = manager.state('support')!
  t.equal(state.error!.code, 'SETTINGS_GRAPH_138015')
  t.match(state.drift, [{ path: 'calling.status' }])
  t.equal(manager.credentials.get('support')!.reveal(), 'rotated')
})

t.test('restrictions are warnings', async (t) => {
  const graph = await simulate(t)
  graph.store.lookupNumberByPhone('441632960123')!.restrictions.push({
    type: 'RESTRICTED_USER_INITIATED_CALLING',
    reason: 'low pick-up',
    expiration: 1754072386,
  })
  const manager = manage(t, makeConfig(graph.url))
  await manager.start()
  t.match(manager.state('support')!.warnings, [{ code: 'SETTINGS_RESTRICTED' }])
})

t.test('refresh reads a rotated password once for all who ask', async (t) => {
  const graph = await simulate(t)
  const manager = manage(t, makeConfig(graph.url))
  await manager.start()
  graph.store.lookupNumberByPhone('441632960123')!.passwords.set(SUPPORT.appId, 'rotated')
  const before = graph.requests.all.length
  const answers = await Promise.all([1, 2, 3].map(() => manager.credentials.refresh('support')))
  t.same(
    answers.map((secret) => secret!.reveal()),
    ['rotated', 'rotated', 'rotated'],
  )
  t.equal(graph.requests.all.length, before + 1)
  t.equal(await manager.credentials.refresh('unknown'), undefined)
})

t.test('the simulator serves HTTPS, too', async (t) => {
  const authority = new LabAuthority({ clock: systemClock, random: systemRandom })
  const folder = mkdtempSync(join(tmpdir(), 'causeway-ca-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const ca = join(folder, 'ca.pem')
  writeFileSync(ca, authority.cert)
  const { cert, key } = authority.issue({ names: ['127.0.0.1'] })
  const graph = createGraphSimulator({
    numbers: [SUPPORT],
    clock: systemClock,
    random: new FakeRandom(),
    tls: { cert, key: key.reveal() },
  })
  const { url } = await graph.start()
  t.teardown(() => graph.stop())
  t.match(url, /^https:/)
  const manager = manage(t, makeConfig(url, [makeNumber()], { ca }))
  await manager.start()
  t.equal(manager.state('support')!.status, 'ok')
})

t.test('a listener that throws harms nobody', async (t) => {
  const graph = await simulate(t)
  const manager = manage(t, makeConfig(graph.url))
  manager.onChange(() => {
    throw new Error('listener')
  })
  await manager.start()
  t.equal(manager.state('support')!.status, 'ok')
})

t.test('neither tokens nor passwords reach the log or the state as text', async (t) => {
  const graph = await simulate(t)
  let text = ''
  const destination = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk)
      done()
    },
  })
  const log = createLogger({ level: 'trace', numbers: 'full', destination })
  const config = makeConfig(graph.url, [
    makeNumber(),
    makeNumber({ name: 'x', phoneNumberId: '1' }),
  ])
  const random = new FakeRandom(3)
  const manager = createSettingsManager({ config, clock: new FakeClock(), random, log })
  t.teardown(() => manager.stop())
  await manager.start()
  await manager.credentials.refresh('support')
  const password = manager.credentials.get('support')!.reveal()
  text += JSON.stringify([manager.state('support'), manager.state('x')])
  t.match(text, /settings written/)
  t.notMatch(text, /token-support/)
  t.notOk(text.includes(password))
})

t.test('drift and warnings come to the log with a remedy', async (t) => {
  const graph = await simulate(t)
  const lines: Record<string, unknown>[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const log = createLogger({ level: 'warn', numbers: 'full', destination })
  const config = makeConfig(graph.url, [makeNumber({ manage: 'verify' })])
  const random = new FakeRandom(3)
  const manager = createSettingsManager({ config, clock: new FakeClock(), random, log })
  t.teardown(() => manager.stop())
  await manager.start()
  t.match(
    lines.find(({ msg }) => msg === 'settings drift'),
    { level: 40, number: 'support', code: 'SETTINGS_DRIFT', fix: /manage: apply/ },
  )
  for (const { msg } of lines) t.type(msg, 'string', 'no line without words')
})
