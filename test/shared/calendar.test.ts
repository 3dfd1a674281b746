import t from 'tap'
import { dateIn, isDate, isTimeOfDay, timeZoneNamed } from '../../src/shared/calendar.ts'

t.test('time zones of the IANA database', async (t) => {
  const rows: [string, string | undefined][] = [
    ['Europe/Paris', 'Europe/Paris'],
    ['europe/paris', 'Europe/Paris'],
    ['Asia/Calcutta', 'Asia/Calcutta'],
    ['UTC', 'UTC'],
    ['+01:00', undefined],
    ['Mars/Olympus', undefined],
    ['CEST', undefined],
    ['', undefined],
  ]
  for (const [name, expected] of rows) t.equal(timeZoneNamed(name), expected, name)
})

t.test('the date depends on the time zone', async (t) => {
  const now = Date.UTC(2026, 11, 31, 23, 30)
  const rows: [string | undefined, string][] = [
    ['UTC', '2026-12-31'],
    ['Europe/Paris', '2027-01-01'],
    ['Pacific/Honolulu', '2026-12-31'],
    [undefined, '2026-12-31'],
    ['Mars/Olympus', '2026-12-31'],
  ]
  for (const [zone, expected] of rows) t.equal(dateIn(zone, now), expected, String(zone))
  t.equal(dateIn('UTC', Date.UTC(2026, 0, 1)), '2026-01-01', 'midnight is the new day')
})

t.test('dates and times of day', async (t) => {
  for (const good of ['2026-02-28', '2028-02-29']) t.ok(isDate(good), good)
  for (const bad of ['2026-02-29', '2026-13-01', '2026-1-1', '26-01-01', '2026-01-01T00:00', '']) {
    t.notOk(isDate(bad), bad)
  }
  for (const good of ['0000', '0959', '2359']) t.ok(isTimeOfDay(good), good)
  for (const bad of ['2400', '0960', '900', '09:00', 'noon']) t.notOk(isTimeOfDay(bad), bad)
})
