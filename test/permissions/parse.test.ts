import t from 'tap'
import { parsePermission } from '../../src/permissions/index.ts'
import { requestBody } from '../../src/permissions/message.ts'

const UNTIL = Date.parse('2026-09-16T12:26:40Z')

t.test('the documented answer', async (t) => {
  const body = {
    messaging_product: 'whatsapp',
    permission: { status: 'temporary', expiration_time: UNTIL / 1000 },
    actions: [
      {
        action_name: 'send_call_permission_request',
        can_perform_action: false,
        limits: [
          {
            time_period: 'PT24H',
            max_allowed: 1,
            current_usage: 1,
            limit_expiration_time: UNTIL / 1000,
          },
          { time_period: 'P7D', max_allowed: 2, current_usage: 1 },
        ],
      },
      {
        action_name: 'start_call',
        can_perform_action: true,
        limits: [{ time_period: 'PT24H', max_allowed: 100, current_usage: 3 }],
      },
    ],
  }
  t.same(parsePermission(body), {
    status: 'temporary',
    expires: UNTIL,
    request: {
      allowed: false,
      limits: [
        { period: 'PT24H', max: 1, used: 1, until: UNTIL },
        { period: 'P7D', max: 2, used: 1, until: undefined },
      ],
    },
    call: { allowed: true, limits: [{ period: 'PT24H', max: 100, used: 3, until: undefined }] },
  })
})

t.test('states and ends in every spelling', async (t) => {
  const rows: [unknown, string | undefined, number | undefined][] = [
    [{ status: 'no_permission' }, 'no_permission', undefined],
    [{ status: 'NO_PERMISSION' }, 'no_permission', undefined],
    [{ status: 'permanent' }, 'permanent', undefined],
    [{ status: 'permanent', expiration_time: 0 }, 'permanent', undefined],
    [{ status: ' Temporary ', expiration: UNTIL / 1000 }, 'temporary', UNTIL],
    [{ status: 'temporary', expiration_time: String(UNTIL / 1000) }, 'temporary', UNTIL],
    [{ status: 'temporary', expiration: UNTIL }, 'temporary', UNTIL],
    [{ status: 'temporary', expiration: '2026-09-16T12:26:40Z' }, 'temporary', UNTIL],
    [{ status: 'temporary', expiration: 'soon' }, 'temporary', undefined],
    ['permanent', 'permanent', undefined],
    [{ status: 'perhaps' }, undefined, undefined],
    [{}, undefined, undefined],
    [undefined, undefined, undefined],
  ]
  for (const [given, status, expires] of rows) {
    const parsed = parsePermission({ permission: given })
    t.equal(parsed?.status, status, JSON.stringify(given))
    t.equal(parsed?.expires, expires)
  }
  for (const body of [undefined, null, [], 'x', 7]) t.equal(parsePermission(body), undefined)
})

t.test('actions that are missing, half or of other types', async (t) => {
  const parse = (actions: unknown) =>
    parsePermission({ permission: { status: 'permanent' }, actions })
  t.match(parse(undefined), { request: undefined, call: undefined })
  t.match(parse([{ action_name: 'START_CALL', can_perform_action: 'false' }]), {
    call: { allowed: false, limits: [] },
  })
  t.match(parse([{ action_name: 'start_call', can_perform_action: 'true' }])?.call?.allowed, true)
  t.equal(parse([{ action_name: 'start_call' }])?.call?.allowed, undefined)
  const limits = [
    { time_period: 'pt24h', max_allowed: '5', current_usage: '2' },
    { time_period: 'P7D', max_allowed: -1, current_usage: 2 },
    'nonsense',
  ]
  t.same(parse([{ action_name: 'start_call', limits }])?.call?.limits, [
    { period: 'PT24H', max: 5, used: 2, until: undefined },
  ])
})

t.test('the request message', async (t) => {
  t.same(requestBody('+33199001234', { text: 'May we call?' }), {
    messaging_product: 'whatsapp',
    recipient_type: 'individual',
    to: '33199001234',
    type: 'interactive',
    interactive: {
      type: 'call_permission_request',
      action: { name: 'call_permission_request' },
      body: { text: 'May we call?' },
    },
  })
  t.same(requestBody('FR.1349', { text: undefined }), {
    messaging_product: 'whatsapp',
    recipient_type: 'individual',
    recipient: 'FR.1349',
    type: 'interactive',
    interactive: {
      type: 'call_permission_request',
      action: { name: 'call_permission_request' },
    },
  })
  t.match(requestBody('+33199001234', { template: 'calls', language: 'en_GB' }), {
    to: '33199001234',
    type: 'template',
    template: { name: 'calls', language: { code: 'en_GB' } },
  })
})
