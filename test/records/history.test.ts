import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { CALLS_FILE } from '../../src/records/database.ts'
import { CallHistory, WAITING_LIMIT } from '../../src/records/history.ts'
import { CallStore } from '../../src/records/store.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { NearThread, record, records, START, settled } from './support.ts'

const KEPT = { keep: 0, maxSize: 0, maxCalls: 0, push: undefined }

function historyIn(folder: string, options: { pushDelay?: number; keep?: number } = {}) {
  const clock = new FakeClock(START)
  const thread = new NearThread(clock)
  const { keep = 0, pushDelay } = options
  const history = new CallHistory({
    folder,
    config: { ...KEPT, keep },
    clock,
    log: silentLogger(),
    start: thread.start,
    pushDelay,
    busy: 0,
  })
  return { history, clock, thread }
}

const idsIn = (folder: string): string[] => {
  const store = new CallStore(folder, { readOnly: true })
  const rows = store.database.prepare('SELECT id FROM call ORDER BY seq').all()
  store.close()
  return rows.map(({ id }) => String(id))
}

t.test('calls that end in one turn are written in one go, in the next', async (t) => {
  const folder = t.testdir({})
  const { history, thread } = historyIn(folder)
  await settled()
  for (const call of records(30)) history.add(call)
  history.add({ ...record('c3'), ladderDropped: 9 })
  t.equal(history.status().waiting, 30)
  await settled(3)
  t.equal(history.status().waiting, 0)
  t.equal(thread.writes, 1)
  t.equal(idsIn(folder).length, 30)
  t.equal((await history.get('c3'))?.ladderDropped, 9, 'the newest record of a call counts')
  t.match(history.status(), { calls: 30, bytes: Number, lost: 0, error: undefined })
  await history.close()
  history.add(record('late'))
  t.equal(history.status().waiting, 0, 'nothing after the end')
})

t.test('questions see what has ended before them', async (t) => {
  const { history } = historyIn(t.testdir({}))
  for (const call of records(3)) history.add(call)
  t.equal(await history.count({}), 3)
  history.add(record('d', { at: START + 9e6 }))
  const page = await history.page({}, { limit: 2 })
  t.same(
    page.calls.map(({ id }) => id),
    ['d', 'c2'],
  )
  t.notOk('ladder' in page.calls[0]!)
  history.add(record('e', { consumer: '+44' }))
  t.equal((await history.get('e'))?.consumer, '+44')
  t.equal(await history.get('nobody'), undefined)
  history.add(record('f', { whatsapp: { wacid: 'wacid.F' } }))
  t.match(await history.tell('wacid.F', { status: 'FAILED' }), { id: 'f' })
  t.equal(await history.tell('wacid.none', {}), undefined)
  t.equal(await history.forget('+44'), 1)
  t.equal(await history.count({}), 5)
  await history.close()
})

t.test('close writes what waits', async (t) => {
  const folder = t.testdir({})
  const { history } = historyIn(folder)
  for (const call of records(1200)) history.add(call)
  await history.close()
  t.equal(idsIn(folder).length, 1200)
  t.equal(history.status().lost, 0)
})

t.test('a folder that cannot be used: calls wait, and are written when it can', async (t) => {
  const top = t.testdir({ data: '' })
  const folder = join(top, 'data')
  const { history, clock } = historyIn(folder)
  for (const call of records(3)) history.add(call)
  await settled()
  const { error, waiting, lost } = history.status()
  t.match(error, { code: 'APP_RECORDS_UNUSABLE' })
  t.equal(waiting, 3)
  t.equal(lost, 0)
  await t.rejects(history.page({}, { limit: 9 }), { code: 'APP_RECORDS_UNUSABLE' })
  t.equal((await history.get('c1'))?.id, 'c1', 'from memory')
  rmSync(folder)
  await t.rejects(history.page({}, { limit: 9 }), { code: 'APP_RECORDS_UNUSABLE' }, 'not at once')
  clock.advance(1000)
  await settled()
  clock.advance(2000)
  await settled()
  t.match(history.status(), { error: undefined, waiting: 0, calls: 3 })
  t.equal(idsIn(folder).length, 3)
  await history.close()
})

