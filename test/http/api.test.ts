import t from 'tap'
import { causeOf, hungUpBy } from '../../src/calls/index.ts'
import { CausewayError } from '../../src/shared/errors/index.ts'
import { beginCall, httpFixture } from './support.ts'

t.test('with a token the API wants it, and nothing else does', async (t) => {
  const { app } = httpFixture({}, 'letmein')
  const status = async (authorization?: string): Promise<number> =>
    (await app.inject({ url: '/api/v1/calls', headers: authorization ? { authorization } : {} }))
      .statusCode
  t.equal(await status(), 401)
  t.equal(await status('Bearer wrong'), 401)
  t.equal(await status('Basic letmein'), 401)
  t.equal(await status('Bearer letmein'), 200)
  t.equal((await app.inject('/readyz')).statusCode, 200)
  const answer = await app.inject('/api/v1/calls')
  t.equal(answer.json().error.code, 'APP_HTTP_UNAUTHORIZED')
})

t.test('everything under /api wants the token, paths that do not exist too', async (t) => {
  const { app } = httpFixture({}, 'letmein')
  const ask = async (url: string, method: 'GET' | 'POST' | 'PUT' = 'GET', token?: string) =>
    await app.inject({ url, method, headers: token ? { authorization: `Bearer ${token}` } : {} })
  const long = `/api/v1/calls/${'a'.repeat(2000)}`
  for (const [url, method, status] of [
    ['/api', 'GET', 404],
    ['/api/', 'GET', 404],
    ['/api?x=1', 'GET', 404],
    ['/api/v1', 'GET', 404],
    ['/api/v1/nothing', 'GET', 404],
    ['/api/v2/calls', 'POST', 404],
    ['/api/v1/drain', 'GET', 404],
    ['/api/v1/calls', 'PUT', 404],
    ['/api/v1/calls/%zz', 'GET', 400],
    [long, 'GET', 404],
  ] as const) {
    const unnamed = await ask(url, method)
    t.equal(unnamed.statusCode, 401, `${method} ${url.slice(0, 40)}`)
    t.equal(unnamed.json().error.code, 'APP_HTTP_UNAUTHORIZED')
    t.equal(unnamed.headers['www-authenticate'], 'Bearer realm="causeway"')
    const known = await ask(url, method, 'letmein')
    t.equal(known.statusCode, status, `${method} ${url.slice(0, 40)} with the token`)
    t.match(known.json().error.code, /^APP_/)
  }
  t.equal((await ask(long, 'GET', 'letmein')).json().error.code, 'APP_CALL_UNKNOWN')
  t.equal((await ask('/apis')).statusCode, 404, 'another path')
  const broken = await ask('/%zz')
  t.equal(broken.statusCode, 400, 'a broken path elsewhere')
  t.match(broken.json().error, { code: 'APP_HTTP_BAD_REQUEST', detail: /%zz/ })
})

t.test('without a token the API answers on loopback only', async (t) => {
  const { app } = httpFixture()
  t.equal((await app.inject({ url: '/api/v1/calls', remoteAddress: '127.0.0.1' })).statusCode, 200)
  const far = await app.inject({ url: '/api/v1/calls', remoteAddress: '192.0.2.1' })
  t.equal(far.statusCode, 403)
  for (const url of ['/api/v1/nothing', '/api/v1/calls/%zz']) {
    t.equal((await app.inject({ url, remoteAddress: '192.0.2.1' })).statusCode, 403, url)
  }
  t.equal(far.json().error.code, 'APP_HTTP_LOOPBACK_ONLY')
})

t.test('calls are listed by state, found by wacid and paged', async (t) => {
  const { app, registry } = httpFixture()
  beginCall(registry, 'a', 'wacid.A')
  beginCall(registry, 'b', 'wacid.B').end(hungUpBy('whatsapp'))
  beginCall(registry, 'c').end(causeOf(new CausewayError('MEDIA_NO_SRTP')))
  const ids = async (query: string): Promise<string[]> => {
    const answer = await app.inject(`/api/v1/calls${query}`)
    return answer.json().calls.map((call: { id: string }) => call.id)
  }
  t.strictSame(await ids(''), ['a', 'c', 'b'])
  t.strictSame(await ids('?state=active'), ['a'])
  t.strictSame(await ids('?state=ended'), ['c', 'b'])
  t.strictSame(await ids('?state=ended&limit=1&offset=1'), ['b'])
  t.strictSame(await ids('?wacid=wacid.B'), ['b'])
  t.strictSame(await ids('?number=sales'), [])
  const bad = await app.inject('/api/v1/calls?state=gone')
  t.equal(bad.statusCode, 400)
  t.equal(bad.json().error.code, 'APP_HTTP_BAD_REQUEST')
})

