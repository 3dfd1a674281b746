import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import type { Config } from '../../src/config/types.ts'
import {
  createJournal,
  createSettingsManager,
  fileVault,
  openSettingsDatabase,
  type SettingsManager,
} from '../../src/settings/index.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { systemRandom } from '../../src/shared/random.ts'
import { createGraphSimulator, type GraphSimulator } from '../../src/simulator/graph/index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeRandom } from '../support/fake-random.ts'
import { makeConfig, makeNumber } from './support.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const log = silentLogger()

async function simulate(t: Test): Promise<GraphSimulator> {
  const numbers = [
    {
      phoneNumberId: '106540352242922',
      phoneNumber: '+441632960123',
      accessToken: 'token-support',
      appId: '634974688087057',
    },
  ]
  const graph = createGraphSimulator({ numbers, clock: systemClock, random: new FakeRandom(7) })
  await graph.start()
  t.teardown(() => graph.stop())
  return graph
}

function managed(t: Test, config: Config, clock = new FakeClock()) {
  const journal = createJournal(openSettingsDatabase(undefined), { clock, log })
  const manager = createSettingsManager({
    config,
    clock,
    random: new FakeRandom(3),
    log,
    journal,
  })
  t.teardown(() => manager.stop())
  return { manager, journal, clock }
}

/** Time goes by, a second at a time, so that requests that begin meanwhile do not run out of it. */
async function later(clock: FakeClock, manager: SettingsManager, ms: number): Promise<void> {
  for (let gone = 0; gone < ms; gone += 1000) {
    clock.advance(1000)
    await manager.idle('support')
  }
  // What follows the end of an attempt: its own timers.
  await new Promise((resolve) => setImmediate(resolve))
}

const numberOf = (graph: GraphSimulator) => graph.store.lookupNumberByPhone('441632960123')!
const posts = (graph: GraphSimulator): number => graph.requests.of('POST').length

t.test('drift is found at the interval and repaired under apply', async (t) => {
  const graph = await simulate(t)
  const config = makeConfig(graph.url, [makeNumber()], { checkInterval: 15 * MINUTE })
  const { manager, journal, clock } = managed(t, config)
  await manager.start()
  numberOf(graph).calling.status = 'DISABLED'
  await later(clock, manager, 13 * MINUTE)
  t.equal(numberOf(graph).calling.status, 'DISABLED', 'not yet')
  await later(clock, manager, 4 * MINUTE)
  t.equal(numberOf(graph).calling.status, 'ENABLED')
  t.equal(manager.state('support')!.status, 'ok')
  const told = journal
    .entries('support')
    .filter(({ who }) => who === 'drift check')
    .map(({ action, before, after }) => [action, before, after])
    .reverse()
  t.match(told, [
    ['read', null, { status: 'DISABLED' }],
    ['plan', { status: 'DISABLED' }, { status: 'ENABLED' }],
    ['write', { status: 'DISABLED' }, { status: 'ENABLED' }],
    ['read', null, { status: 'ENABLED' }],
    ['result', null, { status: 'ok', drift: [] }],
  ])
  await manager.stop()
  t.equal(clock.pending, 0)
})

t.test('verify reports drift at the interval, and writes nothing', async (t) => {
  const graph = await simulate(t)
  await managed(t, makeConfig(graph.url)).manager.start()
  const verify = makeNumber({ manage: 'verify' })
  const config = makeConfig(graph.url, [verify], { checkInterval: 15 * MINUTE })
  const { manager, journal, clock } = managed(t, config)
  await manager.start()
  t.equal(manager.state('support')!.status, 'ok')
  numberOf(graph).calling.status = 'DISABLED'
  const before = posts(graph)
  await later(clock, manager, 17 * MINUTE)
  t.match(manager.state('support'), { status: 'drift', drift: [{ path: 'calling.status' }] })
  t.equal(posts(graph), before)
  t.match(journal.entries('support')[0], {
    who: 'drift check',
    action: 'result',
    after: { drift: [{ path: 'calling.status', actual: 'DISABLED', desired: 'ENABLED' }] },
  })
})

t.test('two managers do not fight forever', async (t) => {
  const graph = await simulate(t)
  const { manager, journal, clock } = managed(t, makeConfig(graph.url))
  await manager.start()
  const first = posts(graph)
  const meddle = () => {
    numberOf(graph).calling.status = 'DISABLED'
    return manager.check('support')
  }
  for (let repair = 1; repair <= 3; repair++) {
    t.match(await meddle(), { status: 'ok', error: undefined })
    t.equal(posts(graph), first + repair)
    clock.advance(MINUTE)
  }
  t.match(await meddle(), {
    status: 'drift',
    error: { code: 'SETTINGS_FIGHT', detail: 'calling.status: "DISABLED" → "ENABLED"' },
  })
  t.equal(posts(graph), first + 3, 'nothing is written any more')
  t.match(journal.entries('support')[0], {
    action: 'result',
    after: { status: 'drift' },
    error: { code: 'SETTINGS_FIGHT' },
  })

  numberOf(graph).calling.additionalCodecs = ['PCMA']
  await later(clock, manager, 57 * MINUTE)
  t.equal(manager.state('support')!.status, 'ok', 'the window is over: tried again by itself')
  t.equal(posts(graph), first + 4)
  t.equal(numberOf(graph).calling.status, 'ENABLED')
})

