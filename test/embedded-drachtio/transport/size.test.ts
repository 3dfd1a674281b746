import t from 'tap'
import {
  expandForSize,
  type Target,
  type Transport,
} from '../../../src/embedded-drachtio/transport/index.ts'

const udp: Target = { transport: 'udp', address: '192.0.2.1', port: 5060, domain: 'example.com' }
const tcp: Target = { ...udp, transport: 'tcp' }
const tls: Target = { ...udp, transport: 'tls', port: 5061 }

function having(...names: string[]): Pick<Transport, 'localFor'> {
  return {
    localFor: ({ transport }) =>
      names.includes(transport) ? { host: '192.0.2.2', port: 5060, transport } : undefined,
  }
}

t.test('up to 1300 bytes nothing changes', async (t) => {
  const targets = [udp, tls]
  t.equal(expandForSize(targets, 1300, having('udp', 'tcp')), targets)
})

t.test('beyond, TCP comes before UDP (RFC 3261 §18.1.1)', async (t) => {
  const other = { ...udp, address: '192.0.2.9' }
  t.same(expandForSize([udp, tls, other], 1301, having('udp', 'tcp')), [
    tcp,
    udp,
    tls,
    { ...other, transport: 'tcp' },
    other,
  ])
})

t.test('without a TCP listener UDP has to do', async (t) => {
  t.same(expandForSize([udp], 5000, having('udp')), [udp])
})

t.test('streams stay as they are', async (t) => {
  const targets = [tls, tcp]
  t.equal(expandForSize(targets, 5000, having('tcp', 'tls')), targets)
})
