import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Calling } from '../../src/app/calling.ts'
import { credentialMetrics } from '../../src/app/credential-metrics.ts'
import { Events } from '../../src/app/events.ts'
import { MediaWatch, relayMetrics } from '../../src/app/media-watch.ts'
import { metricFamilies } from '../../src/app/metrics.ts'
import { Reloader } from '../../src/app/reloader.ts'
import { Webhooks } from '../../src/app/webhooks.ts'
import { CallRegistry, causeOf, hungUpBy } from '../../src/calls/index.ts'
import { createSipServer } from '../../src/embedded-drachtio/index.ts'
import type { EventPublisher } from '../../src/events/index.ts'
import type { MetricFamily } from '../../src/http/index.ts'
import { render } from '../../src/http/metrics.ts'
import { CausewayError } from '../../src/shared/errors/index.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { Secret } from '../../src/shared/secret.ts'
import { labConfig } from '../support/bridge-lab.ts'
import { configOf, edit, VALID } from '../support/config-file.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeRandom } from '../support/fake-random.ts'

const PAGE = 'docs/reference/metrics.md'

/** The metrics of permissions after a request message and two calls nobody answered. */
async function callingMetrics(clock: FakeClock) {
  const calls = new CallRegistry(clock)
  const config = configOf(edit(['    outbound:', '    permissions: request\n    outbound:']))
  const calling = new Calling({
    config: () => config,
    settings: () => undefined,
    calls,
    clock,
    random: new FakeRandom(),
    log: silentLogger(),
    fetch: async () => new Response('{"permission":{"status":"no_permission"}}'),
  })
  const asked = calling.admit(config.numbers[0]!, config.trunks[0]!, '+33199001234')
  if (asked && 'verdict' in asked) await asked.verdict
  for (const id of ['1', '2']) {
    const call = calls.begin({
      id,
      direction: 'business-initiated',
      number: 'support',
      business: '+441632960123',
      consumer: '+33199001234',
      trunk: 'main',
    })
    call.end(causeOf(new CausewayError('CALL_WHATSAPP_DECLINED')))
  }
  await calling.stop()
  return calling.metrics()
}