t.test('memory is bounded, and what is lost is counted', async (t) => {
  const top = t.testdir({ data: '' })
  const { history, thread } = historyIn(join(top, 'data'))
  const call = record('x')
  for (let n = 0; n < WAITING_LIMIT + 40; n++) history.add({ ...call, id: `x${n}` })
  await settled()
  t.equal(history.status().waiting, WAITING_LIMIT)
  t.equal(history.status().lost, 40)
  t.equal(await history.get('x39').catch(() => undefined), undefined, 'the oldest')
  t.equal((await history.get('x40'))?.id, 'x40')
  const largest = Math.max(
    ...thread.requests.map(({ body }) => (Array.isArray(body) ? body.length : 0)),
  )
  t.ok(largest <= 500, 'never all at once')
  await history.close()
  t.equal(history.status().lost, WAITING_LIMIT + 40, 'those that waited are lost too')
})

t.test('a newer file is left alone, without trying again and again', async (t) => {
  const folder = t.testdir({})
  const newer = new DatabaseSync(join(folder, CALLS_FILE))
  newer.exec('CREATE TABLE call (x); PRAGMA user_version = 99;')
  newer.close()
  const { history, thread, clock } = historyIn(folder)
  await settled()
  const asked = thread.requests.length
  for (const call of records(5)) history.add(call)
  await settled()
  clock.advance(120_000)
  await settled()
  t.equal(thread.requests.length, asked)
  t.match(history.status(), { error: { code: 'APP_RECORDS_NEWER' }, waiting: 5 })
  await history.close()
})

t.test('a damaged file is set aside and a new one begun', async (t) => {
  const folder = t.testdir({ [CALLS_FILE]: 'no database at all'.repeat(300) })
  const { history, clock } = historyIn(folder)
  history.add(record('a'))
  await settled()
  clock.advance(2000)
  await settled()
  t.match(history.status(), { calls: 1, error: undefined, waiting: 0 })
  const { aside } = history.status()
  t.equal(aside?.code, 'APP_RECORDS_CORRUPT')
  t.match(aside?.place, /calls\.db\.damaged-2026-11-29T08-00-00Z$/)
  t.ok(existsSync(aside!.place!))
  await history.close()
})

t.test('a file that is taken away under way', async (t) => {
  const folder = t.testdir({})
  const { history, clock } = historyIn(folder)
  for (const call of records(300)) history.add(call)
  t.equal(await history.count({}), 300)
  for (const name of readdirSync(folder)) rmSync(join(folder, name))
  clock.advance(60_000)
  await settled()
  t.equal(await history.count({}), 0, 'a new one')
  history.add(record('new'))
  t.equal(await history.count({}), 1)
  t.same(idsIn(folder), ['new'])
  await history.close()
})

t.test('a locked file: nothing waits for the lock but the history', async (t) => {
  const folder = t.testdir({})
  mkdirSync(folder, { recursive: true })
  new CallStore(folder).close()
  const other = new DatabaseSync(join(folder, CALLS_FILE))
  const { history, clock, thread } = historyIn(folder)
  await settled()
  other.exec('BEGIN IMMEDIATE')
  history.add(record('a'))
  await settled(5)
  t.match(history.status(), { error: { code: 'APP_RECORDS_LOCKED' }, waiting: 1 })
  other.exec('ROLLBACK')
  other.close()
  clock.advance(2000)
  await settled()
  t.match(history.status(), { error: undefined, waiting: 0, calls: 1 })
  t.ok(thread.writes >= 2)
  await history.close()
})

