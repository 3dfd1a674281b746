import t, { type Test } from 'tap'
import type { CallingConfig, Config, NumberConfig } from '../../src/config/types.ts'
import {
  applySettings,
  createSettingsClient,
  desiredCalling,
  desiredContext,
  type Fetch,
  planSettings,
  type SettingsReader,
} from '../../src/settings/index.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { Secret } from '../../src/shared/secret.ts'
import { createGraphSimulator, type GraphSimulator } from '../../src/simulator/graph/index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeRandom } from '../support/fake-random.ts'
import { makeConfig, makeNumber } from './support.ts'

const APP = {
  phoneNumberId: '106540352242922',
  phoneNumber: '+441632960123',
  accessToken: 'token-support',
  appId: '634974688087057',
}
const OTHER_APP = { ...APP, appId: '77', accessToken: 'token-other' }

/** Every field there is. */
const EVERYTHING: CallingConfig = {
  sip: { request_uri_user_params: { tgrp: 'support' }, webhook_delivery: 'ENABLED' },
  audio: { additional_codecs: ['PCMA', 'PCMU'] },
  call_icon_visibility: 'DISABLE_ALL',
  call_icons: { restrict_to_user_countries: ['FR', 'BE'] },
  callback_permission_status: 'ENABLED',
  call_hours: {
    status: 'ENABLED',
    timezone_id: 'Europe/Paris',
    weekly_operating_hours: [
      { day_of_week: 'MONDAY', open_time: '0900', close_time: '1200' },
      { day_of_week: 'MONDAY', open_time: '1330', close_time: '1730' },
      { day_of_week: 'SUNDAY', open_time: '0000', close_time: '2359' },
    ],
    holiday_schedule: [{ date: '2026-12-25', start_time: '0000', end_time: '0001' }],
  },
  voicemail: { status: 'DISABLED' },
  video: { status: 'ENABLED' },
}
const VOICEMAIL: CallingConfig = {
  call_icon_visibility: 'HIDE_IN_CHAT',
  call_hours: { status: 'DISABLED' },
  voicemail: {
    status: 'ENABLED',
    triggers: ['REJECT', 'TIMEOUT'],
    audio: { default: { announcement_media_id: '1013859600285441', timeout_seconds: 20 } },
  },
}

/** A simulated number and what speaks to it. */
async function lab(
  t: Test,
  options: { dialect?: 'meta' | 'v23' | '360dialog'; fetch?: (next: Fetch) => Fetch } = {},
) {
  const { dialect = 'meta' } = options
  const clock = new FakeClock(Date.UTC(2026, 10, 29, 12))
  const random = new FakeRandom(7)
  const graph = createGraphSimulator({ numbers: [APP, OTHER_APP], dialect, clock, random })
  await graph.start()
  t.teardown(() => graph.stop())
  const provider = dialect === '360dialog' ? '360dialog' : 'meta'
  const config = makeConfig(graph.url, [makeNumber()], { provider })
  const client = createSettingsClient({
    whatsapp: config.whatsapp,
    clock,
    random,
    log: silentLogger(),
    timeout: 10_000,
    ...(options.fetch ? { fetch: options.fetch((url, init) => fetch(url, init)) } : {}),
  })
  t.teardown(() => client.close())
  const number = graph.store.lookupNumberByPhone('441632960123')!
  return { clock, graph, config, client, number }
}

const numberWith = (calling: CallingConfig, token = APP.accessToken) =>
  makeNumber({ calling, accessToken: new Secret(token) })

function wish(config: Config, number: NumberConfig, clock: FakeClock) {
  return desiredCalling(number, desiredContext(config, undefined, clock))
}

async function apply(
  { config, client, clock }: Awaited<ReturnType<typeof lab>>,
  number: NumberConfig,
) {
  return applySettings(client, number, wish(config, number, clock))
}

async function plan(
  { config, client, clock }: { config: Config; client: SettingsReader; clock: FakeClock },
  number: NumberConfig,
) {
  return planSettings(await client.read(number), wish(config, number, clock), number)
}