t.test('messages of a call: as JSON and as a file, or why there are none', async (t) => {
  const pcap = Buffer.from('file')
  const calls = {
    ...httpFixture().operations.calls,
    messages: (id: string) => ({ id, messages: [], dropped: 0 }),
    pcap: () => pcap,
  }
  const { app } = httpFixture({ calls })
  t.same((await app.inject('/api/v1/calls/a/messages')).json(), {
    id: 'a',
    messages: [],
    dropped: 0,
  })
  const file = await app.inject('/api/v1/calls/a/pcap')
  t.equal(file.headers['content-type'], 'application/vnd.tcpdump.pcap')
  t.equal(file.headers['content-disposition'], 'attachment; filename="a.pcap"')
  t.same(file.rawPayload, pcap)
  for (const [code, status] of [
    ['APP_CALL_UNKNOWN', 404],
    ['APP_MESSAGES_NONE', 404],
    ['APP_MESSAGES_OFF', 409],
    ['CALL_INTERNAL', 500],
  ] as const) {
    const none = (): never => {
      throw new CausewayError(code)
    }
    const { app: other } = httpFixture({ calls: { ...calls, messages: none, pcap: none } })
    for (const what of ['messages', 'pcap']) {
      const answer = await other.inject(`/api/v1/calls/a/${what}`)
      t.equal(answer.statusCode, status, code)
      t.equal(answer.json().error.code, status === 500 ? 'APP_HTTP_FAILED' : code)
    }
  }
})

t.test('one call is shown with its ladder; an unknown one is 404 with a code', async (t) => {
  const { app, registry } = httpFixture()
  const call = beginCall(registry, 'a')
  call.ladder.add({ t: 0, leg: 'whatsapp', dir: 'in', what: 'INVITE' })
  t.match((await app.inject('/api/v1/calls/a')).json(), {
    id: 'a',
    consumer: '+33199001234',
    ladder: [{ leg: 'whatsapp', dir: 'in', what: 'INVITE' }],
  })
  const unknown = await app.inject('/api/v1/calls/zz')
  t.equal(unknown.statusCode, 404)
  t.equal(unknown.json().error.code, 'APP_CALL_UNKNOWN')
})

t.test('DELETE hangs up an active call', async (t) => {
  const { app, registry, log } = httpFixture()
  beginCall(registry, 'a')
  t.equal((await app.inject({ method: 'DELETE', url: '/api/v1/calls/a' })).statusCode, 202)
  t.equal((await app.inject({ method: 'DELETE', url: '/api/v1/calls/b' })).statusCode, 404)
  t.strictSame(log, ['hang up a', 'hang up b'])
})

t.test('drain, undrain and reload', async (t) => {
  const { app, log } = httpFixture({
    reload: async () => ({
      ok: false,
      applied: [],
      restart: [],
      reasons: {},
      errors: ['bad'],
      warnings: [],
    }),
  })
  t.equal((await app.inject({ method: 'POST', url: '/api/v1/drain' })).statusCode, 200)
  t.equal((await app.inject({ method: 'POST', url: '/api/v1/undrain' })).statusCode, 200)
  t.strictSame(log, ['drain', 'undrain'])
  const reload = await app.inject({ method: 'POST', url: '/api/v1/reload' })
  t.equal(reload.statusCode, 422)
  t.strictSame(reload.json().errors, ['bad'])
})

t.test('an unknown path says so with a code', async (t) => {
  const { app } = httpFixture()
  const answer = await app.inject('/api/v2/calls?x=1')
  t.equal(answer.statusCode, 404)
  t.match(answer.json().error, { code: 'APP_HTTP_NOT_FOUND', detail: 'GET /api/v2/calls' })
})
