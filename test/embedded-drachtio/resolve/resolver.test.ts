import t from 'tap'
import {
  createResolver,
  type ResolverOptions,
  type ResolveUri,
  type Supports,
} from '../../../src/embedded-drachtio/resolve/index.ts'
import type { Target } from '../../../src/embedded-drachtio/transport/types.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import { FakeDns, naptr, srv, type Zone } from './fake-dns.ts'

const all: Supports = () => true
const only =
  (...names: string[]): Supports =>
  (transport) =>
    names.includes(transport)

function uri(host: string, rest: Partial<ResolveUri> = {}): ResolveUri {
  return { scheme: 'sip', host, port: undefined, transportParam: undefined, ...rest }
}

function setUp(zone: Zone, options: Partial<ResolverOptions> = {}) {
  const dns = new FakeDns(zone)
  const clock = new FakeClock()
  const resolver = createResolver({ dns, clock, random: new FakeRandom(), ...options })
  return { dns, clock, resolver }
}

/** `tls 192.0.2.1:5061 example.com` for each target. */
function text(targets: Target[] | undefined): string[] | undefined {
  return targets?.map(({ transport, address, port, domain }) =>
    [transport, `${address}:${port}`, domain].join(' '),
  )
}

/** The example of RFC 3263 §4.1, with addresses. */
const example: Zone = {
  naptr: {
    'example.com': [
      naptr(90, 50, 'SIP+D2T', '_sip._tcp.example.com'),
      naptr(50, 50, 'SIPS+D2T', '_sips._tcp.example.com'),
      naptr(100, 50, 'SIP+D2U', '_sip._udp.example.com'),
      naptr(10, 10, 'E2U+sip', 'ignored.example.com', 'u'),
    ],
  },
  srv: {
    '_sips._tcp.example.com': [srv(0, 1, 5071, 'secure.example.com')],
    '_sip._tcp.example.com': [
      srv(0, 1, 5060, 'server1.example.com'),
      srv(1, 2, 5062, 'server2.example.com'),
    ],
    '_sip._udp.example.com': [srv(0, 1, 5060, 'server1.example.com')],
  },
  a: {
    'secure.example.com': ['192.0.2.3'],
    'server1.example.com': ['192.0.2.1'],
    'server2.example.com': ['192.0.2.2'],
    'example.com': ['192.0.2.99'],
  },
  aaaa: { 'server1.example.com': ['2001:db8::1'] },
}

t.test('NAPTR, then SRV, then addresses, in order and for every transport we have', async (t) => {
  const { resolver } = setUp(example)
  t.same(text(await resolver.resolve(uri('example.com'), all)), [
    'tls 192.0.2.3:5071 example.com',
    'tcp 192.0.2.1:5060 example.com',
    'tcp 2001:db8::1:5060 example.com',
    'tcp 192.0.2.2:5062 example.com',
    'udp 192.0.2.1:5060 example.com',
    'udp 2001:db8::1:5060 example.com',
  ])
})

t.test('transports and families that we lack are left out', async (t) => {
  const { resolver } = setUp(example)
  const supports: Supports = (transport, family) => transport === 'udp' && family === 4
  t.same(text(await resolver.resolve(uri('example.com'), supports)), [
    'udp 192.0.2.1:5060 example.com',
  ])
})

t.test('sips takes the secure service only', async (t) => {
  const { resolver } = setUp(example)
  const targets = await resolver.resolve(uri('example.com', { scheme: 'sips' }), all)
  t.same(text(targets), ['tls 192.0.2.3:5071 example.com'])
})

t.test('a transport parameter asks for its SRV records and no NAPTR', async (t) => {
  const { resolver, dns } = setUp(example)
  const targets = await resolver.resolve(uri('example.com', { transportParam: 'tcp' }), all)
  t.equal(text(targets)![0], 'tcp 192.0.2.1:5060 example.com')
  t.notOk(dns.asked.some((query) => query.startsWith('naptr')))
})

t.test('a port asks for addresses alone', async (t) => {
  const { resolver, dns } = setUp(example)
  t.same(text(await resolver.resolve(uri('example.com', { port: 5080 }), all)), [
    'udp 192.0.2.99:5080 example.com',
  ])
  t.same(dns.asked, ['a example.com', 'aaaa example.com'])
})

t.test('without NAPTR the SRV records of every plain transport count', async (t) => {
  const { naptr: _, ...zone } = example
  const { resolver } = setUp(zone)
  t.same(text(await resolver.resolve(uri('example.com'), all)), [
    'udp 192.0.2.1:5060 example.com',
    'udp 2001:db8::1:5060 example.com',
    'tcp 192.0.2.1:5060 example.com',
    'tcp 2001:db8::1:5060 example.com',
    'tcp 192.0.2.2:5062 example.com',
  ])
})

