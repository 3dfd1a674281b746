import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { WhatsAppConfig } from '../../src/config/types.ts'
import {
  createSettingsClient,
  type Fetch,
  type SettingsClientOptions,
} from '../../src/settings/index.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { isCausewayError } from '../../src/shared/errors/index.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { systemRandom } from '../../src/shared/random.ts'
import { LabAuthority } from '../../src/simulator/certificates.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeRandom } from '../support/fake-random.ts'
import { makeConfig, makeNumber } from './support.ts'

type Answer = (response: ServerResponse, request: IncomingMessage) => void

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (response) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text)
  }
const ok = json(200, { calling: { status: 'ENABLED' } })

async function listen(t: Test, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const scheme = 'setSecureContext' in server ? 'https' : 'http'
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A server that gives one scripted answer after another, and the clock of its client. */
async function script(t: Test, ...answers: Answer[]) {
  const seen: { method: string; url: string; headers: Record<string, unknown>; body: string }[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    seen.push({ method: request.method!, url: request.url!, headers: request.headers, body })
    answers.shift()?.(response, request)
  })
  return { url: await listen(t, server), seen }
}

function connect(
  t: Test,
  url: string,
  changes: Partial<SettingsClientOptions> = {},
  whatsapp: Partial<WhatsAppConfig> = {},
) {
  const config = makeConfig(url, [], whatsapp)
  const client = createSettingsClient({
    whatsapp: config.whatsapp,
    clock: new FakeClock(),
    random: new FakeRandom(),
    log: silentLogger(),
    ...changes,
  })
  t.teardown(() => client.close())
  return client
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  )
  return isCausewayError(error) ? error.code : `not coded: ${String(error)}`
}

/** Answers without a network, so that only pauses take (fake) time. */
function instant(...answers: [status: number, body: unknown, retryAfter?: string][]) {
  const calls: unknown[] = []
  const fetch: Fetch = async (_url, { body }) => {
    const [status, text, retryAfter = null] = answers[calls.push(body) - 1] ?? [500, {}]
    return {
      status,
      headers: { get: (name) => (name === 'retry-after' ? retryAfter : null) },
      text: async () => (typeof text === 'string' ? text : JSON.stringify(text)),
    }
  }
  return { fetch, calls }
}

/** Lets the clock run until the promise settles; returns the milliseconds it took. */
async function settle(clock: FakeClock, promise: Promise<unknown>): Promise<number> {
  const start = clock.now()
  let done = false
  const end = (): void => {
    done = true
  }
  promise.then(end, end)
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve))
    if (done) return clock.now() - start
    clock.advance(10)
  }
}

const number = makeNumber()

t.test('requests look as Meta documents them', async (t) => {
  const { url, seen } = await script(t, ok, json(200, { success: true }))
  const client = connect(t, url)
  await client.read(number)
  await client.write(number, { status: 'ENABLED' })
  t.match(seen, [
    {
      method: 'GET',
      url: '/v24.0/106540352242922/settings?include_sip_credentials=true',
      headers: { authorization: 'Bearer token-support' },
      body: '',
    },
    {
      method: 'POST',
      url: '/v24.0/106540352242922/settings',
      headers: { 'content-type': 'application/json' },
      body: '{"calling":{"status":"ENABLED"}}',
    },
  ])
})

t.test('360dialog has its own path and key header', async (t) => {
  const { url, seen } = await script(t, ok)
  await connect(t, url, {}, { provider: '360dialog' }).read(number)
  t.match(seen[0], {
    url: '/calling/settings?include_sip_credentials=true',
    headers: { 'd360-api-key': 'token-support', authorization: undefined },
  })
})

