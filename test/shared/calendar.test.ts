import t from 'tap'
import { dateIn, isDate, isTimeOfDay, momentIn, timeZoneNamed } from '../../src/shared/calendar.ts'

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

t.test('the moment a clock shows a time', async (t) => {
  const rows: [text: string, zone: string, moment: string | undefined][] = [
    ['2026-12-24T18:00', 'Europe/Paris', '2026-12-24T17:00:00Z'],
    ['2026-06-10 09:00:30', 'Europe/Paris', '2026-06-10T07:00:30Z'],
    ['2026-06-10T09:00', 'America/Los_Angeles', '2026-06-10T16:00:00Z'],
    ['2026-06-10T09:00', 'Pacific/Auckland', '2026-06-09T21:00:00Z'],
    ['2026-06-10T09:00', 'UTC', '2026-06-10T09:00:00Z'],
    // The clock leaps from 02:00 to 03:00, and back from 03:00 to 02:00.
    ['2026-03-29T01:59', 'Europe/Paris', '2026-03-29T00:59:00Z'],
    ['2026-03-29T02:30', 'Europe/Paris', '2026-03-29T01:30:00Z'],
    ['2026-03-29T03:00', 'Europe/Paris', '2026-03-29T01:00:00Z'],
    ['2026-10-25T02:30', 'Europe/Paris', '2026-10-25T00:30:00Z'],
    ['2026-10-25T03:00', 'Europe/Paris', '2026-10-25T02:00:00Z'],
    ['2026-02-30T09:00', 'UTC', undefined],
    ['2026-06-10T24:00', 'UTC', undefined],
    ['2026-06-10T09:00:61', 'UTC', undefined],
    ['tomorrow', 'UTC', undefined],
  ]
  for (const [text, zone, moment] of rows) {
    t.equal(momentIn(text, zone), moment && Date.parse(moment), `${text} ${zone}`)
  }
  const here = momentIn('2026-06-10T09:00', undefined)!
  t.equal(new Date(here).getHours(), 9, 'the time zone of this machine')
})
