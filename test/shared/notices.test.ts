import t from 'tap'
import { createLogger } from '../../src/shared/log.ts'
import { Notices } from '../../src/shared/notices.ts'
import { FakeClock } from '../support/fake-clock.ts'

function lab() {
  const lines: Record<string, unknown>[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const log = createLogger({ level: 'info', numbers: 'full', destination })
  const clock = new FakeClock()
  return { lines, clock, notices: new Notices(log, clock) }
}

t.test('a kind is written once a minute, with how many came in between', async (t) => {
  const { lines, clock, notices } = lab()
  const tell = (n: number): void => notices.tell('a', 'warn', { n }, 'trouble')
  tell(1)
  tell(2)
  clock.advance(59_999)
  tell(3)
  clock.advance(1)
  tell(4)
  clock.advance(60_000)
  tell(5)
  t.match(lines, [
    { level: 40, n: 1, msg: 'trouble' },
    { n: 4, suppressed: 2 },
    { n: 5, suppressed: undefined },
  ])
  t.equal(lines.length, 3)
})

t.test('kinds do not hide each other', async (t) => {
  const { lines, notices } = lab()
  notices.tell('a', 'warn', {}, 'one')
  notices.tell('b', 'info', {}, 'two')
  t.match(lines, [
    { level: 40, msg: 'one' },
    { level: 30, msg: 'two' },
  ])
})
