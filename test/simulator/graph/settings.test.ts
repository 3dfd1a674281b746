import t from 'tap'
import { ENABLE, NUMBER, OTHER_APP, startGraph } from './support.ts'

const CREDENTIALS = '/settings?include_sip_credentials=true'

t.test('a fresh number is off and has no server', async (t) => {
  const { ask } = await startGraph(t)
  const { status, body } = await ask('/settings')
  t.equal(status, 200)
  t.match(body.calling, { status: 'DISABLED', sip: { status: 'DISABLED', servers: [] } })
  t.notOk('srtp_key_exchange_protocol' in body.calling, 'not returned until it is set')
  t.ok(body.storage_configuration, 'other features are reported beside')
})

t.test('everything is enabled in one call; the password shows only on request', async (t) => {
  const { ask, graph, number } = await startGraph(t)
  t.same((await ask('/settings', ENABLE)).body, { success: true })
  const plain = (await ask('/settings')).body.calling
  t.match(plain, {
    status: 'ENABLED',
    srtp_key_exchange_protocol: 'SDES',
    sip: {
      status: 'ENABLED',
      servers: [{ app_id: 634974688087057, hostname: 'wa-trunk.example.com', port: 5061 }],
    },
    audio: { additional_codecs: ['PCMA', 'PCMU'] },
  })
  t.notOk('sip_user_password' in plain.sip.servers[0])
  const [server] = (await ask(CREDENTIALS)).body.calling.sip.servers
  t.match(server.sip_user_password, /^[0-9a-f]{32}$/)
  t.match(graph.store.sipServerFor(number), {
    status: 'ENABLED',
    hostname: 'wa-trunk.example.com',
    password: server.sip_user_password,
    srtp: 'SDES',
    codecs: ['PCMA', 'PCMU'],
    authorized: true,
  })
})

t.test('the v23 mirror spells it its own way', async (t) => {
  const { ask } = await startGraph(t, { dialect: 'v23' })
  await ask('/settings', ENABLE)
  const { calling } = (await ask(CREDENTIALS)).body
  t.match(calling, {
    status: 'enabled',
    call_icon_visibility: 'visible',
    srtp_key_exchange_protocol: 'SDES-SRTP',
    sip: { servers: [{ app_id: '634974688087057', password: /^[0-9a-f]{32}$/ }] },
  })
  t.notOk('sip_user_password' in calling.sip.servers[0])
})

t.test('360dialog: key header, no ID in the path', async (t) => {
  const { graph } = await startGraph(t, { dialect: '360dialog' })
  const headers = { 'd360-api-key': NUMBER.accessToken, 'content-type': 'application/json' }
  const url = `${graph.url}/calling/settings`
  const written = await fetch(url, { method: 'POST', headers, body: JSON.stringify(ENABLE) })
  t.same(await written.json(), { success: true })
  const read = await fetch(url, { headers: { 'd360-api-key': NUMBER.accessToken } })
  t.match(await read.json(), { calling: { status: 'ENABLED' } })
  const unknown = await fetch(url, { headers: { 'd360-api-key': 'nobody' } })
  t.equal(unknown.status, 401)
})

t.test('who may ask', async (t) => {
  const { ask, graph } = await startGraph(t)
  const rows: [string, string, number, unknown][] = [
    ['/settings', 'nobody', 401, { code: 190, type: 'OAuthException' }],
    ['/settings', 'token-three', 400, { code: 100, error_subcode: 33 }],
    [`${graph.url}/v24.0/1/settings`, NUMBER.accessToken, 400, { code: 100, error_subcode: 33 }],
    [`${graph.url}/elsewhere`, NUMBER.accessToken, 404, { code: 100 }],
  ]
  for (const [path, token, status, error] of rows) {
    const answer = await ask(path, undefined, token)
    t.equal(answer.status, status, `${path} ${token}`)
    t.match(answer.body.error, { ...(error as object), fbtrace_id: /^A/ })
  }
})