t.test('without NAPTR and SRV the default port of the transport', async (t) => {
  const { resolver } = setUp({ a: { 'plain.example': ['192.0.2.7'] } })
  const cases: [Partial<ResolveUri>, string][] = [
    [{}, 'udp 192.0.2.7:5060 plain.example'],
    [{ transportParam: 'tcp' }, 'tcp 192.0.2.7:5060 plain.example'],
    [{ transportParam: 'tls' }, 'tls 192.0.2.7:5061 plain.example'],
    [{ scheme: 'sips' }, 'tls 192.0.2.7:5061 plain.example'],
    [{ scheme: 'sips', transportParam: 'tcp' }, 'tls 192.0.2.7:5061 plain.example'],
    [{ scheme: 'sips', port: 5090 }, 'tls 192.0.2.7:5090 plain.example'],
  ]
  for (const [rest, expected] of cases) {
    t.same(text(await resolver.resolve(uri('plain.example', rest), all)), [expected])
  }
  t.same(text(await resolver.resolve(uri('plain.example'), only('tcp'))), [
    'tcp 192.0.2.7:5060 plain.example',
  ])
})

t.test('IP literals need no DNS and no promise', async (t) => {
  const { resolver, dns } = setUp({})
  const cases: [ResolveUri, string[]][] = [
    [uri('192.0.2.1'), ['udp 192.0.2.1:5060 192.0.2.1']],
    [uri('192.0.2.1', { transportParam: 'tls' }), ['tls 192.0.2.1:5061 192.0.2.1']],
    [uri('192.0.2.1', { scheme: 'sips', port: 1 }), ['tls 192.0.2.1:1 192.0.2.1']],
    [uri('2001:db8::1', { transportParam: 'tcp' }), ['tcp 2001:db8::1:5060 2001:db8::1']],
    [uri('192.0.2.1', { transportParam: 'ws' }), []],
  ]
  for (const [literal, expected] of cases) t.same(text(resolver.resolveLiteral(literal)), expected)
  t.equal(resolver.resolveLiteral(uri('example.com')), undefined)
  t.same(text(await resolver.resolve(uri('192.0.2.1'), all)), ['udp 192.0.2.1:5060 192.0.2.1'])
  t.same(dns.asked, [])
})

t.test('names without a dot and names the DNS does not know come from the system', async (t) => {
  const hosts = { localhost: ['::1', '127.0.0.1'], 'pbx.lan': ['10.0.0.9'] }
  const { resolver, dns } = setUp({ hosts })
  t.same(text(await resolver.resolve(uri('localhost', { transportParam: 'tcp' }), all)), [
    'tcp 127.0.0.1:5060 localhost',
    'tcp ::1:5060 localhost',
  ])
  t.notOk(dns.asked.some((query) => /^(naptr|srv) /.test(query)))
  t.same(text(await resolver.resolve(uri('pbx.lan'), all)), ['udp 10.0.0.9:5060 pbx.lan'])
})

t.test('a DNS that gives no answer is survived by the hosts file', async (t) => {
  const { resolver, dns } = setUp({ hosts: { 'pbx.lan': ['10.0.0.9'] } })
  const lookup = dns.lookup.bind(dns)
  dns.lookup = async (name) => {
    dns.broken.clear()
    return lookup(name)
  }
  for (const name of ['pbx.lan', '_sip._udp.pbx.lan', '_sip._tcp.pbx.lan']) dns.broken.add(name)
  t.same(text(await resolver.resolve(uri('pbx.lan'), all)), ['udp 10.0.0.9:5060 pbx.lan'])
})

t.test('failures are coded', async (t) => {
  const { resolver, dns } = setUp({ ...example, hosts: {} })
  dns.broken.add('down.example')
  await t.rejects(resolver.resolve(uri('nowhere.example'), all), { code: 'SIP_DNS_FAILED' })
  await t.rejects(resolver.resolve(uri('down.example'), all), { code: 'SIP_DNS_FAILED' })
  await t.rejects(resolver.resolve(uri('192.0.2.1'), only('tls')), { code: 'SIP_NO_TRANSPORT' })
  await t.rejects(resolver.resolve(uri('x.example', { transportParam: 'ws' }), all), {
    code: 'SIP_NO_TRANSPORT',
  })
  await t.rejects(resolver.resolve(uri('example.com', { scheme: 'sips' }), only('udp')), {
    code: 'SIP_NO_TRANSPORT',
  })
  dns.zone = { naptr: { 'secure.example': [naptr(1, 1, 'SIPS+D2T', '_sips._tcp.secure.example')] } }
  await t.rejects(resolver.resolve(uri('secure.example'), only('udp')), {
    code: 'SIP_NO_TRANSPORT',
  })
})

