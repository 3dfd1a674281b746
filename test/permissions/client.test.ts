import t, { type Test } from 'tap'
import type { WhatsAppConfig } from '../../src/config/types.ts'
import { createPermissionClient } from '../../src/permissions/index.ts'
import { Pacer } from '../../src/permissions/pacer.ts'
import type { Fetch } from '../../src/settings/index.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { Secret } from '../../src/shared/secret.ts'
import { makeConfig, makeNumber } from '../settings/support.ts'
import { ENABLE, NUMBER, startGraph } from '../simulator/graph/support.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeRandom } from '../support/fake-random.ts'
import { CONSUMER, HOUR, settle } from './support.ts'

/** A client on the simulator's Graph API; both share the clock. */
async function simulated(t: Test) {
  const lab = await startGraph(t)
  await lab.ask('/settings', ENABLE)
  const number = makeNumber({ accessToken: new Secret(NUMBER.accessToken) })
  const client = createPermissionClient({
    whatsapp: makeConfig(lab.graph.url).whatsapp,
    clock: lab.clock,
    random: new FakeRandom(),
    log: silentLogger(),
  })
  t.teardown(() => client.close())
  return { ...lab, number, client, simulatedNumber: lab.number }
}

t.test('asks, requests, and sees the answer', async (t) => {
  const { client, clock, graph, number, simulatedNumber } = await simulated(t)
  t.match(await client.query(number, CONSUMER), {
    status: 'no_permission',
    request: { allowed: true, limits: [{ period: 'PT24H', max: 1, used: 0 }, { used: 0 }] },
    call: { allowed: false },
  })
  t.match(await client.request(number, CONSUMER, { text: 'May we?' }), /^wamid\./)
  clock.advance(0)
  const { status, expires, request, call } = await client.query(number, CONSUMER)
  t.equal(status, 'temporary')
  t.equal(expires, Math.floor((clock.now() + 168 * HOUR) / 1000) * 1000)
  t.match(request, { allowed: false, limits: [{ used: 1 }, { used: 1 }] })
  t.ok(request!.limits[0]!.until! > clock.now())
  t.match(call, { allowed: true, limits: [{ max: 100, used: 0 }] })
  await t.rejects(client.request(number, CONSUMER, { text: undefined }), {
    code: 'SETTINGS_GRAPH_138009',
  })
  graph.store.grantPermission(simulatedNumber, CONSUMER, true)
  t.match(await client.query(number, CONSUMER), { status: 'permanent', expires: undefined })
})

t.test('templates and business-scoped user IDs', async (t) => {
  const { client, clock, number } = await simulated(t)
  const id = 'FR.13491208655302741918'
  await client.request(number, id, { template: 'calls', language: 'en' })
  clock.advance(0)
  t.match(await client.query(number, id), { status: 'temporary' })
})

/** A client on scripted answers. */
function scripted(t: Test, answers: (Response | Error)[], whatsapp: Partial<WhatsAppConfig> = {}) {
  const clock = new FakeClock()
  const seen: { url: string; method: string }[] = []
  const fetch: Fetch = async (url, { method }) => {
    seen.push({ url, method })
    const answer = answers.shift() ?? new Error('no more answers')
    if (answer instanceof Error) throw answer
    return answer
  }
  const client = createPermissionClient({
    whatsapp: { ...makeConfig('http://graph.test').whatsapp, ...whatsapp },
    clock,
    random: new FakeRandom(),
    log: silentLogger(),
    fetch,
  })
  t.teardown(() => client.close())
  return { client, clock, seen, number: makeNumber() }
}

const failure = (status: number, code: number, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ error: { code, message: 'no' } }), { status, headers })
const state = (status: string) => new Response(JSON.stringify({ permission: { status } }))

t.test('the paths, and 360dialog which documents none', async (t) => {
  const { client, seen, number } = scripted(t, [state('permanent'), state('permanent')])
  await client.query(number, '+33199001234')
  await client.query(number, 'FR.1')
  t.same(
    seen.map(({ url }) => url),
    [
      'http://graph.test/v24.0/106540352242922/call_permissions?user_wa_id=33199001234',
      'http://graph.test/v24.0/106540352242922/call_permissions?recipient=FR.1',
    ],
  )
  const other = scripted(t, [], { provider: '360dialog' })
  const refused = { code: 'PERMISSION_PROVIDER', place: 'number support' }
  await t.rejects(other.client.query(number, CONSUMER), refused)
  await t.rejects(other.client.request(number, CONSUMER, { text: undefined }), refused)
  t.same(other.seen, [])
})

t.test('an answer without a state is told as such', async (t) => {
  const { client, number } = scripted(t, [new Response('{"data":[]}')])
  await t.rejects(client.query(number, CONSUMER), { code: 'SETTINGS_MALFORMED_RESPONSE' })
})

t.test('a query is repeated after a 5xx; a message only when it was throttled', async (t) => {
  const query = scripted(t, [failure(500, 2), state('permanent')])
  const asked = query.client.query(query.number, CONSUMER)
  await settle()
  query.clock.advance(10_000)
  t.match(await asked, { status: 'permanent' })

  const lost = scripted(t, [failure(500, 2)])
  await t.rejects(lost.client.request(lost.number, CONSUMER, { text: undefined }), {
    code: 'SETTINGS_GRAPH_SERVER',
  })
  t.equal(lost.seen.length, 1, 'the consumer may have it already')

  const busy = scripted(t, [failure(429, 130429), new Response('{"messages":[{"id":"wamid.1"}]}')])
  const sent = busy.client.request(busy.number, CONSUMER, { text: undefined })
  await settle()
  busy.clock.advance(10_000)
  t.equal(await sent, 'wamid.1')
})

t.test('613 holds the whole line back, longer each time', async (t) => {
  const { client, clock, number, seen } = scripted(t, [
    failure(429, 613),
    state('permanent'),
    failure(429, 613, { 'retry-after': '30' }),
  ])
  await t.rejects(client.query(number, CONSUMER), { code: 'SETTINGS_GRAPH_613' })
  t.equal(seen.length, 1, 'not repeated at once')
  const next = client.query(number, '+33199001235')
  await settle()
  t.equal(seen.length, 1)
  clock.advance(1000)
  await next
  t.equal(seen.length, 2)
  await t.rejects(client.query(number, CONSUMER), { code: 'SETTINGS_GRAPH_613' })
  await t.rejects(client.query(number, CONSUMER), { code: 'PERMISSION_QUERIES_LIMITED' })
  clock.advance(30_000)
  await t.rejects(client.query(number, CONSUMER), { code: 'SETTINGS_UNREACHABLE' }, 'asked again')
})

t.test('five queries at once, then five a second, and a line of two seconds', async (t) => {
  const clock = new FakeClock()
  const pacer = new Pacer(clock)
  const waits = Array.from({ length: 15 }, () => pacer.book())
  t.same(waits.slice(0, 7), [0, 0, 0, 0, 0, 200, 400])
  t.equal(waits[14], 2000)
  t.throws(() => pacer.book(), { code: 'PERMISSION_QUERIES_LIMITED' })
  clock.advance(200)
  t.equal(pacer.book(), 2000)
  clock.advance(60_000)
  t.equal(pacer.book(), 0)
})
