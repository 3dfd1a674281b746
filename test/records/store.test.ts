import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import type { CallRecord } from '../../src/calls/index.ts'
import { CALLS_FILE, MIGRATIONS, SCHEMA_VERSION, setAside } from '../../src/records/database.ts'
import { type CallFilter, parseCursor } from '../../src/records/filter.ts'
import { CallStore, COUNT_LIMIT } from '../../src/records/store.ts'
import { parseRecord, storedCall } from '../../src/records/stored.ts'
import { record, records, START, stored } from './support.ts'

const ids = (texts: readonly string[]): string[] => texts.map((text) => parseRecord(text).id)

t.test('what is written is read again, whole', async (t) => {
  const folder = join(t.testdir({}), 'made', 'deep')
  const store = new CallStore(folder)
  const written = record('a', { talk: 5000, whatsapp: { wacid: 'wacid.A', displayName: 'Zoé' } })
  store.write([storedCall(written)], null)
  t.same(parseRecord(store.get('a')!), JSON.parse(JSON.stringify(written)))
  t.equal(store.get('b'), undefined)
  t.match(store.figures(), { calls: 1, bytes: Number })
  for (const tail of ['', '-wal']) {
    t.equal(statSync(join(folder, CALLS_FILE + tail)).mode & 0o77, 0, 'for its owner alone')
  }
  // The same call again, with news.
  store.write([storedCall({ ...written, ladderDropped: 7 })], null)
  t.equal(parseRecord(store.get('a')!).ladderDropped, 7)
  t.equal(store.figures().calls, 1)
  store.close()
  const again = new CallStore(folder)
  t.equal(again.figures().calls, 1)
  t.equal(parseRecord(again.get('a')!).whatsapp.displayName, 'Zoé')
  again.close()
})

t.test('filters', async (t) => {
  const store = new CallStore(t.testdir({}))
  const all = [
    record('a', { talk: 1, whatsapp: { wacid: 'wacid.A' } }),
    record('b', { at: START + 1000, trunk: 'backup' }),
    record('c', { at: START + 2000, number: 'sales', consumer: '+441632960999' }),
    record('d', { at: START + 3000, direction: 'business-initiated', code: 'CALL_NO_ANSWER' }),
  ]
  store.write(all.map(storedCall), null)
  for (const [filter, expected] of [
    [{}, 'dcba'],
    [{ direction: 'business-initiated' }, 'd'],
    [{ number: 'support' }, 'dba'],
    [{ trunk: 'backup' }, 'b'],
    [{ wacid: 'wacid.A' }, 'a'],
    [{ consumer: '+441632960999' }, 'c'],
    [{ result: 'busy' }, 'cb'],
    [{ code: 'CALL_NO_ANSWER' }, 'd'],
    [{ code: 'NORMAL', result: 'completed' }, 'a'],
    [{ since: START + 1000 }, 'dcb'],
    [{ until: START + 2000 }, 'ba'],
    [{ since: START + 1000, until: START + 3000, number: 'support' }, 'b'],
    [{ consumer: '+33199001234', since: START + 1 }, 'db'],
    [{ number: 'nobody' }, ''],
  ] as [CallFilter, string][]) {
    const { texts } = await store.page(filter, { limit: 10, detail: false })
    t.equal(ids(texts).join(''), expected, JSON.stringify(filter))
    t.equal(await store.count(filter), expected.length)
  }
  store.close()
})

t.test('pages, by cursor and by number', async (t) => {
  const store = new CallStore(t.testdir({}))
  store.write(stored(25), null)
  // The same start: the order of the rows decides.
  store.write(
    ['x', 'y', 'z'].map((id) => storedCall(record(id, { at: START + 10 * 60_000 }))),
    null,
  )
  const all = ids((await store.page({}, { limit: 100, detail: false })).texts)
  t.equal(all.length, 28)
  const seen: string[] = []
  let next: string | undefined = ''
  while (next !== undefined) {
    const before: ReturnType<typeof parseCursor> = parseCursor(next)
    const page = await store.page({}, { before, limit: 4, detail: false })
    seen.push(...ids(page.texts))
    next = page.next
    // A call that ends meanwhile does not shift the pages.
    if (seen.length === 4) store.write([storedCall(record('late', { at: START + 9e9 }))], null)
  }
  t.same(seen, all)
  const skipped = await store.page({}, { skip: 5, limit: 3, detail: false })
  t.same(ids(skipped.texts), ['late', ...all].slice(5, 8))
  t.equal((await store.page({}, { limit: 29, detail: false })).next, undefined)
  store.close()
})

