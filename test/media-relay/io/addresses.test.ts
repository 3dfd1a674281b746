import t from 'tap'
import { hostPort, isUnspecified, socketForm } from '../../../src/media-relay/io/addresses.ts'

t.test('addresses as sockets name their sources', async (t) => {
  const rows: [address: string, family: 4 | 6, form: string | undefined][] = [
    ['192.0.2.1', 4, '192.0.2.1'],
    ['192.0.2.1', 6, '::ffff:192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', 6, '2001:db8::1'],
    ['fe80:0::1%eth0', 6, 'fe80::1%eth0'],
    ['2001:db8::1', 4, undefined],
    ['pbx.example.com', 4, undefined],
    ['', 6, undefined],
  ]
  for (const [address, family, form] of rows) t.equal(socketForm(address, family), form, address)
})

t.test('addresses that mean nobody', async (t) => {
  for (const address of ['0.0.0.0', '::', '::ffff:0.0.0.0']) t.ok(isUnspecified(address), address)
  t.notOk(isUnspecified('127.0.0.1'))
})

t.test('address and port as text', async (t) => {
  t.equal(hostPort('192.0.2.1', 4000), '192.0.2.1:4000')
  t.equal(hostPort('2001:db8::1', 4000), '[2001:db8::1]:4000')
  t.equal(hostPort('::ffff:192.0.2.1', 4000), '192.0.2.1:4000')
})
