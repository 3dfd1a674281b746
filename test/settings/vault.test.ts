import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { open, seal } from '../../src/settings/seal.ts'
import { fileVault, memoryVault } from '../../src/settings/vault.ts'
import { createLogger } from '../../src/shared/log.ts'
import { systemRandom } from '../../src/shared/random.ts'
import { Secret } from '../../src/shared/secret.ts'
import { makeNumber } from './support.ts'

const KEY: Buffer = randomBytes(32)
const APP = '634974688087057'
const support = makeNumber()
const sales = makeNumber({ name: 'sales', phoneNumberId: '206540352242922' })

/** A vault, and the codes it logs. */
function vaultIn(folder: string, key: Buffer = KEY) {
  const codes: string[] = []
  const destination = {
    write: (line: string) =>
      void codes.push((JSON.parse(line) as { err: { code: string } }).err.code),
  }
  const log = createLogger({ level: 'error', numbers: 'full', destination })
  return { vault: fileVault(folder, key, { random: systemRandom, log }), codes }
}

const password = (text: string, at = 1) => ({ password: new Secret(text), at })

t.test('what is sealed opens, with its key, number and app only', async (t) => {
  const subject = { number: '106540352242922', app: APP }
  const record = seal(subject, 'hunter2', KEY, systemRandom)
  t.equal(open(record, KEY), 'hunter2')
  t.not(record.nonce, seal(subject, 'hunter2', KEY, systemRandom).nonce, 'a nonce of its own')
  const flipped = Buffer.from(record.data, 'base64')
  flipped[0]! ^= 1
  const cases: [string, typeof record, Buffer][] = [
    ['another key', record, randomBytes(32)],
    ['another number', { ...record, number: '206540352242922' }, KEY],
    ['another app', { ...record, app: '77' }, KEY],
    ['a changed octet', { ...record, data: flipped.toString('base64') }, KEY],
    ['another nonce', { ...record, nonce: randomBytes(12).toString('base64') }, KEY],
    ['a short nonce', { ...record, nonce: 'AAAA' }, KEY],
    ['no tag', { ...record, data: 'AAAA' }, KEY],
    ['a cut tag', { ...record, data: record.data.slice(0, -4) }, KEY],
  ]
  for (const [what, changed, key] of cases) t.equal(open(changed, key), undefined, what)
})

t.test('passwords come back after a restart, and are not in the file', async (t) => {
  const folder = t.testdir({})
  const first = vaultIn(folder)
  t.equal(first.vault.get(support), undefined)
  first.vault.keep(support, APP, password('hunter2', 1000))
  first.vault.keep(sales, APP, password('hunter3', 2000))
  const path = join(folder, 'credentials.json')
  t.notMatch(readFileSync(path, 'utf8'), /hunter/)
  t.equal(statSync(path).mode & 0o777, 0o600, 'for the owner only')
  const second = vaultIn(folder)
  t.equal(second.vault.get(support)!.password.reveal(), 'hunter2')
  t.equal(second.vault.get(support)!.at, 1000)
  t.equal(second.vault.get(sales)!.password.reveal(), 'hunter3')
  t.same([...first.codes, ...second.codes], [])
})

t.test('of two apps the one read last counts', async (t) => {
  const folder = t.testdir({})
  const { vault } = vaultIn(folder)
  vault.keep(support, 'old', password('hunter2', 1000))
  vault.keep(support, 'new', password('hunter3', 2000))
  t.equal(vaultIn(folder).vault.get(support)!.password.reveal(), 'hunter3')
})

t.test('an unchanged password is written again once an hour', async (t) => {
  const folder = t.testdir({})
  const path = join(folder, 'credentials.json')
  const { vault } = vaultIn(folder)
  vault.keep(support, APP, password('hunter2', 0))
  const written = readFileSync(path, 'utf8')
  vault.keep(support, APP, password('hunter2', 900_000))
  t.equal(readFileSync(path, 'utf8'), written)
  t.equal(vault.get(support)!.at, 900_000, 'its age is known all the same')
  vault.keep(support, APP, password('hunter2', 3_600_000))
  t.not(readFileSync(path, 'utf8'), written)
  t.equal(vaultIn(folder).vault.get(support)!.at, 3_600_000)
})

t.test('a wrong key and a changed file are coded, and replaced by the next password', async (t) => {
  const fill = (folder: string): string => {
    mkdirSync(folder)
    vaultIn(folder).vault.keep(support, APP, password('hunter2'))
    return join(folder, 'credentials.json')
  }
  const changes: [string, (text: string) => string, Buffer][] = [
    ['another key', (text) => text, randomBytes(32)],
    ['a changed record', (text) => text.replace(/"data": "./, '"data": "*'), KEY],
    ['a moved record', (text) => text.replace(support.phoneNumberId, sales.phoneNumberId), KEY],
    ['cut off', (text) => text.slice(0, 40), KEY],
    ['another version', (text) => text.replace('"version": 1', '"version": 2'), KEY],
    ['empty', () => '', KEY],
  ]
  const root = t.testdir({})
  for (const [index, [what, change, key]] of changes.entries()) {
    const folder = join(root, String(index))
    const path = fill(folder)
    writeFileSync(path, change(readFileSync(path, 'utf8')))
    const { vault, codes } = vaultIn(folder, key)
    t.equal(vault.get(support), undefined, what)
    t.equal(vault.get(sales), undefined, what)
    t.same(codes, ['SETTINGS_VAULT_UNREADABLE'], what)
    vault.keep(support, APP, password('hunter4', 5))
    vault.keep(sales, APP, password('hunter5', 5))
    const again = vaultIn(folder, key)
    t.equal(again.vault.get(support)!.password.reveal(), 'hunter4', what)
    t.same(again.codes, [], what)
  }
})

t.test('a folder that cannot be written is told, and memory serves', async (t) => {
  const folder = join(t.testdir({}), 'gone')
  const { vault, codes } = vaultIn(folder)
  vault.keep(support, APP, password('hunter2'))
  t.same(codes, ['SETTINGS_VAULT_UNWRITABLE'])
  t.equal(vault.get(support)!.password.reveal(), 'hunter2')
})

t.test('a file that cannot be read is told', async (t) => {
  // A folder in its place: also root cannot read that as a file.
  const folder = t.testdir({ 'credentials.json': {} })
  chmodSync(folder, 0o700)
  const { vault, codes } = vaultIn(folder)
  t.equal(vault.get(support), undefined)
  t.same(codes, ['SETTINGS_VAULT_UNREADABLE'])
})

t.test('in memory a password lasts as long as the process', async (t) => {
  const vault = memoryVault()
  t.equal(vault.get(support), undefined)
  vault.keep(support, APP, password('hunter2', 7))
  t.match(vault.get(support), { at: 7 })
  t.equal(vault.get(sales), undefined)
})
