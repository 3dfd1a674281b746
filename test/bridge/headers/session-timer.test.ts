import t from 'tap'
import { agreedTimer } from '../../../src/bridge/headers/session-timer.ts'

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
  ['no offer', { supported: 'timer' }, undefined],
  ['nonsense', { supported: 'timer', 'session-expires': 'soon' }, undefined],
]

for (const [what, headers, expected] of rows) {
  t.test(`session timer: ${what}`, async (t) => {
    const agreed = agreedTimer({ header: (name) => headers[name] })
    t.same(agreed, expected ? { 'Session-Expires': expected, Require: 'timer' } : {})
  })
}
