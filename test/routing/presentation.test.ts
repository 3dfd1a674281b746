import t from 'tap'
import type { PresentationConfig } from '../../src/config/types.ts'
import { type CallParties, fillTemplate, present } from '../../src/routing/index.ts'
import { presentationConfig } from '../support/configs.ts'

const STEP = { to: '{business}', from: '{caller}' }
const PARTIES: CallParties = {
  number: { name: 'support', phoneNumber: '+441632960123' },
  caller: '+33199001234',
  profile: 'Zoé',
  username: 'zoe',
  country: 'FR',
  route: 'sales',
}
const NATIONAL = { numbers: 'national', countryCode: '44' } as const

const shown = (
  policy: Partial<PresentationConfig> = {},
  parties: Partial<CallParties> = {},
  step: Partial<typeof STEP> = {},
) => present(presentationConfig(policy), { ...STEP, ...step }, { ...PARTIES, ...parties })

t.test('by default the caller as WhatsApp shows him', async (t) => {
  const who = { display: 'Zoé', user: '+33199001234' }
  t.same(shown(), { to: '+441632960123', from: who, pai: who, rpid: undefined })
})

t.test('numbers as the trunk writes them', async (t) => {
  const rows: [Partial<PresentationConfig>, to: string, from: string][] = [
    [{ numbers: 'digits' }, '441632960123', '33199001234'],
    [NATIONAL, '01632960123', '0033199001234'],
    [{ ...NATIONAL, countryCode: '33' }, '00441632960123', '0199001234'],
    [{ ...NATIONAL, internationalPrefix: '011' }, '01632960123', '01133199001234'],
  ]
  for (const [policy, to, from] of rows) {
    t.match(shown(policy), { to, from: { user: from }, pai: { user: from } })
  }
  t.match(
    shown(NATIONAL, {}, { to: 'wa-{business:digits}', from: '8{caller}' }),
    { to: 'wa-441632960123', from: { user: '80033199001234' } },
    ':digits means those of E.164 whatever the trunk writes',
  )
})

t.test('identity headers and From', async (t) => {
  const who = { display: 'Zoé', user: '+33199001234' }
  const business = { display: 'Zoé', user: '+441632960123' }
  const rows: [Partial<PresentationConfig>, from: unknown, pai: unknown, rpid: unknown][] = [
    [{ identity: 'rpid' }, who, undefined, who],
    [{ identity: 'both' }, who, who, who],
    [{ identity: 'none' }, who, undefined, undefined],
    [{ from: 'business' }, business, who, undefined],
    [{ from: 'anonymous' }, undefined, who, undefined],
    [{ from: 'anonymous', identity: 'rpid' }, undefined, undefined, who],
  ]
  for (const [policy, from, pai, rpid] of rows) t.match(shown(policy), { from, pai, rpid })
})

t.test('display names', async (t) => {
  const rows: [display: string, expected: string, parties?: Partial<CallParties>][] = [
    ['profile', 'Zoé'],
    ['profile', '', { profile: undefined }],
    ['none', ''],
    ['number', '0033199001234'],
    ['number', 'FR.1349', { caller: 'FR.1349' }],
    ['{profile} via WhatsApp', 'Zoé via WhatsApp'],
    ['{profile} ({username})', 'Zoé (zoe)'],
    ['{profile} ({username})', 'Zoé', { username: undefined }],
    ['{line}/{route} {caller} {country}', 'support/sales 0033199001234 FR'],
    ['{business}', '01632960123'],
  ]
  for (const [display, expected, parties] of rows) {
    t.equal(shown({ ...NATIONAL, display }, parties).from?.display, expected, display)
  }
})

t.test('user ids', async (t) => {
  const caller = 'FR.13491208655302741918'
  const rows: [Partial<PresentationConfig>, display: string, user: string][] = [
    [{}, 'Zoé', caller],
    [{ numbers: 'digits' }, 'Zoé', caller],
    [{ userId: 'replace', userIdNumber: '0000' }, 'Zoé', '0000'],
    [{ userId: 'display', userIdNumber: '0000' }, caller, '0000'],
    [{ userId: 'display', userIdNumber: '0000', display: 'none' }, caller, '0000'],
  ]
  for (const [policy, display, user] of rows) {
    t.match(shown(policy, { caller }), { from: { display, user }, pai: { display, user } })
  }
  const replaced = { userId: 'replace', userIdNumber: '0000' } as const
  t.match(shown(replaced), { from: { user: '+33199001234' } }, 'a number stays')
})

t.test('templates', async (t) => {
  const places = { caller: '+33', 'caller:digits': '33' }
  t.equal(fillTemplate('a{caller}b{caller:digits}', places), 'a+33b33')
  t.equal(fillTemplate('{toString}{unknown}', places), '{toString}{unknown}')
})
