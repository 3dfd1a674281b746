import t from 'tap'
import { CallLogs, type LoggedCall } from '../../src/bridge/call-log.ts'
import { createLogger, type NumberStyle } from '../../src/shared/log.ts'

function logs(numbers: NumberStyle = 'full') {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  const log = createLogger({ level: 'info', numbers, destination })
  return { log, logs: new CallLogs(log), last: () => JSON.parse(lines.at(-1)!), lines }
}

const call = (): LoggedCall & { trunk: string } => ({
  id: 'c1',
  direction: 'user-initiated',
  number: 'support',
  trunk: 'main',
  whatsapp: {},
})

t.test('every line of a call carries its fields, as they are by then', async (t) => {
  const { logs: it, last } = logs()
  const one = call()
  it.of(one).info('begins')
  const { call: id, direction, number, trunk, wacid } = last()
  t.same(
    [id, direction, number, trunk, wacid],
    ['c1', 'user-initiated', 'support', 'main', undefined],
  )
  const first = it.of(one)
  t.equal(it.of(one), first, 'one logger for a call')
  one.trunk = 'backup'
  one.whatsapp.wacid = 'wacid.x'
  it.of(one).warn({ code: 'X' }, 'goes on')
  t.match(last(), { call: 'c1', trunk: 'backup', wacid: 'wacid.x', code: 'X' })
  it.of({ ...call(), id: 'c2' }).info('another')
  t.match(last(), { call: 'c2', trunk: 'main' })
})

t.test('a changed level counts for calls in progress', async (t) => {
  const { log, logs: it, lines } = logs()
  const one = call()
  it.of(one).debug('unheard')
  log.level = 'debug'
  it.of(one).debug('heard')
  log.level = 'silent'
  it.of(one).error('unheard again')
  t.equal(lines.length, 1)
})

t.test('masked: the WACID, which holds both numbers, is a hash', async (t) => {
  const { logs: it, lines } = logs('masked')
  it.of({ ...call(), whatsapp: { wacid: 'wacid.HBgLMzMxOTkwMDEyMzQ=' } }).info('x')
  t.match(lines[0], /"wacid":"wacid#[0-9a-f]{12}"/)
  t.notMatch(lines[0], 'HBgL')
})
