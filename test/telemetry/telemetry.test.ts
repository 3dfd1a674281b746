import t from 'tap'
import { type CallRecord, CallRegistry, causeOf, hungUpBy } from '../../src/calls/index.ts'
import type { TelemetryConfig } from '../../src/config/types.ts'
import { CausewayError } from '../../src/shared/errors/index.ts'
import { createLogger } from '../../src/shared/log.ts'
import { Secret } from '../../src/shared/secret.ts'
import { Telemetry } from '../../src/telemetry/index.ts'
import { planOf } from '../../src/telemetry/plan.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { type OtlpSpan, otlpCollector } from './support.ts'

const NUMBERS = /441632960123|33199001234|HBgL/

/** A call that was challenged, rang, was answered, and hung up by the user. */
function talked(): CallRecord {
  const clock = new FakeClock()
  const registry = new CallRegistry(clock)
  const call = registry.begin({
    id: '5f0c2d9be41a7763',
    direction: 'user-initiated',
    number: 'support',
    business: '+441632960123',
    consumer: '+33199001234',
    trunk: 'main',
    whatsapp: { wacid: 'wacid.HBgL' },
  })
  const step = (ms: number, ...note: Parameters<typeof call.note>): void => {
    clock.advance(ms)
    call.note(...note)
  }
  step(0, 'whatsapp', 'in', 'INVITE')
  call.moveTo('calling')
  step(10, 'pbx', 'out', 'INVITE', 'sip:10.0.0.9:5060')
  step(5, 'pbx', 'in', '401 Unauthorized')
  step(1, 'pbx', 'out', 'INVITE', 'with credentials')
  step(20, 'pbx', 'in', '180 Ringing')
  call.moveTo('ringing')
  step(1, 'whatsapp', 'out', '180 Ringing')
  step(3000, 'pbx', 'in', '200 OK')
  step(1, 'pbx', 'out', 'ACK')
  step(4, 'whatsapp', 'out', '200 OK')
  call.moveTo('answered')
  step(60_000, 'whatsapp', 'in', 'BYE')
  step(1, 'pbx', 'out', 'BYE')
  call.media = {
    codec: { whatsapp: 'opus', pbx: 'PCMA' },
    srtp: { whatsapp: 'DTLS-SRTP', pbx: 'none' },
  }
  call.end(hungUpBy('whatsapp'))
  return registry.record(call.id)!
}

/** A call whose only target is away. */
function failed(id: string): CallRecord {
  const registry = new CallRegistry(new FakeClock())
  const call = registry.begin({
    id,
    direction: 'business-initiated',
    number: 'support',
    business: '+441632960123',
    consumer: '+33199001234',
    trunk: 'main',
  })
  call.moveTo('calling')
  call.note('whatsapp', 'out', 'INVITE')
  call.note('whatsapp', 'in', '500 Server Internal Error')
  call.end(causeOf(new CausewayError('CALL_INTERNAL', { detail: 'for +33199001234' })))
  return registry.record(id)!
}

/** @param patience milliseconds of real time: enough for a busy machine, unless nobody answers */
function telemetry(
  endpoint: string,
  change: Partial<TelemetryConfig> = {},
  patience: number | undefined = undefined,
) {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  const config: TelemetryConfig = {
    endpoint,
    token: new Secret('otelNobodyMaySee'),
    header: undefined,
    serviceName: 'trunk-1',
    sample: 1,
    numbers: false,
    ...change,
  }
  const log = createLogger({ level: 'info', numbers: 'full', destination })
  const clock = new FakeClock()
  const slow = patience === undefined ? {} : { patience }
  const spans = new Telemetry({ config, version: '1.2.3', clock, log, ...slow })
  return { lines, clock, spans }
}

const relative = (span: OtlpSpan, root: OtlpSpan): string =>
  `${span.name} ${Math.round(span.start - root.start)}-${Math.round(span.end - root.start)}`

