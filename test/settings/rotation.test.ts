import t, { type Test } from 'tap'
import type { NumberConfig } from '../../src/config/types.ts'
import { createSettingsClient } from '../../src/settings/client.ts'
import { openSettingsDatabase } from '../../src/settings/database.ts'
import { createJournal } from '../../src/settings/journal.ts'
import { createSettingsManager } from '../../src/settings/manager.ts'
import { recordingClient } from '../../src/settings/recording-client.ts'
import { rotate } from '../../src/settings/rotation/rotate.ts'
import {
  createRotationStore,
  ROTATION_STEPS,
  type RotationStep,
} from '../../src/settings/rotation/state.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { Secret } from '../../src/shared/secret.ts'
import { createGraphSimulator } from '../../src/simulator/graph/index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeRandom } from '../support/fake-random.ts'
import { makeConfig, makeNumber } from './support.ts'

const log = silentLogger()
const APP = '634974688087057'
const OTHER = '77'

/** A number that is in service, and what a rotation of it works with. */
async function lab(t: Test, number: NumberConfig = makeNumber()) {
  const support = { phoneNumberId: '106540352242922', phoneNumber: '+441632960123' }
  const numbers = [
    { ...support, accessToken: 'token-support', appId: APP },
    { ...support, accessToken: 'token-other', appId: OTHER },
  ]
  const graph = createGraphSimulator({ numbers, clock: systemClock, random: new FakeRandom(7) })
  await graph.start()
  t.teardown(() => graph.stop())
  const config = makeConfig(graph.url, [number])
  const clock = new FakeClock()
  const random = new FakeRandom(3)
  const manager = createSettingsManager({ config, clock, random, log })
  await manager.start()
  await manager.stop()
  const simulated = graph.store.lookupNumberByPhone('441632960123')!
  const folder = t.testdir({})
  const passwordNow = () => graph.store.passwordOf(simulated, APP)

  /** One process: its own client and database; `crashAt` ends it before that step is made. */
  async function run(options: { crashAt?: RotationStep; resume?: boolean } = {}) {
    const database = openSettingsDatabase(folder)
    const journal = createJournal(database, { clock, log })
    const store = createRotationStore(database)
    const client = createSettingsClient({
      whatsapp: config.whatsapp,
      clock,
      random,
      log,
      attempts: 1,
    })
    const steps: RotationStep[] = []
    try {
      const who = 'cli numbers rotate' as const
      const unfinished = options.resume ? store.load('support') : undefined
      const deps = {
        client: recordingClient(client, journal, who),
        store,
        journal,
        who,
        clock,
        random,
        context: { domain: 'sip.example.com', port: 5061 },
        drain: async () => {},
        onStep: ({ step }: { step: RotationStep }) => {
          steps.push(step)
          clock.advance(100)
          if (step === options.crashAt) throw new Error('crashed')
        },
      }
      return { ...(await rotate(number, deps, unfinished)), steps, left: store.all() }
    } finally {
      await client.close()
      database.close()
    }
  }

  function entries() {
    const database = openSettingsDatabase(folder)
    const all = createJournal(database, { clock, log }).entries('support', 1000).reverse()
    database.close()
    return all
  }

  function unfinished() {
    const database = openSettingsDatabase(folder)
    const all = createRotationStore(database).all()
    database.close()
    return all
  }
  return { graph, simulated, run, entries, unfinished, passwordNow, clock }
}

type Lab = Awaited<ReturnType<typeof lab>>

const inService = ({ graph, simulated }: Lab): unknown => {
  const { status, srtp, hostname, port, params } = graph.store.sipServerFor(simulated) ?? {}
  return { status, srtp, hostname, port, params }
}

const configured = makeNumber({
  calling: {
    sip: { port: 5081, request_uri_user_params: { tgrp: 'support' }, webhook_delivery: 'ENABLED' },
  },
})

t.test('a rotation gives a new password and everything else as it was', async (t) => {
  const world = await lab(t, configured)
  const before = inService(world)
  const old = world.passwordNow()
  const writes = world.graph.requests.of('POST').length
  const result = await world.run()
  t.not(result.password.reveal(), old)
  t.equal(result.password.reveal(), world.passwordNow())
  t.same(result.steps, ROTATION_STEPS)
  t.same(result.left, [], 'nothing is left to continue')
  t.equal(result.app, APP)
  // The fake clock moves by 100 ms at each step: from the entry of disable to that of read.
  t.equal(result.window, 400)
  t.same(inService(world), before)
  t.equal(world.simulated.calling.webhookDelivery, 'ENABLED')
  const server = {
    hostname: 'sip.example.com',
    port: 5081,
    request_uri_user_params: { tgrp: 'support' },
  }
  t.same(
    world.graph.requests
      .of('POST')
      .slice(writes)
      .map(({ body }) => (body as { calling: unknown }).calling),
    [
      { status: 'DISABLED', sip: { status: 'DISABLED' } },
      { status: 'DISABLED', sip: { status: 'DISABLED', servers: [] } },
      {
        srtp_key_exchange_protocol: 'SDES',
        sip: { status: 'DISABLED', webhook_delivery: 'ENABLED', servers: [server] },
      },
      {
        status: 'ENABLED',
        srtp_key_exchange_protocol: 'SDES',
        sip: { status: 'ENABLED', webhook_delivery: 'ENABLED', servers: [server] },
      },
    ],
  )
})

/** Entries of a run as words. */
const words = (all: ReturnType<Lab['entries']>): string[] =>
  all.map(({ action, after }) =>
    action === 'rotate' ? `rotate ${(after as { step: string }).step}` : action,
  )