t.test('answers are kept for their lifetime, and asked for once at a time', async (t) => {
  const { resolver, dns, clock } = setUp({ a: { 'a.example': ['192.0.2.1'] } })
  dns.ttl = 60
  const target = uri('a.example', { port: 5060 })
  await Promise.all([resolver.resolve(target, all), resolver.resolve(target, all)])
  t.equal(dns.asked.length, 2)
  clock.advance(59_999)
  await resolver.resolve(target, all)
  t.equal(dns.asked.length, 2)
  dns.zone = { a: { 'a.example': ['192.0.2.2'] } }
  clock.advance(1)
  t.same(text(await resolver.resolve(target, all)), ['udp 192.0.2.2:5060 a.example'])
})

t.test('that a name does not exist is forgotten soon, no answer at once', async (t) => {
  const { resolver, dns, clock } = setUp({})
  const target = uri('new.example', { port: 5060 })
  await t.rejects(resolver.resolve(target, all))
  dns.zone = { a: { 'new.example': ['192.0.2.1'] } }
  await t.rejects(resolver.resolve(target, all), 'still negative')
  clock.advance(10_000)
  t.equal((await resolver.resolve(target, all)).length, 1)

  const other = uri('flaky.example', { port: 5060 })
  dns.broken.add('flaky.example')
  await t.rejects(resolver.resolve(other, all))
  dns.broken.clear()
  dns.zone = { a: { 'flaky.example': ['192.0.2.1'] } }
  t.equal((await resolver.resolve(other, all)).length, 1)
})

t.test('the cache is bounded', async (t) => {
  const { resolver } = setUp({ hosts: {} }, { cacheSize: 5 })
  for (let i = 0; i < 20; i++) {
    await t.rejects(resolver.resolve(uri(`${i}.example`, { port: 5060 }), all))
  }
  t.equal(resolver.sizes().cached, 5)
})

t.test('a failed target is tried last for a while', async (t) => {
  const { resolver, clock } = setUp({ a: { 'a.example': ['192.0.2.1', '192.0.2.2'] } })
  const target = uri('a.example', { port: 5060 })
  const first = async () => (await resolver.resolve(target, all))[0]!.address
  const [failed] = await resolver.resolve(target, all)
  resolver.markFailed(failed!)
  t.equal(await first(), '192.0.2.2')
  clock.advance(29_999)
  t.equal(await first(), '192.0.2.2')
  clock.advance(1)
  t.equal(await first(), '192.0.2.1')
  resolver.markFailed(failed!)
  resolver.markWorking(failed!)
  t.equal(await first(), '192.0.2.1')
  for (let i = 0; i < 2000; i++) resolver.markFailed({ ...failed!, port: i })
  t.equal(resolver.sizes().failed, 1000)
})

t.test('an override replaces the next hop and leaves the name to verify', async (t) => {
  const overrides = new Map([
    ['wa.meta.vc', 'sip:127.0.0.1:5071;transport=tls'],
    ['named.example', 'sip:proxy.example;transport=tcp'],
    ['self.example', 'sip:self.example:5061;transport=tls'],
  ])
  const zone = { a: { 'proxy.example': ['192.0.2.5'], 'self.example': ['192.0.2.6'] } }
  const { resolver } = setUp(zone, { overrides })
  const expected = ['tls 127.0.0.1:5071 wa.meta.vc']
  const inDialog = uri('wa.meta.vc', { transportParam: 'tls' })
  t.same(text(resolver.resolveLiteral(uri('wa.meta.vc', { port: 5061 }))), expected)
  t.same(text(await resolver.resolve(inDialog, all)), expected)
  t.equal(resolver.resolveLiteral(uri('named.example')), undefined)
  t.same(text(await resolver.resolve(uri('named.example'), all)), [
    'tcp 192.0.2.5:5060 named.example',
  ])
  t.same(text(await resolver.resolve(uri('self.example'), all)), [
    'tls 192.0.2.6:5061 self.example',
  ])
  t.throws(() => setUp({}, { overrides: new Map([['x', 'tel:1']]) }), { code: 'SIP_DNS_FAILED' })
})
