import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openRecords, openRecordsOrMemory } from '../../src/app/records.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { systemRandom as random } from '../../src/shared/random.ts'
import { Secret } from '../../src/shared/secret.ts'
import { numberConfig } from '../support/configs.ts'
import { FakeClock } from '../support/fake-clock.ts'

const deps = { clock: new FakeClock(), random, log: silentLogger() }
const kept = { password: new Secret('hunter2'), at: 1 }

t.test('with a key passwords are in a file, without one they are not', async (t) => {
  const folder = t.testdir({})
  for (const [name, secret] of [
    ['with', new Secret('ab'.repeat(32))],
    ['without', undefined],
  ] as const) {
    const path = join(folder, name, 'deep')
    const open = () => openRecords({ path, secret }, deps)
    const first = open()
    first.vault.keep(numberConfig(), 'app', kept)
    first.journal.record({ number: 'support', who: 'start', action: 'read' })
    first.rotations.save({ number: 'support', phoneNumberId: '1', step: 'add', startedAt: 0 })
    first.close()
    const second = open()
    t.equal(second.vault.get(numberConfig())?.password.reveal(), secret && 'hunter2', name)
    t.equal(second.journal.entries('support').length, 1)
    t.match(second.rotations.load('support'), { step: 'add' })
    second.rotations.remove('support')
    t.same(second.rotations.all(), [])
    second.close()
    t.equal(existsSync(join(path, 'credentials.json')), secret !== undefined, name)
  }
})

t.test('a folder that cannot be used is told, and memory serves', async (t) => {
  const path = join(t.testdir({ file: '' }), 'file', 'data')
  const config = { path, secret: new Secret('ab'.repeat(32)) }
  t.throws(() => openRecords(config, deps), { code: 'SETTINGS_RECORDS_UNUSABLE' })
  const records = openRecordsOrMemory(config, deps)
  t.equal(records.error!.code, 'SETTINGS_RECORDS_UNUSABLE')
  records.journal.record({ number: 'support', who: 'start', action: 'read' })
  t.equal(records.journal.entries('support').length, 1)
  records.vault.keep(numberConfig(), 'app', kept)
  t.ok(records.vault.get(numberConfig()))
  records.close()
})
