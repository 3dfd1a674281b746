import t from 'tap'
import { type CheckSources, healthChecks } from '../../src/app/checks.ts'
import type { ListenerInfo } from '../../src/embedded-drachtio/index.ts'
import type { RotationView } from '../../src/http/index.ts'
import type { AnchorStatus, MediaRelay } from '../../src/media/index.ts'
import type { NumberSettingsState } from '../../src/settings/index.ts'
import { CausewayError } from '../../src/shared/errors/index.ts'
import { configOf, edit } from '../support/config-file.ts'

const NOW = Date.parse('2026-06-01T00:00:00Z')
const DAY = 86_400_000

const settled: NumberSettingsState = {
  status: 'ok',
  actual: undefined,
  drift: [],
  warnings: [],
  error: undefined,
  credentialsAt: NOW,
  lastChecked: NOW,
}

function listener(notBefore: number, notAfter: number): ListenerInfo {
  const certificate = { subject: '', issuer: '', names: [], fingerprint: '', notBefore, notAfter }
  return {
    transport: 'tls',
    host: '0.0.0.0',
    port: 5061,
    family: 4,
    externalAddress: undefined,
    certificate,
  }
}

function relayOf(change: Partial<AnchorStatus>): MediaRelay {
  return {
    kind: 'none',
    status: () => ({
      available: true,
      detail: '',
      calls: 0,
      instances: [],
      ports: undefined,
      transcoding: undefined,
      totals: {},
      ...change,
    }),
    allocate: () => {
      throw new Error('no call is made here')
    },
    close: async () => {},
  }
}

const target = (change: Partial<CheckSources['bridge']['targets'][number]> = {}) => ({
  trunk: 'main',
  uri: 'sip:10.0.0.9:5060',
  reachable: true,
  state: 'up' as const,
  reason: '',
  since: NOW - 60_000,
  pinged: false,
  roundTrip: undefined,
  ...change,
})

function check(component: string, change: Partial<CheckSources> = {}) {
  const checks = healthChecks({
    config: configOf(edit()),
    bridge: {
      connected: true,
      draining: false,
      endpoints: ['tls/0.0.0.0:5061'],
      calls: 0,
      held: { dialogs: 0, flows: 0, releasing: 0 },
      refusals: [],
      targets: [target()],
      trunks: [],
    },
    listeners: [listener(NOW - DAY, NOW + 90 * DAY)],
    media: relayOf({ detail: 'passed through' }),
    settings: () => settled,
    credentials: () => true,
    now: NOW,
    ...change,
  })
  return checks.find((one) => one.component === component)
}

const bridge = {
  held: { dialogs: 0, flows: 0, releasing: 0 },
  connected: true,
  draining: false,
  endpoints: [],
  calls: 3,
  refusals: [],
  targets: [],
  trunks: [],
}

t.test('everything as it should be passes', async (t) => {
  for (const component of ['sip-server', 'relay', 'certificate', 'number', 'trunk']) {
    t.match(check(component), { status: 'pass', ready: true }, component)
  }
  t.equal(check('drain'), undefined)
})

