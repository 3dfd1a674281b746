import t from 'tap'
import { Registrations } from '../../../src/bridge/registration/registrations.ts'
import type { Config, RegisterConfig } from '../../../src/config/types.ts'
import { silentLogger } from '../../../src/shared/log.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { trunkConfig } from '../../support/configs.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import { FakePort } from '../../support/fake-sip-port.ts'

const REGISTER: RegisterConfig = {
  registrars: [{ uri: 'sip:10.0.0.9', host: '10.0.0.9', port: undefined, transport: 'udp' }],
  username: 'causeway',
  authUsername: 'causeway',
  password: new Secret('pw'),
  expires: 300_000,
  contact: 'causeway',
}

const configOf = (register: RegisterConfig | undefined): Config =>
  ({ trunks: [trunkConfig({ register })] }) as unknown as Config

/** Registrations of which the first is done. */
function registered() {
  const port = new FakePort()
  const clock = new FakeClock()
  const log = silentLogger()
  const deps = { port, clock, random: new FakeRandom(), log, keepsFlows: false }
  const own = { id: '9f2b', key: Buffer.alloc(32) }
  const registrations = new Registrations(own, deps)
  registrations.configure(configOf(REGISTER))
  const first = port.sent.shift()!
  first.respond(200, 'OK', { headers: { contact: first.header('contact')! } })
  return { port, registrations, first }
}

t.test('a reload that does not change a registration is not heard of', async (t) => {
  const { port, registrations } = registered()
  registrations.configure(configOf({ ...REGISTER, password: new Secret('pw') }))
  t.equal(port.sent.length, 0)
  t.match(registrations.status(), [{ state: 'registered' }])
})

t.test('a changed one begins when the former has ended: both may have one Contact', async (t) => {
  const { port, registrations, first } = registered()
  registrations.configure(configOf({ ...REGISTER, password: new Secret('other') }))
  t.same(port.methods, ['REGISTER'])
  const farewell = port.sent.shift()!
  t.equal(farewell.header('expires'), '0')
  farewell.respond(200)
  await new Promise((resolve) => setImmediate(resolve))
  const begun = port.sent.shift()!
  t.equal(begun.header('expires'), '300')
  t.equal(begun.header('contact'), first.header('contact'))
  begun.respond(200, 'OK', { headers: { contact: begun.header('contact')! } })
  const stopped = registrations.stop()
  port.sent.shift()!.respond(200)
  await stopped
})

t.test('one that is changed twice meanwhile begins once', async (t) => {
  const { port, registrations } = registered()
  registrations.configure(configOf({ ...REGISTER, password: new Secret('b') }))
  registrations.configure(configOf({ ...REGISTER, expires: 600_000 }))
  port.sent.shift()!.respond(200)
  await new Promise((resolve) => setImmediate(resolve))
  t.same(
    port.sent.map((sent) => sent.header('expires')),
    ['600'],
  )
})

t.test('one that is taken away ends', async (t) => {
  const { port, registrations } = registered()
  registrations.configure(configOf(undefined))
  t.equal(port.sent.shift()!.header('expires'), '0')
  t.same(registrations.status(), [])
})
