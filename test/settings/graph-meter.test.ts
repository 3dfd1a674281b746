import t from 'tap'
import type { Fetch } from '../../src/settings/client.ts'
import { createGraph } from '../../src/settings/graph.ts'
import { GraphMeter, operationOf } from '../../src/settings/graph-meter.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { labConfig } from '../support/bridge-lab.ts'
import { numberConfig } from '../support/configs.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeRandom } from '../support/fake-random.ts'

type Answer = { status: number; body: string; retryAfter?: string } | Error

/** Asks once with these answers in turn, each 200 ms after its request; gives the counts. */
async function ask(answers: Answer[], change: { token?: boolean; timeout?: number } = {}) {
  const clock = new FakeClock()
  const meter = new GraphMeter()
  const left = [...answers]
  const fetch: Fetch = (_url, { signal }) =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
      const answer = left.shift()
      if (!answer) return
      clock.setTimeout(() => {
        if (answer instanceof Error) return reject(answer)
        const { status, body, retryAfter } = answer
        resolve({ status, headers: { get: () => retryAfter ?? null }, text: async () => body })
      }, 200)
    })
  const { whatsapp } = labConfig()
  const random = new FakeRandom()
  const graph = createGraph({ whatsapp, clock, random, log: silentLogger(), fetch, meter })
  const number = numberConfig()
  const asked = change.token === false ? { ...number, accessToken: undefined } : number
  const url = new URL('https://graph.example/v24.0/1/settings?include_sip_credentials=true')
  let settled = false
  const done = graph
    .request(url, asked)
    .catch(() => undefined)
    .finally(() => {
      settled = true
    })
  while (!settled) {
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(100)
  }
  await done
  return meter.counts()
}

const limited = { status: 400, body: '{"error":{"code":80007,"message":"slow"}}' }

for (const [name, answers, outcomes] of [
  ['an answer', [{ status: 200, body: '{"a":1}' }], { ok: 1 }],
  [
    'throttled by code, then an answer',
    [limited, { status: 200, body: '{}' }],
    { throttled: 1, ok: 1 },
  ],
  [
    'throttled by status',
    [
      { status: 429, body: '{}' },
      { status: 200, body: '{}' },
    ],
    { throttled: 1, ok: 1 },
  ],
  ['refused', [{ status: 400, body: '{"error":{"code":100,"message":"no"}}' }], { '4xx': 1 }],
  [
    'an error in a 200',
    [{ status: 200, body: '{"error":{"code":100,"message":"no"}}' }],
    { '4xx': 1 },
  ],
  [
    'a fault of the server',
    [
      { status: 503, body: 'x' },
      { status: 200, body: '{}' },
    ],
    { '5xx': 1, ok: 1 },
  ],
  ['no JSON', [{ status: 200, body: '<html>' }], { malformed: 1 }],
  ['no connection', [Object.assign(new Error('x'), { code: 'ECONNREFUSED' })], { network: 1 }],
  ['no answer', [], { timeout: 1 }],
] as const) {
  t.test(name, async (t) => {
    const [counts] = await ask([...answers])
    t.equal(counts?.operation, 'settings_read')
    t.same(Object.fromEntries(counts!.outcomes), outcomes)
    const attempts = Object.values(outcomes).reduce((sum: number, one) => sum + one, 0)
    t.equal(counts!.duration.count, attempts)
    t.ok(counts!.duration.sum >= 0.2 * attempts, `${counts!.duration.sum} s`)
    t.equal(counts!.waits, attempts - 1, 'each repetition was waited for')
    t.equal(counts!.waitedSeconds > 0, attempts > 1)
  })
}

t.test('a request that is not sent is none', async (t) => {
  t.same(await ask([], { token: false }), [])
})

t.test('operations by path', async (t) => {
  for (const [path, writes, operation] of [
    ['/v24.0/1/settings', false, 'settings_read'],
    ['/v24.0/1/settings', true, 'settings_write'],
    ['/calling/settings', true, 'settings_write'],
    ['/v24.0/1/call_permissions', false, 'permission_query'],
    ['/v24.0/1/messages', true, 'permission_request'],
    ['/v24.0/1', false, 'other'],
  ] as const) {
    t.equal(operationOf(new URL(path, 'https://graph.example'), writes), operation)
  }
})
