import t from 'tap'
import { ENABLE, startGraph } from './support.ts'

const CONSUMER = '33199001234'
const REQUEST = {
  messaging_product: 'whatsapp',
  recipient_type: 'individual',
  to: CONSUMER,
  type: 'interactive',
  interactive: {
    type: 'call_permission_request',
    action: { name: 'call_permission_request' },
    body: { text: 'May we call you?' },
  },
}
const QUERY = `/call_permissions?user_wa_id=${CONSUMER}`
const HOUR = 3_600_000

t.test('without calling there are no permissions', async (t) => {
  const { ask } = await startGraph(t)
  t.match(await ask(QUERY), { status: 401, body: { error: { code: 138000 } } })
  t.match(await ask('/messages', REQUEST), { status: 401, body: { error: { code: 138000 } } })
})

t.test('a request is answered by the consumer and counted', async (t) => {
  const { ask, clock, graph, number } = await startGraph(t)
  await ask('/settings', ENABLE)
  const changes: { field: string; value: Record<string, unknown> }[] = []
  graph.store.onWebhook((change) => changes.push(change))
  t.match((await ask(QUERY)).body, {
    messaging_product: 'whatsapp',
    permission: { status: 'no_permission' },
    actions: [
      {
        action_name: 'send_call_permission_request',
        can_perform_action: true,
        limits: [
          { time_period: 'PT24H', max_allowed: 1, current_usage: 0 },
          { time_period: 'P7D', max_allowed: 2, current_usage: 0 },
        ],
      },
      {
        action_name: 'start_call',
        can_perform_action: false,
        limits: [{ time_period: 'PT24H', max_allowed: 100, current_usage: 0 }],
      },
    ],
  })
  const sent = await ask('/messages', REQUEST)
  t.match(sent.body, { contacts: [{ wa_id: CONSUMER }], messages: [{ id: /^wamid\./ }] })
  t.equal(graph.store.permission(number, CONSUMER).status, 'no_permission', 'not yet answered')
  clock.advance(0)
  t.match(changes, [
    {
      field: 'messages',
      value: {
        messages: [
          {
            context: { id: sent.body.messages[0].id },
            from: CONSUMER,
            interactive: {
              type: 'call_permission_reply',
              call_permission_reply: {
                response: 'accept',
                is_permanent: false,
                expiration_timestamp: Math.floor((clock.now() + 168 * HOUR) / 1000),
                response_source: 'user_action',
              },
            },
          },
        ],
      },
    },
  ])
  t.match((await ask(QUERY)).body, {
    permission: { status: 'temporary', expiration_time: Number },
    actions: [
      { can_perform_action: false, limits: [{ current_usage: 1, limit_expiration_time: Number }] },
      { can_perform_action: true },
    ],
  })
  clock.advance(168 * HOUR)
  t.match((await ask(QUERY)).body, { permission: { status: 'no_permission' } })
})

t.test('one request a day, two a week, until a call connects', async (t) => {
  const { ask, clock, graph, number } = await startGraph(t)
  await ask('/settings', ENABLE)
  graph.setPermissionReply(() => undefined)
  const send = async () => (await ask('/messages', REQUEST)).body.error?.code
  t.equal(await send(), undefined)
  t.equal(await send(), 138009)
  clock.advance(24 * HOUR)
  t.equal(await send(), undefined)
  clock.advance(24 * HOUR)
  t.equal(await send(), 138009, 'the third in a week')
  const call = { wacid: 'wacid.1', number, consumer: CONSUMER } as const
  graph.store.recordCall({ event: 'created', ...call, direction: 'USER_INITIATED' })
  graph.store.recordCall({ event: 'connected', wacid: call.wacid })
  t.equal(await send(), undefined)
})

t.test('scripts reject, wait, grant for good or stay silent', async (t) => {
  const { ask, clock, graph, number } = await startGraph(t)
  await ask('/settings', ENABLE)
  const status = (consumer: string) => graph.store.permission(number, consumer).status
  graph.setPermissionReply(({ consumer }) =>
    consumer === '1'
      ? { response: 'accept', permanent: true, delay: 5000 }
      : consumer === '2'
        ? { response: 'reject' }
        : undefined,
  )
  for (const to of ['1', '2', '3']) await ask('/messages', { ...REQUEST, to })
  clock.advance(4999)
  t.same(['1', '2', '3'].map(status), ['no_permission', 'no_permission', 'no_permission'])
  clock.advance(1)
  t.equal(status('1'), 'permanent')
  const again = await ask('/messages', { ...REQUEST, to: '+1' })
  t.equal(again.body.error.code, 138017)
})

t.test('templates and business-scoped user IDs', async (t) => {
  const { ask, clock, graph, number } = await startGraph(t)
  await ask('/settings', ENABLE)
  const sent = await ask('/messages', {
    messaging_product: 'whatsapp',
    recipient: 'FR.13491208655302741918',
    type: 'template',
    template: { name: 'calls', language: { code: 'en' } },
  })
  t.equal(sent.status, 200)
  const nameless = { messaging_product: 'whatsapp', to: '1', type: 'template', template: {} }
  t.equal((await ask('/messages', nameless)).body.error.code, 100)
  clock.advance(0)
  t.equal(graph.store.permission(number, 'FR.13491208655302741918').status, 'temporary')
  const { body } = await ask('/call_permissions?recipient=FR.13491208655302741918')
  t.equal(body.permission.status, 'temporary')
})

t.test('what stands against a request', async (t) => {
  const { ask, number } = await startGraph(t)
  await ask('/settings', ENABLE)
  const text = { messaging_product: 'whatsapp', to: CONSUMER, type: 'text', text: { body: 'hi' } }
  t.equal((await ask('/messages', text)).status, 200, 'other messages are taken')
  t.equal((await ask('/messages', { ...REQUEST, to: undefined })).body.error.code, 100)
  const header = { ...REQUEST.interactive, header: { type: 'text', text: 'x' } }
  const withHeader = await ask('/messages', { ...REQUEST, interactive: header })
  t.equal(withHeader.body.error.code, 100)
  number.businessInitiatedAllowed = false
  t.equal((await ask('/messages', REQUEST)).body.error.code, 138013)
  number.businessInitiatedAllowed = true
  number.restrictions.push({
    type: 'RESTRICTED_BUSINESS_INITIATED_CALLING',
    reason: 'feedback',
    expiration: 1,
  })
  t.equal((await ask('/messages', REQUEST)).body.error.code, 138014)
  t.match((await ask(QUERY)).body.actions, [
    { can_perform_action: false },
    { can_perform_action: false },
  ])
})

t.test('more than a hundred queries a second are too many', async (t) => {
  const { ask, clock } = await startGraph(t)
  await ask('/settings', ENABLE)
  const answers = await Promise.all(Array.from({ length: 101 }, () => ask(QUERY)))
  t.equal(answers.filter(({ status }) => status === 200).length, 100)
  t.match(
    answers.find(({ status }) => status !== 200),
    { status: 429, body: { error: { code: 613 } } },
  )
  clock.advance(1000)
  t.equal((await ask(QUERY)).status, 200)
})
