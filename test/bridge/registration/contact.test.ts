import t from 'tap'
import { bearsToken, contactFor, grantedExpiry } from '../../../src/bridge/registration/contact.ts'
import { pauseAfter, renewAfter, type Trouble } from '../../../src/bridge/registration/timing.ts'
import { FakeRandom } from '../../support/fake-random.ts'

const TOKEN = '0123456789abcdef0123456789abcdef'
const own = { token: TOKEN, instance: 'c0ffee', user: 'causeway', asked: 300 }

const granted: [what: string, headers: Record<string, string>, seconds: number][] = [
  [
    'our contact among others',
    {
      contact: `<sip:x@10.0.0.1>;expires=7, <sip:causeway@10.0.0.5:5060;causeway=${TOKEN}>;expires=90`,
    },
    90,
  ],
  [
    'known by the token among contacts of the same user',
    {
      contact: `<sip:causeway@10.0.0.4;causeway=0${TOKEN.slice(1, -1)}1>;expires=7, <sip:causeway@10.0.0.5;causeway=${TOKEN}>;expires=90`,
    },
    90,
  ],
  [
    'rewritten by NAT: known by the instance',
    {
      contact:
        '<sip:causeway@198.51.100.7:1024>;+sip.instance="<urn:uuid:c0ffee>";expires=60, <sip:y@z>;expires=8',
    },
    60,
  ],
  [
    'its parameters are gone: known by the user',
    { contact: '<sip:b@h>;expires=5,<sip:causeway@h>;q=0.5;expires=61' },
    61,
  ],
  ['the only one', { contact: '<sip:s@h>;expires=45' }, 45],
  ['without a parameter the Expires header', { contact: '<sip:s@h>', expires: '120' }, 120],
  ['no contact at all', { expires: '200' }, 200],
  ['nothing: what was asked for', {}, 300],
  ['strangers alone', { contact: '<sip:a@h>;expires=1, <sip:b@h>;expires=2' }, 300],
  ['a comma in a display name', { contact: '"a, b" <sip:s@h>;expires=33' }, 33],
]

for (const [what, headers, seconds] of granted) {
  t.test(`granted: ${what}`, async (t) => {
    t.equal(grantedExpiry({ header: (name) => headers[name] }, own), seconds)
  })
}

t.test('the token beside parameters of the registrar', async (t) => {
  const token = 'a'.repeat(32)
  for (const other of ['alias=1.2.3.4~5060~1', 'x="y"', 'ob', 'z=a,b', 'transport=sctp']) {
    t.ok(bearsToken(`sip:+33199001234@10.0.0.5:5060;${other};causeway=${token}`, token), other)
    t.ok(bearsToken(`sip:10.0.0.5;causeway=${token};${other}?a=b`, token), other)
  }
  t.notOk(bearsToken(`sip:x;causeway=${token}@10.0.0.5`, token), 'in the user part')
})

t.test('the token in a Request-URI', async (t) => {
  for (const [uri, bears] of [
    [`sip:+33199001234@10.0.0.5:5060;transport=udp;causeway=${TOKEN}`, true],
    [`sip:causeway@[2001:db8::1]:5060;causeway=${TOKEN};x=1`, true],
    [`sip:a@h;causeway=${TOKEN.slice(1)}0`, false],
    [`sip:a@h;causeway=${TOKEN}0`, false],
    ['sip:a@h;causeway=', false],
    ['sip:a@h', false],
    [`sip:a;causeway=${TOKEN}@h`, false],
    ['tel:+33199001234', false],
  ] as const) {
    t.equal(bearsToken(uri, TOKEN), bears, uri)
  }
})

t.test('the Contact', async (t) => {
  const to = { contact: 'c', transport: 'tcp' }
  t.equal(
    contactFor(to, 'tok', 60, undefined),
    '<sip:c@localhost;transport=tcp;causeway=tok>;expires=60',
  )
})

t.test('pauses grow to a limit, by the kind of trouble', async (t) => {
  for (const [kind, failures, retryAfter, low, high] of [
    ['unreachable', 1, undefined, 500, 1000],
    ['unreachable', 3, undefined, 2000, 4000],
    ['unreachable', 40, undefined, 7500, 15_000],
    ['failed', 1, undefined, 2500, 5000],
    ['failed', 9, undefined, 30_000, 60_000],
    ['refused', 1, undefined, 30_000, 60_000],
    ['refused', 9, undefined, 300_000, 600_000],
    ['failed', 1, 90_000, 90_000, 99_000],
    ['failed', 1, 1e9, 3_600_000, 3_960_000],
  ] as [Trouble, number, number | undefined, number, number][]) {
    const random = new FakeRandom(failures)
    for (let round = 0; round < 50; round++) {
      const pause = pauseAfter(kind, failures, retryAfter, random)
      t.ok(pause >= low && pause <= high, `${kind} ${failures}: ${pause} in ${low}…${high}`)
    }
  }
})

t.test('renewed with time to spare', async (t) => {
  const random = new FakeRandom()
  for (let round = 0; round < 50; round++) {
    const after = renewAfter(300_000, undefined, random)
    t.ok(after >= 225_000 && after <= 255_000, String(after))
    t.ok(renewAfter(300_000, 60_000, random) <= 54_000, 'a Flow-Timer')
  }
})