t.test('what a write may not say', async (t) => {
  const { ask, number } = await startGraph(t)
  const week = [{ day_of_week: 'MONDAY', open_time: '0400', close_time: '1020' }]
  const hours = (changes: object) => ({
    call_hours: {
      status: 'ENABLED',
      timezone_id: 'America/Manaus',
      weekly_operating_hours: week,
      ...changes,
    },
  })
  const window = (open_time: string, close_time: string) => ({
    day_of_week: 'MONDAY',
    open_time,
    close_time,
  })
  const sip = (server: object) => ({ sip: { servers: [{ hostname: 'a.example.com', ...server }] } })
  const rows: [unknown, RegExp][] = [
    [{ status: 'ON' }, /Invalid status/],
    [{ surprise: 1 }, /Unexpected key "surprise"/],
    [{ sip: { status: 'ENABLED' } }, /At least one SIP server/],
    [{ sip: { servers: 'x' } }, /must be an array/],
    [{ sip: { servers: [{ hostname: 'a' }, { hostname: 'b' }] } }, /Only one SIP server/],
    [sip({ hostname: 'sip:a@b' }), /Invalid SIP server hostname/],
    [sip({ port: 70000 }), /Invalid SIP server port/],
    [sip({ app_id: 1 }), /Unexpected key "app_id"/],
    [sip({ request_uri_user_params: { k: 'x'.repeat(129) } }), /at most 128/],
    [{ srtp_key_exchange_protocol: 'ZRTP' }, /Invalid srtp_key_exchange_protocol/],
    [{ audio: { additional_codecs: ['G722'] } }, /Invalid additional_codecs/],
    [hours({ timezone_id: 'Mars/Olympus' }), /Timezone is invalid/],
    [hours({ weekly_operating_hours: [] }), /cannot be empty/],
    [hours({ weekly_operating_hours: [window('1000', '0900')] }), /Invalid schedule/],
    [
      hours({ weekly_operating_hours: [window('0100', '0300'), window('0200', '0400')] }),
      /Overlapping schedule/,
    ],
    [
      hours({
        weekly_operating_hours: [
          window('0100', '0200'),
          window('0300', '0400'),
          window('0500', '0600'),
        ],
      }),
      /More than 2 entries/,
    ],
    [
      hours({ holiday_schedule: [{ date: '01.01.2030', start_time: '0000', end_time: '2359' }] }),
      /Date format/,
    ],
    [
      hours({ holiday_schedule: [{ date: '2020-01-01', start_time: '0000', end_time: '2359' }] }),
      /past date/,
    ],
  ]
  const before = JSON.stringify((await ask('/settings')).body)
  for (const [calling, text] of rows) {
    const { status, body } = await ask('/settings', { calling })
    t.equal(status, 400, JSON.stringify(calling))
    t.equal(body.error.code, 100)
    t.match(body.error.error_data?.details ?? body.error.message, text)
  }
  t.equal(JSON.stringify((await ask('/settings')).body), before, 'nothing was changed')
  t.equal(number.calling.servers.size, 0)
  const two = await ask('/settings', { calling: {}, storage_configuration: {} })
  t.match(two.body.error.error_data.details, /Only one feature/)
})

t.test('calling hours are replaced whole', async (t) => {
  const { ask } = await startGraph(t)
  const call_hours = {
    status: 'ENABLED',
    timezone_id: 'America/Manaus',
    weekly_operating_hours: [{ day_of_week: 'MONDAY', open_time: '0400', close_time: '1020' }],
    holiday_schedule: [{ date: '2030-01-01', open_time: '0000', close_time: '2359' }],
  }
  t.equal((await ask('/settings', { calling: { call_hours } })).status, 200)
  t.same((await ask('/settings')).body.calling.call_hours, call_hours)
  const { holiday_schedule: _, ...without } = call_hours
  await ask('/settings', { calling: { call_hours: without } })
  t.same((await ask('/settings')).body.calling.call_hours.holiday_schedule, [])
})

t.test('preconditions of calling', async (t) => {
  const { ask, number } = await startGraph(t)
  const status = { calling: { status: 'ENABLED' } }
  t.equal((await ask('/settings', status)).body.error.code, 138018)
  number.messagingLimit = 250
  t.equal((await ask('/settings', ENABLE)).body.error.code, 138015)
  number.messagingLimit = 2000
  number.callsWebhook = true
  t.equal((await ask('/settings', status)).status, 200)
})

t.test('servers belong to the app that wrote them', async (t) => {
  const { ask, graph, number } = await startGraph(t)
  await ask('/settings', ENABLE)
  const second = { calling: { sip: { servers: [{ hostname: 'other.example.com' }] } } }
  t.equal((await ask('/settings', second, OTHER_APP.accessToken)).status, 200)
  const { servers } = (await ask(CREDENTIALS)).body.calling.sip
  t.match(servers, [
    { hostname: 'wa-trunk.example.com', sip_user_password: String },
    { app_id: 77 },
  ])
  t.notOk('sip_user_password' in servers[1], "another app's password stays hidden")
  t.not(graph.store.passwordOf(number, NUMBER.appId), graph.store.passwordOf(number, '77'))
  const clear = { calling: { sip: { servers: [] } } }
  t.equal((await ask('/settings', clear)).status, 200)
  t.equal(number.calling.servers.size, 1)
  const last = await ask('/settings', clear, OTHER_APP.accessToken)
  t.match(last.body.error.error_data.details, /At least one SIP server/)
})

t.test('a password is rotated by clearing everything, not by another host name', async (t) => {
  const { ask, graph, number } = await startGraph(t)
  await ask('/settings', ENABLE)
  const password = graph.store.passwordOf(number, NUMBER.appId)
  await ask('/settings', { calling: { sip: { servers: [{ hostname: 'new.example.com' }] } } })
  await ask('/settings', { calling: { sip: { status: 'DISABLED' } } })
  t.equal(number.calling.servers.size, 1, 'disabling keeps the server')
  t.equal(graph.store.passwordOf(number, NUMBER.appId), password)
  const off = { calling: { status: 'DISABLED', sip: { status: 'DISABLED', servers: [] } } }
  await ask('/settings', off)
  await ask('/settings', ENABLE)
  t.not(graph.store.passwordOf(number, NUMBER.appId), password)
})