t.test('a search through many rows goes in slices, with pauses', async (t) => {
  let pauses = 0
  const folder = t.testdir({})
  const store = new CallStore(folder, {
    pause: async () => {
      pauses++
    },
  })
  store.database.exec(`
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
    INSERT INTO call (id, direction, number, trunk, consumer, result, code, started_at, ended_at)
    SELECT 'n' || i, 'user-initiated', 'support', iif(i % 20000 = 0, 'rare', 'main'),
      '+331990' || i, 'busy', 'CALL_BUSY', ${START} + i, ${START} + i FROM n;
    INSERT INTO record (seq, summary, detail)
    SELECT seq, json_object('id', id), '{}' FROM call;`)
  store.recount()
  const rare = await store.page({ trunk: 'rare' }, { limit: 10, detail: false })
  t.same(ids(rare.texts), ['n40000', 'n20000'])
  t.equal(pauses, 2)
  const deep = await store.page({ result: 'busy' }, { skip: 44_000, limit: 2, detail: false })
  t.same(ids(deep.texts), ['n6000', 'n5999'])
  t.equal(await store.count({ trunk: 'main' }), COUNT_LIMIT, 'counted so far')
  t.equal(await store.count({}), 50_000)
  pauses = 0
  t.same(ids((await store.page({ consumer: '+3319907' }, { limit: 9, detail: false })).texts), [
    'n7',
  ])
  t.equal(pauses, 0, 'an index of its own')
  store.close()
})

t.test('what WhatsApp tells later goes to the call it names', async (t) => {
  const store = new CallStore(t.testdir({}))
  const options = { pushDue: null }
  const business = record('b', { direction: 'business-initiated', talk: 12_500 })
  t.same(business.billing, { pulses: 3, seconds: 12.5, basis: 'causeway' })
  store.write(
    [storedCall(record('a', { whatsapp: { wacid: 'wacid.A' } })), storedCall(business)],
    null,
  )
  const a = parseRecord(store.tell('wacid.A', { status: 'FAILED' }, options)!)
  t.match(a, { id: 'a', whatsappReport: { status: 'FAILED' } })
  t.equal(store.tell('wacid.B', { status: 'COMPLETED' }, options), undefined)
  const hint = { number: 'support', consumers: ['+33199001234'], at: business.endedAt! + 4000 }
  const far = { ...hint, at: hint.at + 9000 }
  t.equal(store.tell('wacid.B', {}, { ...options, hint: far }), undefined, 'too late for it')
  const other = record('other', {
    direction: 'business-initiated',
    consumer: '+33199005678',
    whatsapp: { wacid: 'wacid.Other' },
  })
  store.write([storedCall(other)], null)
  const elsewhere = { ...hint, consumers: ['+33199005678'], at: other.endedAt! }
  t.equal(
    store.tell('wacid.C', {}, { ...options, hint: elsewhere }),
    undefined,
    'a call whose id is known is no other one',
  )
  const told = { status: 'COMPLETED', duration: 19 }
  const b = parseRecord(store.tell('wacid.B', told, { ...options, hint })!)
  t.match(b, {
    id: 'b',
    whatsapp: { wacid: 'wacid.B' },
    billing: { pulses: 4, seconds: 19, basis: 'webhook' },
  })
  t.match(parseRecord(store.tell('wacid.B', { createdAt: 5 }, options)!).whatsappReport, {
    createdAt: 5,
    duration: 19,
  })
  store.close()
})

t.test('retention by age, number and size, in steps', async (t) => {
  const store = new CallStore(t.testdir({}))
  const none = { keep: 0, maxSize: 0, maxCalls: 0 }
  const prune = (retention: typeof none, now: number): number => {
    let steps = 0
    while (store.prune(retention, now)) steps++
    return steps
  }
  store.write(stored(1000), null)
  const now = START + 1000 * 60_000
  t.equal(prune(none, now), 0)
  t.equal(store.figures().calls, 1000)
  t.ok(prune({ ...none, keep: 300 * 60_000 }, now) >= 4, 'no step takes all')
  t.equal(store.figures().calls, 300)
  prune({ ...none, maxCalls: 120 }, now)
  t.equal(store.figures().calls, 120)
  t.equal(parseRecord((await store.page({}, { limit: 1, detail: true })).texts[0]!).id, 'c999')
  const { bytes } = store.figures()
  store.write(
    stored(2000, { at: START }).map((call, n) => ({ ...call, id: `s${n}` })),
    null,
  )
  const grown = store.figures().bytes
  prune({ ...none, maxSize: bytes }, now)
  t.ok(store.figures().bytes < grown, 'the room is given back')
  const { n } = store.database.prepare('SELECT count(*) AS n FROM record').get()!
  t.equal(n, store.figures().calls, 'nothing is left of what was removed')
  store.close()
})

