import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { NumberView, RotationView } from '../../src/http/index.ts'
import { createRotationStore, openSettingsDatabase } from '../../src/settings/index.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { CausewayError } from '../../src/shared/errors/index.ts'
import { createGraphSimulator } from '../../src/simulator/graph/index.ts'
import { httpFixture } from '../http/support.ts'
import { causeway } from '../support/cli.ts'
import { edit } from '../support/config-file.ts'
import { FakeRandom } from '../support/fake-random.ts'

const APP = '634974688087057'

/** A number in service at a Graph API, and a configuration without a running instance. */
async function lab(t: Test) {
  const numbers = [
    {
      phoneNumberId: '106540352242922',
      phoneNumber: '+441632960123',
      accessToken: 'token-of-support',
      appId: APP,
    },
  ]
  const graph = createGraphSimulator({ numbers, clock: systemClock, random: new FakeRandom(7) })
  await graph.start()
  t.teardown(() => graph.stop())
  const simulated = graph.store.lookupNumberByPhone('441632960123')!
  const server = { appId: APP, hostname: 'sip.example.com', port: 5061, requestUriUserParams: {} }
  simulated.calling.servers.set(APP, server)
  Object.assign(simulated.calling, { status: 'ENABLED', sipStatus: 'ENABLED', srtp: 'SDES' })
  const whatsapp = `whatsapp: { graph_url: "${graph.url}" }\nhttp: { listen: "127.0.0.1:0" }\n`
  const records = `records: { path: data, secret: ${'ab'.repeat(32)} }\n`
  const cwd = t.testdir({ 'causeway.yaml': edit(['numbers:', `${whatsapp}${records}numbers:`]) })
  const run = (...args: string[]) => causeway(['numbers', 'rotate', ...args], { cwd })
  const passwordNow = () => graph.store.passwordOf(simulated, APP)
  return { graph, run, passwordNow, folder: join(cwd, 'data') }
}

t.test('without an instance it rotates by itself and says how long that took', async (t) => {
  const { run, passwordNow } = await lab(t)
  const old = passwordNow()
  const { code, stdout, stderr } = await run('support')
  t.equal(code, 0, stderr)
  t.not(passwordNow(), old)
  const lines = stdout.trimEnd().split('\n')
  t.match(lines[0], /^rotating the SIP password of support; http\.listen has no fixed port/)
  t.same(
    lines.slice(1, -1).map((line) => line.trim().split(/\s+/)[2]),
    ['drain', 'disable', 'clear', 'add', 'enable', 'read'],
  )
  t.match(lines.at(-1), /^done: a new password, [\d.]+ m?s without service$/)
  t.notMatch(stdout + stderr, new RegExp(`${old}|${passwordNow()}`))
})

t.test('--json says the same to programs', async (t) => {
  const { run } = await lab(t)
  const { code, stdout } = await run('support', '--json')
  t.equal(code, 0)
  const rotation = JSON.parse(stdout) as RotationView
  t.match(rotation, { number: 'support', state: 'done', unfinished: false, error: null })
  t.ok(rotation.window_ms! >= 0)
  t.equal(rotation.steps.length, 6)
})

t.test('interrupted, it says how to go on, and does', async (t) => {
  const { graph, run, passwordNow, folder } = await lab(t)
  const old = passwordNow()
  graph.faults.inject({ method: 'POST', delay: 1 })
  graph.faults.inject({ method: 'POST', code: 10, status: 403 })
  const broken = await run('support')
  t.equal(broken.code, 1)
  t.match(broken.stderr, 'error[SETTINGS_GRAPH_10]')
  t.match(broken.stderr, 'Continue with: causeway numbers rotate support --resume')
  const database = openSettingsDatabase(folder)
  t.match(createRotationStore(database).all(), [{ number: 'support', step: 'clear' }])
  database.close()
  const again = await run('support')
  t.equal(again.code, 1)
  t.match(again.stderr, /SETTINGS_ROTATION_UNFINISHED.*at the step clear/)
  const resumed = await run('support', '--resume')
  t.equal(resumed.code, 0, resumed.stderr)
  t.notMatch(resumed.stdout, /drain|disable/, 'it goes on where it stood')
  t.not(passwordNow(), old)
  t.match(await run('support', '--resume'), { code: 1, stderr: /SETTINGS_ROTATION_NONE/ })
})