t.test('360dialog is asked at its own address unless another is configured', async (t) => {
  const urls: string[] = []
  const fetch = async (url: string) => {
    urls.push(url)
    return { status: 200, headers: { get: () => null }, text: async () => '{}' }
  }
  const provider = { provider: '360dialog' } as const
  await connect(t, 'https://graph.facebook.com', { fetch }, provider).read(number)
  t.same(urls, ['https://waba-v2.360dialog.io/calling/settings?include_sip_credentials=true'])
})

t.test('throttling and server errors are repeated with growing pauses', async (t) => {
  const { fetch, calls } = instant(
    [400, { error: { code: 80007, message: 'slow down' } }],
    [500, { error: { code: 2, message: 'try again' } }],
    [503, '<html>'],
    [200, { calling: { status: 'ENABLED' } }],
  )
  const clock = new FakeClock()
  const reading = connect(t, 'http://graph.test', { clock, fetch }).read(number)
  const waited = await settle(clock, reading)
  t.equal((await reading).status, 'ENABLED')
  t.equal(calls.length, 4)
  // Halves to wholes of 500, 1000 and 2000 ms, in steps of 10.
  t.ok(waited >= 1750 && waited <= 3530, `${waited}`)
})

t.test('a throttled write is repeated unchanged', async (t) => {
  const { fetch, calls } = instant(
    [400, { error: { code: 130429, message: 'slow down' } }],
    [200, { success: true }],
  )
  const clock = new FakeClock()
  const client = connect(t, 'http://graph.test', { clock, fetch })
  await settle(clock, client.write(number, { status: 'ENABLED' }))
  t.same(calls, Array(2).fill('{"calling":{"status":"ENABLED"}}'))
})

t.test('the pauses end after four tries', async (t) => {
  const { fetch, calls } = instant(...Array(6).fill([429, {}]))
  const clock = new FakeClock()
  const reading = connect(t, 'http://graph.test', { clock, fetch }).read(number)
  const code = codeOf(reading)
  await settle(clock, reading)
  t.equal(await code, 'SETTINGS_GRAPH_THROTTLED')
  t.equal(calls.length, 4)
})

t.test('Retry-After is obeyed, and a long one is left to the caller', async (t) => {
  const { fetch, calls } = instant([429, {}, '30'], [200, {}], [429, {}, '3600'])
  const clock = new FakeClock()
  const client = connect(t, 'http://graph.test', { clock, fetch })
  const waited = await settle(clock, client.read(number))
  t.ok(waited >= 30_000 && waited <= 30_020, `${waited}`)
  const error = await client.read(number).catch((caught) => caught)
  t.equal(error.retryAfter, 3_600_000)
  t.equal(calls.length, 3)
})

t.test('nothing else is repeated', async (t) => {
  const rows: [Answer, string][] = [
    [json(401, { error: { code: 190, message: 'expired' } }), 'SETTINGS_GRAPH_190'],
    [json(400, { error: { code: 100, message: 'bad' } }), 'SETTINGS_GRAPH_100'],
    [json(200, 'not json'), 'SETTINGS_MALFORMED_RESPONSE'],
    [json(200, '{"calling":'), 'SETTINGS_MALFORMED_RESPONSE'],
    [json(200, '[]'), 'SETTINGS_MALFORMED_RESPONSE'],
    [json(200, { calling: 'ENABLED' }), 'SETTINGS_MALFORMED_RESPONSE'],
    [json(200, { error: { code: 10, message: 'no' } }), 'SETTINGS_GRAPH_10'],
    [json(302, '', { location: 'http://127.0.0.1:1/' }), 'SETTINGS_MALFORMED_RESPONSE'],
    [(response) => response.destroy(), 'SETTINGS_UNREACHABLE'],
    [
      (response) => {
        response.writeHead(200, { 'content-length': '99' }).write('{"calling"')
        setImmediate(() => response.destroy())
      },
      'SETTINGS_UNREACHABLE',
    ],
    [json(200, `{"a":"${'x'.repeat(2_000_000)}"}`), 'SETTINGS_MALFORMED_RESPONSE'],
  ]
  for (const [answer, code] of rows) {
    const { url, seen } = await script(t, answer)
    t.equal(await codeOf(connect(t, url).read(number)), code)
    t.equal(seen.length, 1, code)
  }
})

