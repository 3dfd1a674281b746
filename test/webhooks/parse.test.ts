import t from 'tap'
import { parseEnvelope } from '../../src/webhooks/index.ts'
import { callEvent, fixture } from './support.ts'

const parse = (name: string) => parseEnvelope(JSON.parse(fixture(name)))!
const NUMBER = '106540352242922'
const WACID = 'wacid.HBgLMzMxOTkwMDEyMzQ'
const SECOND = 1_700_000_000_000
const contact = (given: object) => ({
  waId: '33199001234',
  userId: undefined,
  parentUserId: undefined,
  name: undefined,
  username: undefined,
  ...given,
})
const call = (given: object) => ({
  kind: 'call',
  phoneNumberId: NUMBER,
  direction: 'user-initiated',
  contact: contact({}),
  status: undefined,
  startedAt: undefined,
  endedAt: undefined,
  duration: undefined,
  errors: [],
  mediaId: undefined,
  ...given,
})

const table: [fixture: string, field: string, events: unknown[]][] = [
  [
    'call-created',
    'calls',
    [
      call({
        event: 'created',
        wacid: WACID,
        at: SECOND,
        contact: contact({
          userId: 'FR.13491208655302741918',
          name: 'Camille',
          username: 'camille.b',
        }),
      }),
    ],
  ],
  [
    'terminate-completed',
    'calls',
    [
      call({
        event: 'terminated',
        wacid: WACID,
        at: SECOND + 50_000,
        contact: contact({ name: 'Camille' }),
        status: 'COMPLETED',
        startedAt: SECOND + 8000,
        endedAt: SECOND + 50_000,
        duration: 42,
      }),
    ],
  ],
  [
    'terminate-failed',
    'calls',
    [
      call({
        event: 'terminated',
        wacid: WACID,
        at: SECOND + 25_000,
        status: 'FAILED',
        errors: [
          {
            code: 138021,
            title: 'Media receive timeout',
            details: 'No packet was received for 20 s',
          },
        ],
      }),
    ],
  ],
  [
    'terminate-business',
    'calls',
    [
      call({
        event: 'terminated',
        wacid: 'wacid.business',
        direction: 'business-initiated',
        at: SECOND + 50_000,
        contact: contact({ userId: 'FR.1' }),
        status: 'COMPLETED',
        startedAt: SECOND + 8000,
        endedAt: SECOND + 50_000,
        duration: 42,
      }),
    ],
  ],
  [
    'statuses',
    'calls',
    [
      call({
        event: 'ringing',
        wacid: 'wacid.business',
        direction: 'business-initiated',
        at: SECOND + 3000,
        contact: contact({ userId: 'FR.1' }),
      }),
      call({
        event: 'accepted',
        wacid: 'wacid.business',
        direction: 'business-initiated',
        at: SECOND + 8000,
      }),
      call({
        event: 'rejected',
        wacid: 'wacid.other',
        direction: 'business-initiated',
        at: SECOND + 9000,
        contact: contact({ waId: '33199001235' }),
      }),
      undefined,
    ],
  ],
  ['connect', 'calls', [undefined]],
  [
    'permission-accepted',
    'messages',
    [
      {
        kind: 'permission',
        phoneNumberId: NUMBER,
        contact: contact({ name: 'Camille' }),
        response: 'accept',
        permanent: false,
        expiresAt: SECOND + 604_800_000,
        source: 'user_action',
        contextId: 'wamid.request',
        at: SECOND,
      },
    ],
  ],
  [
    'permission-revoked',
    'messages',
    [
      {
        kind: 'permission',
        phoneNumberId: NUMBER,
        contact: contact({
          waId: undefined,
          userId: 'FR.13491208655302741918',
          name: 'Camille',
        }),
        response: 'reject',
        permanent: false,
        expiresAt: undefined,
        source: 'automatic',
        contextId: undefined,
        at: SECOND,
      },
    ],
  ],
  [
    'voicemail',
    'messages',
    [
      call({
        event: 'voicemail',
        wacid: WACID,
        at: SECOND + 90_000,
        contact: contact({ name: 'Camille' }),
        mediaId: '1908647269898587',
      }),
      undefined,
      undefined,
    ],
  ],
  [
    'account-violation',
    'account_update',
    [
      {
        kind: 'account',
        accountId: '102290129340398',
        phoneNumber: '441632960123',
        event: 'ACCOUNT_VIOLATION',
        violation: {
          type: 'USER_INITIATED_CALLS_LOW_PICKUP_RATE',
          remediation: 'Answer more calls',
        },
        restrictions: [],
        at: SECOND,
      },
    ],
  ],
  [
    'account-restriction',
    'account_update',
    [
      {
        kind: 'account',
        accountId: '102290129340398',
        phoneNumber: undefined,
        event: 'ACCOUNT_RESTRICTION',
        violation: undefined,
        restrictions: [
          {
            type: 'RESTRICTED_BUSINESS_INITIATED_CALLING',
            expiresAt: SECOND + 604_800_000,
            remediation: 'Ask before you call',
          },
          {
            type: 'RESTRICTED_USER_INITIATED_CALLING_CALL_BUTTON_HIDDEN',
            expiresAt: undefined,
            remediation: undefined,
          },
        ],
        at: SECOND,
      },
    ],
  ],
  [
    'tier-update',
    'account_update',
    [
      {
        kind: 'account',
        accountId: '102290129340398',
        phoneNumber: undefined,
        event: 'VOLUME_BASED_PRICING_TIER_UPDATE',
        violation: undefined,
        restrictions: [],
        at: SECOND,
      },
    ],
  ],
]