t.test('a consumer is forgotten, in the file too', async (t) => {
  const folder = t.testdir({})
  const store = new CallStore(folder)
  store.write(stored(450, { consumer: '+33199009999' }), null)
  store.write([storedCall(record('other'))], null)
  store.database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  t.match(readFileSync(join(folder, CALLS_FILE), 'latin1'), '+33199009999')
  t.equal(store.forget('+33199009999'), 450)
  t.equal(store.forget('+33199009999'), 0)
  t.equal(store.figures().calls, 1)
  const left = ['', '-wal'].map((tail) => readFileSync(join(folder, CALLS_FILE + tail), 'latin1'))
  t.notMatch(left.join(''), '33199009999')
  store.close()
})

t.test('a consumer is forgotten in a file too large to be written anew', async (t) => {
  const folder = t.testdir({})
  const store = new CallStore(folder)
  const [call] = stored(1)
  const detail = 'x'.repeat(4 * 1024 * 1024)
  for (let n = 0; n < 17; n++) store.write([{ ...call!, id: `large${n}`, detail }], null)
  store.write(stored(20, { consumer: '+33199009999' }), null)
  t.ok(store.figures().bytes > 64 * 1024 * 1024)
  store.database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  const holds = () => readFileSync(join(folder, CALLS_FILE)).includes('33199009999')
  t.ok(holds())
  t.equal(store.forget('+33199009999'), 20)
  t.notOk(holds())
  store.close()
})

t.test('a write that fails leaves nothing behind, and does not stop the next', async (t) => {
  const store = new CallStore(t.testdir({}))
  const [good, bad] = stored(2)
  t.throws(() => store.write([good!, { ...bad!, number: null as never }], null), /NOT NULL/)
  t.equal(store.get('c0'), undefined)
  t.equal(store.figures().calls, 0)
  store.write([good!], null)
  t.ok(store.get('c0'))
  store.close()
})

t.test('a file of version 1 is brought up to date', async (t) => {
  const folder = t.testdir({})
  const old = new DatabaseSync(join(folder, CALLS_FILE))
  old.exec(`${MIGRATIONS[0]}; PRAGMA user_version = 1;`)
  const { summary, detail } = storedCall(record('old'))
  old.exec(`INSERT INTO call (id, direction, number, trunk, consumer, result, code, started_at, ended_at)
    VALUES ('old', 'user-initiated', 'support', 'main', '+33199001234', 'busy', 'CALL_BUSY', ${START}, ${START})`)
  old.prepare('INSERT INTO record VALUES (1, ?, ?)').run(summary, detail)
  old.close()
  const reader = new CallStore(folder, { readOnly: true })
  t.equal(parseRecord(reader.get('old')!).id, 'old', 'a reader takes it as it is')
  reader.close()
  const store = new CallStore(folder)
  t.match(store.database.prepare('PRAGMA user_version').get(), { user_version: SCHEMA_VERSION })
  store.write([storedCall(record('new'))], 5)
  t.equal(parseRecord(store.get('old')!).id, 'old')
  t.same(
    store.due(5, 9, []).map(({ id }) => id),
    ['new'],
    'what is older is not pushed',
  )
  store.close()
})

t.test('a newer file is refused and left as it is', async (t) => {
  const folder = t.testdir({})
  const path = join(folder, CALLS_FILE)
  const newer = new DatabaseSync(path)
  newer.exec(`PRAGMA journal_mode = WAL; CREATE TABLE call (x); PRAGMA user_version = 99;`)
  newer.close()
  const before = readFileSync(path)
  t.throws(() => new CallStore(folder), {
    code: 'APP_RECORDS_NEWER',
    detail: `version 99, this Causeway knows ${SCHEMA_VERSION}`,
    place: path,
  })
  t.throws(() => new CallStore(folder, { readOnly: true }), { code: 'APP_RECORDS_NEWER' })
  t.ok(readFileSync(path).equals(before))
})