t.test('a write that does not say success was not accepted', async (t) => {
  const { url } = await script(t, json(200, { success: false }), json(200, {}))
  const client = connect(t, url)
  t.equal(await codeOf(client.write(number, {})), 'SETTINGS_WRITE_REFUSED')
  t.equal(await codeOf(client.write(number, {})), 'SETTINGS_WRITE_REFUSED')
})

t.test('an answer that does not come, or does not end, is given up', async (t) => {
  const silent: Answer = () => {}
  const endless: Answer = (response) => void response.writeHead(200).write('{')
  const { url, seen } = await script(t, silent, endless)
  for (const count of [1, 2]) {
    const clock = new FakeClock()
    const reading = codeOf(connect(t, url, { clock }).read(number))
    while (seen.length < count) await new Promise((resolve) => setImmediate(resolve))
    clock.advance(9_999)
    t.equal(clock.pending, 1, 'still waiting')
    clock.advance(1)
    t.equal(await reading, 'SETTINGS_TIMEOUT')
  }
})

t.test('closing ends what is under way', async (t) => {
  const { url, seen } = await script(t, () => {})
  const client = connect(t, url)
  const reading = codeOf(client.read(number))
  while (seen.length < 1) await new Promise((resolve) => setImmediate(resolve))
  await client.close()
  t.equal(await reading, 'SETTINGS_UNREACHABLE')
})

t.test('closing ends a pause', async (t) => {
  const { fetch, calls } = instant([429, {}, '30'])
  const clock = new FakeClock()
  const client = connect(t, 'http://graph.test', { clock, fetch })
  const reading = codeOf(client.read(number))
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(clock.pending, 1, 'waiting')
  await client.close()
  t.equal(await reading, 'SETTINGS_UNREACHABLE')
  t.equal(clock.pending, 0)
  t.equal(calls.length, 1)
})

t.test('nobody listens', async (t) => {
  const server = createServer()
  const url = await listen(t, server)
  server.close()
  t.equal(await codeOf(connect(t, url).read(number)), 'SETTINGS_UNREACHABLE')
})

t.test(
  'an additional trust anchor makes a lab certificate acceptable, and only that',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'causeway-ca-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    const authority = new LabAuthority({ clock: systemClock, random: systemRandom })
    const stranger = new LabAuthority({ clock: systemClock, random: systemRandom })
    const anchor = join(folder, 'ca.pem')
    writeFileSync(anchor, authority.cert)
    const serve = async (names: string[], by: LabAuthority) => {
      const { cert, key } = by.issue({ names })
      return listen(
        t,
        createHttpsServer({ cert, key: key.reveal() }, (_request, response) =>
          ok(response, _request),
        ),
      )
    }
    const good = await serve(['127.0.0.1'], authority)
    t.equal((await connect(t, good, {}, { ca: anchor }).read(number)).status, 'ENABLED')
    t.equal(await codeOf(connect(t, good).read(number)), 'SETTINGS_TLS', 'unknown authority')
    const alien = await serve(['127.0.0.1'], stranger)
    t.equal(await codeOf(connect(t, alien, {}, { ca: anchor }).read(number)), 'SETTINGS_TLS')
    const misnamed = await serve(['graph.example.com'], authority)
    t.equal(await codeOf(connect(t, misnamed, {}, { ca: anchor }).read(number)), 'SETTINGS_TLS')
    writeFileSync(join(folder, 'bad.pem'), 'nonsense')
    for (const ca of [join(folder, 'absent.pem'), join(folder, 'bad.pem')]) {
      t.throws(() => connect(t, good, {}, { ca }), { code: 'SETTINGS_CA_UNREADABLE' })
    }
  },
)