t.test('what settles by itself meanwhile ends the truce', async (t) => {
  const graph = await simulate(t)
  const { manager } = managed(t, makeConfig(graph.url))
  await manager.start()
  for (let i = 0; i < 4; i++) {
    numberOf(graph).calling.status = 'DISABLED'
    await manager.check('support')
  }
  t.equal(manager.state('support')!.error!.code, 'SETTINGS_FIGHT')
  numberOf(graph).calling.status = 'ENABLED'
  t.match(await manager.check('support'), { status: 'ok', error: undefined })
  // Another field is no part of the fight.
  numberOf(graph).calling.srtp = 'DTLS'
  t.match(await manager.check('support'), { status: 'ok' })
  t.equal(numberOf(graph).calling.srtp, 'SDES')
})

t.test('what WhatsApp does not keep is no fight', async (t) => {
  const graph = await simulate(t)
  graph.modes.srtpReset = 'stubborn'
  const { manager } = managed(t, makeConfig(graph.url))
  await manager.start()
  for (let i = 0; i < 5; i++) {
    t.match(await manager.check('support'), {
      status: 'failed',
      error: { code: 'SETTINGS_SRTP_NOT_KEPT' },
    })
  }
})

t.test('an operator resumes at once', async (t) => {
  const graph = await simulate(t)
  const { manager, clock } = managed(t, makeConfig(graph.url))
  await manager.start()
  await manager.resume()
  const reads = graph.requests.all.length
  for (let i = 0; i < 4; i++) {
    numberOf(graph).calling.status = 'DISABLED'
    await manager.check('support')
  }
  t.equal(manager.state('support')!.status, 'drift')
  await manager.resume()
  t.match(manager.state('support'), { status: 'ok', error: undefined })
  t.equal(numberOf(graph).calling.status, 'ENABLED')
  t.equal(clock.pending, 0, 'the timer of the truce is gone')
  const since = graph.requests.all.length
  await manager.resume()
  t.equal(graph.requests.all.length, since, 'there is nothing to resume')
  t.ok(since > reads)
})

t.test('a busy number is left alone until it is free', async (t) => {
  const graph = await simulate(t)
  const clock = new FakeClock()
  let free = (): void => {}
  let busy: Promise<void> | undefined = new Promise((resolve) => {
    free = resolve
  })
  const config = makeConfig(graph.url)
  const options = { config, clock, random: new FakeRandom(3), log, busy: () => busy }
  const manager = createSettingsManager(options)
  t.teardown(() => manager.stop())
  const started = manager.start()
  const checked = manager.check('support')
  await manager.idle('support')
  t.equal(graph.requests.all.length, 0)
  busy = undefined
  free()
  await Promise.all([started, checked])
  t.equal(posts(graph), 1, 'one attempt for both')
})

t.test('kept passwords serve before Graph has answered, and are fetched again', async (t) => {
  const graph = await simulate(t)
  const folder = t.testdir({})
  const vault = fileVault(folder, randomBytes(32), { random: systemRandom, log })
  const clock = new FakeClock()
  let asked = 0
  const start = (graphUrl: string) => {
    const manager = createSettingsManager({
      config: makeConfig(graphUrl, [makeNumber()], { credentialsInterval: 12 * HOUR }),
      clock,
      random: new FakeRandom(3),
      log,
      vault,
      fetch: (url, init) => {
        asked++
        return fetch(url, init)
      },
    })
    t.teardown(() => manager.stop())
    return manager
  }
  const first = start(graph.url)
  t.equal(first.credentials.get('support'), undefined)
  await first.start()
  await first.stop()
  const readAt = clock.now()
  clock.advance(HOUR)
  // Nothing listens on port 1.
  const second = start('http://127.0.0.1:1')
  const known = second.credentials.get('support')!
  t.equal(known.reveal(), graph.store.sipServerFor(numberOf(graph))!.password)
  t.equal(second.state('support')!.credentialsAt, readAt)
  await second.start()
  t.equal(second.state('support')!.error!.code, 'SETTINGS_UNREACHABLE')
  t.ok(second.credentials.get('support')!.equals(known), 'it stays')
  await second.stop()

  const third = start(graph.url)
  await third.start()
  numberOf(graph).passwords.set('634974688087057', 'x'.repeat(32))
  const [before, from] = [asked, clock.now()]
  while (asked === before) clock.advance(1000)
  const waited = clock.now() - from
  t.ok(waited >= 10.8 * HOUR && waited <= 13.2 * HOUR, `after ${waited / HOUR} h`)
  const fetched = await third.credentials.refresh('support')
  t.equal(asked, before + 1, 'shared with the fetch of the timer')
  t.equal(fetched!.reveal(), 'x'.repeat(32))
  t.equal(vault.get(makeNumber())!.password.reveal(), 'x'.repeat(32))
})