/** Each metric as `type {labels}`, read from the exposition of an instance where all has happened. */
async function exposed(): Promise<Map<string, string>> {
  const clock = new FakeClock()
  const calls = new CallRegistry(clock)
  const watch = new MediaWatch(calls, clock)
  const call = calls.begin({
    id: '1',
    direction: 'user-initiated',
    number: 'support',
    business: '+441632960123',
    consumer: '+33199001234',
    trunk: 'main',
  })
  call.moveTo('calling')
  call.moveTo('answered')
  call.judge(
    { code: 'MEDIA_SILENT_PBX', side: 'pbx', owner: 'pbx', detail: '', fix: '', since: 0 },
    false,
  )
  call.end(hungUpBy('pbx'))
  call.complete({
    at: 0,
    legs: { whatsapp: undefined, pbx: undefined },
    transcoding: false,
    verdicts: [],
    verdict: 'bad',
    dtmf: [],
  })
  const server = await createSipServer({
    admin: { host: '127.0.0.1', port: 0, secret: new Secret('lab') },
    listeners: [],
    log: silentLogger(),
  })
  const sip = server.metrics()
  await server.close()
  const text = await render([
    ...metricFamilies({
      version: '1.2.3',
      calls,
      bridge: {
        connected: true,
        draining: false,
        endpoints: [],
        calls: 0,
        held: { dialogs: 0, flows: 0, releasing: 0 },
        refusals: [{ side: 'pbx', code: 'CALL_LIMIT', count: 1 }],
        targets: [],
      },
      checks: [{ component: 'relay', id: 'none', status: 'pass', output: '', ready: true }],
      listeners: [
        {
          transport: 'tls',
          host: '0.0.0.0',
          port: 5061,
          family: 4,
          externalAddress: undefined,
          certificate: {
            subject: '',
            issuer: '',
            names: [],
            notBefore: 0,
            notAfter: 1,
            fingerprint: '',
          },
        },
      ],
      sip,
    }),
    ...relayMetrics({
      available: true,
      detail: '',
      calls: 0,
      instances: [{ name: 'media-0', available: true, calls: 0, detail: '' }],
      ports: { total: 100, used: 0, cooling: 0 },
      transcoding: { active: 0, limit: 60 },
      totals: { packets: 1 },
    }),
    ...reloadMetrics(clock),
    ...watch.metrics(),
    ...(await callingMetrics(clock)),
    ...webhookMetrics(calls, clock),
    ...(await eventMetrics(calls, clock)),
    ...credentialMetrics({
      config: configOf(VALID),
      now: 1000,
      readAt: () => 0,
      usedAt: () => 1,
      window: () => 1,
    }),
  ])
  const types = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, n, type]) => [n, type]),
  )
  const metrics = new Map<string, string>()
  for (const [, name, labels] of text.matchAll(/^(causeway_\w+)(?:\{(.*)\})? \S+$/gm)) {
    const keys = [...(labels ?? '').matchAll(/(\w+)="/g)].map(([, key]) => key!)
    const type = types.get(name!.replace(/_total$/, ''))
    metrics.set(name!, `${type} {${keys.join(' ')}}`)
  }
  return metrics
}

/** Nothing was reloaded yet. */
function reloadMetrics(clock: FakeClock): MetricFamily[] {
  const config = configOf(VALID)
  const reloader = new Reloader({
    config: () => config,
    load: () => ({ config, warnings: [] }),
    verify: () => {},
    apply: async () => {},
    clock,
    log: silentLogger(),
  })
  return reloader.metrics()
}

/** Webhooks of every sort have come. */
function webhookMetrics(calls: CallRegistry, clock: FakeClock): MetricFamily[] {
  const publisher = { publish: () => {} } as unknown as EventPublisher
  const config = () => labConfig()
  const log = silentLogger()
  const webhooks = new Webhooks({ config, calls, check: async () => {}, publisher, clock, log })
  webhooks.receiver.counters.delivery('accepted')
  webhooks.receiver.counters.event('calls', 'handled')
  return webhooks.metrics()
}

/** One event was refused. */
async function eventMetrics(calls: CallRegistry, clock: FakeClock): Promise<MetricFamily[]> {
  const target = { url: 'http://127.0.0.1:9/', secret: new Secret('x'), events: undefined }
  const folder = mkdtempSync(join(tmpdir(), 'causeway-metrics-'))
  const records = { path: folder, secret: undefined }
  const config = { ...labConfig(), events: { webhooks: [target] }, records }
  const events = new Events({
    config: () => config,
    calls,
    clock,
    random: new FakeRandom(),
    log: silentLogger(),
    post: async () => ({
      ok: false,
      reason: 'status',
      status: 400,
      detail: '',
      final: true,
      retryAfter: undefined,
    }),
  })
  const data = { differences: [] }
  events.publisher.publish({ type: 'settings.drift', key: 'x', data })
  await new Promise((resolve) => setImmediate(resolve))
  const families = events.metrics()
  await events.stop()
  rmSync(folder, { recursive: true })
  return families
}

/** The same of the page's tables: `| name | type | labels | meaning |`. */
function documented(): Map<string, string> {
  const rows = readFileSync(PAGE, 'utf8').matchAll(
    /^\| `(causeway_\w+)` \| (\w+) \| (.*?) \| (.+) \|$/gm,
  )
  return new Map(
    [...rows].map(([, name, type, labels]) => {
      const keys = [...labels!.matchAll(/`(\w+)`/g)].map(([, key]) => key!)
      return [name!, `${type} {${keys.join(' ')}}`]
    }),
  )
}

t.test('the page of metrics names every metric, its type and labels, and no other', async (t) => {
  const truth = await exposed()
  const page = documented()
  t.ok(truth.size > 20, 'an instance has metrics')
  t.same([...page.keys()].sort(), [...truth.keys()].sort())
  for (const [name, shape] of truth) t.equal(page.get(name), shape, name)
})
