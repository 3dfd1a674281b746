import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { causeOf, hungUpBy } from '../../src/calls/index.ts'
import type { ReloadResult } from '../../src/http/index.ts'
import { CausewayError } from '../../src/shared/errors/index.ts'
import { beginCall, healthy, httpFixture } from '../http/support.ts'
import { causeway } from '../support/cli.ts'
import { edit } from '../support/config-file.ts'

type Fixture = ReturnType<typeof httpFixture>
type Test = Pick<typeof t, 'teardown'>

/** The HTTP interface on a port of its own; `run` is a verb against it. */
async function instance(t: Test, ...args: Parameters<typeof httpFixture>) {
  const fixture: Fixture = httpFixture(...args)
  t.teardown(() => fixture.app.close())
  const url = await fixture.app.listen({ host: '127.0.0.1', port: 0 })
  const run = (...words: string[]) => causeway([...words, '--url', url])
  return { ...fixture, url, run }
}

t.test('status: everything in order', async (t) => {
  const { run, url, registry } = await instance(t)
  beginCall(registry, 'a')
  const { code, stdout } = await run('status')
  t.equal(code, 0)
  t.match(stdout, `causeway 1.2.3 at ${url}: ready, everything in order`)
  t.match(stdout, '1 call in progress (1 user-initiated, 0 business-initiated)')
  t.match(stdout, /^✓ sip-server {2}embedded {2}connected$/m)
  const json = await run('status', '--json')
  t.match(JSON.parse(json.stdout), {
    status: 'pass',
    ready: true,
    version: '1.2.3',
    calls: { total: 1, 'user-initiated': 1 },
    checks: { 'sip-server': [{ componentId: 'embedded', status: 'pass' }] },
  })
})

t.test('status: 2 for warnings, 1 when no calls can be taken', async (t) => {
  const number = { ...healthy, component: 'number', id: 'support', output: 'x' } as const
  const warned = await instance(t, { checks: () => [healthy, { ...number, status: 'fail' }] })
  const warn = await warned.run('status')
  t.equal(warn.code, 2)
  t.match(warn.stdout, /ready, with warnings\n0 calls in progress\n/)
  t.match(warn.stdout, /^✗ number +support +x$/m)
  const broken = await instance(t, {
    checks: () => [{ ...healthy, status: 'fail', ready: false, output: 'not connected' }],
  })
  const fail = await broken.run('status')
  t.equal(fail.code, 1)
  t.match(fail.stdout, 'no calls can be taken')
  const json = await broken.run('status', '--json')
  t.equal(json.code, 1)
  t.match(JSON.parse(json.stdout), {
    ready: false,
    reasons: ['sip-server embedded: not connected'],
  })
})

t.test('calls list: a table, filters, what is left over', async (t) => {
  const { run, registry, clock } = await instance(t)
  t.match(await run('calls', 'list'), { code: 0, stdout: 'no calls\n' })
  const first = beginCall(registry, '0000000000000001')
  first.moveTo('calling')
  first.moveTo('answered')
  clock.advance(65_000)
  first.end(hungUpBy('pbx'))
  const second = beginCall(registry, '0000000000000002', 'wacid.x')
  second.end(causeOf(new CausewayError('CALL_BUSY')))
  beginCall(registry, '0000000000000003')
  const { stdout } = await run('calls', 'list')
  const lines = stdout.trimEnd().split('\n')
  t.match(lines[0], /^ID +STARTED \(UTC\) +FROM +TO +TRUNK +TALK +STATE$/)
  t.match(lines[1], /^0{15}3 .* \+33199001234 {2}\+441632960123 {2}main +- {2}preparing$/)
  t.match(lines[2], /^0{15}2 .* busy CALL_BUSY$/)
  t.match(lines[3], /^0{15}1 .* 1 min 5 s {2}completed$/)
  t.match((await run('calls', 'list', '--limit', '1')).stdout, '2 more')
  t.notMatch((await run('calls', 'list', '--state', 'ended')).stdout, /0{15}3/)
  t.match((await run('calls', 'list', '--offset', '9')).stdout, 'no calls here; 3 before')
  const json = await run('calls', 'list', '--wacid', 'wacid.x', '--json')
  t.match(JSON.parse(json.stdout), { total: 1, calls: [{ id: '0000000000000002' }] })
})

t.test('calls list: a wrong filter is a usage error', async (t) => {
  const { run } = await instance(t)
  for (const [option, value] of [
    ['--state', 'over'],
    ['--direction', 'in'],
    ['--limit', '0'],
    ['--limit', '1001'],
    ['--limit', 'ten'],
    ['--offset', '1.5'],
  ] as const) {
    const { code, stderr } = await run('calls', 'list', option, value)
    t.equal(code, 64, `${option} ${value}`)
    t.match(stderr, `${option} ${value}: expected`)
  }
})

