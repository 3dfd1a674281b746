import t from 'tap'
import type { PermissionsConfig } from '../../src/config/types.ts'
import { CHECK_BUDGET, REQUEST_BUDGET } from '../../src/permissions/gate.ts'
import type { CallPermission, PendingVerdict, RequestMessage } from '../../src/permissions/index.ts'
import { CausewayError, type ErrorCode, isCausewayError } from '../../src/shared/errors/index.ts'
import { CONSUMER, granted, HOUR, NOW, permission, permissionLab, settle } from './support.ts'

type Admission = ReturnType<ReturnType<typeof permissionLab>['admit']>

function pending(admission: Admission): PendingVerdict {
  if (admission === undefined || isCausewayError(admission)) throw new Error('decided at once')
  return admission
}

t.test('off asks nothing and decides at once', async (t) => {
  const { admit, client } = permissionLab({ mode: 'off' })
  t.equal(admit(), undefined)
  t.equal(client.queries.length, 0)
})

t.test('the number’s own standing comes before any question', async (t) => {
  const type = 'RESTRICTED_BUSINESS_INITIATED_CALLING'
  const restrictions = [{ type, reason: undefined, expiration: (NOW + HOUR) / 1000 }]
  for (const mode of ['off', 'check', 'request'] as const) {
    const { admit, client } = permissionLab({ mode }, { restrictions, call_hours: undefined })
    t.match(admit(), { code: 'CALL_WHATSAPP_PAUSED' })
    t.equal(client.queries.length, 0)
  }
})

t.test('verdicts on what the API answers, and from memory the next time', async (t) => {
  const until = NOW + HOUR
  const used = { allowed: false, limits: [{ period: 'PT24H', max: 100, used: 100, until }] }
  const rows: [CallPermission, ErrorCode | undefined, string?][] = [
    [granted(), undefined],
    [granted({ status: 'temporary', expires: until }), undefined],
    [granted({ call: undefined }), undefined],
    [permission(), 'CALL_WHATSAPP_NO_PERMISSION', 'call_permissions says none'],
    [granted({ status: 'temporary', expires: NOW }), 'CALL_WHATSAPP_NO_PERMISSION'],
    [
      granted({ call: used }),
      'CALL_WHATSAPP_DAILY_LIMIT',
      '100 of 100 in 24 hours, free again at 2026-06-10T13:00:00Z',
    ],
    // The API's own word counts more than its figures.
    [granted({ call: { ...used, allowed: true } }), undefined],
    [granted({ call: { allowed: false, limits: [] } }), 'CALL_WHATSAPP_CALLING_OFF'],
  ]
  for (const [answer, code, detail] of rows) {
    const { admit, client, clock, gate } = permissionLab()
    const { verdict } = pending(admit())
    client.queries[0]!.answer.resolve(answer)
    const refusal = await verdict
    t.equal(refusal?.code, code)
    if (detail !== undefined) t.equal(refusal?.detail, detail)
    t.equal(clock.pending, 0, 'no timer is left')
    if (answer.expires === NOW) continue
    const again = admit()
    t.ok(again === undefined || isCausewayError(again), 'decided at once')
    t.equal(isCausewayError(again) ? again.code : undefined, code)
    t.equal(client.queries.length, 1)
    t.same(gate.checks, [{ number: 'support', what: code ?? 'allowed', count: 2 }])
  }
})

t.test('calls to the same consumer share a question', async (t) => {
  const { admit, client } = permissionLab()
  const first = pending(admit())
  const second = pending(admit('33199001234'))
  const other = pending(admit('FR.1'))
  t.same(
    client.queries.map(({ consumer }) => consumer),
    [CONSUMER, 'FR.1'],
  )
  for (const { answer } of client.queries) answer.resolve(permission())
  for (const { verdict } of [first, second, other]) {
    t.match(await verdict, { code: 'CALL_WHATSAPP_NO_PERMISSION' })
  }
})

t.test('errors that judge the call refuse it', async (t) => {
  const rows: [ErrorCode, ErrorCode][] = [
    ['SETTINGS_GRAPH_138000', 'CALL_WHATSAPP_CALLING_OFF'],
    ['SETTINGS_GRAPH_138001', 'CALL_WHATSAPP_UNCALLABLE'],
    ['SETTINGS_GRAPH_138006', 'CALL_WHATSAPP_NO_PERMISSION'],
    ['SETTINGS_GRAPH_138012', 'CALL_WHATSAPP_DAILY_LIMIT'],
    ['SETTINGS_GRAPH_138013', 'CALL_WHATSAPP_COUNTRY_BARRED'],
    ['SETTINGS_GRAPH_138014', 'CALL_WHATSAPP_PAUSED'],
  ]
  for (const [graph, code] of rows) {
    const { admit, client } = permissionLab()
    const { verdict } = pending(admit())
    client.queries[0]!.answer.reject(new CausewayError(graph, { detail: 'said so' }))
    t.match(await verdict, { code, detail: 'said so' }, graph)
  }
})

