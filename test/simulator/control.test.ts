import { readFileSync } from 'node:fs'
import t from 'tap'
import { type Simulator, startSimulator } from '../../src/simulator/index.ts'

const BUSINESS = '+441632960123'

async function start(t: { teardown(fn: () => unknown): void }): Promise<Simulator> {
  const simulator = await startSimulator({
    numbers: [
      { phoneNumberId: '106540352242922', phoneNumber: BUSINESS, accessToken: 'token', appId: '1' },
    ],
  })
  t.teardown(() => simulator.close())
  return simulator
}

async function ask(
  simulator: Simulator,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${simulator.controlUrl}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

t.test('the three halves answer, the CA is handed out', async (t) => {
  const simulator = await start(t)
  t.match(simulator.sipProxy, /^sip:127\.0\.0\.1:\d+;transport=tls$/)
  const pem = await (await fetch(`${simulator.controlUrl}/ca.pem`)).text()
  t.equal(pem, readFileSync(simulator.caFile, 'utf8'))
  const graph = await fetch(`${simulator.graphUrl}/v24.0/106540352242922/settings`, {
    headers: { authorization: 'Bearer token' },
  })
  t.equal(graph.status, 200)
  t.match((await ask(simulator, 'GET', '/')).body['routes'], ['GET /', 'GET /ca.pem'])
  const { cert, key } = simulator.issueCertificate(['sip.example.com'])
  t.match(readFileSync(cert, 'utf8'), /BEGIN CERTIFICATE/)
  t.match(readFileSync(key, 'utf8'), /BEGIN PRIVATE KEY/)
})

t.test('calls', async (t) => {
  const simulator = await start(t)
  const placed = await ask(simulator, 'POST', '/calls', { from: '+33199001234', to: BUSINESS })
  t.equal(placed.status, 201)
  t.match(placed.body, {
    direction: 'USER_INITIATED',
    state: 'ended',
    outcome: { reason: /no SIP server is configured/ },
    messages: [],
    violations: [],
  })
  const id = encodeURIComponent(String(placed.body['id']))
  t.match((await ask(simulator, 'GET', `/calls/${id}`)).body, { business: BUSINESS })
  t.match((await ask(simulator, 'GET', '/calls?state=ended')).body, [{ state: 'ended' }])
  t.same((await ask(simulator, 'GET', '/calls?state=answered')).body, [])
  t.match(await ask(simulator, 'POST', `/calls/${id}/hangup`), { status: 409 })
  t.match(await ask(simulator, 'POST', `/calls/${id}/dtmf`, { digits: '1' }), {
    status: 409,
    body: { error: /ended, not answered/ },
  })
  t.match(await ask(simulator, 'GET', '/calls/wacid.none'), {
    status: 404,
    body: { error: /GET \/calls lists them/ },
  })
})

t.test('mistakes are explained', async (t) => {
  const simulator = await start(t)
  for (const [method, path, body, error] of [
    ['POST', '/calls', { from: '+33199001234' }, 'to is missing'],
    ['POST', '/calls', { from: 'Bob', to: BUSINESS }, /^from must match pattern/],
    ['POST', '/calls', { from: '+33199001234', to: '+15550000000' }, /is no number/],
    [
      'POST',
      '/calls',
      { from: '+33199001234', to: BUSINESS, hangupafter: 5 },
      'unknown property hangupafter; did you mean hangupAfter?',
    ],
    [
      'PUT',
      '/consumers/+33199001234',
      { script: { action: 'reject' } },
      'script.action must be one of answer, decline, unanswered, unreachable, error',
    ],
    ['PUT', '/consumers/Bob', {}, /neither an E\.164 number nor a BSUID/],
    ['PUT', '/consumers/+33199001234', { business: '+15550000000' }, /is no number/],
    ['PUT', '/behaviour', { digest: [] }, /fewer than 1 items/],
    ['PUT', '/behaviour', { answerWindow: '45s' }, 'answerWindow must be integer'],
    ['PUT', '/behaviour', { graph: { dialct: 'v23' } }, /did you mean dialect/],
  ] as const) {
    const answer = await ask(simulator, method, path, body)
    t.equal(answer.status, 400, JSON.stringify(body))
    t.match(answer.body['error'], error)
  }
  t.equal((await ask(simulator, 'GET', '/nothing')).status, 404)
})

t.test('consumers and behaviour', async (t) => {
  const simulator = await start(t)
  const { body } = await ask(simulator, 'PUT', '/consumers/+33199001234', {
    name: 'Camille',
    script: { action: 'decline', after: 500 },
    permission: 'permanent',
  })
  t.match(body, {
    id: '33199001234',
    name: 'Camille',
    country: 'FR',
    script: { action: 'decline', after: 500 },
    permissions: [{ business: BUSINESS, status: 'permanent' }],
  })
  t.match((await ask(simulator, 'GET', '/consumers')).body, [{ name: 'Camille' }])
  const bsuid = String(body['userId'])
  t.match((await ask(simulator, 'GET', `/consumers/${bsuid}`)).body, { id: '33199001234' })

  const changed = await ask(simulator, 'PUT', '/behaviour', {
    digest: ['SHA-256', 'MD5'],
    options: 'drop',
    graph: { srtpReset: 'omitted' },
  })
  t.match(changed.body, {
    digest: ['SHA-256', 'MD5'],
    options: 'drop',
    answerWindow: 45_000,
    graph: { dialect: 'meta', srtpReset: 'omitted' },
  })
  t.equal(simulator.graph.modes.srtpReset, 'omitted')
  t.match(await ask(simulator, 'PUT', '/webhooks', { url: 'http://127.0.0.1:9/x' }), {
    status: 200,
  })
})