const posts = (graph: GraphSimulator) => graph.requests.of('POST').map(({ body }) => body)

for (const dialect of ['meta', 'v23', '360dialog'] as const) {
  t.test(`an untouched number: plan, apply, and the plan is empty (${dialect})`, async (t) => {
    const bench = await lab(t, { dialect })
    for (const [name, calling] of [
      ['everything', EVERYTHING],
      ['voicemail instead of hours', VOICEMAIL],
      ['everything again', EVERYTHING],
    ] as const) {
      const number = numberWith(calling)
      const before = await plan(bench, number)
      t.ok(before.steps.length > 1, `${name} is planned`)
      const count = posts(bench.graph).length
      const result = await apply(bench, number)
      t.equal(result.error, undefined, name)
      t.same(result.drift, [])
      t.same(result.warnings, [])
      t.same(
        posts(bench.graph).slice(count),
        before.steps.map(({ patch }) => ({ calling: patch })),
        'what was planned is what was sent',
      )
      t.same(await plan(bench, number), { steps: [], warnings: [] }, `${name}: empty`)
      t.same((await apply(bench, number)).written, [], 'and nothing is written again')
    }
    const trunk = bench.graph.store.sipServerFor(bench.number)!
    t.match(trunk, { status: 'ENABLED', srtp: 'SDES', codecs: ['PCMA', 'PCMU'] })
    const { server } = (await bench.client.read(numberWith({}))).sip.servers.map((it) => ({
      server: it,
    }))[0]!
    t.equal(server.sip_user_password!.reveal(), trunk.password)
  })
}

t.test('Meta’s spelling is sent whatever the answers look like', async (t) => {
  const bench = await lab(t, { dialect: 'v23' })
  await apply(bench, numberWith(EVERYTHING))
  const text = JSON.stringify(posts(bench.graph))
  t.match(text, /"status":"ENABLED"/)
  t.match(text, /"timezone_id":"Europe\/Paris"/)
  t.match(text, /"open_time":"0900"/)
  t.notMatch(text, /enabled|SDES-SRTP|"timezone":/)
})

t.test('holidays and unknown fields of the number outlive a write of the hours', async (t) => {
  const bench = await lab(t)
  bench.number.calling.other['call_hours'] = {
    status: 'ENABLED',
    timezone_id: 'Europe/Paris',
    day_of_week_start: 'MONDAY',
    weekly_operating_hours: [{ day_of_week: 'MONDAY', open_time: '0900', close_time: '1200' }],
    holiday_schedule: [
      { date: '2026-11-01', start_time: '0000', end_time: '2359' },
      { date: '2026-12-25', start_time: '0000', end_time: '2359' },
    ],
  }
  const number = numberWith({ call_hours: { status: 'DISABLED' } })
  const result = await apply(bench, number)
  t.equal(result.error, undefined)
  t.match(bench.number.calling.other['call_hours'], {
    status: 'DISABLED',
    day_of_week_start: 'MONDAY',
    holiday_schedule: [{ date: '2026-12-25' }],
  })
  t.equal(
    (bench.number.calling.other['call_hours'] as { holiday_schedule: [] }).holiday_schedule.length,
    1,
  )
})

t.test('a host name moves, and another app’s server is never touched', async (t) => {
  const bench = await lab(t)
  bench.config.sip.domain = 'theirs.example.com'
  await apply(bench, numberWith({}, OTHER_APP.accessToken))
  bench.config.sip.domain = 'old.example.com'
  const number = numberWith({ sip: { request_uri_user_params: { tgrp: 'a' } } })
  await apply(bench, number)
  bench.config.sip.domain = 'sip.example.com'
  const moved = await apply(bench, numberWith({}))
  t.equal(moved.error, undefined)
  t.match(moved.warnings, [
    { code: 'SETTINGS_FOREIGN_SERVER', detail: 'theirs.example.com (app 77)' },
  ])
  const servers = () =>
    [...bench.number.calling.servers.values()].map(({ appId, hostname, requestUriUserParams }) => [
      appId,
      hostname,
      requestUriUserParams,
    ])
  t.same(servers(), [
    ['77', 'theirs.example.com', {}],
    [APP.appId, 'sip.example.com', { tgrp: 'a' }],
  ])
  const off = numberWith({ status: 'DISABLED', sip: { status: 'DISABLED', servers: [] } })
  const removed = await apply(bench, off)
  t.equal(removed.error, undefined)
  t.same(servers(), [['77', 'theirs.example.com', {}]])
  t.same((await plan(bench, off)).steps, [])
})

