import t from 'tap'
import { DEFAULT_WATCHDOG, MediaWatchdog } from '../../../src/simulator/media/index.ts'
import { FakeClock } from '../../support/fake-clock.ts'

function watch(clock: FakeClock): { last: { at: number | undefined }; expired: string[] } {
  const last: { at: number | undefined } = { at: undefined }
  const expired: string[] = []
  const watchdog = new MediaWatchdog({
    clock,
    limits: DEFAULT_WATCHDOG,
    lastAt: () => last.at,
    expired: (phase) => expired.push(phase),
  })
  watchdog.start()
  return { last, expired }
}

t.test('20 s without a first packet', async (t) => {
  const clock = new FakeClock()
  const { expired } = watch(clock)
  clock.advance(19_999)
  t.same(expired, [])
  clock.advance(1)
  t.same(expired, ['start'])
  clock.advance(60_000)
  t.same(expired, ['start'], 'once')
  t.equal(clock.pending, 0)
})

t.test('30 s after the last packet', async (t) => {
  const clock = new FakeClock()
  const { last, expired } = watch(clock)
  for (let second = 0; second < 60; second++) {
    last.at = clock.monotonic()
    clock.advance(1000)
  }
  clock.advance(28_999)
  t.same(expired, [])
  clock.advance(1)
  t.same(expired, ['gap'])
})
