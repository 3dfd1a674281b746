import t from 'tap'
import { Harness, targetOf } from './harness.ts'

t.test('timers E and F over UDP: doubling to T2, 408 at 64·T1', async (t) => {
  const h = new Harness()
  const transaction = h.send('OPTIONS')
  h.clock.advance(31_999)
  t.same(
    h.times('OPTIONS'),
    [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500],
  )
  t.same(h.heard, [])
  h.clock.advance(1)
  t.same(h.heard, ['failure 408'])
  t.same(h.ended, [transaction])
  t.equal(h.counters.requestTimeouts, 1)
  t.ok(h.empty)
})

t.test('timer E in Proceeding: every T2; timer F goes on', async (t) => {
  const h = new Harness()
  h.send('REGISTER')
  h.clock.advance(600)
  h.reply(100, 'REGISTER')
  h.clock.advance(31_400)
  t.same(h.times('REGISTER'), [0, 500, 1500, 5500, 9500, 13_500, 17_500, 21_500, 25_500, 29_500])
  t.same(h.heard, ['failure 408'], 'the 100 is not told')
  t.ok(h.empty)
})

t.test('timer F over a stream', async (t) => {
  const h = new Harness()
  h.send('BYE', [targetOf('tls')])
  h.clock.advance(32_000)
  t.same(h.times('BYE'), [0])
  t.same(h.heard, ['failure 408'])
  t.ok(h.empty)
})

t.test('timer K: repetitions are absorbed for T4 over UDP', async (t) => {
  const h = new Harness()
  const transaction = h.send('BYE')
  h.reply(200, 'BYE')
  t.equal(transaction.state, 'completed')
  h.clock.advance(4999)
  h.reply(200, 'BYE')
  t.same(h.heard, ['200'])
  t.equal(h.counters.responsesRepeatedIn, 1)
  t.same(h.stray, [])
  t.notOk(h.empty)
  h.clock.advance(1)
  t.ok(h.empty)
  t.same(h.times('BYE'), [0])
})

t.test('timer K is zero over a stream', async (t) => {
  const h = new Harness()
  const transaction = h.send('BYE', [targetOf('tcp')])
  h.reply(481, 'BYE')
  t.same(h.heard, ['481'])
  t.same(h.ended, [transaction])
  t.ok(h.empty)
})

t.test('provisional responses but 100 are told', async (t) => {
  const h = new Harness()
  h.send('REFER')
  h.reply(100, 'REFER')
  h.reply(182, 'REFER')
  h.reply(202, 'REFER')
  t.same(h.heard, ['182', '202'])
})

t.test('base timers are configurable', async (t) => {
  const h = new Harness({ timers: { t1: 100, t2: 400, t4: 1000 } })
  h.send('OPTIONS')
  h.clock.advance(6400)
  t.same(h.times('OPTIONS').slice(0, 6), [0, 100, 300, 700, 1100, 1500])
  t.same(h.heard, ['failure 408'])
  h.send('OPTIONS')
  h.reply(200, 'OPTIONS')
  h.clock.advance(1000)
  t.ok(h.empty)
})
