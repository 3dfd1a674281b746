import t from 'tap'
import { LargeRequests, WITHOUT_TCP } from '../../src/embedded-drachtio/large-requests.ts'
import type { Target } from '../../src/embedded-drachtio/transport/index.ts'
import { FakeClock } from '../support/fake-clock.ts'

const udp: Target = { transport: 'udp', address: '192.0.2.1', port: 5060, domain: 'example.com' }
const tcp: Target = { ...udp, transport: 'tcp' }
const local = {
  localFor: ({ transport }: Target) => ({ host: '192.0.2.2', port: 5060, transport }),
}

t.test('a peer that refused TCP is sent large requests by UDP for a while', async (t) => {
  const clock = new FakeClock()
  const large = new LargeRequests(clock)
  t.same(large.expand([udp], 1301, local), [tcp, udp])
  large.refused(tcp)
  t.same(large.expand([udp], 1301, local), [udp])
  const other = { ...udp, address: '192.0.2.9' }
  t.same(large.expand([other], 1301, local), [{ ...other, transport: 'tcp' }, other])
  t.same(large.expand([tcp], 1301, local), [tcp], 'a target that asks for TCP keeps it')
  clock.advance(WITHOUT_TCP)
  t.same(large.expand([udp], 1301, local), [tcp, udp])
  t.equal(clock.pending, 0)
})