t.test('files that are none, folders that cannot be', async (t) => {
  const folder = t.testdir({ [CALLS_FILE]: 'x'.repeat(5000), file: '', empty: {} })
  t.throws(() => new CallStore(folder), { code: 'APP_RECORDS_CORRUPT' })
  t.throws(() => new CallStore(join(folder, 'file', 'x')), { code: 'APP_RECORDS_UNUSABLE' })
  t.throws(() => new CallStore(join(folder, 'empty'), { readOnly: true }), {
    code: 'APP_RECORDS_NONE',
  })
  t.throws(() => new CallStore(folder, { readOnly: true }), { code: 'APP_RECORDS_UNUSABLE' })
  t.equal(readFileSync(join(folder, CALLS_FILE), 'latin1').length, 5000, 'nothing was touched')
  writeFileSync(join(folder, `${CALLS_FILE}-wal`), '')
  const moved = setAside(folder, START)
  t.equal(moved, join(folder, `${CALLS_FILE}.damaged-2026-11-29T08-00-00Z`))
  t.ok(existsSync(`${moved}-wal`))
  writeFileSync(join(folder, CALLS_FILE), '')
  t.match(setAside(folder, START), /Z-2$/, 'an earlier one is not overwritten')
  const store = new CallStore(folder)
  store.write(stored(1), null)
  store.close()
})

t.test('damage inside of a file is seen when it is opened', async (t) => {
  const folder = t.testdir({})
  const store = new CallStore(folder)
  store.write(stored(300), null)
  store.close()
  const path = join(folder, CALLS_FILE)
  const bytes = readFileSync(path)
  bytes.fill(0xff, 4096, bytes.length - 4096)
  writeFileSync(path, bytes)
  t.throws(() => new CallStore(folder), { code: 'APP_RECORDS_CORRUPT' })
})

t.test('a full disk loses nothing that was written, and works again with room', async (t) => {
  const store = new CallStore(t.testdir({}))
  store.write(stored(10), null)
  const { page_count: pages } = store.database.prepare('PRAGMA page_count').get()!
  store.database.exec(`PRAGMA max_page_count = ${Number(pages) + 4}`)
  const more = records(500).map((call) => storedCall({ ...call, id: `m${call.id}` }))
  t.throws(() => store.write(more, null), /full/)
  t.equal(store.figures().calls, 10)
  t.equal(store.get('mc0'), undefined, 'all or nothing')
  store.database.exec('PRAGMA max_page_count = 1000000')
  store.write(more, null)
  t.equal(store.figures().calls, 510)
  t.match(store.database.prepare('PRAGMA integrity_check').get(), { integrity_check: 'ok' })
  store.close()
})

t.test('a reader beside a writer sees whole transactions, and is in nobody’s way', async (t) => {
  const folder = t.testdir({})
  const store = new CallStore(folder)
  store.write(stored(20), null)
  const reader = new CallStore(folder, { readOnly: true })
  const calls = reader.database.prepare('SELECT id FROM call').iterate()
  calls.next()
  store.write(
    records(20).map((call) => storedCall({ ...call, id: `n${call.id}` })),
    null,
  )
  t.equal([...calls].length, 19, 'as it was when the reader began')
  reader.recount()
  t.equal(reader.figures().calls, 40)
  t.throws(() => reader.write(stored(1), null), /readonly/)
  reader.close()
  store.close()
})

t.test('records that are due: once each, and again after a change', async (t) => {
  const store = new CallStore(t.testdir({}))
  const calls: CallRecord[] = records(3)
  store.write(calls.map(storedCall), 100)
  t.same(store.due(99, 9, []), [])
  const due = store.due(100, 2, [])
  t.same(
    due.map(({ id, revision }) => [id, revision]),
    [
      ['c0', 1],
      ['c1', 1],
    ],
  )
  t.same(parseRecord(due[0]!.text), JSON.parse(JSON.stringify(calls[0])))
  store.pushed(due[0]!)
  t.same(
    store.due(100, 9, [due[1]!.seq]).map(({ id }) => id),
    ['c2'],
  )
  // A change while the former revision is on its way.
  store.write([storedCall(calls[1]!)], 200)
  store.pushed(due[1]!)
  t.match(store.due(200, 9, []), [{ id: 'c2' }, { id: 'c1', revision: 2 }])
  t.equal(store.waiting(), 2)
  // Without records.push what waits goes on waiting.
  store.write([storedCall(calls[2]!)], null)
  t.equal(store.waiting(), 2)
  store.close()
})

t.test('a folder of another name serves as well', async (t) => {
  const folder = join(t.testdir({}), 'ä b')
  mkdirSync(folder)
  const store = new CallStore(folder)
  store.write(stored(1), null)
  store.close()
  t.ok(existsSync(join(folder, CALLS_FILE)))
})
