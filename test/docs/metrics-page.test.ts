import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { CallRecords } from '../../src/app/call-records.ts'
import { Calling } from '../../src/app/calling.ts'
import { credentialMetrics } from '../../src/app/credential-metrics.ts'
import { Events } from '../../src/app/events.ts'
import { MediaWatch, relayMetrics } from '../../src/app/media-watch.ts'
import { InstanceWatch } from '../../src/app/metrics/instance-watch.ts'
import { metricFamilies } from '../../src/app/metrics.ts'
import { registrationMetrics } from '../../src/app/registrations.ts'
import { Reloader } from '../../src/app/reloader.ts'
import { spanMetrics } from '../../src/app/telemetry.ts'
import { Tracing } from '../../src/app/tracing.ts'
import { trunkMetrics } from '../../src/app/trunks.ts'
import { Webhooks } from '../../src/app/webhooks.ts'
import { CallRegistry, causeOf, hungUpBy } from '../../src/calls/index.ts'
import { createSipServer } from '../../src/embedded-drachtio/index.ts'
import { Traffic } from '../../src/embedded-drachtio/traffic.ts'
import type { EventPublisher } from '../../src/events/index.ts'
import type { MetricFamily } from '../../src/http/index.ts'
import { render } from '../../src/http/metrics.ts'
import { pendingState } from '../../src/settings/state.ts'
import { CausewayError } from '../../src/shared/errors/index.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { Secret } from '../../src/shared/secret.ts'
import { labConfig } from '../support/bridge-lab.ts'
import { configOf, edit, VALID } from '../support/config-file.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeRandom } from '../support/fake-random.ts'
import { parseOpenMetrics } from '../support/openmetrics.ts'
import { registrationsOf } from '../support/registrations.ts'

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
  const counts = instanceCounts(calls, clock)
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
  const sip = { ...server.metrics(), load }
  sip.counters.traffic = someTraffic()
  await server.close()
  const text = render([
    ...metricFamilies({
      version: '1.2.3',
      bridge: {
        connected: true,
        draining: false,
        endpoints: [],
        calls: 0,
        held: { dialogs: 0, flows: 0, releasing: 0 },
        refusals: [{ side: 'pbx', code: 'CALL_LIMIT', count: 1 }],
        targets: [],
        trunks: [],
      },
      digests: [{ side: 'pbx', role: 'checked', result: 'good', count: 1 }],
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
    ...counts.families({ checks: [], settings: () => pendingState(), media: relay, sip: load }),
    ...relayMetrics({
      available: true,
      detail: '',
      calls: 0,
      instances: [{ name: 'media-0', available: true, calls: 0, detail: '' }],
      ports: { total: 100, used: 0, cooling: 0 },
      transcoding: { active: 0, limit: 60 },
      totals: { packets: 1 },
    }),
    ...trunkMetrics({ targets: [TARGET], trunks: [TRUNK] }),
    ...reloadMetrics(clock),
    ...watch.metrics(),
    ...new Tracing({
      config: () => labConfig(),
      calls,
      sip: { tap: () => {} },
      clock,
      log: silentLogger(),
    }).metrics(),
    ...spanMetrics(undefined),
    ...registrationMetrics(registrationsOf('main')),
    ...(await callingMetrics(clock)),
    ...webhookMetrics(calls, clock),
    ...(await eventMetrics(calls, clock)),
    ...(await recordMetrics(calls, clock)),
    ...credentialMetrics({
      config: configOf(VALID),
      now: 1000,
      readAt: () => 0,
      usedAt: () => 1,
      window: () => 1,
    }),
  ])
  counts.stop()
  const metrics = new Map<string, string>()
  for (const { name, type, samples } of parseOpenMetrics(text)) {
    for (const { labels } of samples) {
      // A histogram's buckets are its own affair.
      const keys = Object.keys(labels).filter((key) => key !== 'le')
      metrics.set(type === 'counter' ? `${name}_total` : name, `${type} {${keys.join(' ')}}`)
    }
  }
  return metrics
}

const load = { busySeconds: 1, delay: { p50: 0, p99: 0, max: 0 } }

const relay = {
  available: true,
  detail: '',
  calls: 0,
  instances: [{ name: 'media-0', available: true, calls: 0, detail: '', busySeconds: 1 }],
  ports: undefined,
  transcoding: undefined,
  totals: {},
}

/** Graph has been asked and has throttled; a number was looked at and written. */
function instanceCounts(calls: CallRegistry, clock: FakeClock): InstanceWatch {
  const config = configOf(VALID)
  const watch = new InstanceWatch(calls, () => config)
  watch.graph.attempt('settings_read', 'ok', 1)
  watch.graph.waits('settings_read', 1)
  watch.numbers.looked('support', { ...pendingState(), status: 'ok', lastChecked: clock.now() })
  watch.numbers
    .counting({ record: () => {} })
    .record({ number: 'support', who: 'drift check', action: 'write' })
  return watch
}

function someTraffic() {
  const traffic = new Traffic()
  traffic.sent(Buffer.from('INVITE sip:a@b SIP/2.0'), undefined)
  traffic.sent(Buffer.from('SIP/2.0 200 OK'), undefined)
  return traffic.counts()
}

const TRUNK = { name: 'main', up: true, calls: 1, limit: undefined, failovers: 1 }
const TARGET = {
  trunk: 'main',
  uri: 'sip:10.0.0.9',
  reachable: true,
  state: 'up',
  reason: '',
  since: 0,
  pinged: true,
  roundTrip: 2,
} as const

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

/** A history is kept. */
async function recordMetrics(calls: CallRegistry, clock: FakeClock): Promise<MetricFamily[]> {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-metrics-'))
  const push = { url: 'http://127.0.0.1:9/', secret: new Secret('x') }
  const kept = { keep: 0, maxSize: 0, maxCalls: 0, push }
  const config = { ...labConfig(), records: { path: folder, secret: undefined, calls: kept } }
  const records = new CallRecords({
    config,
    calls,
    clock,
    random: new FakeRandom(),
    log: silentLogger(),
  })
  const families = records.metrics()
  await records.close()
  rmSync(folder, { recursive: true })
  return families
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
