import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { ENABLE, NUMBER, startGraph } from './support.ts'

const CONSUMER = '33199001234'

/** A subscriber that checks nothing and remembers everything. */
async function subscribe(t: Test, verifyToken = 'verify-me') {
  const got: { body: string; signature: string | undefined }[] = []
  const statuses: number[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const url = new URL(request.url!, 'http://localhost')
    if (request.method === 'GET') {
      const good = url.searchParams.get('hub.verify_token') === verifyToken
      response.writeHead(good ? 200 : 403).end(good ? url.searchParams.get('hub.challenge') : '')
      return
    }
    got.push({ body, signature: request.headers['x-hub-signature-256'] as string | undefined })
    response.writeHead(statuses.shift() ?? 200).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/whatsapp`
  const changes = () => got.map(({ body }) => JSON.parse(body).entry[0].changes[0])
  return { url, got, statuses, changes }
}

t.test('the verification handshake', async (t) => {
  const { url } = await subscribe(t)
  const { graph } = await startGraph(t, { webhooks: { url, verifyToken: 'verify-me' } })
  t.equal(await graph.webhooks.verify(), true)
  graph.webhooks.subscribe({ url, verifyToken: 'wrong' })
  t.equal(await graph.webhooks.verify(), false)
})

t.test('changes of settings are signed with the app secret', async (t) => {
  const { url, got } = await subscribe(t)
  const { graph, ask, number } = await startGraph(t, { webhooks: { url } })
  await ask('/settings', ENABLE)
  await graph.webhooks.idle()
  t.equal(got.length, 1)
  const { body, signature } = got[0]!
  const digest = createHmac('sha256', NUMBER.appSecret).update(body).digest('hex')
  t.equal(signature, `sha256=${digest}`)
  t.match(JSON.parse(body), {
    object: 'whatsapp_business_account',
    entry: [
      {
        id: number.wabaId,
        changes: [
          {
            field: 'account_settings_update',
            value: {
              messaging_product: 'whatsapp',
              type: 'phone_number_settings',
              phone_number_settings: {
                phone_number_id: NUMBER.phoneNumberId,
                calling: { status: 'ENABLED', srtp_key_exchange_protocol: 'SDES' },
              },
            },
          },
        ],
      },
    ],
  })
  t.notMatch(body, /password/)
  await ask('/settings', { calling: { audio: { additional_codecs: [] } } })
  await ask('/settings', ENABLE)
  await graph.webhooks.idle()
  t.equal(got.length, 1, 'codecs and unchanged values fire nothing')
})

t.test('calls are told only with webhook_delivery', async (t) => {
  const { url, changes } = await subscribe(t)
  const { graph, ask, clock, number } = await startGraph(t, { webhooks: { url } })
  await ask('/settings', ENABLE)
  const created = { event: 'created', number, consumer: `+${CONSUMER}` } as const
  graph.store.recordCall({ ...created, wacid: 'wacid.a', direction: 'USER_INITIATED' })
  graph.store.recordCall({ event: 'ended', wacid: 'wacid.a', outcome: 'completed' })
  await graph.webhooks.idle()
  t.equal(changes().length, 1, 'the settings alone')
  await ask('/settings', { calling: { sip: { webhook_delivery: 'ENABLED' } } })
  graph.store.recordCall({ ...created, wacid: 'wacid.b', direction: 'USER_INITIATED' })
  t.equal(graph.store.activeCall(number, CONSUMER)!.wacid, 'wacid.b')
  graph.store.recordCall({ event: 'connected', wacid: 'wacid.b' })
  clock.advance(42_000)
  graph.store.recordCall({
    event: 'ended',
    wacid: 'wacid.b',
    outcome: 'failed',
    error: { code: 138021, title: 'Media receive timeout' },
  })
  await graph.webhooks.idle()
  t.match(changes().slice(1), [
    {
      field: 'calls',
      value: {
        metadata: { display_phone_number: '441632960123', phone_number_id: NUMBER.phoneNumberId },
        contacts: [{ wa_id: CONSUMER }],
        calls: [
          {
            id: 'wacid.b',
            event: 'call_created',
            from: CONSUMER,
            to: '441632960123',
            direction: 'USER_INITIATED',
          },
        ],
      },
    },
    {
      value: {
        calls: [{ event: 'terminate', status: 'FAILED', duration: 42, errors: [{ code: 138021 }] }],
        errors: [{ code: 138021 }],
      },
    },
  ])
  t.equal(graph.store.activeCall(number, CONSUMER), undefined)
})

t.test('four missed business calls in a row revoke the permission', async (t) => {
  const { url, changes } = await subscribe(t)
  const { graph, ask, number } = await startGraph(t, { webhooks: { url } })
  await ask('/settings', ENABLE)
  graph.store.grantPermission(number, CONSUMER, true)
  const direction = 'BUSINESS_INITIATED'
  for (const outcome of ['unanswered', 'rejected', 'unanswered', 'rejected'] as const) {
    t.equal(graph.store.permission(number, CONSUMER).status, 'permanent')
    graph.store.recordCall({ event: 'created', wacid: 'w', number, consumer: CONSUMER, direction })
    graph.store.recordCall({ event: 'ended', wacid: 'w', outcome })
  }
  t.equal(graph.store.permission(number, CONSUMER).status, 'no_permission')
  await graph.webhooks.idle()
  const reply = changes().at(-1).value.messages[0]
  t.match(reply.interactive.call_permission_reply, {
    response: 'reject',
    response_source: 'automatic',
  })
  t.notOk('context' in reply)
})

t.test('an answered call ends the run of missed ones, and counts for the day', async (t) => {
  const { graph, number } = await startGraph(t)
  graph.store.grantPermission(number, CONSUMER, true)
  const call = (outcome: 'completed' | 'unanswered') => {
    const direction = 'BUSINESS_INITIATED'
    graph.store.recordCall({ event: 'created', wacid: 'w', number, consumer: CONSUMER, direction })
    if (outcome === 'completed') graph.store.recordCall({ event: 'connected', wacid: 'w' })
    graph.store.recordCall({ event: 'ended', wacid: 'w', outcome })
  }
  for (let i = 0; i < 3; i++) call('unanswered')
  call('completed')
  for (let i = 0; i < 3; i++) call('unanswered')
  t.equal(graph.store.permission(number, CONSUMER).status, 'permanent')
  for (let i = 0; i < 98; i++) call('completed')
  t.ok(graph.store.mayConnect(number, CONSUMER))
  call('completed')
  t.notOk(graph.store.mayConnect(number, CONSUMER), 'a hundred a day')
})

t.test('duplicates and disorder', async (t) => {
  const { url, changes } = await subscribe(t)
  const { graph, clock, number } = await startGraph(t, { webhooks: { url } })
  const send = (n: number) => graph.store.emitWebhook({ number, field: 'calls', value: { n } })
  const order = () => changes().map(({ value }: { value: { n: number } }) => value.n)
  graph.webhooks.duplicates = true
  send(1)
  await graph.webhooks.idle()
  t.same(order(), [1, 1])
  graph.webhooks.duplicates = false
  graph.webhooks.reorder = true
  for (const n of [2, 3, 4]) send(n)
  await graph.webhooks.idle()
  t.same(order(), [1, 1, 3, 2], 'the last one is held back')
  clock.advance(1000)
  await graph.webhooks.idle()
  t.same(order(), [1, 1, 3, 2, 4])
})

t.test('what is not answered 200 is sent again', async (t) => {
  const { url, got, statuses } = await subscribe(t)
  const { graph, clock, number } = await startGraph(t, { webhooks: { url } })
  statuses.push(500, 503)
  graph.store.emitWebhook({ number, field: 'calls', value: { n: 1 } })
  const until = async (status: number) => {
    while (graph.webhooks.deliveries[0]?.status !== status) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  await until(500)
  clock.advance(1000)
  await until(503)
  clock.advance(1999)
  t.equal(got.length, 2, 'the pause doubles')
  clock.advance(1)
  await graph.webhooks.idle()
  t.match(graph.webhooks.deliveries, [{ field: 'calls', status: 200, tries: 3 }])
  t.equal(got.length, 3)
})
