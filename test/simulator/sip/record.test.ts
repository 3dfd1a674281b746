import t from 'tap'
import { CallRecord, CallRegister } from '../../../src/simulator/sip/record.ts'
import { FakeClock } from '../../support/fake-clock.ts'

function record(id = 'wacid.1', clock = new FakeClock()): CallRecord {
  return new CallRecord({
    id,
    callId: `outgoing:${id}`,
    direction: 'USER_INITIATED',
    business: '+441632960123',
    consumer: '33199001234',
    clock,
  })
}

t.test('a call ends once and counts its seconds from the answer', async (t) => {
  const clock = new FakeClock()
  const call = record('wacid.1', clock)
  t.equal(call.duration, 0)
  clock.advance(3000)
  call.enter('answered')
  const answered = call.until((call) => call.state === 'answered')
  clock.advance(42_900)
  t.equal(call.end({ by: 'business', reason: 'hung up' }), true)
  t.equal(call.end({ by: 'consumer', reason: 'hung up' }), false)
  call.enter('ringing')
  clock.advance(60_000)
  t.equal(call.state, 'ended')
  t.equal(call.duration, 42)
  t.match(call.outcome, { by: 'business' })
  t.equal(await answered, call)
})

t.test('the register forgets the oldest ended call, never one in progress', async (t) => {
  const calls = new CallRegister(2)
  const [first, second, third] = ['wacid.1', 'wacid.2', 'wacid.3'].map((id) => record(id))
  const added = calls.next((call) => call === second)
  for (const call of [first!, second!]) calls.add(call)
  t.equal(await added, second)
  second!.end({ by: 'business', reason: 'hung up' })
  calls.add(third!)
  t.same(
    calls.all().map((call) => call.id),
    ['wacid.1', 'wacid.3'],
  )
  t.equal(calls.byCallId('outgoing:wacid.2'), undefined)
  t.equal(calls.get('wacid.3'), third)
})