t.test('what WhatsApp refuses keeps nothing else from being written', async (t) => {
  const bench = await lab(t)
  // A holiday that passed at WhatsApp while our clock lags behind.
  const number = numberWith(EVERYTHING)
  const early = desiredCalling(number, {
    ...desiredContext(bench.config),
    clock: new FakeClock(Date.UTC(2026, 10, 29)),
  })
  early.call_hours!.holiday_schedule = [
    { date: '2026-11-01', start_time: '0000', end_time: '2359' },
  ]
  const result = await applySettings(bench.client, number, early)
  t.equal(result.error?.code, 'SETTINGS_GRAPH_100')
  t.match(result.error?.detail, /past date/)
  t.same(
    result.steps.map(({ group, error }) => [group, error?.code]),
    [
      ['line', undefined],
      ['icons', undefined],
      ['hours', 'SETTINGS_GRAPH_100'],
      ['callback', undefined],
      ['video', undefined],
    ],
  )
  t.ok(result.drift.every(({ path }) => path.startsWith('calling.call_hours')))
  t.ok(result.drift.length > 0)
})

t.test('a number that may not call is refused before anything hangs on it', async (t) => {
  for (const dialect of ['meta', '360dialog'] as const) {
    const bench = await lab(t, { dialect })
    bench.number.messagingLimit = 250
    const result = await apply(bench, numberWith({ call_icon_visibility: 'DISABLE_ALL' }))
    t.equal(result.error?.code, 'SETTINGS_GRAPH_138015', dialect)
    t.ok(result.drift.some(({ path }) => path === 'calling.status'))
    t.equal(bench.number.calling.other['call_icon_visibility'], 'DISABLE_ALL')
  }
})

t.test('a token that is refused in the middle ends the attempt', async (t) => {
  const bench = await lab(t)
  const number = numberWith(EVERYTHING)
  const answers = [undefined, 190]
  const client: SettingsReader = {
    ...bench.client,
    async write(to, patch) {
      const code = answers.shift()
      if (code) bench.graph.faults.inject({ method: 'POST', status: 401, code })
      await bench.client.write(to, patch)
    },
  }
  const result = await applySettings(client, number, wish(bench.config, number, bench.clock))
  t.equal(result.error?.code, 'SETTINGS_GRAPH_190')
  t.equal(result.steps.length, 2, 'nothing more is tried')
  const again = await apply(bench, number)
  t.equal(again.error, undefined)
  t.same(again.drift, [])
})

t.test('throttling and failures of the server pass', async (t) => {
  const faults = [
    { method: 'GET', status: 429, code: 80007, retryAfter: '3' },
    { method: 'POST', status: 400, code: 4 },
    { method: 'POST', status: 500, code: 1 },
    { method: 'GET', status: 503, code: 2 },
  ] as const
  for (const dialect of ['meta', 'v23', '360dialog'] as const) {
    let asked = 0
    const bench = await lab(t, {
      dialect,
      fetch: (next) => async (url, init) => {
        asked++
        const answer = await next(url, init)
        const text = await answer.text()
        asked--
        return { status: answer.status, headers: answer.headers, text: async () => text }
      },
    })
    for (const fault of faults) bench.graph.faults.inject(fault)
    let over = false
    const applied = apply(bench, numberWith(EVERYTHING)).finally(() => {
      over = true
    })
    while (!over) {
      await new Promise((resolve) => setImmediate(resolve))
      // Nothing is on its way: somebody waits for the next attempt.
      if (asked === 0 && bench.clock.pending === 1) bench.clock.advance(100)
    }
    const result = await applied
    t.equal(result.error, undefined, dialect)
    t.same(result.drift, [], dialect)
    t.equal(bench.graph.faults.take('GET', '/settings'), undefined, 'every fault has hit')
    t.equal(bench.graph.faults.take('POST', '/settings'), undefined)
  }
})

