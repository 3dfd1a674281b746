import t, { type Test } from 'tap'
import { openRecords } from '../../src/app/records.ts'
import { Rotations } from '../../src/app/rotations.ts'
import { createSettingsManager, ROTATION_STEPS } from '../../src/settings/index.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { createGraphSimulator } from '../../src/simulator/graph/index.ts'
import { makeConfig, makeNumber } from '../settings/support.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeRandom } from '../support/fake-random.ts'

const log = silentLogger()
const APP = '634974688087057'

/** A number in service, and the rotations of an instance around it. */
async function lab(t: Test) {
  const numbers = [
    {
      phoneNumberId: '106540352242922',
      phoneNumber: '+441632960123',
      accessToken: 'token-support',
      appId: APP,
    },
  ]
  const graph = createGraphSimulator({ numbers, clock: systemClock, random: new FakeRandom(7) })
  await graph.start()
  t.teardown(() => graph.stop())
  const config = makeConfig(graph.url, [makeNumber(), makeNumber({ name: 'sales' })])
  const clock = new FakeClock()
  const random = new FakeRandom(3)
  const records = openRecords({ path: t.testdir({}), secret: undefined }, { clock, random, log })
  t.teardown(() => records.close())
  const only = makeConfig(graph.url)
  const manager = createSettingsManager({
    config: only,
    clock,
    random,
    log,
    journal: records.journal,
  })
  await manager.start()
  t.teardown(() => manager.stop())
  const story: string[] = []
  /** Ends the wait of the drain. */
  let gone = (): void => {}
  const open = () =>
    new Rotations({
      clock,
      random,
      log,
      store: records.rotations,
      journal: records.journal,
      config: () => config,
      listenPort: 5061,
      calls: () => 2,
      hold: (name, ms) => {
        story.push(`hold ${name} ${ms}`)
        return ms === 0 ? Promise.resolve() : new Promise((resolve) => (gone = resolve))
      },
      release: (name) => void story.push(`release ${name}`),
      idle: (name) => manager.idle(name),
      learn: (name, settings) => manager.learn(name, settings),
      check: async (name) => void story.push(`check ${name}`),
    })
  const simulated = graph.store.lookupNumberByPhone('441632960123')!
  const passwordNow = () => graph.store.passwordOf(simulated, APP)
  const inService = () => graph.store.sipServerFor(simulated)?.status === 'ENABLED'
  return { graph, open, records, manager, story, passwordNow, inService, clock, gone: () => gone() }
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

t.test(
  'calls are held and waited for, the password is learnt, calls are let in again',
  async (t) => {
    const world = await lab(t)
    const old = world.passwordNow()
    const rotations = world.open()
    const begun = rotations.start('support', { wait: 5000, resume: false })
    t.match(begun, { number: 'support', state: 'running', steps: [], calls: 2, window_ms: null })
    t.ok(rotations.busy('support'))
    t.throws(() => rotations.start('support', { wait: 0, resume: false }), {
      code: 'SETTINGS_ROTATION_RUNNING',
    })
    await until(() => world.story.includes('hold support 5000'))
    t.equal(world.passwordNow(), old, 'nothing happens while calls are waited for')
    t.ok(world.inService())
    world.gone()
    await rotations.busy('support')
    t.match(rotations.view('support'), {
      state: 'done',
      unfinished: false,
      error: null,
      window_ms: 0,
    })
    t.same(
      rotations.view('support')!.steps.map(({ step }) => step),
      ROTATION_STEPS,
    )
    t.equal(rotations.window('support'), 0, 'the fake clock stands still')
    t.not(world.passwordNow(), old)
    t.equal(world.manager.credentials.get('support')!.reveal(), world.passwordNow())
    t.same(world.story, ['hold support 0', 'hold support 5000', 'release support', 'check support'])
    t.equal(world.clock.pending, 0)
  },
)

t.test('what is asked for wrongly is refused', async (t) => {
  const world = await lab(t)
  const rotations = world.open()
  const start = (name: string, resume: boolean) => () => rotations.start(name, { wait: 0, resume })
  t.throws(start('nobody', false), { code: 'APP_NUMBER_UNKNOWN', place: 'nobody' })
  t.throws(start('support', true), { code: 'SETTINGS_ROTATION_NONE' })
  const id = '106540352242922'
  const state = { number: 'support', phoneNumberId: id, step: 'drain', startedAt: 0 } as const
  world.records.rotations.save({ ...state, phoneNumberId: '1' })
  t.throws(start('support', true), { code: 'SETTINGS_ROTATION_NONE' }, 'the name of another number')
  world.records.rotations.save(state)
  t.throws(start('support', false), {
    code: 'SETTINGS_ROTATION_UNFINISHED',
    detail: 'at the step drain',
  })
  t.same(world.story, [])
  t.equal(rotations.view('support'), undefined)
})

t.test('a step that fails for a while is repeated with growing pauses', async (t) => {
  const world = await lab(t)
  const old = world.passwordNow()
  const rotations = world.open()
  // Disable is made, clear fails for longer than one attempt of the client repeats it.
  world.graph.faults.inject({ method: 'POST', delay: 1 })
  world.graph.faults.inject({ method: 'POST', status: 503, count: 9 })
  rotations.start('support', { wait: 0, resume: false })
  let tries = 0
  while (rotations.view('support')!.state === 'running') {
    const view = rotations.view('support')!
    if (view.error) tries++
    t.notOk(world.story.includes('release support'), 'calls stay away meanwhile')
    if (world.clock.pending > 0) world.clock.advance(500)
    await new Promise((resolve) => setTimeout(resolve, 1))
    if (tries > 10_000) break
  }
  const view = rotations.view('support')!
  t.match(view, { state: 'done', error: null })
  const steps = view.steps.map(({ step }) => step)
  t.ok(steps.filter((step) => step === 'clear').length >= 3, `${steps}`)
  t.same([...new Set(steps)], ROTATION_STEPS)
  t.ok(rotations.window('support')! > 0, 'the window is as long as it was')
  t.not(world.passwordNow(), old)
  t.ok(world.inService())
})

t.test('a step that is refused ends it; resumed, it ends well', async (t) => {
  const world = await lab(t)
  const old = world.passwordNow()
  const rotations = world.open()
  world.graph.faults.inject({ method: 'POST', delay: 1 })
  world.graph.faults.inject({ method: 'POST', code: 10, status: 403 })
  rotations.start('support', { wait: 0, resume: false })
  await rotations.busy('support')
  const failed = rotations.view('support')!
  t.match(failed, { state: 'failed', unfinished: true, error: { code: 'SETTINGS_GRAPH_10' } })
  t.same(world.story.slice(-2), ['release support', 'check support'])
  t.notOk(world.inService())
  rotations.start('support', { wait: 0, resume: true })
  await rotations.busy('support')
  t.match(rotations.view('support'), { state: 'done', unfinished: false })
  t.not(world.passwordNow(), old)
  t.ok(world.inService())
})

t.test('stopped half-way, it is continued at the next start, before anything else', async (t) => {
  const world = await lab(t)
  const old = world.passwordNow()
  const first = world.open()
  world.graph.faults.inject({ method: 'POST', delay: 1, count: 2 })
  world.graph.faults.inject({ method: 'POST', status: 503, count: 1000 })
  first.start('support', { wait: 0, resume: false })
  await until(() => first.view('support')!.steps.at(-1)?.step === 'add')
  await first.stop()
  t.match(first.view('support'), { state: 'failed', unfinished: true })
  t.notOk(world.story.includes('check support'), 'a process that ends looks at nothing')
  world.graph.faults.clear()

  const second = world.open()
  const gone = { number: 'gone', phoneNumberId: '1', step: 'add', startedAt: 0 } as const
  world.records.rotations.save(gone)
  world.records.rotations.save({ ...gone, number: 'sales' })
  second.resumeAll()
  t.ok(second.busy('support'))
  t.equal(second.view('gone'), undefined, 'a number the configuration no longer has is left')
  t.equal(second.view('sales'), undefined, 'and one that has its name alone')
  await second.busy('support')
  t.match(second.view('support'), { state: 'done' })
  t.same(
    second.view('support')!.steps.map(({ step }) => step),
    ['add', 'enable', 'read'],
  )
  t.not(world.passwordNow(), old)
  t.ok(world.inService())
  const resumed = world.records.journal
    .entries('support')
    .filter(({ action }) => action === 'rotate')
  t.same(
    resumed.slice(0, 3).map(({ who }) => who),
    ['start', 'start', 'start'],
  )
})

t.test('stopped while calls are waited for, nothing is begun', async (t) => {
  const world = await lab(t)
  const old = world.passwordNow()
  const writes = world.graph.requests.of('POST').length
  const rotations = world.open()
  rotations.start('support', { wait: 5000, resume: false })
  await until(() => world.story.includes('hold support 5000'))
  const stopping = rotations.stop()
  // The process ends the calls now.
  world.gone()
  await stopping
  t.match(rotations.view('support'), { state: 'failed', unfinished: false })
  t.equal(world.graph.requests.of('POST').length, writes)
  t.equal(world.passwordNow(), old)
  t.ok(world.inService())
})
