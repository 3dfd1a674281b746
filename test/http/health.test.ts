import t from 'tap'
import { healthy, httpFixture } from './support.ts'

t.test('livez is 200 while the event loop runs', async (t) => {
  const { app } = httpFixture()
  t.equal((await app.inject('/livez')).statusCode, 200)
})

const rows = [
  { name: 'all pass', change: {}, ready: 200, health: 200, status: 'pass' },
  {
    name: 'one number fails',
    change: { status: 'fail' as const },
    ready: 200,
    health: 200,
    status: 'warn',
  },
  {
    name: 'no calls possible',
    change: { status: 'fail' as const, ready: false },
    ready: 503,
    health: 503,
    status: 'fail',
  },
  {
    name: 'draining',
    change: { status: 'warn' as const, ready: false },
    ready: 503,
    health: 200,
    status: 'warn',
  },
]

for (const { name, change, ready, health, status } of rows) {
  t.test(`${name}: readyz ${ready}, healthz ${status}`, async (t) => {
    const checks = [
      healthy,
      { ...healthy, component: 'number', id: 'support', output: 'why', ...change },
    ]
    const { app } = httpFixture({ checks: () => checks })
    const readyz = await app.inject('/readyz')
    t.equal(readyz.statusCode, ready)
    t.strictSame(readyz.json().reasons, ready === 200 ? [] : ['number support: why'])
    const healthz = await app.inject('/healthz')
    t.equal(healthz.statusCode, health)
    t.match(healthz.headers['content-type'], /^application\/health\+json/)
    t.equal(healthz.json().status, status)
    t.match(healthz.json().checks['number'][0], { componentId: 'support' })
  })
}

t.test('metrics are OpenMetrics with the prefix, one EOF, and no number in a label', async (t) => {
  const { app } = httpFixture({
    metrics: async () => [
      {
        name: 'calls',
        help: 'Calls ended.',
        type: 'counter',
        samples: [{ labels: { direction: 'user-initiated' }, value: 3 }],
      },
      {
        name: 'calls_active',
        help: 'Calls now.',
        type: 'gauge',
        samples: [{ labels: {}, value: 0 }],
      },
    ],
  })
  t.teardown(() => app.close())
  const answer = await app.inject('/metrics')
  t.match(answer.headers['content-type'], /^application\/openmetrics-text/)
  t.match(answer.body, /^causeway_calls_total\{direction="user-initiated"\} 3$/m)
  t.match(answer.body, /^causeway_calls_active 0$/m)
  t.match(answer.body, /^causeway_nodejs_eventloop_lag_seconds /m)
  t.equal(answer.body.match(/# EOF/g)?.length, 1)
  t.ok(answer.body.endsWith('# EOF\n'))
})