t.test('one trace for a call, with a span for each phase', async (t) => {
  const collector = await otlpCollector()
  const { spans } = telemetry(collector.url)
  const record = talked()
  spans.ended(record)
  await spans.stop()
  await collector.close()
  const root = collector.spans.find(({ name }) => name === 'call')!
  t.equal(root.start, record.startedAt)
  t.equal(new Set(collector.spans.map(({ traceId }) => traceId)).size, 1)
  const under = (parent: OtlpSpan): string[] =>
    collector.spans
      .filter(({ parentSpanId }) => parentSpanId === parent.spanId)
      .map((span) => relative(span, root))
  t.same(under(root), [
    'prepare 0-10',
    'INVITE pbx 10-3037',
    'answer 3037-3042',
    'talk 3042-63043',
    'teardown 63042-63043',
  ])
  const attempt = collector.spans.find(({ name }) => name === 'INVITE pbx')!
  t.same(under(attempt), ['challenge 10-16', 'ringing 36-3037'])
  t.match(root, { kind: 2, status: {} })
  t.match(root.attributes, {
    'causeway.call.id': '5f0c2d9be41a7763',
    'causeway.number': 'support',
    'causeway.call.result': 'completed',
    'causeway.call.owner': 'whatsapp',
    'causeway.code': 'NORMAL',
    'sip.status_code': 200,
    'causeway.media.codec.pbx': 'PCMA',
    'causeway.talk_seconds': 60,
  })
  t.match(attempt.attributes, { 'causeway.target': 'sip:10.0.0.9:5060', 'sip.status_code': 200 })
  t.match(collector.resources[0], { 'service.name': 'trunk-1', 'service.version': '1.2.3' })
  t.match(collector.seen[0], {
    url: '/v1/traces',
    headers: { authorization: 'Bearer otelNobodyMaySee' },
  })
  t.notMatch(
    JSON.stringify(collector.spans),
    NUMBERS,
    'no phone number, and no WACID, which holds two',
  )
  t.same(spans.counters, { made: 8, exported: 8, failed: 0 })
})

t.test('a failure is the status of its spans', async (t) => {
  const collector = await otlpCollector()
  const { spans } = telemetry(collector.url, { header: 'x-api-key' })
  spans.ended(failed('1'))
  await spans.stop()
  await collector.close()
  const [attempt, root] = ['INVITE whatsapp', 'call'].map(
    (name) => collector.spans.find((span) => span.name === name)!,
  )
  t.match(attempt, { status: { code: 2, message: 'SIP 500' }, kind: 3 })
  t.match(root, { status: { code: 2, message: 'CALL_INTERNAL: for +*********34' } })
  t.match(collector.seen[0]?.headers, { 'x-api-key': 'otelNobodyMaySee', authorization: undefined })
})

t.test('busy, cancelled and declined are answers of people, no failures', async (t) => {
  for (const [what, error] of [
    ['486 Busy Here', undefined],
    ['480 Temporarily Unavailable', undefined],
    ['603 Decline', undefined],
    ['404 Not Found', 'SIP 404'],
    ['503 Service Unavailable', 'SIP 503'],
  ] as const) {
    const registry = new CallRegistry(new FakeClock())
    const call = registry.begin({
      id: '1',
      direction: 'business-initiated',
      number: 'support',
      business: '+441632960123',
      consumer: '+33199001234',
      trunk: 'main',
    })
    call.note('whatsapp', 'out', 'INVITE')
    call.note('whatsapp', 'in', what)
    call.end(causeOf(new CausewayError('CALL_WHATSAPP_DECLINED')))
    const { children } = planOf(registry.record('1')!, false)
    t.equal(children.find(({ name }) => name === 'INVITE whatsapp')?.error, error, what)
  }
})

t.test('numbers only when they are asked for', async (t) => {
  const plan = planOf(talked(), true)
  t.match(plan.attributes, {
    'causeway.consumer': '+33199001234',
    'causeway.business': '+441632960123',
    'causeway.wacid': 'wacid.HBgL',
  })
  t.notMatch(JSON.stringify(planOf(talked(), false)), NUMBERS)
})

t.test('a call that came to nothing before any INVITE', async (t) => {
  const registry = new CallRegistry(new FakeClock())
  const call = registry.begin({
    id: '1',
    direction: 'user-initiated',
    number: 'n',
    business: '+441632960123',
    consumer: 'FR.1',
    trunk: 't',
  })
  call.end(causeOf(new CausewayError('CALL_CANCELLED')))
  t.match(planOf(registry.record('1')!, false), { children: [], error: undefined, name: 'call' })
})

t.test('a share of the calls', async (t) => {
  const collector = await otlpCollector()
  const { spans } = telemetry(collector.url, { sample: 0 })
  spans.ended(talked())
  await spans.stop()
  await collector.close()
  t.equal(collector.seen.length, 0)
  t.equal(spans.counters.made, 0)
})

t.test(
  'a collector that refuses: one warning without the token, and no call notices',
  async (t) => {
    const collector = await otlpCollector(() => 400)
    const { spans, lines } = telemetry(collector.url)
    spans.ended(talked())
    await spans.stop()
    await collector.close()
    t.same(spans.counters, { made: 8, exported: 0, failed: 8 })
    t.equal(lines.length, 1)
    t.match(lines[0], /APP_TELEMETRY_UNREACHABLE/)
    t.notMatch(lines[0], 'otelNobodyMaySee')
  },
)

t.test(
  'a collector that is away ends nothing either, and stopping does not wait for it',
  async (t) => {
    const collector = await otlpCollector()
    await collector.close()
    const { spans, lines, clock } = telemetry(collector.url, {}, 100)
    for (let i = 0; i < 100; i++) spans.ended(failed(String(i)))
    const stopped = spans.stop()
    clock.advance(3000)
    await stopped
    t.ok(lines.length <= 1)
    t.equal(spans.counters.exported, 0)
  },
)