t.test('each refusal has a pair of SIP status and Q.850 cause of its own', async (t) => {
  const codes: ErrorCode[] = [
    'CALL_WHATSAPP_NO_PERMISSION',
    'CALL_PERMISSION_REQUESTED',
    'CALL_PERMISSION_REQUEST_LIMIT',
    'CALL_WHATSAPP_DAILY_LIMIT',
    'CALL_WHATSAPP_UNCALLABLE',
    'CALL_WHATSAPP_PAUSED',
    'CALL_WHATSAPP_COUNTRY_BARRED',
    'CALL_OUTSIDE_HOURS',
    'CALL_WHATSAPP_UNAVAILABLE',
    'CALL_WHATSAPP_DECLINED',
  ]
  const pairs = codes
    .map((code) => new CausewayError(code))
    .map(({ sip, q850 }) => `${sip}/${q850}`)
  t.equal(new Set(pairs).size, codes.length, pairs.join(' '))
})

t.test('what cannot be learnt lets the call out: WhatsApp is the judge', async (t) => {
  const failures = [
    new CausewayError('SETTINGS_UNREACHABLE', { detail: 'ECONNREFUSED' }),
    new CausewayError('SETTINGS_GRAPH_613'),
    new CausewayError('PERMISSION_QUERIES_LIMITED'),
    new Error('odd'),
  ]
  for (const failure of failures) {
    const { admit, client, gate, lines } = permissionLab()
    const { verdict } = pending(admit())
    client.queries[0]!.answer.reject(failure)
    t.equal(await verdict, undefined)
    t.match(lines, [
      { level: 40, code: 'PERMISSION_UNCHECKED', number: 'support', party: CONSUMER },
    ])
    t.same(gate.checks, [{ number: 'support', what: 'unchecked', count: 1 }])
    pending(admit())
    t.equal(client.queries.length, 2, 'errors are not remembered')
  }
})

t.test('an answer that comes too late serves the next call', async (t) => {
  const { admit, client, clock, lines } = permissionLab()
  const { verdict } = pending(admit())
  clock.advance(CHECK_BUDGET)
  t.equal(await verdict, undefined)
  t.match(lines, [{ code: 'PERMISSION_UNCHECKED', detail: 'no answer within 2000 ms' }])
  client.queries[0]!.answer.resolve(permission())
  await settle()
  t.match(admit(), { code: 'CALL_WHATSAPP_NO_PERMISSION' })
  t.equal(clock.pending, 0)
})

t.test('a call that is given up leaves nothing behind', async (t) => {
  const { admit, client, clock, gate, lines } = permissionLab({ mode: 'request' })
  const { verdict, abandon } = pending(admit())
  abandon()
  t.equal(clock.pending, 0, 'no timer is left at once')
  t.equal(await verdict, undefined)
  client.queries[0]!.answer.resolve(permission())
  await settle()
  t.equal(client.requests.length, 0, 'nobody is asked for a call that is over')
  t.same(gate.checks, [])
  t.same(lines, [])
})

t.test('request: asks the consumer and says so', async (t) => {
  const template = { name: 'calls', language: 'en' }
  const rows: [Partial<PermissionsConfig>, RequestMessage][] = [
    [{}, { text: undefined }],
    [{ text: 'May we call?' }, { text: 'May we call?' }],
    [{ template }, { template: 'calls', language: 'en' }],
  ]
  for (const [configured, message] of rows) {
    const { admit, client, clock, book } = permissionLab({ mode: 'request', ...configured })
    const { verdict } = pending(admit())
    client.queries[0]!.answer.resolve(permission())
    await settle()
    t.match(client.requests, [{ consumer: CONSUMER, message }])
    client.requests[0]!.answer.resolve('wamid.1')
    t.match(await verdict, { code: 'CALL_PERMISSION_REQUESTED', sip: 480, detail: 'request sent' })
    t.same(book.requests, [{ number: 'support', what: 'sent', count: 1 }])
    t.match(admit(), {
      code: 'CALL_PERMISSION_REQUEST_LIMIT',
      detail: '1 of 1 in 24 hours, free again at 2026-06-11T12:00:00Z',
    })
    t.equal(client.requests.length, 1)
    t.equal(clock.pending, 0)
  }
})

t.test('request: a call from memory asks, too, and two at once ask once', async (t) => {
  const { admit, client } = permissionLab({ mode: 'request' })
  const first = pending(admit())
  client.queries[0]!.answer.resolve(permission())
  await settle()
  const second = pending(admit())
  await settle()
  t.equal(client.requests.length, 1)
  client.requests[0]!.answer.resolve(undefined)
  for (const { verdict } of [first, second]) {
    t.match(await verdict, { code: 'CALL_PERMISSION_REQUESTED' })
  }
})