t.test('what is asked for wrongly', async (t) => {
  const { run, graph } = await lab(t)
  t.match(await run('nobody'), { code: 1, stderr: /error\[APP_NUMBER_UNKNOWN\]/ })
  t.match(await run(), { code: 64 })
  t.match(await run('support', '--wait', '5'), { code: 64, stderr: /--wait 5: expected 30s/ })
  const json = await run('nobody', '--json')
  t.match(JSON.parse(json.stdout), { ok: false, errors: [{ code: 'APP_NUMBER_UNKNOWN' }] })
  t.equal(graph.requests.all.length, 0)
})

/** A running instance whose rotation goes through these views, one at each look. */
async function instance(t: Test, views: Partial<RotationView>[]) {
  const base: RotationView = {
    number: 'support',
    state: 'running',
    unfinished: true,
    steps: [],
    calls: 1,
    window_ms: null,
    error: null,
  }
  const asked: unknown[] = []
  let looks = -1
  const { app } = httpFixture({
    rotate: (number, options) => {
      asked.push([number, options])
      looks = 0
      return { ...base, ...views[0] }
    },
    numbers: () => {
      if (looks >= 0) looks = Math.min(looks + 1, views.length - 1)
      return [{ name: 'support', rotation: { ...base, ...views[looks] } } as NumberView]
    },
  })
  t.teardown(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { url, asked }
}

const at = (second: number): string => new Date(second * 1000).toISOString()
const DRAIN = { step: 'drain', at: at(0) } as const
const DISABLE = { step: 'disable', at: at(4.2) } as const

t.test('a running instance is asked, and followed', async (t) => {
  const { url, asked } = await instance(t, [
    { steps: [DRAIN] },
    { steps: [DRAIN, DISABLE], error: new CausewayError('SETTINGS_TIMEOUT').toJSON() },
    { steps: [DRAIN, DISABLE, DISABLE], state: 'done', unfinished: false, window_ms: 1740 },
  ])
  const port = new URL(url).port
  const cwd = t.testdir({
    'causeway.yaml': edit(['numbers:', `http: { listen: "127.0.0.1:${port}" }\nnumbers:`]),
  })
  const { code, stdout } = await causeway(['numbers', 'rotate', 'support', '--wait', '5m'], { cwd })
  t.equal(code, 0)
  t.same(asked, [['support', { wait: 300_000, resume: false }]])
  t.match(stdout, `by the instance at ${url}\n`)
  t.match(stdout, /^ {5}0\.0 s {2}drain {4}new calls are refused/m)
  t.match(stdout, /^ {5}4\.2 s {2}disable {2}/m)
  t.match(stdout, 'SETTINGS_TIMEOUT')
  t.match(stdout, /done: a new password, 1\.7 s without service\n$/)
})

t.test('a rotation that fails in the instance fails here', async (t) => {
  const { url } = await instance(t, [
    { steps: [DRAIN, DISABLE] },
    {
      steps: [DRAIN, DISABLE],
      state: 'failed',
      error: new CausewayError('SETTINGS_GRAPH_10', { place: 'number support' }).toJSON(),
    },
  ])
  const { code, stderr } = await causeway(['numbers', 'rotate', 'support', '--url', url])
  t.equal(code, 1)
  t.match(stderr, 'error[SETTINGS_GRAPH_10]')
  t.match(stderr, '--resume')
})

t.test(
  'an instance that is named and does not answer is an error, not a reason to go on',
  async (t) => {
    const { code, stderr } = await causeway([
      'numbers',
      'rotate',
      'support',
      '--url',
      'http://127.0.0.1:1',
    ])
    t.equal(code, 1)
    t.match(stderr, 'error[APP_UNREACHABLE]')
  },
)
