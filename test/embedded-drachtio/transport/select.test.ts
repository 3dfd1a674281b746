import type { NetworkInterfaceInfo } from 'node:os'
import t from 'tap'
import {
  commonPrefix,
  isLoopback,
  isPrivate,
  isWildcard,
  LocalAddresses,
} from '../../../src/embedded-drachtio/transport/address.ts'
import { LogGate } from '../../../src/embedded-drachtio/transport/context.ts'
import type { ListenerInfo, TransportName } from '../../../src/embedded-drachtio/transport/index.ts'
import { ListenerSelector } from '../../../src/embedded-drachtio/transport/select.ts'

function listener(
  host: string,
  transport: TransportName = 'udp',
  externalAddress?: string,
): { info: ListenerInfo } {
  const family = host.includes(':') ? 6 : 4
  return {
    info: { transport, host, port: 5060, family, externalAddress, certificate: undefined },
  }
}

t.test('the listener a target is reached from', async (t) => {
  const hosts = ['127.0.0.1', '10.0.0.5', '203.0.113.10', '::1', '2001:db8::5', '192.168.7.5']
  const selector = new ListenerSelector(hosts.map((host) => listener(host)))
  const cases: [string, string][] = [
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.9', '127.0.0.1'],
    ['10.0.0.77', '10.0.0.5'],
    ['192.168.7.77', '192.168.7.5'],
    ['31.13.66.1', '203.0.113.10'],
    ['::1', '::1'],
    ['2001:db8::77', '2001:db8::5'],
    ['2a03:2880::1', '2001:db8::5'],
  ]
  // Twice, for the second answer comes from the cache.
  for (const [target, host] of [...cases, ...cases]) {
    t.equal(selector.pick('udp', target)?.info.host, host, target)
  }
  t.equal(selector.pick('tcp', '10.0.0.1'), undefined)
  t.ok(selector.supports('udp', 6))
  t.notOk(selector.supports('tls', 4))
})

t.test('a wildcard serves what no network of ours holds', async (t) => {
  const selector = new ListenerSelector([listener('0.0.0.0'), listener('10.0.0.5')])
  t.equal(selector.pick('udp', '10.0.0.9')?.info.host, '10.0.0.5')
  t.equal(selector.pick('udp', '31.13.66.1')?.info.host, '0.0.0.0')
  t.equal(selector.pick('udp', '127.0.0.1')?.info.host, '0.0.0.0')
})

t.test('behind NAT the listener with an external address faces the Internet', async (t) => {
  const selector = new ListenerSelector([
    listener('10.0.0.5', 'tls'),
    listener('10.9.0.5', 'tls', '198.51.100.1'),
  ])
  t.equal(selector.pick('tls', '31.13.66.1')?.info.host, '10.9.0.5')
  t.equal(selector.pick('tls', '172.16.0.1')?.info.host, '10.0.0.5')
})

t.test('kinds of addresses', async (t) => {
  t.ok(isLoopback('127.9.9.9') && isLoopback('::1'))
  t.notOk(isLoopback('128.0.0.1') || isLoopback('::2'))
  t.ok(isWildcard('0.0.0.0') && isWildcard('::') && isWildcard('0:0::0'))
  t.notOk(isWildcard('::1') || isWildcard('10.0.0.0'))
  t.ok(isPrivate('10.1.1.1') && isPrivate('fd00::1') && isPrivate('100.64.0.1'))
  t.notOk(isPrivate('8.8.8.8') || isPrivate('2a03:2880::1'))
  t.equal(commonPrefix('10.0.0.1', '10.0.0.1'), 32)
  t.equal(commonPrefix('10.0.0.1', '10.0.128.1'), 16)
  t.equal(commonPrefix('2001:db8::1', '2001:db8::3'), 126)
  t.equal(commonPrefix('10.0.0.1', '::1'), 0)
})

t.test('the address of a wildcard listener follows the interfaces', async (t) => {
  let asked = 0
  const entry = (address: string, cidr: string, internal = false): NetworkInterfaceInfo =>
    ({
      address,
      cidr,
      internal,
      family: address.includes(':') ? 'IPv6' : 'IPv4',
    }) as NetworkInterfaceInfo
  const locals = new LocalAddresses(() => {
    asked++
    return {
      lo: [entry('127.0.0.1', '127.0.0.1/8', true), entry('::1', '::1/128', true)],
      eth0: [entry('203.0.113.10', '203.0.113.10/24'), entry('fe80::1', 'fe80::1/64')],
      eth1: [entry('10.0.0.5', '10.0.0.5/8'), entry('2001:db8::5', '2001:db8::5/64')],
    }
  })
  t.equal(locals.for('127.0.0.1', 0), '127.0.0.1')
  t.equal(locals.for('::1', 0), '::1')
  t.equal(locals.for('203.0.113.99', 0), '203.0.113.10')
  t.equal(locals.for('10.200.0.1', 0), '10.0.0.5')
  t.equal(locals.for('2a03:2880::1', 0), '2001:db8::5')
  const before = asked
  locals.for('10.200.0.1', 9_999)
  t.equal(asked, before)
  locals.for('10.200.0.1', 10_001)
  t.equal(asked, before + 1)
})

t.test('one log line a second', async (t) => {
  const gate = new LogGate()
  t.same(
    [0, 10, 999, 1000, 1001, 5000].map((now) => gate.pass(now)),
    [0, undefined, undefined, 2, undefined, 1],
  )
})

t.test('a stream goes out without a listener of its family, a datagram does not', async (t) => {
  const selector = new ListenerSelector([listener('::1', 'tls'), listener('::1', 'udp')])
  t.ok(selector.supports('tls', 4))
  t.equal(selector.pick('tls', '127.0.0.1')?.info.host, '::1')
  t.notOk(selector.supports('udp', 4))
  t.equal(selector.pick('udp', '127.0.0.1'), undefined)
  t.notOk(selector.supports('tcp', 6))
})
