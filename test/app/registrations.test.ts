import t from 'tap'
import {
  registrationChecks,
  registrationMetrics,
  registrationViews,
} from '../../src/app/registrations.ts'
import { CausewayError } from '../../src/shared/errors/index.ts'
import { registrationsOf } from '../support/registrations.ts'

const NOW = 1_700_000_000_000
const status = registrationsOf('main')
const own = status.ours[0]!
const error = new CausewayError('TRUNK_REGISTER_REFUSED', { detail: 'sip:10.0.0.9: 403 Forbidden' })

t.test('the view of a trunk', async (t) => {
  t.same(registrationViews('main', status), {
    registration: {
      state: 'registered',
      registrar: 'sip:10.0.0.10',
      username: 'causeway',
      expires_at: '2023-11-14T22:18:20.000Z',
      next_at: '2023-11-14T22:17:20.000Z',
      error: null,
    },
    contacts: [
      {
        uri: 'sip:pbx@192.168.1.2:5060',
        source: 'udp:198.51.100.7:1024',
        q: 0.5,
        since: '2023-11-14T22:13:20.000Z',
        expires_at: '2023-11-14T22:23:20.000Z',
        user_agent: 'Asterisk',
      },
    ],
  })
  t.same(registrationViews('other', status), { registration: null, contacts: null })
})

const checks: [what: string, change: Partial<typeof own>, status: string, output: RegExp][] = [
  ['registered', {}, 'pass', /^registered with sip:10\.0\.0\.10 for 300 s more$/],
  [
    'a renewal that fails',
    { error },
    'warn',
    /300 s more, not renewed yet: TRUNK_REGISTER_REFUSED/,
  ],
  ['refused', { state: 'refused', error }, 'fail', /^TRUNK_REGISTER_REFUSED .*403 Forbidden; Make/],
  ['at the beginning', { state: 'registering' }, 'warn', /^registering with sip:10/],
]

for (const [what, change, verdict, output] of checks) {
  t.test(`health: ${what}`, async (t) => {
    const [check] = registrationChecks({ ...status, ours: [{ ...own, ...change }] }, NOW)
    t.match(check, { component: 'registration', id: 'main', ready: true, status: verdict, output })
  })
}

t.test('health: a PBX that is and is not registered', async (t) => {
  const of = (contacts: (typeof status)['contacts'][number]['contacts']) =>
    registrationChecks({ ours: [], contacts: [{ trunk: 'main', contacts }], requests: [] }, NOW)[0]
  t.match(of(status.contacts[0]!.contacts), {
    component: 'registrar',
    status: 'pass',
    output: 'the PBX is registered from udp:198.51.100.7:1024',
  })
  t.match(of([]), { status: 'warn', output: /^TRUNK_NOT_REGISTERED .*; Check the registration/ })
})

t.test('metrics: connections that failed under our registrations', async (t) => {
  const families = registrationMetrics(status)
  t.match(
    families.find(({ name }) => name === 'registration_flow_failures'),
    { type: 'counter', samples: [{ labels: { trunk: 'main' }, value: 2 }] },
  )
})

t.test('metrics: none without registrations', async (t) => {
  t.same(registrationMetrics({ ours: [], contacts: [], requests: [] }), [])
})
