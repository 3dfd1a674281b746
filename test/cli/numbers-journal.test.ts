import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { createJournal, type JournalEntry, openSettingsDatabase } from '../../src/settings/index.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { createGraphSimulator } from '../../src/simulator/graph/index.ts'
import { causeway } from '../support/cli.ts'
import { edit } from '../support/config-file.ts'
import { FakeRandom } from '../support/fake-random.ts'

const APP = '634974688087057'

/** An untouched number at 360dialog, which takes the fields in three requests, and its journal. */
async function lab(t: Test) {
  const numbers = [
    {
      phoneNumberId: '106540352242922',
      phoneNumber: '+441632960123',
      accessToken: 'token-of-support',
      appId: APP,
    },
  ]
  const random = new FakeRandom(9)
  const graph = createGraphSimulator({ numbers, dialect: '360dialog', clock: systemClock, random })
  await graph.start()
  t.teardown(() => graph.stop())
  const number = graph.store.lookupNumberByPhone('441632960123')!
  const whatsapp = `whatsapp: { provider: 360dialog, graph_url: "${graph.url}" }\nrecords: { path: data }\n`
  const file = edit(
    ['numbers:', `${whatsapp}numbers:`],
    ['    calling:\n', '    calling:\n      callback_permission_status: ENABLED\n'],
  )
  const cwd = t.testdir({ 'causeway.yaml': file })
  const folder = join(cwd, 'data')
  return {
    graph,
    number,
    cwd,
    folder,
    run: (verb: string) => causeway(['numbers', verb], { cwd }),
    /** What the journal tells, oldest first. */
    entries(): JournalEntry[] {
      const database = openSettingsDatabase(folder)
      const journal = createJournal(database, { clock: systemClock, log: silentLogger() })
      const entries = journal.entries('support').reverse()
      database.close()
      return entries
    },
  }
}

const told = (entries: readonly JournalEntry[]): string[] =>
  entries.map(({ action, error }) => (error ? `${action} ${error.code}` : action))

t.test('an apply is in the journal step by step, without a password', async (t) => {
  const { run, entries, folder, graph, number } = await lab(t)
  t.equal((await run('plan')).code, 2)
  t.notOk(existsSync(folder), 'to look leaves nothing behind')
  t.equal((await run('apply')).code, 0)
  const applied = entries()
  const request = ['plan', 'write', 'read']
  t.same(told(applied), ['read', ...request, ...request, ...request, 'result'])
  t.ok(applied.every(({ who }) => who === 'cli numbers apply'))
  t.match(applied[4], { before: { status: 'DISABLED' }, after: { status: 'ENABLED' } })
  t.match(applied.at(-1), { after: { drift: [] }, error: null })

  t.equal((await run('plan')).code, 0)
  t.equal((await run('show')).code, 0)
  const looked = entries().slice(applied.length)
  t.same(told(looked), ['read', 'result', 'read', 'result'], 'noted where there is a journal')
  const password = graph.store.passwordOf(number, APP)
  t.ok(password)
  for (const name of ['settings.db', 'settings.db-wal']) {
    const path = join(folder, name)
    if (existsSync(path)) t.notOk(readFileSync(path).includes(password), name)
  }
})

t.test('a refused request is told with its code, and what came after', async (t) => {
  const { run, entries, graph, number } = await lab(t)
  graph.faults.inject({ method: 'POST', code: 138015, count: 1 })
  t.equal((await run('apply')).code, 1)
  const [failed] = entries().filter(({ error }) => error)
  t.match(failed, { action: 'write', error: { code: /^SETTINGS_/ } })
  t.match(told(entries()).at(-1), /^result SETTINGS_/)
  t.equal((await run('apply')).code, 0)
  t.match(number.calling, { status: 'ENABLED', sipStatus: 'ENABLED' })
  t.equal(told(entries()).at(-1), 'result')
})

t.test('killed in the midst of its requests, it goes on from what is there', async (t) => {
  const { run, entries, graph, number, cwd } = await lab(t)
  // The second write is held up for longer than the process will live.
  graph.faults.inject({ method: 'POST', delay: 1 })
  graph.faults.inject({ method: 'POST', delay: 600_000 })
  const child = spawn(process.execPath, [resolve('src/cli/causeway.js'), 'numbers', 'apply'], {
    cwd,
    stdio: 'ignore',
  })
  const ended = once(child, 'exit')
  const planned = () =>
    existsSync(join(cwd, 'data', 'settings.db'))
      ? told(entries()).filter((it) => it === 'plan')
      : []
  while (planned().length < 2) await new Promise((done) => setTimeout(done, 20))
  child.kill('SIGKILL')
  await ended
  // It may have died before the request that was to be held up.
  graph.faults.clear()
  t.same(told(entries()), ['read', 'plan', 'write', 'read', 'plan'], 'the plan was not carried out')
  t.match(number.calling, { status: 'DISABLED', sipStatus: 'ENABLED' })
  const before = entries().length
  t.equal((await run('apply')).code, 0)
  const request = ['plan', 'write', 'read']
  t.same(told(entries().slice(before)), ['read', ...request, ...request, 'result'])
  t.match(number.calling, { status: 'ENABLED', sipStatus: 'ENABLED' })
  t.equal((await run('plan')).code, 0, 'and the plan is empty')
})

t.test('a process waits for the pause before a repeated request', async (t) => {
  const { graph, cwd } = await lab(t)
  graph.faults.inject({ method: 'GET', code: 4 })
  const child = spawn(process.execPath, [resolve('src/cli/causeway.js'), 'numbers', 'plan'], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const [code] = (await once(child, 'close')) as [number]
  t.equal(code, 2, 'drift, and no end in between')
  t.match(said, /asking again in \d/)
})