t.test(
  'a write whose answer is lost is looked up, and made again only when it is missing',
  async (t) => {
    for (const taken of [true, false]) {
      let lose = true
      const bench = await lab(t, {
        fetch: (next) => async (url, init) => {
          if (init.method === 'GET' || !lose) return next(url, init)
          lose = false
          if (taken) await (await next(url, init)).text()
          throw Object.assign(new TypeError('fetch failed'), {
            cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }),
          })
        },
      })
      const number = numberWith({})
      const result = await apply(bench, number)
      t.equal(result.error, undefined)
      t.same(result.drift, [])
      t.equal(posts(bench.graph).length, 1, taken ? 'it was taken' : 'it is made again')
      t.equal(bench.number.calling.status, 'ENABLED')
    }
  },
)

t.test('a write that times out is looked up in the same way', async (t) => {
  let hang = true
  const bench = await lab(t, {
    fetch: (next) => async (url, init) => {
      if (init.method === 'GET' || !hang) return next(url, init)
      hang = false
      await (await next(url, init)).text()
      return new Promise((_, reject) => {
        init.signal.addEventListener('abort', () => reject(init.signal.reason))
        bench.clock.advance(10_000)
      })
    },
  })
  const result = await apply(bench, numberWith({}))
  t.equal(result.error, undefined)
  t.equal(posts(bench.graph).length, 1)
})

t.test('an API that stays away is an error, and what was written stays', async (t) => {
  const bench = await lab(t)
  const number = numberWith(EVERYTHING)
  let writes = 0
  const client: SettingsReader = {
    ...bench.client,
    async write(to, patch) {
      if (++writes > 1) bench.graph.faults.inject({ hangUp: true, count: 2 })
      await bench.client.write(to, patch)
    },
  }
  const result = await applySettings(client, number, wish(bench.config, number, bench.clock))
  t.equal(result.error?.code, 'SETTINGS_UNREACHABLE')
  t.equal(bench.number.calling.status, 'ENABLED')
  t.same((await plan(bench, number)).steps.map(({ group }) => group)[0], 'icons')
})

t.test('SDES that a write resets is sent once more, in every order of requests', async (t) => {
  for (const dialect of ['meta', 'v23', '360dialog'] as const) {
    const bench = await lab(t, { dialect })
    bench.graph.modes.srtpReset = 'always'
    const result = await apply(bench, numberWith(EVERYTHING))
    t.equal(result.error, undefined, dialect)
    t.equal(bench.number.calling.srtp, 'SDES', dialect)
    const alone = { calling: { srtp_key_exchange_protocol: 'SDES' } }
    t.same(posts(bench.graph)[1], alone, 'at once, before anything else')
    bench.graph.modes.srtpReset = 'stubborn'
    bench.number.calling.srtp = 'DTLS'
    const stubborn = await apply(bench, numberWith({}))
    t.equal(stubborn.error?.code, 'SETTINGS_SRTP_NOT_KEPT', dialect)
  }
})

t.test('details that are not reported are written once and said to be unverified', async (t) => {
  const bench = await lab(t)
  bench.graph.modes.reportServerDetails = false
  const number = numberWith({ sip: { request_uri_user_params: { tgrp: 'a' } } })
  const first = await apply(bench, number)
  t.equal(first.error, undefined)
  t.match(first.warnings, [{ code: 'SETTINGS_UNVERIFIED' }])
  const desired = wish(bench.config, number, bench.clock)
  const again = await applySettings(bench.client, number, desired, first.settled)
  t.same(again.written, [])
})
