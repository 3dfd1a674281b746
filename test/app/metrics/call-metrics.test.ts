import t from 'tap'
import { CallMetrics } from '../../../src/app/metrics/call-metrics.ts'
import { CallRegistry, causeOf, hungUpBy } from '../../../src/calls/index.ts'
import type { Sample } from '../../../src/http/index.ts'
import { CausewayError } from '../../../src/shared/errors/index.ts'
import { labConfig } from '../../support/bridge-lab.ts'
import { FakeClock } from '../../support/fake-clock.ts'

type Direction = 'user-initiated' | 'business-initiated'

/** A clock that somebody may set back. */
class WallClock extends FakeClock {
  offset = 0

  override now(): number {
    return super.now() + this.offset
  }
}

function lab() {
  const clock = new WallClock()
  const calls = new CallRegistry(clock)
  const config = labConfig()
  const metrics = new CallMetrics(calls, () => config)
  let count = 0
  const begin = (direction: Direction = 'user-initiated', number = 'support') =>
    calls.begin({
      id: String(++count),
      direction,
      number,
      business: '+441632960123',
      consumer: '+33199001234',
      trunk: 'main',
    })
  const samples = (name: string): Sample[] =>
    metrics.families().find((family) => family.name === name)!.samples
  const value = (name: string, labels: Record<string, string>, part?: Sample['part']) =>
    samples(name).find(
      (sample) =>
        sample.part === part &&
        Object.entries(labels).every(([key, text]) => sample.labels[key] === text),
    )?.value
  return { clock, begin, samples, value, metrics }
}

t.test('a configured number has its counters from the start', async (t) => {
  const { samples } = lab()
  for (const name of ['calls_active', 'calls_started', 'calls_answered']) {
    t.same(
      samples(name),
      ['user-initiated', 'business-initiated'].map((direction) => ({
        labels: { direction, number: 'support' },
        value: 0,
      })),
      name,
    )
  }
  t.same(samples('calls_ended'), [])
})

t.test('calls are counted as they come and go', async (t) => {
  const { clock, begin, value, samples } = lab()
  const one = begin()
  const two = begin()
  begin('business-initiated')
  const incoming = { direction: 'user-initiated', number: 'support' }
  t.equal(value('calls_active', incoming), 2)
  one.moveTo('calling')
  clock.advance(700)
  one.moveTo('ringing')
  clock.advance(5000)
  t.equal(value('call_post_dial_delay_seconds', { direction: 'user-initiated' }, 'count'), 0)
  one.moveTo('answered')
  t.equal(value('calls_answered', incoming), 1)
  clock.advance(60_000)
  one.end(hungUpBy('pbx'))
  two.end(causeOf(new CausewayError('CALL_PBX_UNREACHABLE')))
  t.equal(value('calls_active', incoming), 0)
  t.equal(value('calls_started', incoming), 2)
  t.equal(value('calls_active', { direction: 'business-initiated' }), 1)
  t.same(
    samples('calls_ended').map(({ labels, value }) => ({ ...labels, value })),
    [
      { ...incoming, result: 'completed', code: 'NORMAL', owner: 'pbx', value: 1 },
      { ...incoming, result: 'failed', code: 'CALL_PBX_UNREACHABLE', owner: 'pbx', value: 1 },
    ],
  )
  const of = { direction: 'user-initiated' }
  t.equal(value('call_post_dial_delay_seconds', of, 'sum'), 0.7)
  t.equal(value('call_post_dial_delay_seconds', { ...of, le: '0.5' }, 'bucket'), 0)
  t.equal(value('call_post_dial_delay_seconds', { ...of, le: '1' }, 'bucket'), 1)
  t.equal(value('call_post_dial_delay_seconds', { ...of, le: '+Inf' }, 'bucket'), 1)
  t.equal(value('call_setup_seconds', of, 'sum'), 5.7)
  t.equal(value('call_duration_seconds', of, 'sum'), 60)
  t.equal(value('call_duration_seconds', { direction: 'business-initiated' }, 'count'), 0)
})

t.test('the post-dial delay of a call counts once', async (t) => {
  const { clock, begin, value } = lab()
  const of = { direction: 'user-initiated' }
  const delay = (part: 'sum' | 'count') => value('call_post_dial_delay_seconds', of, part)

  t.test('though the next target rings as well', async (t) => {
    const call = begin()
    call.moveTo('calling')
    clock.advance(1000)
    call.moveTo('ringing')
    call.moveTo('calling')
    clock.advance(9000)
    call.moveTo('ringing')
    call.end(causeOf(new CausewayError('CALL_NO_ANSWER')))
    t.equal(delay('count'), 1)
    t.equal(delay('sum'), 1, 'the first ringing')
  })

  t.test('it is the answer where nothing rang', async (t) => {
    const call = begin()
    call.moveTo('calling')
    clock.advance(2000)
    call.moveTo('answered')
    t.equal(delay('count'), 2)
    t.equal(delay('sum'), 3)
  })

  t.test('there is none where nothing rang or answered', async (t) => {
    begin().end(causeOf(new CausewayError('CALL_CANCELLED')))
    t.equal(delay('count'), 2)
  })
})

t.test('a clock that is set back makes no negative time', async (t) => {
  const { clock, begin, value } = lab()
  const call = begin()
  call.moveTo('calling')
  clock.offset = -3_600_000
  call.moveTo('answered')
  t.equal(value('call_setup_seconds', { direction: 'user-initiated' }, 'sum'), 0)
})

t.test('after stop nothing is counted', async (t) => {
  const { begin, value, metrics } = lab()
  metrics.stop()
  begin()
  t.equal(value('calls_started', { direction: 'user-initiated' }), 0)
})
