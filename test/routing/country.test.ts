import t from 'tap'
import { COUNTRIES } from '../../src/config/countries.ts'
import { countryOf, countryOfNumber } from '../../src/routing/index.ts'

t.test('the country of a number, the longest code first', async (t) => {
  const rows: [number: string, country: string | undefined][] = [
    ['+33199001234', 'FR'],
    ['+441632960123', 'GB'],
    ['+447700900123', 'GB'],
    ['+447911123456', 'GG'],
    ['+447911223456', 'GB'],
    ['+447700312345', 'JE'],
    ['+441534123456', 'JE'],
    ['+447624123456', 'IM'],
    ['+12125550123', 'US'],
    ['+14165550123', 'CA'],
    ['+18765550123', 'JM'],
    ['+17875550123', 'PR'],
    ['+74951234567', 'RU'],
    ['+77012345678', 'KZ'],
    ['+390612345678', 'IT'],
    ['+390669812345', 'VA'],
    ['+35818123456', 'AX'],
    ['+358401234567', 'FI'],
    ['+262269123456', 'YT'],
    ['+262262123456', 'RE'],
    ['+5999123456', 'CW'],
    ['+5997123456', 'BQ'],
    ['+5511912345678', 'BR'],
    ['+919876543210', 'IN'],
    ['+212612345678', 'MA'],
    ['+212528812345', 'EH'],
    ['+247123456', 'SH'],
    // Satellite and international services belong to no country.
    ['+881612345678', undefined],
    ['+8001234567', undefined],
    ['33199001234', undefined],
    ['FR.1', undefined],
    ['+', undefined],
  ]
  for (const [number, country] of rows) t.equal(countryOfNumber(number), country, number)
})

t.test('every code leads to a country there is', async (t) => {
  const found = new Set<string>()
  for (let code = 1; code < 10_000; code++) {
    const country = countryOfNumber(`+${code}`)
    if (country === undefined) continue
    found.add(country)
    t.ok(COUNTRIES.has(country), `+${code} ${country}`)
  }
  t.ok(found.size > 220, `${found.size} countries`)
})

t.test('WhatsApp’s word counts first, then the user id, then the number', async (t) => {
  const consumer = '+33199001234'
  t.same(countryOf({ consumer, country: 'de', userId: 'BE.1' }), { country: 'DE', by: 'whatsapp' })
  t.same(countryOf({ consumer, userId: 'BE.1' }), { country: 'BE', by: 'user id' })
  t.same(countryOf({ consumer: 'ch.12' }), { country: 'CH', by: 'user id' })
  t.same(countryOf({ consumer, country: 'France' }), { country: 'FR', by: 'calling code' })
  t.equal(countryOf({ consumer: 'someone' }), undefined)
})
