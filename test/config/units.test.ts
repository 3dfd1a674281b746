import t from 'tap'
import { Rejection } from '../../src/config/rejection.ts'
import { formatDuration, parseDuration, parsePortRange, parseSize } from '../../src/config/units.ts'

t.test('durations are milliseconds', async (t) => {
  const cases: [string, number][] = [
    ['0', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['0s', 0],
  ]
  for (const [text, ms] of cases) t.equal(parseDuration(text), ms, text)
  for (const text of ['', '30', '-1s', '1.5s', '1 s', '1d', 's', '1S']) {
    t.ok(parseDuration(text) instanceof Rejection, text)
  }
  t.match(parseDuration('30'), { meant: '30s' })
})

t.test('a duration is written in its largest whole unit', async (t) => {
  for (const text of ['0', '1ms', '1500ms', '45s', '90s', '5m', '2h']) {
    t.equal(formatDuration(parseDuration(text) as number), text)
  }
})

t.test('sizes are bytes', async (t) => {
  t.equal(parseSize('512B'), 512)
  t.equal(parseSize('64KiB'), 65_536)
  t.equal(parseSize('2MiB'), 2 * 1024 ** 2)
  t.equal(parseSize('1GiB'), 1024 ** 3)
  for (const text of ['64', '64KB', '64kib', '']) t.ok(parseSize(text) instanceof Rejection, text)
})

t.test('port ranges start even and hold at least a pair', async (t) => {
  t.same(parsePortRange('20000-29999'), { min: 20_000, max: 29_999 })
  t.same(parsePortRange('20000 - 20001'), { min: 20_000, max: 20_001 })
  for (const text of ['', '20000', '0-10', '20000-65536', '20001-20010', '300-200', '200-200']) {
    t.ok(parsePortRange(text) instanceof Rejection, text)
  }
})