t.test('request: limits of the API, else the rule, keep the message back', async (t) => {
  const until = NOW + HOUR
  const used = { allowed: false, limits: [{ period: 'P7D', max: 2, used: 2, until }] }
  const rows: [CallPermission['request'], ErrorCode, string][] = [
    [used, 'CALL_PERMISSION_REQUEST_LIMIT', '2 of 2 in 7 days, free again at 2026-06-10T13:00:00Z'],
    [
      { allowed: false, limits: [] },
      'CALL_WHATSAPP_NO_PERMISSION',
      'call_permissions allows no request now and names no limit',
    ],
  ]
  for (const [request, code, detail] of rows) {
    const { admit, client } = permissionLab({ mode: 'request' })
    const { verdict } = pending(admit())
    client.queries[0]!.answer.resolve(permission({ request }))
    t.match(await verdict, { code, detail })
    t.equal(client.requests.length, 0)
  }
  const { admit, client, clock } = permissionLab({ mode: 'request' })
  client.instant = permission({ request: undefined })
  const { verdict } = pending(admit())
  await settle()
  client.requests[0]!.answer.resolve('wamid.1')
  t.match(await verdict, { code: 'CALL_PERMISSION_REQUESTED' })
  clock.advance(HOUR)
  const again = await pending(admit()).verdict
  t.match(again, { code: 'CALL_PERMISSION_REQUEST_LIMIT', detail: /^asked once in 7 days/ })
})

t.test('request: a message that cannot be sent refuses the call all the same', async (t) => {
  const rows: [Error, ErrorCode, ErrorCode][] = [
    [
      new CausewayError('SETTINGS_GRAPH_138009', { detail: 'enough' }),
      'CALL_PERMISSION_REQUEST_LIMIT',
      'SETTINGS_GRAPH_138009',
    ],
    [
      new CausewayError('SETTINGS_GRAPH_138013'),
      'CALL_WHATSAPP_COUNTRY_BARRED',
      'SETTINGS_GRAPH_138013',
    ],
    [
      new CausewayError('SETTINGS_GRAPH_131026'),
      'CALL_WHATSAPP_UNCALLABLE',
      'SETTINGS_GRAPH_131026',
    ],
    [new CausewayError('SETTINGS_TIMEOUT'), 'CALL_WHATSAPP_NO_PERMISSION', 'SETTINGS_TIMEOUT'],
    [new Error('odd'), 'CALL_WHATSAPP_NO_PERMISSION', 'PERMISSION_REQUEST_FAILED'],
  ]
  for (const [failure, code, logged] of rows) {
    const { admit, client, lines } = permissionLab({ mode: 'request' })
    client.instant = permission()
    const { verdict } = pending(admit())
    await settle()
    client.requests[0]!.answer.reject(failure)
    t.match(await verdict, { code })
    t.match(lines, [{ level: 40, code: 'PERMISSION_REQUEST_FAILED', err: { code: logged } }])
  }
})

t.test('request: the PBX does not wait for a slow message', async (t) => {
  const { admit, client, clock } = permissionLab({ mode: 'request' })
  client.instant = permission()
  const { verdict } = pending(admit())
  await settle()
  clock.advance(REQUEST_BUDGET)
  t.match(await verdict, { code: 'CALL_PERMISSION_REQUESTED', detail: /still on its way/ })
  t.equal(clock.pending, 0)
})

t.test('WhatsApp’s own refusal is believed more than memory', async (t) => {
  for (const outcome of ['no-permission', 'limit'] as const) {
    const { admit, client, watch, facts } = permissionLab()
    client.instant = granted()
    await pending(admit()).verdict
    t.equal(admit(), undefined)
    watch.onBusinessCall(facts(), outcome)
    pending(admit())
    t.equal(client.queries.length, 2, outcome)
  }
})

t.test('a reply in a webhook opens the gate at once', async (t) => {
  const { admit, book, client, number } = permissionLab()
  client.instant = permission()
  await pending(admit()).verdict
  t.match(admit(), { code: 'CALL_WHATSAPP_NO_PERMISSION' })
  const reply = {
    phoneNumberId: number.phoneNumberId,
    consumers: ['33199001234', 'FR.1'],
    response: 'accept' as const,
    permanent: true,
    expires: undefined,
    at: NOW,
  }
  t.ok(book.apply(reply))
  t.equal(admit(), undefined)
  t.equal(admit('FR.1'), undefined, 'by either name')
  t.notOk(book.apply({ ...reply, at: NOW - 5000, response: 'reject' }))
  t.equal(admit(), undefined)
})
