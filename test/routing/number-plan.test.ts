import t from 'tap'
import type { NumberPlan } from '../../src/config/types.ts'
import { consumerOf, formatNumber } from '../../src/routing/index.ts'

const plan = (countryCode: string, nationalPrefix = '0', internationalPrefix = '00') => ({
  countryCode,
  nationalPrefix,
  internationalPrefix,
})
const UK = plan('44')
const ITALY = plan('39', '')
const US = plan('1', '', '011')
const US_LONG = plan('1', '1', '011')

t.test('what was dialled, by the plan of the trunk', async (t) => {
  const rows: [plan: NumberPlan | undefined, dialled: string, consumer: string | undefined][] = [
    [undefined, '+33199001234', '+33199001234'],
    [undefined, '0033199001234', '+33199001234'],
    [undefined, '33199001234', '+33199001234'],
    [undefined, '0199001234', undefined],
    [UK, '01632960123', '+441632960123'],
    [UK, '(01632) 960-123', '+441632960123'],
    [UK, '+44 (0)1632 960123', '+441632960123'],
    [UK, '0033199001234', '+33199001234'],
    [UK, '+33199001234', '+33199001234'],
    [UK, '441632960123', '+441632960123'],
    [UK, '33199001234', '+33199001234'],
    [UK, 'FR.13491208655302741918', 'FR.13491208655302741918'],
    [UK, '0', undefined],
    [UK, '00', undefined],
    [UK, '', undefined],
    [UK, 'anna', undefined],
    [ITALY, '0612345678', '+390612345678'],
    [ITALY, '3331234567', '+393331234567'],
    [ITALY, '0033199001234', '+33199001234'],
    [US, '2125550123', '+12125550123'],
    [US, '12125550123', '+12125550123'],
    [US, '01133199001234', '+33199001234'],
    [US_LONG, '2125550123', '+12125550123'],
    [US_LONG, '12125550123', '+12125550123'],
    [plan('7', '8', '810'), '84951234567', '+74951234567'],
    [plan('7', '8', '810'), '81033199001234', '+33199001234'],
  ]
  for (const [known, dialled, consumer] of rows) {
    t.equal(consumerOf(dialled, known), consumer, `${known?.countryCode ?? 'no plan'} ${dialled}`)
  }
})

t.test('how a number is written, and read back', async (t) => {
  const rows: [format: 'e164' | 'digits' | 'national', NumberPlan, string, string][] = [
    ['e164', UK, '+441632960123', '+441632960123'],
    ['digits', UK, '+441632960123', '441632960123'],
    ['national', UK, '+441632960123', '01632960123'],
    ['national', UK, '+33199001234', '0033199001234'],
    ['national', ITALY, '+390612345678', '0612345678'],
    ['national', US, '+12125550123', '2125550123'],
    ['national', US_LONG, '+12125550123', '12125550123'],
    ['national', US, '+33199001234', '01133199001234'],
  ]
  for (const [format, known, number, written] of rows) {
    t.equal(formatNumber(number, format, known), written, `${format} ${number}`)
    t.equal(consumerOf(written, format === 'digits' ? UK : known), number, `${written} read back`)
  }
  t.equal(formatNumber('FR.1349', 'national', UK), 'FR.1349')
  t.equal(formatNumber('FR.1349', 'digits', UK), 'FR.1349')
})