t.test('calls show: by either ID, with its ladder', async (t) => {
  const { run, registry } = await instance(t)
  beginCall(registry, 'abc', 'wacid.x+y').note('whatsapp', 'in', 'INVITE')
  for (const id of ['abc', 'wacid.x+y']) {
    const { code, stdout } = await run('calls', 'show', id)
    t.equal(code, 0)
    t.match(stdout, /^Call abc {2}user-initiated, preparing\n/)
    t.match(stdout, /│ INVITE ─+▶│/)
  }
  const json = await run('calls', 'show', 'abc', '--json')
  t.match(JSON.parse(json.stdout), { id: 'abc', ladder: [{ what: 'INVITE' }] })
  for (const id of ['nobody', 'wacid.nobody', '../drain']) {
    const { code, stderr } = await run('calls', 'show', id)
    t.equal(code, 1)
    t.match(stderr, 'error[APP_CALL_UNKNOWN]')
    t.match(stderr, '= fix: ')
  }
  t.match(await run('calls', 'show'), { code: 64 })
})

t.test('trunks show: targets, and 2 when one was not reached', async (t) => {
  const news = { since: null, pinged: false, ping_ms: null }
  const up = {
    ...({ uri: 'sip:10.0.0.9:5060', status: 'pass', detail: 'reachable', state: 'up' } as const),
    ...news,
  } as const
  const down = {
    ...({
      uri: 'sip:10.0.0.10',
      status: 'fail',
      detail: 'not reached lately',
      state: 'down',
    } as const),
    ...news,
  } as const
  const trunks = [
    { name: 'main', up: true, targets: [up], active_calls: 1, limit: null, failovers: 0 },
    { name: 'backup', up: true, targets: [up, down], active_calls: 0, limit: 30, failovers: 2 },
    { name: 'empty', up: false, targets: [], active_calls: 0, limit: null, failovers: 0 },
  ]
  const { run } = await instance(t, { trunks: () => trunks })
  const all = await run('trunks', 'show')
  t.equal(all.code, 2)
  t.match(all.stdout, 'main  1 call in progress\n  ✓ sip:10.0.0.9:5060  reachable\n')
  t.match(all.stdout, '  ✗ sip:10.0.0.10      not reached lately\n')
  t.match(all.stdout, 'no targets: calls to this trunk fail')
  t.match(all.stdout, 'backup  0 of 30 calls in progress, 2 went on to another target\n')
  t.match(await run('trunks', 'show', 'main'), { code: 0, stdout: /^main/ })
  const json = await run('trunks', 'show', 'main', '--json')
  t.same(JSON.parse(json.stdout), { trunks: [trunks[0]] })
  const wrong = await run('trunks', 'show', 'mian')
  t.equal(wrong.code, 64)
  t.match(wrong.stderr, 'no trunk mian; did you mean main?')
  const none = await instance(t)
  t.match(await none.run('trunks', 'show'), { code: 0, stdout: 'no trunks\n' })
})

t.test('drain and undrain', async (t) => {
  const { run, registry, log } = await instance(t)
  beginCall(registry, 'a')
  t.match(await run('drain'), { code: 0, stdout: /new calls are refused, 1 call in progress/ })
  const json = await run('drain', '--json')
  t.same(JSON.parse(json.stdout), { draining: true, calls: 1 })
  const waited = await run('drain', '--wait', '1ms', '--json')
  t.equal(waited.code, 1, 'calls are left')
  t.same(JSON.parse(waited.stdout), { draining: true, calls: 1 })
  t.match(await run('drain', '--wait', 'long'), { code: 64, stderr: /--wait long: expected 30s/ })
  const waiting = run('drain', '--wait', '1h')
  setImmediate(() => registry.active().next().value!.end(hungUpBy('pbx')))
  t.match(await waiting, { code: 0, stdout: /0 calls in progress/ })
  t.match(await run('undrain'), { code: 0, stdout: /new calls are taken/ })
  t.same(JSON.parse((await run('undrain', '--json')).stdout), { draining: false })
  t.same(log, ['drain', 'drain', 'drain', 'drain', 'undrain', 'undrain'])
})

t.test('reload: what was taken, what waits, what is wrong', async (t) => {
  const good: ReloadResult = {
    ok: true,
    applied: [],
    restart: [],
    reasons: {},
    errors: [],
    warnings: [],
  }
  let result = good
  const { run } = await instance(t, { reload: async () => result })
  t.match(await run('reload'), { code: 0, stdout: 'reloaded, nothing had changed\n' })
  result = { ...good, applied: ['limits.calls', 'numbers'] }
  t.match(await run('reload'), { code: 0, stdout: /taken at once {3}limits\.calls, numbers/ })
  result = { ...good, restart: ['sip.listen'], reasons: { 'sip.listen': 'bound at the start' } }
  t.match(await run('reload'), {
    code: 2,
    stdout: /needs a restart sip\.listen: bound at the start\n/,
  })
  result = { ...good, warnings: [new CausewayError('CONFIG_NO_CALLERS', { place: 'c.yaml:3:1' })] }
  const warned = await run('reload')
  t.equal(warned.code, 2)
  t.match(warned.stderr, /warning\[CONFIG_NO_CALLERS\][\s\S]*--> c\.yaml:3:1/)
  result = {
    ...good,
    ok: false,
    errors: [{ ...new CausewayError('CONFIG_YAML_SYNTAX').toJSON(), nearest: 'main' }, {}],
  }
  const bad = await run('reload')
  t.equal(bad.code, 78)
  t.match(bad.stdout, 'not reloaded, nothing was changed: 2 errors')
  t.match(bad.stderr, 'error[CONFIG_YAML_SYNTAX]')
  t.match(bad.stderr, 'did you mean main?')
  t.match(bad.stderr, 'error: see the log')
  const json = await run('reload', '--json')
  t.equal(json.code, 78)
  t.match(JSON.parse(json.stdout), { ok: false, errors: [{ code: 'CONFIG_YAML_SYNTAX' }, {}] })
})