t.test('the reset of the key exchange', async (t) => {
  const { ask, graph } = await startGraph(t)
  const srtp = async () => (await ask('/settings')).body.calling.srtp_key_exchange_protocol
  const sip = { calling: { sip: { servers: [{ hostname: 'a.example.com' }] } } }
  await ask('/settings', ENABLE)
  await ask('/settings', sip)
  t.equal(await srtp(), 'SDES', 'off by default')
  graph.modes.srtpReset = 'omitted'
  await ask('/settings', sip)
  t.equal(await srtp(), 'DTLS')
  await ask('/settings', ENABLE)
  t.equal(await srtp(), 'SDES')
  graph.modes.srtpReset = 'always'
  await ask('/settings', ENABLE)
  t.equal(await srtp(), 'DTLS')
  await ask('/settings', { calling: { srtp_key_exchange_protocol: 'SDES' } })
  t.equal(await srtp(), 'SDES')
  graph.modes.srtpReset = 'stubborn'
  await ask('/settings', { calling: { srtp_key_exchange_protocol: 'SDES' } })
  t.equal(await srtp(), 'DTLS')
})

t.test('health status tells what keeps SIP calls away', async (t) => {
  const { ask } = await startGraph(t)
  const codes = async (token?: string) => {
    const { body } = await ask('?fields=health_status', undefined, token)
    return body.health_status.entities.flatMap(
      (entity: { errors?: { error_code: number }[] }) =>
        entity.errors?.map(({ error_code }) => error_code) ?? [],
    )
  }
  t.same(await codes(), [138024, 138025])
  await ask('/settings', ENABLE)
  t.same(await codes(), [])
  t.same(await codes(OTHER_APP.accessToken), [138025])
})

t.test('a number shows the fields asked for, and no others', async (t) => {
  const { ask, number } = await startGraph(t)
  const limit = 'whatsapp_business_manager_messaging_limit'
  number.quality = 'YELLOW'
  t.same((await ask(`?fields=quality_rating,${limit}`)).body, {
    id: number.phoneNumberId,
    quality_rating: 'YELLOW',
    [limit]: 'TIER_2K',
  })
  number.messagingLimit = 250
  t.equal((await ask(`?fields=${limit}`)).body[limit], 'TIER_250')
  number.messagingLimit = Number.POSITIVE_INFINITY
  t.equal((await ask(`?fields=${limit}`)).body[limit], 'TIER_UNLIMITED')
  t.match(await ask('?fields=favourite_colour'), { status: 400, body: { error: { code: 100 } } })
})

t.test('a token tells its permissions', async (t) => {
  const { ask, graph, number } = await startGraph(t)
  const path = `${graph.url}/v24.0/me/permissions`
  const granted = async () =>
    (await ask(path)).body.data
      .filter(({ status }: { status: string }) => status === 'granted')
      .map(({ permission }: { permission: string }) => permission)
  t.same(await granted(), ['whatsapp_business_management', 'whatsapp_business_messaging'])
  number.apps.get('634974688087057')!.messaging = false
  t.same(await granted(), ['whatsapp_business_management'])
  t.match(await ask(path, undefined, 'unknown'), { status: 401, body: { error: { code: 190 } } })
})

t.test('Graph calls are refused in SIP mode', async (t) => {
  const { ask } = await startGraph(t)
  const call = { messaging_product: 'whatsapp', action: 'connect', to: '33199001234' }
  t.match(await ask('/calls', call), { status: 401, body: { error: { code: 138000 } } })
  await ask('/settings', ENABLE)
  t.match(await ask('/calls', call), { status: 400, body: { error: { code: 131055 } } })
})

t.test('faults hit the requests they name, in order, and then stop', async (t) => {
  const { ask, graph, clock } = await startGraph(t)
  graph.faults.inject({ method: 'POST', status: 500, code: 2, message: 'later' })
  graph.faults.inject({ path: '/settings', status: 429, code: 80007, retryAfter: '7', count: 2 })
  const slow = await ask('/settings')
  t.match(slow, { status: 429, body: { error: { code: 80007 } } })
  t.equal(slow.headers.get('retry-after'), '7')
  t.match(await ask('/settings', ENABLE), { status: 500, body: { error: { code: 2 } } })
  t.equal((await ask('/settings')).status, 429)
  t.equal((await ask('/settings')).status, 200)
  graph.faults.inject({ hangUp: true })
  await t.rejects(ask('/settings'))
  graph.faults.inject({ body: '{"calling":' })
  await t.rejects(ask('/settings'), SyntaxError)
  graph.faults.inject({ delay: 5000 })
  const late = ask('/settings')
  while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve))
  clock.advance(5000)
  t.equal((await late).status, 200)
  graph.faults.inject({ status: 500 })
  graph.faults.clear()
  t.equal((await ask('/settings')).status, 200)
  const malformed = await fetch(`${graph.url}/v24.0/${NUMBER.phoneNumberId}/settings`, {
    method: 'POST',
    headers: { authorization: 'Bearer token-one', 'content-type': 'application/json' },
    body: '{',
  })
  t.equal(malformed.status, 400)
})