t.test(
  'tries to write come at growing intervals, and what is newer is not overwritten',
  async (t) => {
    const folder = t.testdir({})
    new CallStore(folder).close()
    const { history, clock, thread } = historyIn(folder)
    await settled()
    const other = new DatabaseSync(join(folder, CALLS_FILE))
    other.exec('BEGIN IMMEDIATE')
    history.add(record('a'))
    await settled(5)
    const writes: number[] = []
    for (let second = 0; second < 8; second++) {
      const before = thread.writes
      clock.advance(1000)
      // While the older one is on its way.
      if (second === 0) history.add({ ...record('a'), ladderDropped: 9 })
      await settled(5)
      writes.push(thread.writes - before)
    }
    t.same(writes, [1, 0, 1, 0, 0, 0, 1, 0])
    other.exec('ROLLBACK')
    other.close()
    clock.advance(30_000)
    await settled()
    t.match(history.status(), { error: undefined, waiting: 0, calls: 1 })
    t.equal((await history.get('a'))?.ladderDropped, 9)
    await history.close()
  },
)

t.test('a thread that dies is begun anew, and what it had not confirmed is written', async (t) => {
  const folder = t.testdir({})
  const { history, clock, thread } = historyIn(folder)
  await settled()
  thread.mute = true
  for (const call of records(3)) history.add(call)
  await settled()
  t.equal(history.status().waiting, 3)
  await thread.kill()
  thread.mute = false
  await settled()
  await t.rejects(history.count({}), { code: 'APP_RECORDS_BUSY' })
  clock.advance(5000)
  await settled()
  t.equal(thread.starts, 2)
  t.match(history.status(), { error: undefined, waiting: 0, calls: 3 })
  await history.close()
})

t.test('what is too old goes, once a minute', async (t) => {
  const folder = t.testdir({})
  const { history, clock } = historyIn(folder, { keep: 3_600_000 })
  for (const call of records(10)) history.add(call)
  await settled()
  clock.advance(3_600_000 + 5 * 60_000)
  await settled(40)
  t.equal(await history.count({}), 5)
  await history.close()
})

t.test('calls that cannot be written are on the first page all the same', async (t) => {
  const folder = t.testdir({})
  const { history, clock } = historyIn(folder)
  for (const call of records(3)) history.add(call)
  await settled()
  const other = new DatabaseSync(join(folder, CALLS_FILE))
  other.exec('BEGIN IMMEDIATE')
  for (const id of ['x', 'y']) history.add(record(id, { at: START + 1e7 }))
  const shown = async (options: { skip?: number; limit: number }): Promise<string> => {
    const { calls } = await history.page({}, options)
    return calls.map(({ id }) => id).join()
  }
  t.equal(await shown({ limit: 4 }), 'y,x,c2,c1')
  t.equal(await shown({ limit: 1 }), 'y')
  t.equal(await shown({ skip: 1, limit: 2 }), 'x,c2')
  t.equal(await shown({ skip: 3, limit: 9 }), 'c1,c0')
  t.equal(await history.count({}), 5)
  other.exec('ROLLBACK')
  other.close()
  clock.advance(2000)
  await settled()
  t.equal(await shown({ limit: 4 }), 'y,x,c2,c1')
  await history.close()
})

t.test('the real thread', async (t) => {
  const folder = t.testdir({})
  const { systemClock } = await import('../../src/shared/clock.ts')
  const log = silentLogger()
  const open = () => new CallHistory({ folder, config: KEPT, clock: systemClock, log })
  const history = open()
  for (const call of records(700)) history.add(call)
  t.equal(await history.count({}), 700)
  const page = await history.page({ consumer: '+33199001234' }, { skip: 100, limit: 2 })
  t.same(
    page.calls.map(({ id }) => id),
    ['c599', 'c598'],
  )
  const { text, calls } = await history.export({
    filter: {},
    format: 'csv',
    before: undefined,
    limit: 3,
  })
  t.equal(calls, 3)
  t.equal(text.split('\r\n').length, 4)
  await history.close()
  const again = open()
  t.equal((await again.get('c699'))?.ladder.length, 1)
  await again.close()
  writeFileSync(join(folder, 'done'), '')
  t.ok(existsSync(join(folder, CALLS_FILE)))
})
