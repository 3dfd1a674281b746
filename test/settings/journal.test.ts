import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { openSettingsDatabase } from '../../src/settings/database.ts'
import { createJournal, SECRET_MARK } from '../../src/settings/journal.ts'
import { CausewayError } from '../../src/shared/errors/index.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { Secret } from '../../src/shared/secret.ts'
import { FakeClock } from '../support/fake-clock.ts'

const log = silentLogger()

function inMemory(kept?: number) {
  const clock = new FakeClock()
  const database = openSettingsDatabase(undefined)
  const journal = createJournal(database, { clock, log, ...(kept === undefined ? {} : { kept }) })
  return { clock, database, journal }
}

t.test('an entry holds who, when, what, before and after', async (t) => {
  const { journal, clock } = inMemory()
  const at = clock.now()
  journal.record({ number: 'support', who: 'start', action: 'read', after: { status: 'DISABLED' } })
  clock.advance(5)
  journal.record({
    number: 'support',
    who: 'cli numbers rotate',
    action: 'write',
    before: { status: 'DISABLED' },
    after: { status: 'ENABLED' },
    error: new CausewayError('SETTINGS_TIMEOUT', { detail: 'no answer' }),
  })
  journal.record({ number: 'sales', who: 'webhook', action: 'read' })
  t.same(journal.entries('support'), [
    {
      id: 2,
      at: at + 5,
      number: 'support',
      who: 'cli numbers rotate',
      action: 'write',
      before: { status: 'DISABLED' },
      after: { status: 'ENABLED' },
      error: { code: 'SETTINGS_TIMEOUT', detail: 'no answer' },
    },
    {
      id: 1,
      at,
      number: 'support',
      who: 'start',
      action: 'read',
      before: null,
      after: { status: 'DISABLED' },
      error: null,
    },
  ])
  t.equal(journal.entries('support', 1).length, 1)
  t.same(journal.entries('nobody'), [])
})

const secrets: [string, unknown][] = [
  ['a wrapped password', { sip: { servers: [{ sip_user_password: new Secret('hunter2') }] } }],
  ['a bare password', { sip: { servers: [{ sip_user_password: 'hunter2' }] } }],
  ["the mirror's spelling", { password: 'hunter2' }],
  ['any other depth and name', [{ deep: { apiToken: 'hunter2', secret: 'hunter2' } }]],
  ['a number', { Password: 42424242 }],
]
for (const [what, value] of secrets) {
  t.test(`no secret is kept: ${what}`, async (t) => {
    const { journal } = inMemory()
    const note = { number: 'a', who: 'start', action: 'plan', before: value, after: value } as const
    journal.record(note)
    const [entry] = journal.entries('a')
    const text = JSON.stringify(entry)
    t.notMatch(text, /hunter2|42424242/)
    t.equal(text.split(SECRET_MARK).length - 1, what.startsWith('any') ? 4 : 2, 'a fixed mark')
  })
}

t.test('an error tells no credentials', async (t) => {
  const { journal } = inMemory()
  const detail = 'Authorization: Bearer EAAG123'
  const error = new CausewayError('SETTINGS_GRAPH_UNKNOWN', { detail })
  journal.record({ number: 'a', who: 'start', action: 'read', error })
  journal.record({
    number: 'a',
    who: 'start',
    action: 'read',
    error: new Error('access_token=EAAG123'),
  })
  t.notMatch(JSON.stringify(journal.entries('a')), /EAAG123/)
})

t.test('the same read again is told in a word', async (t) => {
  const { journal } = inMemory()
  const read = (status: string) =>
    journal.record({ number: 'a', who: 'drift check', action: 'read', after: { status } })
  for (const status of ['ENABLED', 'ENABLED', 'DISABLED', 'DISABLED']) read(status)
  t.same(
    journal.entries('a').map(({ after }) => after),
    [{ unchanged: true }, { status: 'DISABLED' }, { unchanged: true }, { status: 'ENABLED' }],
  )
})

t.test('however long nothing changes, what stands there is told again', async (t) => {
  const { journal } = inMemory(200)
  for (let i = 0; i < 2000; i++) {
    journal.record({
      number: 'a',
      who: 'drift check',
      action: 'read',
      after: { status: 'ENABLED' },
    })
  }
  const told = journal.entries('a', 1000).filter(({ after }) => 'status' in (after as object))
  t.ok(told.length >= 2, `${told.length} of them`)
})

t.test('it stays bounded, and looking pushes no change out', async (t) => {
  const { journal } = inMemory(10)
  journal.record({ number: 'a', who: 'start', action: 'write', after: { status: 'ENABLED' } })
  for (let i = 0; i < 1000; i++) {
    journal.record({ number: 'a', who: 'drift check', action: 'read', after: { i } })
  }
  const entries = journal.entries('a', 1000)
  t.ok(entries.length <= 10 + 64 + 1, `${entries.length} entries`)
  t.equal(entries.at(-1)!.action, 'write')
  t.same(entries[0]!.after, { i: 999 }, 'the newest is there')
})

t.test('a database that fails stops nothing', async (t) => {
  const { journal, database } = inMemory()
  database.close()
  t.doesNotThrow(() => journal.record({ number: 'a', who: 'start', action: 'read' }))
  t.same(journal.entries('a'), [])
})

t.test('a folder or file that cannot be used is a coded error', async (t) => {
  const folder = t.testdir({ file: 'x', bad: { 'settings.db': 'this is no database, not at all' } })
  for (const path of [join(folder, 'file'), join(folder, 'bad')]) {
    t.throws(() => openSettingsDatabase(path), { code: 'SETTINGS_RECORDS_UNUSABLE', place: path })
  }
})

t.test('entries survive kill -9', async (t) => {
  const folder = t.testdir({})
  const script = join(folder, 'writer.mjs')
  writeFileSync(
    script,
    `import { openSettingsDatabase } from '${resolve('src/settings/database.ts')}'
import { createJournal } from '${resolve('src/settings/journal.ts')}'
import { silentLogger } from '${resolve('src/shared/log.ts')}'
const clock = { now: () => Date.now() }
const journal = createJournal(openSettingsDatabase('${folder}'), { clock, log: silentLogger() })
for (let i = 0; ; i++) {
  journal.record({ number: 'a', who: 'start', action: 'write', after: { i } })
  process.stdout.write(i + '\\n')
}
`,
  )
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  let told = ''
  const ended = new Promise((done) => child.once('close', done))
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    told += text
    if (told.length > 200) child.kill('SIGKILL')
  })
  await ended
  const last = Number(told.trim().split('\n').at(-1))
  t.ok(last > 10)
  const database = openSettingsDatabase(folder)
  t.teardown(() => database.close())
  const journal = createJournal(database, { clock: new FakeClock(), log })
  const kept = journal.entries('a', 1_000_000).map(({ after }) => (after as { i: number }).i)
  t.ok(kept[0]! >= last, 'what was told as written is there')
  t.equal(kept.length, new Set(kept).size)
  t.ok(readFileSync(join(folder, 'settings.db')).length > 0)
})