t.test('the journal proves the order, and holds no password', async (t) => {
  const world = await lab(t)
  const old = world.passwordNow()
  await world.run()
  const all = world.entries()
  t.same(words(all), [
    'rotate drain',
    'read',
    'rotate disable',
    ...['plan', 'write', 'rotate clear'],
    ...['plan', 'write', 'rotate add'],
    ...['plan', 'write', 'rotate enable'],
    ...['plan', 'write', 'rotate read'],
    'read',
  ])
  const text = JSON.stringify(all)
  t.notMatch(text, old)
  t.notMatch(text, world.passwordNow())
  t.ok(all.every(({ who, error }) => who === 'cli numbers rotate' && error === null))
})

for (const crashAt of ROTATION_STEPS) {
  t.test(`a crash before the step ${crashAt} is rolled forward`, async (t) => {
    const world = await lab(t, configured)
    const before = inService(world)
    const old = world.passwordNow()
    await t.rejects(world.run({ crashAt }), /crashed/)
    t.match(world.unfinished(), [{ number: 'support', step: crashAt }])
    t.notMatch(JSON.stringify(world.unfinished()), old)
    world.clock.advance(60_000)
    const result = await world.run({ resume: true })
    t.same(result.steps, ROTATION_STEPS.slice(ROTATION_STEPS.indexOf(crashAt)))
    t.not(result.password.reveal(), old)
    t.equal(result.password.reveal(), world.passwordNow())
    t.same(inService(world), before)
    t.same(result.left, [])
    const wasOff = crashAt !== 'drain' && crashAt !== 'read'
    t.equal(result.window >= 60_000, wasOff, 'the time in between counts while it was off')
  })
}

/** What goes wrong with the request of a step, and is done when it is continued. */
const faults: [RotationStep, number][] = [
  ['disable', 0],
  ['clear', 1],
  ['add', 2],
  ['enable', 3],
]
for (const [step, skip] of faults) {
  t.test(`a connection cut after the request of ${step} was taken`, async (t) => {
    const world = await lab(t, configured)
    const before = inService(world)
    const old = world.passwordNow()
    // The answers up to here come; the next request is cut, and may have been made or not.
    for (let i = 0; i < skip; i++) world.graph.faults.inject({ method: 'POST', delay: 1 })
    world.graph.faults.inject({ method: 'POST', hangUp: true })
    await t.rejects(world.run(), { code: 'SETTINGS_UNREACHABLE' })
    t.match(world.unfinished(), [{ step }])
    const result = await world.run({ resume: true })
    t.not(result.password.reveal(), old)
    t.same(inService(world), before)
    const failed = world.entries().filter(({ error }) => error)
    t.match(failed, [{ action: 'write', error: { code: 'SETTINGS_UNREACHABLE' } }])
  })
}

t.test('a password that cannot be read at the end is read when continued', async (t) => {
  const world = await lab(t)
  world.graph.faults.inject({ method: 'GET', delay: 1 })
  world.graph.faults.inject({ method: 'GET', status: 500 })
  await t.rejects(world.run(), { code: 'SETTINGS_GRAPH_SERVER' })
  t.match(world.unfinished(), [{ step: 'read' }])
  const result = await world.run({ resume: true })
  t.same(result.steps, ['read'])
  t.equal(result.password.reveal(), world.passwordNow())
})

t.test('a refused first write leaves nothing behind', async (t) => {
  const world = await lab(t)
  const before = inService(world)
  world.graph.faults.inject({ method: 'POST', code: 10, status: 403 })
  await t.rejects(world.run(), { code: 'SETTINGS_GRAPH_10' })
  t.same(world.unfinished(), [])
  t.same(inService(world), before)
})

t.test('a key exchange that a write has reset is set again, alone', async (t) => {
  const world = await lab(t)
  world.graph.modes.srtpReset = 'always'
  await world.run()
  t.equal(world.simulated.calling.srtp, 'SDES')
  t.same(world.graph.requests.of('POST').at(-1)!.body, {
    calling: { srtp_key_exchange_protocol: 'SDES' },
  })
})

t.test('a server whose port is not reported keeps it', async (t) => {
  const world = await lab(t, configured)
  const before = inService(world)
  world.graph.modes.reportServerDetails = false
  await world.run()
  t.same(inService(world), before)
})

t.test("another app's server is not touched", async (t) => {
  const world = await lab(t)
  const other = { appId: OTHER, hostname: 'old.example.com', port: 5061, requestUriUserParams: {} }
  world.simulated.calling.servers.set(OTHER, other)
  const kept = world.graph.store.passwordOf(world.simulated, OTHER)
  await world.run()
  t.same(world.simulated.calling.servers.get(OTHER), other)
  t.equal(world.graph.store.passwordOf(world.simulated, OTHER), kept)
})

t.test('a password that stays the same is an error, and the number is in service', async (t) => {
  const world = await lab(t)
  const before = inService(world)
  const old = world.passwordNow()
  const { passwords } = world.simulated
  passwords.delete = () => false
  await t.rejects(world.run(), { code: 'SETTINGS_ROTATION_UNCHANGED' })
  t.equal(world.passwordNow(), old)
  t.same(inService(world), before)
  t.same(world.unfinished(), [])
})

t.test('what cannot be rotated is not begun', async (t) => {
  const fixed = await lab(t, makeNumber({ sipPassword: new Secret('own') }))
  const requests = fixed.graph.requests.all.length
  await t.rejects(fixed.run(), { code: 'SETTINGS_ROTATION_IMPOSSIBLE', detail: /sip_password/ })
  t.equal(fixed.graph.requests.all.length, requests)
  const world = await lab(t)
  world.simulated.calling.servers.clear()
  await t.rejects(world.run(), { code: 'SETTINGS_ROTATION_IMPOSSIBLE', detail: /no server/ })
  t.same(world.unfinished(), [])
})
