import { rmSync } from 'node:fs'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import type { CallRecord } from '../../src/calls/index.ts'
import { csvHeader } from '../../src/records/index.ts'
import { record, records, START } from '../records/support.ts'
import { storedFixture } from './stored-calls.ts'
import { beginCall, httpFixture } from './support.ts'

interface List {
  total: number
  total_exact: boolean
  calls: CallRecord[]
  next: string | null
}

t.test('ended calls come from the history, behind the active ones', async (t) => {
  const { app, registry, history } = storedFixture(t.testdir({}))
  for (const call of records(5)) history.add(call)
  beginCall(registry, 'now1')
  beginCall(registry, 'now2')
  const get = async (query: string): Promise<List> =>
    (await app.inject(`/api/v1/calls${query}`)).json()
  const ids = async (query: string): Promise<string> =>
    (await get(query)).calls.map(({ id }) => id).join()
  t.equal(await ids(''), 'now1,now2,c4,c3,c2,c1,c0')
  t.match(await get(''), { total: 7, total_exact: true, next: null })
  t.equal(await ids('?state=active'), 'now1,now2')
  t.equal(await ids('?state=ended&limit=2'), 'c4,c3')
  t.equal(await ids('?offset=1&limit=3'), 'now2,c4,c3')
  t.equal(await ids('?offset=4&limit=2'), 'c2,c1')
  t.equal(await ids('?limit=2'), 'now1,now2')
  t.match(await get('?limit=2'), { total: 7, next: null })
  // Down the list by cursor, while calls go on ending.
  const seen: string[] = []
  let { next, calls } = await get('?limit=3')
  for (;;) {
    seen.push(...calls.map(({ id }) => id))
    if (next === null) break
    history.add(record(`late${seen.length}`, { at: START + 9e9 }))
    ;({ next, calls } = await get(`?limit=2&before=${next}`))
  }
  t.equal(seen.join(), 'now1,now2,c4,c3,c2,c1,c0')
  const [first] = (await get('?state=ended&limit=1')).calls
  t.notOk('ladder' in first! || 'report' in first!)
  await history.close()
})

t.test('filters, and what is no filter', async (t) => {
  const { app, registry, history } = storedFixture(t.testdir({}))
  history.add(record('a', { talk: 5 }))
  history.add(record('b', { at: START + 60_000, consumer: 'FR.1349', trunk: 'backup' }))
  beginCall(registry, 'now', 'wacid.now')
  const get = async (query: string) => {
    const answer = await app.inject(`/api/v1/calls?${query}`)
    return { status: answer.statusCode, ...answer.json() }
  }
  for (const [query, expected] of [
    ['consumer=%2B33199001234', 'now,a'],
    ['consumer=+33199001234', 'now,a'],
    ['consumer=33199001234', 'now,a'],
    ['consumer=FR.1349', 'b'],
    ['result=completed', 'a'],
    ['code=CALL_BUSY', 'b'],
    ['trunk=backup&result=busy', 'b'],
    ['wacid=wacid.now', 'now'],
    [`until=${START + 1}`, 'now,a'],
    ['since=2026-11-29T08:00:30Z', 'b'],
    ['since=2026-11-29&until=2026-11-29T08:00:30Z', 'a'],
    ['direction=business-initiated', ''],
  ] as const) {
    const { calls } = (await get(query)) as List
    t.equal(calls.map(({ id }) => id).join(), expected, query)
  }
  for (const [query, detail] of [
    ['numbr=support', 'unknown parameter numbr; did you mean number?'],
    ['colour=red', /^unknown parameter colour; known are state, direction, number, /],
    ['since=yesterday', /^since yesterday: expected 2h, 7d, /],
    ['before=x', 'before x is no cursor'],
    ['before=1-1&offset=3', 'before and offset exclude each other'],
    ['result=gone', /result/],
    ['limit=1001', /limit/],
  ] as const) {
    const { status, error } = await get(query)
    t.equal(status, 400, query)
    t.match(error, { code: 'APP_HTTP_BAD_REQUEST', detail })
  }
  const journal = await app.inject('/api/v1/numbers/support/journal?limits=3')
  t.match(journal.json().error.detail, 'did you mean limit?')
  t.equal((await app.inject('/api/v1/trunks?x=1')).statusCode, 200, 'nothing to be mistaken')
  await history.close()
})

t.test('one call of the history is shown whole', async (t) => {
  const { app, history } = storedFixture(t.testdir({}))
  const call = record('a', { talk: 5 })
  history.add(call)
  t.equal(await history.count({}), 1)
  t.same((await app.inject('/api/v1/calls/a')).json(), JSON.parse(JSON.stringify(call)))
  t.equal((await app.inject('/api/v1/calls/b')).statusCode, 404)
  await history.close()
})

