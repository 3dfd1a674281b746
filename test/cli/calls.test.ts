import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { csvHeader } from '../../src/records/index.ts'
import { CallStore } from '../../src/records/store.ts'
import { storedCall } from '../../src/records/stored.ts'
import { storedFixture } from '../http/stored-calls.ts'
import { record, records, START, stored } from '../records/support.ts'
import { causeway } from '../support/cli.ts'
import { edit } from '../support/config-file.ts'

/** A folder with a configuration and a history of its own. */
function folderWith(t: { testdir(files: Record<string, string>): string }, calls = stored(3)) {
  const folder = t.testdir({
    'causeway.yaml': edit(['numbers:', 'records: { path: data }\nnumbers:']),
  })
  const store = new CallStore(join(folder, 'data'))
  store.write(calls, null)
  store.close()
  const run = (...args: string[]) => causeway(args, { cwd: folder })
  return { folder, run }
}

t.test('offline: list, show and export out of the file', async (t) => {
  const call = record('aaaa', { at: START + 1e7, talk: 5000, whatsapp: { wacid: 'wacid.A' } })
  const { folder, run } = folderWith(t, [...stored(30), storedCall(call)])
  const list = await run('calls', 'list', '--offline', '--limit', '3')
  t.equal(list.code, 0)
  t.match(list.stdout, /^ID +STARTED .*\naaaa .*completed\nc29 /)
  t.match(list.stdout, '28 more; see --limit and --offset')
  const page = await run('calls', 'list', '--offline', '--limit', '3', '--offset', '10', '--json')
  t.match(JSON.parse(page.stdout), { total: 31, total_exact: true, calls: [{ id: 'c20' }] })
  t.match((await run('calls', 'list', '--offline', '--offset', '30')).stdout, /\nc0 .*\n$/)
  t.match((await run('calls', 'list', '--offline', '--state', 'active')).stdout, 'no calls\n')
  for (const id of ['aaaa', 'wacid.A']) {
    t.match(await run('calls', 'show', id, '--offline'), { code: 0, stdout: /^Call aaaa {2}/ })
  }
  const unknown = await run('calls', 'show', 'nobody', '--offline')
  t.match(unknown, { code: 1, stderr: /error\[APP_CALL_UNKNOWN\]/ })
  const csv = await run('calls', 'export', '--offline', '--since', '2026-11-29T08:28')
  t.equal(csv.stdout.split('\r\n').length, 5)
  t.ok(csv.stdout.startsWith(csvHeader()))
  const out = await run('calls', 'export', '--offline', '-o', 'calls.jsonl')
  t.same(out, { code: 0, stdout: '', stderr: '' })
  t.equal(readFileSync(join(folder, 'calls.jsonl'), 'utf8').trimEnd().split('\n').length, 31)
  t.notOk(existsSync(join(folder, 'calls.jsonl.part')))
})

t.test('offline: what is not there', async (t) => {
  const folder = t.testdir({
    'causeway.yaml': edit(['numbers:', 'records: { path: data }\nnumbers:']),
  })
  const run = (...args: string[]) => causeway(args, { cwd: folder })
  const none = await run('calls', 'list', '--offline')
  t.equal(none.code, 1)
  t.match(none.stderr, 'error[APP_RECORDS_NONE]')
  t.notOk(existsSync(join(folder, 'data')), 'nothing is made')
  const both = await run('calls', 'list', '--offline', '--url', 'http://127.0.0.1:1')
  t.match(both, { code: 64, stderr: /--offline reads a file, --url an instance/ })
  mkdirSync(join(folder, 'data'))
  const file = await run('calls', 'export', '--offline', '-o', 'no/such/folder/x.csv')
  t.equal(file.code, 1)
})

t.test('wrong filters are usage errors that name what was meant', async (t) => {
  const { run } = folderWith(t)
  for (const [option, value, said] of [
    ['--since', 'yesterday', '--since yesterday: expected 2h, 7d, 2026-11-29 or 2026-11-29T08:30'],
    ['--until', '1', '--until 1: expected'],
    [
      '--result',
      'failled',
      '--result failled: expected completed, .* or failed; did you mean failed\\?',
    ],
    ['--code', 'CALL_BUSSY', '--code CALL_BUSSY: no such code; did you mean CALL_BUSY\\?'],
    ['--direction', 'in', '--direction in: expected user-initiated or business-initiated'],
    ['--sinse', '2h', 'unknown option --sinse; did you mean --since\\?'],
  ] as const) {
    for (const verb of ['list', 'export']) {
      const { code, stderr } = await run('calls', verb, '--offline', option, value)
      t.equal(code, 64, `${verb} ${option} ${value}`)
      t.match(stderr, new RegExp(said))
    }
  }
  t.match(await run('calls', 'export', '--offline', '--format', 'xml'), { code: 64 })
  t.match(await run('calls', 'export', '--offline', '-o', 'none/x.csv'), {
    code: 64,
    stderr: /--output none\/x\.csv: ENOENT/,
  })
  t.match(await run('calls', 'forget'), { code: 64 })
})

t.test('of a running instance: filters, export, forget', async (t) => {
  const { app, history } = storedFixture(t.testdir({}))
  for (const call of records(500)) history.add(call)
  history.add(record('other', { consumer: 'FR.1349', code: 'CALL_NO_ANSWER' }))
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const run = (...args: string[]) => causeway([...args, '--url', url])
  const list = async (...filters: string[]): Promise<number> =>
    JSON.parse((await run('calls', 'list', '--json', ...filters)).stdout).total
  t.equal(await list(), 501)
  t.equal(await list('--consumer', '33199001234'), 500)
  t.equal(await list('--code', 'CALL_NO_ANSWER'), 1)
  t.equal(await list('--result', 'completed', '--until', '2026-11-29T09:00'), 60)
  t.match((await run('calls', 'show', 'c17')).stdout, /^Call c17 /)
  const { stdout } = await run('calls', 'export')
  t.equal(stdout.split('\r\n').length, 503)
  const jsonl = await run('calls', 'export', '--format', 'jsonl', '--consumer', 'FR.1349')
  t.match(JSON.parse(jsonl.stdout), { id: 'other', ladder: [{ what: 'INVITE' }] })
  t.match(await run('calls', 'forget', '+33199001234'), {
    code: 0,
    stdout: '500 calls of +33199001234 removed\n',
  })
  t.match(JSON.parse((await run('calls', 'forget', 'FR.1349', '--json')).stdout), { forgotten: 1 })
  t.equal(await list(), 0)
  await history.close()
  t.match(await run('calls', 'export'), { code: 1, stderr: /error\[APP_RECORDS_BUSY\]/ })
})
