import t from 'tap'
import { configHash } from '../../src/app/config-hash.ts'
import { Reloader, type ReloaderParts } from '../../src/app/reloader.ts'
import type { LoadResult } from '../../src/config/index.ts'
import { parseConfig } from '../../src/config/index.ts'
import type { Config } from '../../src/config/types.ts'
import { CausewayError } from '../../src/shared/errors/index.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { configOf, edit } from '../support/config-file.ts'
import { FakeClock } from '../support/fake-clock.ts'

const first = configOf(edit())
const calls = (count: number): string => edit(['media:', `limits: { calls: ${count} }\nmedia:`])

/** A reloader over a file that the test writes; `hold` keeps it from being taken at once. */
function lab(change: Partial<ReloaderParts> = {}) {
  const clock = new FakeClock()
  const applied: Config[] = []
  const events: string[] = []
  const state = { text: edit(), running: first, reads: 0 }
  const reloader = new Reloader({
    config: () => state.running,
    load: (): LoadResult => {
      state.reads++
      return parseConfig(state.text, {
        file: first.file,
        readFile: () => 'x',
        env: {},
      })
    },
    verify: () => {},
    apply: async (config) => {
      applied.push(config)
      state.running = config
    },
    onReload: (event, result) => events.push(result ? `${event} ${result.ok}` : event),
    clock,
    log: silentLogger(),
    ...change,
  })
  const metric = (name: string, result?: string) =>
    reloader
      .metrics()
      .find((family) => family.name === name)
      ?.samples.find(({ labels }) => labels['result'] === result)?.value
  return { reloader, clock, applied, events, state, metric }
}

t.test('a good file is taken; view, health and metrics say so', async (t) => {
  const { reloader, clock, state, applied, events, metric } = lab()
  const started = clock.now()
  t.match(reloader.view(), { hash: `sha256:${configHash(first)}`, last: null, restart: [] })
  t.equal(metric('last_reload_successful'), 1)
  clock.advance(5000)
  state.text = calls(7).replace('10.0.0.5:5060', '10.0.0.5:5070')
  const result = await reloader.reload()
  t.match(result, { ok: true, applied: ['limits.calls'], restart: ['sip.listen'], errors: [] })
  t.match(result.reasons, { 'sip.listen': /bound at the start/ })
  t.equal(applied.length, 1)
  t.same(events, ['begun', 'ended true'])
  const view = reloader.view()
  t.equal(view.loaded_at, new Date(started + 5000).toISOString())
  t.not(view.hash, `sha256:${configHash(first)}`)
  t.match(view.last, { at: view.loaded_at, ok: true })
  t.match(reloader.check(), { status: 'pass', output: /waits for a restart: sip\.listen/ })
  t.equal(metric('reloads', 'taken'), 1)
  t.equal(metric('reloads', 'refused'), 0)
  t.equal(metric('last_reload_timestamp_seconds'), (started + 5000) / 1000)
})

const bad: [string, Partial<ReloaderParts>, string, string][] = [
  ['a broken file', {}, 'sip: [', 'CONFIG_YAML_SYNTAX'],
  ['a file with an unknown key', {}, `bogus: 1\n${edit()}`, 'CONFIG_UNKNOWN_KEY'],
  [
    'a certificate that cannot be used',
    {
      verify: () => {
        throw new CausewayError('SIP_CERTIFICATE_UNUSABLE', { place: '/etc/key.pem' })
      },
    },
    calls(7),
    'SIP_CERTIFICATE_UNUSABLE',
  ],
  [
    'a fault of ours',
    {
      load: () => {
        throw new TypeError('oops')
      },
    },
    calls(7),
    'APP_RELOAD_FAILED',
  ],
]

for (const [what, change, text, code] of bad) {
  t.test(`${what} changes nothing and says why`, async (t) => {
    const { reloader, state, applied, events, metric, clock } = lab(change)
    const loadedAt = reloader.view().loaded_at
    clock.advance(1000)
    state.text = text
    const result = await reloader.reload()
    t.match(result, { ok: false, applied: [], restart: [], errors: [{ code }] })
    t.equal(applied.length, 0)
    t.same(events, ['begun', 'ended false'])
    t.equal(reloader.view().loaded_at, loadedAt)
    t.equal(reloader.view().hash, `sha256:${configHash(first)}`)
    t.match(reloader.check(), { status: 'warn', ready: true, output: new RegExp(code) })
    t.equal(metric('reloads', 'refused'), 1)
    t.equal(metric('last_reload_successful'), 0)
    t.equal(metric('last_reload_timestamp_seconds'), Date.parse(loadedAt) / 1000)
  })
}

t.test('a reload that fails half-way tells the configuration that is in use', async (t) => {
  const { reloader, state } = lab({
    apply: async (config) => {
      state.running = config
      throw new CausewayError('APP_RELOAD_FAILED')
    },
  })
  state.text = calls(7)
  t.match(await reloader.reload(), { ok: false })
  t.equal(reloader.view().hash, `sha256:${configHash(state.running)}`)
  t.not(reloader.view().hash, `sha256:${configHash(first)}`)
})

t.test('a mistake is told with its place', async (t) => {
  const { reloader, state } = lab()
  state.text = edit().replace('numbers:', 'limits: { calls: many }\nnumbers:')
  const { errors } = await reloader.reload()
  t.match(errors, [{ place: /c\.yaml:\d+:\d+ limits\.calls$/ }])
  t.match(reloader.check().output, /c\.yaml:\d+:\d+ limits\.calls/)
})

t.test('reloads run one after the other; who asks meanwhile shares the next', async (t) => {
  const gates: PromiseWithResolvers<void>[] = []
  const { reloader, state, events } = lab({
    apply: () => {
      const gate = Promise.withResolvers<void>()
      gates.push(gate)
      return gate.promise
    },
  })
  const one = reloader.reload()
  const others = [reloader.reload(), reloader.reload(), reloader.reload()]
  t.equal(state.reads, 1, 'the file is read by the first alone')
  state.text = calls(9)
  gates[0]!.resolve()
  t.match(await one, { ok: true, applied: [] })
  while (gates.length < 2) await new Promise(setImmediate)
  gates[1]!.resolve()
  for (const result of await Promise.all(others)) t.match(result, { applied: ['limits.calls'] })
  t.equal(state.reads, 2)
  t.same(events, ['begun', 'ended true', 'begun', 'ended true'])
})

t.test('an instance that stops takes nothing more', async (t) => {
  const { reloader, applied } = lab()
  await reloader.stop()
  t.match(await reloader.reload(), { ok: false, errors: [{ code: 'APP_RELOAD_STOPPING' }] })
  t.equal(applied.length, 0)
})
