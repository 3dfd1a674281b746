import t from 'tap'
import {
  type Binding,
  contactKey,
  type Source,
  targetsOf,
} from '../../../src/bridge/registrar/binding.ts'
import { Brake, TRIES, WINDOW } from '../../../src/bridge/registrar/brake.ts'
import { FakeClock } from '../../support/fake-clock.ts'

function binding(uri: string, source: Partial<Source>, path: string[] = []): Binding {
  return {
    uri,
    q: 1,
    expiresAt: 0,
    since: 0,
    callId: 'c',
    cseq: 1,
    source: { address: '10.0.0.9', port: 5060, transport: 'udp', ...source },
    path,
    flow: undefined,
    userAgent: '',
  }
}

const ways: [what: string, of: Binding, proxies: (string | undefined)[]][] = [
  ['UDP, the contact is the source', binding('sip:a@10.0.0.9:5060', {}), [undefined]],
  ['UDP, another port of the same host', binding('sip:a@10.0.0.9:5070', {}), [undefined]],
  [
    'UDP, behind NAT',
    binding('sip:a@192.168.1.2', { address: '198.51.100.7', port: 1024 }),
    ['sip:198.51.100.7:1024;transport=udp'],
  ],
  [
    'a name instead of an address',
    binding('sip:a@pbx.local', {}),
    ['sip:10.0.0.9:5060;transport=udp'],
  ],
  [
    'TCP, over its connection, or to its listener',
    binding('sip:a@10.0.0.9:5060;transport=tcp', { port: 40_001, transport: 'tcp' }),
    ['sip:10.0.0.9:40001;transport=tcp', undefined],
  ],
  [
    'TLS behind NAT',
    binding('sip:a@192.168.1.2;transport=tls', { port: 40_001, transport: 'tls' }),
    ['sip:10.0.0.9:40001;transport=tls'],
  ],
  [
    'registered by UDP, to be called by TCP',
    binding('sip:a@10.0.0.9;transport=tcp', {}),
    [undefined],
  ],
  [
    'IPv6',
    binding('sip:a@[2001:db8::9]:5060', { address: '2001:db8::7' }),
    ['sip:[2001:db8::7]:5060;transport=udp'],
  ],
  ['a Path', binding('sip:a@192.168.1.2', {}, ['sip:edge;lr', 'sip:core;lr']), ['sip:edge;lr']],
]

for (const [what, of, proxies] of ways) {
  t.test(what, async (t) => {
    const targets = targetsOf(of)
    t.same(
      targets.map(({ proxy }) => proxy),
      proxies,
    )
    t.equal(new Set(targets.map(({ uri }) => uri)).size, targets.length, 'each has a name')
    t.same(targets[0]?.routes, of.path)
  })
}

const transports: [what: string, of: Binding, transports: string[]][] = [
  [
    'of the connection',
    binding('sip:a@192.168.1.2:5060', { port: 40_001, transport: 'tcp' }),
    ['tcp'],
  ],
  [
    'of the connection, then of the listener the contact means',
    binding('sip:a@10.0.0.9:5060', { port: 40_001, transport: 'tls' }),
    ['tls', 'tls'],
  ],
  ['of the Path', binding('sip:a@192.168.1.2', {}, ['sip:edge;transport=tcp;lr']), ['tcp']],
  ['of the contact', binding('sip:a@10.0.0.9;transport=tcp', {}), ['tcp']],
]

for (const [what, of, expected] of transports) {
  t.test(`the transport of a registered contact is that of the next hop: ${what}`, async (t) => {
    t.same(
      targetsOf(of).map(({ transport }) => transport),
      expected,
    )
  })
}

t.test('a sips contact is called by TLS', async (t) => {
  const [target] = targetsOf(binding('sips:a@10.0.0.9', {}))
  t.match(target, { transport: 'tls', params: ';transport=tls' })
})

t.test('what was registered by TLS is not called by UDP, unless it says so', async (t) => {
  const source = { port: 40_001, transport: 'tls' as const }
  const [, direct] = targetsOf(binding('sip:a@10.0.0.9;ob', source))
  t.equal(direct?.params, ';ob;transport=tls')
  const [said, ...others] = targetsOf(binding('sip:a@10.0.0.9;transport=udp', source))
  t.match(said, { transport: 'udp', params: ';transport=udp', proxy: undefined })
  t.same(others, [])
})

t.test('contacts that are the same', async (t) => {
  const key = contactKey('sip:a@Host.example:5060;line=1')
  t.equal(contactKey('sip:a@host.example:5060;line=2'), key)
  t.not(contactKey('sip:A@host.example:5060'), key, 'the user is case-sensitive')
  t.not(contactKey('sip:a@host.example'), key)
  t.not(contactKey('sip:a@host.example:5060;transport=tcp'), key)
})

t.test('the brake forgets, and never holds more than it may', async (t) => {
  const clock = new FakeClock()
  const brake = new Brake(clock, 100)
  for (let index = 0; index < 1000; index++) brake.wrong(`198.51.${index >> 8}.${index & 255}`)
  t.equal(brake.size, 100)
  for (let tries = 1; tries <= TRIES; tries++) {
    t.equal(brake.wrong(`2001:db8:0:7::${tries}`), tries === TRIES, 'a /64 is one source')
  }
  t.ok(brake.holds('2001:db8:0:7::ffff'))
  t.notOk(brake.holds('2001:db8:0:8::1'))
  t.notOk(brake.holds('::ffff:192.0.2.1'))
  clock.advance(WINDOW)
  t.notOk(brake.holds('2001:db8:0:7::ffff'))
  brake.wrong('192.0.2.1')
  t.equal(brake.size, 1, 'what has passed is gone')
})