const rows: [string, string, Partial<CheckSources>, object][] = [
  [
    'a SIP server that is gone',
    'sip-server',
    { bridge: { ...bridge, connected: false } },
    { status: 'fail', ready: false },
  ],
  [
    'a relay without its only worker',
    'relay',
    { media: relayOf({ available: false, detail: 'media-0 is down: died' }) },
    { status: 'fail', ready: false, output: /media-0 is down: died/ },
  ],
  [
    'a relay that has lost one of two workers',
    'relay',
    {
      media: relayOf({
        instances: [
          { name: 'media-0', available: true, calls: 1, detail: '' },
          { name: 'media-1', available: false, calls: 0, detail: 'died' },
        ],
      }),
    },
    { status: 'warn', ready: true },
  ],
  [
    'a relay whose ports run out',
    'relay',
    { media: relayOf({ calls: 21, ports: { total: 100, used: 84, cooling: 0 } }) },
    { status: 'warn', ready: true, output: '21 calls, 84 of 100 ports in use' },
  ],
  [
    'draining',
    'drain',
    { bridge: { ...bridge, draining: true } },
    { status: 'warn', ready: false, output: /3 in progress/ },
  ],
  [
    'a certificate that ends in ten days',
    'certificate',
    { listeners: [listener(NOW - DAY, NOW + 10 * DAY)] },
    { status: 'warn', ready: true, observedValue: 10 },
  ],
  [
    'a certificate that has ended',
    'certificate',
    { listeners: [listener(NOW - 9 * DAY, NOW - 1)] },
    { status: 'fail', ready: false, output: /expired on 2026-05-31/ },
  ],
  [
    'a certificate from the future',
    'certificate',
    { listeners: [listener(NOW + DAY, NOW + 90 * DAY)] },
    { status: 'fail', ready: false, output: /not valid before 2026-06-02/ },
  ],
  [
    'settings that failed',
    'number',
    {
      settings: () => ({
        ...settled,
        status: 'failed',
        error: new CausewayError('SETTINGS_GRAPH_190'),
      }),
    },
    { status: 'fail', ready: true, output: /SETTINGS_GRAPH_190.+;/ },
  ],
  [
    'settings that drifted',
    'number',
    {
      settings: () => ({
        ...settled,
        status: 'drift',
        drift: [{ path: 'calling.status', actual: 'DISABLED', desired: 'ENABLED' }],
      }),
    },
    { status: 'warn', ready: true, output: /calling\.status/ },
  ],
  ['a password not known yet', 'number', { credentials: () => false }, { status: 'warn' }],
  [
    'a trunk no call has gone to',
    'trunk',
    { bridge: { ...bridge, targets: [target({ state: 'unknown' })] } },
    { status: 'pass', output: 'not used yet' },
  ],
  [
    'a trunk not reached',
    'trunk',
    {
      bridge: {
        ...bridge,
        targets: [target({ reachable: false, state: 'down', reason: '408 Request Timeout' })],
      },
    },
    {
      status: 'fail',
      ready: true,
      output: 'sip:10.0.0.9:5060 down for 60 s: 408 Request Timeout; tried last',
    },
  ],
  [
    'a trunk of which one target is busy',
    'trunk',
    {
      bridge: {
        ...bridge,
        targets: [
          target({ pinged: true, roundTrip: 3 }),
          target({ uri: 'sip:b', reachable: false, state: 'busy', reason: '503 Busy' }),
        ],
      },
    },
    { status: 'warn', ready: true, output: 'sip:b busy for 60 s: 503 Busy; tried last' },
  ],
]

for (const [name, component, change, expected] of rows) {
  t.test(`${name} is told`, async (t) => {
    t.match(check(component, change), expected)
  })
}

t.test('a truce with another manager warns, and says who has to act', async (t) => {
  const error = new CausewayError('SETTINGS_FIGHT', { detail: 'calling.status' })
  const fought: NumberSettingsState = { ...settled, status: 'drift', error }
  t.match(check('number', { settings: () => fought }), {
    status: 'warn',
    output: /SETTINGS_FIGHT .*calling\.status; Stop the other writer/,
  })
})

t.test('a rotation warns while it runs, and fails the number when it stays off', async (t) => {
  const view: RotationView = {
    number: 'support',
    state: 'running',
    unfinished: true,
    steps: [{ step: 'drain', at: '' }],
    calls: 1,
    window_ms: null,
    error: null,
  }
  const seen = (change: Partial<RotationView>) =>
    check('number', { rotation: () => ({ ...view, ...change }) })
  const off = { steps: [...view.steps, { step: 'clear', at: '' } as const] }
  const error = new CausewayError('SETTINGS_TIMEOUT')
  const rows: [Partial<RotationView>, string, RegExp][] = [
    [{}, 'warn', /being rotated: drain$/],
    [{ ...off, error }, 'warn', /being rotated: clear; SETTINGS_TIMEOUT .* trying again$/],
    [{ ...off, error, state: 'failed' }, 'fail', /failed at clear: SETTINGS_TIMEOUT/],
    [{ error, state: 'failed', unfinished: false }, 'pass', /as configured/],
    [{ ...off, state: 'done', unfinished: false }, 'pass', /as configured/],
    [
      { ...off, state: 'failed', error: new CausewayError('SETTINGS_ROTATION_UNCHANGED') },
      'warn',
      /SETTINGS_ROTATION_UNCHANGED/,
    ],
  ]
  for (const [change, status, output] of rows) t.match(seen(change), { status, output })
})

t.test('records that cannot be kept warn', async (t) => {
  t.equal(check('records'), undefined)
  const records = new CausewayError('SETTINGS_RECORDS_UNUSABLE', { detail: 'EACCES' })
  t.match(check('records', { records }), { status: 'warn', ready: true, output: /EACCES/ })
})