t.test('a history that cannot be read: the calls in memory serve', async (t) => {
  const { app, registry, history } = storedFixture(join(t.testdir({ data: '' }), 'data'))
  beginCall(registry, 'a').end({
    code: 'NORMAL',
    result: 'completed',
    owner: 'pbx',
    sip: 200,
    q850: 16,
    text: '',
  })
  const list = (await app.inject('/api/v1/calls?result=completed')).json() as List
  t.match(list, { total: 1, calls: [{ id: 'a' }], next: null })
  t.equal((await app.inject('/api/v1/calls/zz')).statusCode, 404)
  for (const [method, url] of [
    ['GET', '/api/v1/calls/export'],
    ['DELETE', '/api/v1/calls?consumer=x'],
  ] as const) {
    const answer = await app.inject({ method, url })
    t.equal(answer.statusCode, 503)
    t.equal(answer.json().error.code, 'APP_RECORDS_UNUSABLE')
  }
  await history.close()
})

t.test('an export in both formats', async (t) => {
  const { app, history } = storedFixture(t.testdir({}))
  const calls = records(450)
  for (const call of calls) history.add(call)
  const lines = await app.inject('/api/v1/calls/export?until=2026-11-29T15:00:00Z')
  t.equal(lines.headers['content-type'], 'application/jsonl; charset=utf-8')
  const ids = lines.body
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as CallRecord).id)
  t.same(
    ids,
    calls
      .slice(0, 420)
      .map(({ id }) => id)
      .reverse(),
  )
  const csv = await app.inject('/api/v1/calls/export?format=csv')
  t.equal(csv.headers['content-type'], 'text/csv; charset=utf-8; header=present')
  t.match(csv.headers['content-disposition'], 'filename="causeway-calls.csv"')
  t.ok(csv.body.startsWith(csvHeader()))
  t.equal(csv.body.split('\r\n').length, 452, 'one header')
  const none = await app.inject('/api/v1/calls/export?format=csv&number=nobody')
  t.equal(none.body, csvHeader())
  t.equal((await app.inject('/api/v1/calls/export?number=nobody')).body, '')
  t.equal((await app.inject('/api/v1/calls/export?format=xml')).statusCode, 400)
  await history.close()
  const memory = httpFixture()
  const call = beginCall(memory.registry, 'a')
  call.end({ code: 'NORMAL', result: 'completed', owner: 'pbx', sip: 200, q850: 16, text: '' })
  t.match((await memory.app.inject('/api/v1/calls/export')).json(), { id: 'a' })
})

t.test('an export waits for its reader', async (t) => {
  const { app, history } = storedFixture(t.testdir({}))
  const note = 'x'.repeat(20_000)
  for (const call of records(2000)) {
    history.add({ ...call, ladder: [{ t: 0, leg: 'pbx', dir: 'in', what: 'INVITE', note }] })
  }
  t.equal(await history.count({}), 2000)
  let pages = 0
  const original = history.export.bind(history)
  history.export = (ask) => {
    pages++
    return original(ask)
  }
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    request({ port, path: '/api/v1/calls/export' }, resolve).on('error', reject).end()
  })
  // Nobody reads: what the sockets take is taken, and no more is asked for.
  let before = -1
  while (pages !== before) {
    before = pages
    for (let n = 0; n < 200; n++) await new Promise((resolve) => setImmediate(resolve))
  }
  t.ok(pages < 10, `${pages} of 10 parts for a reader that does not read`)
  let length = 0
  for await (const chunk of response) length += (chunk as Buffer).length
  t.equal(pages, 10)
  t.ok(length > 40_000_000)
  await app.close()
  await history.close()
})

t.test('a consumer is forgotten', async (t) => {
  const folder = t.testdir({})
  const { app, history } = storedFixture(folder)
  history.add(record('a'))
  history.add(record('b', { consumer: 'FR.1349' }))
  const forget = async (query: string) =>
    (await app.inject({ method: 'DELETE', url: `/api/v1/calls${query}` })).json()
  t.same(await forget('?consumer=%2B33199001234'), { consumer: '+33199001234', forgotten: 1 })
  t.same(await forget('?consumer=FR.1'), { consumer: 'FR.1', forgotten: 0 })
  t.match(await forget(''), { error: { code: 'APP_HTTP_BAD_REQUEST' } })
  t.match((await app.inject('/api/v1/calls')).json(), { total: 1, calls: [{ id: 'b' }] })
  await history.close()
  rmSync(folder, { recursive: true, force: true })
})