for (const [name, field, events] of table) {
  t.test(`fixture ${name}`, async (t) => {
    const items = parse(name)
    t.strictSame(
      items.map((item) => item.event),
      events,
    )
    t.ok(items.every((item) => item.field === field))
  })
}

t.test('settings come as the settings API shows them, in any spelling', async (t) => {
  const [item] = parse('settings-update')
  t.match(item, {
    field: 'account_settings_update',
    event: {
      kind: 'settings',
      phoneNumberId: NUMBER,
      at: SECOND,
      calling: { status: 'DISABLED', sip: { status: 'DISABLED', servers: [] } },
    },
  })
})

t.test(
  'of several changes each is taken for itself, and what is unknown is passed over',
  async (t) => {
    const items = parse('several')
    t.strictSame(
      items.map(({ field, event }) => [field, event?.kind === 'call' ? event.wacid : undefined]),
      [
        ['other', undefined],
        ['calls', 'wacid.a'],
        ['calls', undefined],
        ['calls', undefined],
        ['calls', undefined],
      ],
    )
  },
)

t.test('what is no envelope is none', async (t) => {
  for (const body of [undefined, null, 7, 'x', [], {}, { entry: {} }, { entry: 'x' }]) {
    t.equal(parseEnvelope(body), undefined, JSON.stringify(body))
  }
  t.strictSame(parseEnvelope({ entry: [] }), [])
  t.strictSame(parseEnvelope({ entry: [{ changes: 'x' }, 3] }), [])
})

t.test('wrong types never throw, and long texts are cut', async (t) => {
  const odd = [null, true, 0, -1, 1e99, '', ' ', 'x', [], {}, [[]], { id: {} }]
  for (const value of odd) {
    for (const field of ['calls', 'messages', 'account_update', 'account_settings_update']) {
      const change = { field, value: { metadata: value, calls: value, messages: value } }
      t.doesNotThrow(() =>
        parseEnvelope({ entry: [{ id: value, time: value, changes: [change] }] }),
      )
    }
    const call = { id: 'wacid.a', event: 'terminate', timestamp: value, duration: value }
    const body = callEvent({ ...call, errors: value, start_time: value, direction: value })
    const [item] = parseEnvelope(JSON.parse(body))!
    t.match(item?.event, { wacid: 'wacid.a' }, JSON.stringify(value))
  }
  const [item] = parseEnvelope(
    JSON.parse(callEvent({ id: `wacid.${'A'.repeat(9000)}`, event: 'call_created' })),
  )!
  t.equal((item!.event as { wacid: string }).wacid.length, 512)
})

t.test('a time in milliseconds is taken for one', async (t) => {
  for (const [given, at] of [
    ['1700000000', SECOND],
    [1700000000, SECOND],
    [1700000000123, SECOND + 123],
    ['soon', undefined],
    [0, undefined],
  ]) {
    const [item] = parseEnvelope(
      JSON.parse(callEvent({ id: 'wacid.a', event: 'call_created', timestamp: given })),
    )!
    t.equal((item!.event as { at: number }).at, at, String(given))
  }
})
