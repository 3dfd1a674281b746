import t from 'tap'
import {
  agreedTimer,
  longerTimer,
  offeredTimer,
} from '../../../src/bridge/headers/session-timer.ts'

const rows: [string, Record<string, string>, string | undefined][] = [
  ['an open refresher', { supported: 'timer', 'session-expires': '1800' }, '1800;refresher=uac'],
  [
    'among other extensions',
    { supported: '100rel, Timer,path', 'session-expires': '90 ;x=1' },
    '90;refresher=uac',
  ],
  ['never below the minimum', { supported: 'timer', 'session-expires': '30' }, '90;refresher=uac'],
  ['a named refresher', { supported: 'timer', 'session-expires': '90;refresher=uas' }, undefined],
  ['no support', { 'session-expires': '90' }, undefined],
  ['another extension', { supported: 'timers', 'session-expires': '90' }, undefined],
  ['knows timers, asks for none', { supported: 'replaces, timer' }, '600;refresher=uac'],
  ['asks for none below its minimum', { supported: 'timer', 'min-se': '900' }, '900;refresher=uac'],
  ['neither knows nor asks', {}, undefined],
  ['nonsense', { supported: 'timer', 'session-expires': 'soon' }, undefined],
]

for (const [what, headers, expected] of rows) {
  t.test(`session timer: ${what}`, async (t) => {
    const agreed = agreedTimer({ header: (name) => headers[name] })
    t.same(agreed, expected ? { 'Session-Expires': expected, Require: 'timer' } : {})
  })
}

t.test('session timer of an INVITE: the PBX refreshes', async (t) => {
  t.same(offeredTimer(), { 'Session-Expires': '600;refresher=uas' })
})

const refusals: [string, number, string | undefined, string | undefined][] = [
  ['a longer one is taken', 422, '1800', '1800'],
  ['with parameters', 422, ' 900 ;x=1', '900'],
  ['a shorter one is not what is wrong', 422, '90', undefined],
  ['none is named', 422, undefined, undefined],
  ['nonsense', 422, 'long', undefined],
  ['longer than a day', 422, '86401', undefined],
  ['another refusal', 486, '1800', undefined],
]

for (const [what, status, least, expected] of refusals) {
  t.test(`session interval too small: ${what}`, async (t) => {
    const header = (name: string) => (name === 'min-se' ? least : undefined)
    const longer = longerTimer({ status, header }, offeredTimer())
    const headers = { 'Session-Expires': `${expected};refresher=uas`, 'Min-SE': expected }
    t.same(longer, expected === undefined ? undefined : headers)
    t.equal(longerTimer({ status, header }, {}), undefined, 'none was offered')
  })
}
