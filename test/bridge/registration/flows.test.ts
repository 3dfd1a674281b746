import t, { type Test } from 'tap'
import { pauseAfterFlow } from '../../../src/bridge/registration/timing.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import type { FakeSent } from '../../support/fake-sip-port.ts'
import { only, overTcp, registrationLab } from '../../support/registration-lab.ts'

const PBX = '10.0.0.9'
const flowTimer = { 'flow-timer': '30' }

/** A registration over TCP with a SIP server that pings, and the end of its connections. */
function lab(t: Test, ...hosts: string[]) {
  const all = registrationLab(t, overTcp(...(hosts.length > 0 ? hosts : [PBX])), true)
  const { registration } = all
  const owner = (sent: FakeSent) => ({
    callId: sent.header('call-id')!,
    cseq: Number.parseInt(sent.header('cseq')!, 10),
  })
  const end = (sent: FakeSent, why: 'unanswered' | 'closed' = 'closed'): void =>
    registration.flowEnded(owner(sent), why)
  /** Registers and answers. */
  const registered = (): FakeSent => {
    const sent = all.next()
    all.grant(sent, 3600, flowTimer)
    return sent
  }
  return { ...all, end, owner, registered }
}

t.test('a Flow-Timer where nothing pings: renewed within it', async (t) => {
  for (const [what, change, keepsFlows] of [
    ['a drachtio-server', overTcp(PBX), false],
    ['UDP', only, true],
  ] as const) {
    const { clock, registration, next, grant } = registrationLab(t, change, keepsFlows)
    registration.renew()
    grant(next(), 3600, flowTimer)
    clock.advance(27_100)
    t.ok(next(), what)
  }
})

t.test('a Flow-Timer where the SIP server pings puts no renewal forward', async (t) => {
  const { clock, registration, quiet, registered } = lab(t)
  registration.renew()
  registered()
  clock.advance(2_600_000)
  quiet('four fifths of the lifetime')
  clock.advance(500_000)
  registered()
})

t.test('the connection fails: registered again at once, and told with what to do', async (t) => {
  const { clock, registration, registered, end, told } = lab(t)
  registration.renew()
  const first = registered()
  clock.advance(200_000)
  end(first, 'unanswered')
  t.match(registration.status(), {
    state: 'registered',
    flowFailures: 1,
    error: {
      code: 'TRUNK_REGISTER_FLOW_FAILED',
      detail: `sip:${PBX}: a ping was not answered within 10 s`,
    },
  })
  const again = registered()
  t.equal(again.header('call-id'), first.header('call-id'))
  t.match(registration.status(), { error: undefined, flowFailures: 1 })
  t.same(told(), [
    'registered with the PBX',
    'TRUNK_REGISTER_FLOW_FAILED',
    'registered with the PBX',
  ])
  t.equal(clock.pending, 2, 'one renewal, one end')
})

t.test('failures soon after one another are answered by growing pauses', async (t) => {
  const { clock, registration, registered, quiet, end } = lab(t)
  registration.renew()
  end(registered())
  for (const most of [5000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
    const sent = registered()
    end(sent)
    clock.advance(most / 2 - 1)
    quiet(`half of ${most} ms at least`)
    clock.advance(most / 2 + 1)
  }
  const good = registered()
  clock.advance(120_000)
  end(good)
  t.ok(registered(), 'one that served for long is replaced at once')
})

t.test('the pause before another connection', async (t) => {
  const random = new FakeRandom()
  t.equal(pauseAfterFlow(1, random), 0)
  for (let round = 0; round < 50; round++) {
    const pause = pauseAfterFlow(40, random)
    t.ok(pause >= 30_000 && pause <= 60_000, String(pause))
  }
})

t.test('while one registrar pauses another one is asked', async (t) => {
  const { registration, next, registered, end } = lab(t, PBX, '10.0.0.10')
  registration.renew()
  end(registered())
  end(registered())
  t.equal(next().request.uri, 'sip:10.0.0.10')
})

t.test('the end is told before the answer that came over the connection', async (t) => {
  const { clock, registration, next, grant, registered, quiet, end } = lab(t)
  registration.renew()
  const sent = next()
  end(sent)
  quiet('it is not answered yet')
  grant(sent, 3600, flowTimer)
  t.equal(registration.status().flowFailures, 1)
  registered()
  clock.advance(100_000)
  quiet('told once')
})

t.test('the connection fails under a renewal: counted, and the renewal decides', async (t) => {
  const { clock, registration, next, registered, quiet, end, grant } = lab(t)
  registration.renew()
  const first = registered()
  clock.advance(3_100_000)
  const renewal = next()
  end(first)
  quiet('it is under way')
  t.equal(registration.status().flowFailures, 1)
  renewal.respond(503, 'Service Unavailable', { local: true })
  clock.advance(1000)
  grant(next(), 3600, flowTimer)
  t.match(registration.status(), { attempts: { registered: 2, unreachable: 1 }, error: undefined })
})

t.test('what is no news', async (t) => {
  const { clock, port, registration, next, registered, quiet, end, owner } = lab(t)
  registration.renew()
  const first = registered()
  registration.flowEnded({ ...owner(first), callId: 'of another trunk' }, 'closed')
  quiet('not ours')
  clock.advance(3_100_000)
  const renewal = next()
  renewal.respond(200, 'OK', { headers: { expires: '3600' } })
  end(first)
  quiet('there is a newer one')
  port.connected = false
  registration.pause()
  end(renewal)
  quiet('without the SIP server')
  port.connected = true
  const stopped = registration.stop()
  next().respond(200)
  await stopped
  end(renewal)
  quiet('it has left')
  t.equal(registration.status().flowFailures, 0)
  t.equal(clock.pending, 0)
})
