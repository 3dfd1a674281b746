import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { openRegistrations } from '../../src/app/registration-store.ts'
import { createLogger, silentLogger } from '../../src/shared/log.ts'
import { systemRandom } from '../../src/shared/random.ts'
import { registrationsOf } from '../support/registrations.ts'

const deps = { random: systemRandom, log: silentLogger() }
// Without the keys that have no value.
const contacts = JSON.parse(JSON.stringify(registrationsOf('main').contacts[0]!.contacts))

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'causeway-registrations-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

t.test('what was saved is there when it is opened again, without having been closed', async (t) => {
  const path = folder(t)
  const first = openRegistrations(path, deps)
  const installation = first.store.installation()
  first.store.save('main', contacts)
  first.store.save('gone', contacts)
  first.store.save('gone', [])
  const second = openRegistrations(path, deps)
  t.same(second.store.installation(), installation, 'the same instance and key')
  t.same([...second.store.load()], [['main', contacts]])
  first.close()
  second.close()
})

t.test('rows that do not fit are left out', async (t) => {
  const path = folder(t)
  const first = openRegistrations(path, deps)
  first.close()
  const database = new DatabaseSync(join(path, 'registrations.db'))
  const insert = database.prepare('INSERT INTO contacts VALUES (?, ?)')
  insert.run('text', 'not JSON')
  insert.run('mixed', JSON.stringify([{ uri: 1 }, null, contacts[0]]))
  database.close()
  const second = openRegistrations(path, deps)
  t.same([...second.store.load()], [['mixed', contacts]])
  second.close()
})

t.test('a file that is no database stops nothing, and is told', async (t) => {
  const path = folder(t)
  writeFileSync(join(path, 'registrations.db'), 'this is no database'.repeat(100))
  const lines: { err: { code: string } }[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const log = createLogger({ level: 'info', numbers: 'full', destination })
  const { store, close } = openRegistrations(path, { random: systemRandom, log })
  store.save('main', contacts)
  t.same([...store.load()], [])
  t.match(lines, [{ err: { code: 'SETTINGS_RECORDS_UNUSABLE' } }])
  close()
})

for (const table of ['installation', 'contacts']) {
  t.test(`a database with a damaged page (${table}) stops nothing, and is told`, async (t) => {
    const path = folder(t)
    const file = join(path, 'registrations.db')
    const first = openRegistrations(path, deps)
    first.store.installation()
    first.store.save('main', contacts)
    first.close()
    const database = new DatabaseSync(file)
    const of = (sql: string) => Object.values(database.prepare(sql).get()!)[0] as number
    const size = of('PRAGMA page_size')
    const page = of(`SELECT rootpage FROM sqlite_schema WHERE name = '${table}'`)
    database.close()
    const bytes = readFileSync(file)
    writeFileSync(file, bytes.fill(0xff, (page - 1) * size, page * size))
    const lines: { err: { code: string } }[] = []
    const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
    const log = createLogger({ level: 'info', numbers: 'full', destination })
    const { store, close } = openRegistrations(path, { random: systemRandom, log })
    t.match(store.installation(), { id: /^[0-9a-f-]{36}$/ })
    t.same([...store.load()], [])
    store.save('main', contacts)
    t.match(lines, [{ err: { code: 'SETTINGS_RECORDS_UNUSABLE' } }])
    close()
  })
}

t.test('without a folder nothing is kept', async (t) => {
  const { store, close } = openRegistrations(undefined, deps)
  store.save('main', contacts)
  t.same([...store.load()], [])
  t.match(store.installation(), { id: /^[0-9a-f-]{36}$/ })
  close()
})