t.test('the configuration says where the instance listens, and its token', async (t) => {
  const { url } = await instance(t, {}, 'geheim')
  const { port } = new URL(url)
  const http = (listen: string, more = ''): string =>
    edit(['numbers:', `http: { listen: "${listen}"${more} }\nnumbers:`])
  const dir = t.testdir({
    'good.yaml': http(`127.0.0.1:${port}`, ', token: geheim'),
    'every.yaml': http(`0.0.0.0:${port}`, ', token: geheim'),
    'wrong.yaml': http(`127.0.0.1:${port}`, ', token: falsch'),
    'free.yaml': http('127.0.0.1:0'),
    'bad.yaml': edit(
      ['relay: none', 'relay: nun'],
      ['token-of-support', `\${UNSET}`],
      ['numbers:', `http: { listen: "127.0.0.1:${port}", token: geheim }\nnumbers:`],
    ),
    'nowhere.yaml': http('somewhere'),
    'nobody.yaml': http(`127.0.0.1:${port}`, `, token: "\${UNSET}"`),
    'torn.yaml': 'http: [',
    token: 'geheim\n',
    empty: '\n',
  })
  const run = (...args: string[]) => causeway(args, { cwd: dir })
  t.match(await run('status', '-c', 'good.yaml'), { code: 0 })
  t.match(await run('status', '-c', 'every.yaml'), { code: 0 })
  t.match(await run('status', '-c', 'wrong.yaml', '--token-file', 'token'), { code: 0 })
  t.match(await run('status', '--url', `${url}/`, '--token-file', 'token'), { code: 0 })
  const wrong = await run('drain', '-c', 'wrong.yaml')
  t.equal(wrong.code, 1)
  t.match(wrong.stderr, 'error[APP_HTTP_UNAUTHORIZED]')
  t.notMatch(wrong.stderr + wrong.stdout, /falsch|geheim/)
  const json = await run('drain', '--url', url, '--json')
  t.match(JSON.parse(json.stdout), { ok: false, errors: [{ code: 'APP_HTTP_UNAUTHORIZED' }] })
  const broken = await run('status', '-c', 'bad.yaml')
  t.equal(broken.code, 0, 'what is wrong elsewhere does not hide the instance')
  t.equal(
    broken.stderr,
    'note: bad.yaml has 2 errors as read here; causeway config check shows more\n',
  )
  for (const file of ['nowhere.yaml', 'nobody.yaml', 'torn.yaml', 'none.yaml']) {
    t.match(await run('status', '-c', file), { code: 78, stdout: '' }, file)
  }
  t.match(await run('status', '-c', 'free.yaml'), { code: 64, stderr: /--url/ })
  t.match(await run('status', '--url', 'nowhere'), { code: 64, stderr: /--url nowhere/ })
  t.match(await run('status', '--url', 'http://u:p@h'), { code: 64, stderr: /--token-file/ })
  t.match(await run('status', '--url', url, '--token-file', 'empty'), { code: 64, stderr: /empty/ })
  t.match(await run('status', '--url', url, '--token-file', join(dir, 'no')), { code: 64 })
})

t.test('nothing there, or something else', async (t) => {
  const server = createServer((request, response) => {
    if (request.url === '/json/healthz') response.setHeader('content-type', 'application/json')
    response.end('<html>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const path of ['', '/json']) {
    const { code, stderr } = await causeway(['status', '--url', `${url}${path}`])
    t.equal(code, 1)
    t.match(stderr, 'error[APP_UNREACHABLE]')
    t.match(stderr, `${url}${path}, `)
  }
  await new Promise((resolve) => server.close(resolve))
  const gone = await causeway(['status', '--url', url])
  t.equal(gone.code, 1)
  t.match(gone.stderr, `no running instance answers: ${url}, ECONNREFUSED`)
  t.match(gone.stderr, '= fix: Start causeway up')
  t.notMatch(gone.stderr, / {4}at /, 'no stack')
  const signal = AbortSignal.abort()
  t.match(await causeway(['status', '--url', url], { signal }), { code: 1, stderr: /interrupted/ })
})
