import t from 'tap'
import { MediaWatch, relayMetrics } from '../../src/app/media-watch.ts'
import { type Call, CallRegistry, hungUpBy } from '../../src/calls/index.ts'
import type { CallMediaReport, Verdict } from '../../src/media/index.ts'
import { FakeClock } from '../support/fake-clock.ts'

const silent: Verdict = {
  code: 'MEDIA_SILENT_PBX',
  side: 'pbx',
  owner: 'pbx',
  detail: 'no packet',
  fix: 'look',
  since: 0,
}

function fixture() {
  const clock = new FakeClock()
  const calls = new CallRegistry(clock)
  const watch = new MediaWatch(calls, clock)
  let count = 0
  const answered = (): Call => {
    const call = calls.begin({
      id: String(count++),
      direction: 'user-initiated',
      number: 'support',
      business: '+441632960123',
      consumer: '+33199001234',
      trunk: 'main',
    })
    call.moveTo('calling')
    call.moveTo('answered')
    return call
  }
  return { clock, watch, answered }
}

t.test('one silent call is bad luck, three are a warning', async (t) => {
  const { watch, answered } = fixture()
  for (let i = 0; i < 2; i++) {
    const call = answered()
    call.judge(silent, false)
    call.end(hungUpBy('pbx'))
  }
  t.same(watch.checks(), [])
  answered().judge(silent, false)
  const [check] = watch.checks()
  t.match(check, { component: 'media', id: 'MEDIA_SILENT_PBX', status: 'warn', ready: true })
  t.match(check!.output, 'MEDIA_SILENT_PBX: no media from the PBX, in 3 of 3 calls')
  t.match(check!.output, 'Check that the PBX')
})

t.test('three of a hundred are not', async (t) => {
  const { watch, answered } = fixture()
  for (let i = 0; i < 100; i++) {
    const call = answered()
    if (i < 3) call.judge(silent, false)
    call.end(hungUpBy('pbx'))
  }
  t.same(watch.checks(), [])
})

t.test('a warning goes when its calls are ten minutes old', async (t) => {
  const { clock, watch, answered } = fixture()
  for (let i = 0; i < 3; i++) {
    const call = answered()
    call.judge(silent, false)
    call.end(hungUpBy('pbx'))
  }
  t.equal(watch.checks().length, 1)
  clock.advance(600_001)
  t.same(watch.checks(), [])
})

t.test('figures of ended calls are summed up', async (t) => {
  const { watch, answered } = fixture()
  const stream = { packets: 10, lost: 2, mos: 4 }
  const leg = { received: stream, sent: { packets: 12 }, silenceInserted: 3 }
  const report = {
    legs: { whatsapp: leg, pbx: undefined },
    verdict: 'good',
  } as unknown as CallMediaReport
  const call = answered()
  call.judge(silent, false)
  call.end(hungUpBy('pbx'))
  call.complete(report)
  const value = (name: string, labels: Record<string, string>): number | undefined =>
    watch
      .metrics()
      .find((family) => family.name === name)
      ?.samples.find((sample) => Object.entries(labels).every(([k, v]) => sample.labels[k] === v))
      ?.value
  t.equal(value('media_packets_received', { side: 'whatsapp' }), 10)
  t.equal(value('media_packets_sent', { side: 'whatsapp' }), 12)
  t.equal(value('media_packets_lost', { side: 'whatsapp' }), 2)
  t.equal(value('media_silence_inserted', { side: 'whatsapp' }), 3)
  t.equal(value('media_mos_sum', { side: 'whatsapp' }), 4)
  t.equal(value('media_mos_count', { side: 'whatsapp' }), 1)
  t.equal(value('media_packets_received', { side: 'pbx' }), 0)
  t.equal(value('media_calls', { verdict: 'good' }), 1)
  t.equal(value('media_verdicts', { code: 'MEDIA_SILENT_PBX', side: 'pbx' }), 1)
})

t.test('the relay itself: instances, ports, transcoding, counters', async (t) => {
  const families = relayMetrics({
    available: true,
    detail: '',
    calls: 3,
    instances: [{ name: 'media-0', available: false, calls: 3, detail: 'died' }],
    ports: { total: 100, used: 8, cooling: 2 },
    transcoding: { active: 1, limit: 60 },
    totals: { packets: 7 },
  })
  const of = (name: string) => families.find((family) => family.name === name)?.samples
  t.same(of('media_relay_calls'), [{ labels: {}, value: 3 }])
  t.same(of('media_instance_up'), [{ labels: { instance: 'media-0' }, value: 0 }])
  t.same(of('media_ports')?.[1], { labels: { state: 'used' }, value: 8 })
  t.same(of('media_transcoding_calls'), [{ labels: {}, value: 1 }])
  t.same(of('media_relay_events'), [{ labels: { kind: 'packets' }, value: 7 }])
})
