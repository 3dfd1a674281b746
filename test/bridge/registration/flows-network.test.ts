import t, { type Test } from 'tap'
import type { Config, RegisterConfig } from '../../../src/config/types.ts'
import { createNoneRelay } from '../../../src/media/index.ts'
import { systemRandom } from '../../../src/shared/random.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { bridgeNetwork } from '../../support/bridge-network.ts'
import { trunkConfig } from '../../support/configs.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { ACCOUNT, registerAt } from '../../support/register.ts'
import { type PeerMessage, SipPeer } from '../../support/sip-peer.ts'

const isPing = ({ text }: PeerMessage): boolean => text === '\r\n\r\n'
const OUTBOUND = { Require: 'outbound', 'Flow-Timer': '60' }

/** A bridge with this trunk, on a SIP server with TCP and a clock of the test's own. */
async function network(t: Test, trunk: Parameters<typeof trunkConfig>[0]) {
  const clock = new FakeClock()
  const trunks = [trunkConfig({ targets: [], ...trunk })]
  const relay = createNoneRelay(systemRandom)
  const change: Partial<Config> = { trunks }
  const net = await bridgeNetwork(t, change, relay, ['tcp'], { clock })
  const counters = () => net.server.metrics().counters.transport
  /** Until the SIP server has read this many keepalives more than `before`. */
  const heard = async (before: number): Promise<void> => {
    while (counters().keepalives === before) await new Promise(setImmediate)
  }
  return { ...net, clock, counters, heard }
}

/** Its trunk registers over TCP with a scripted registrar. */
async function registering(t: Test) {
  const registrar = await SipPeer.stream()
  t.teardown(() => registrar.close())
  const { host, port } = registrar
  const uri = `sip:${host}:${port};transport=tcp`
  const register: RegisterConfig = {
    registrars: [{ uri, host, port, transport: 'tcp' }],
    username: 'causeway',
    authUsername: 'causeway',
    password: new Secret('pw'),
    expires: 300_000,
    contact: 'causeway',
  }
  const net = await network(t, { accept: { ...trunkConfig().accept, from: [] }, register })
  const status = () => net.bridge.registrations().ours[0]!
  const grant = async (): Promise<PeerMessage> => {
    const attempts = status().attempts.registered
    const request = await registrar.expect('REGISTER')
    const headers = { Contact: request.header('contact'), ...OUTBOUND }
    registrar.respond(request, 200, { tag: 'r', headers })
    while (status().attempts.registered === attempts) await new Promise(setImmediate)
    return request
  }
  const ping = async (): Promise<PeerMessage> => {
    const before = net.counters().bytesSent.tcp
    for (let s = 0; s < 60 && net.counters().bytesSent.tcp === before; s++) net.clock.advance(1000)
    const message = await registrar.expect(isPing)
    registrar.forget(message)
    return message
  }
  return { ...net, registrar, status, grant, ping }
}

t.test('pings and pongs keep the connection of a registration', async (t) => {
  const { registrar, status, grant, ping, counters, heard, bridge, clock } = await registering(t)
  const { from } = await grant()
  for (let count = 0; count < 3; count++) {
    const message = await ping()
    t.same(message.from, from)
    const before = counters().keepalives
    registrar.send(message.from, '\r\n')
    await heard(before)
    clock.advance(12_000)
  }
  t.match(status(), { state: 'registered', flowFailures: 0, attempts: { registered: 1 } })
  const stopped = bridge.stop()
  registrar.respond(await registrar.expect('REGISTER'), 200, { tag: 'r' })
  await stopped
})

t.test('no pong: registered again over another connection', async (t) => {
  const { registrar, status, grant, ping, clock, bridge } = await registering(t)
  const { from } = await grant()
  await ping()
  clock.advance(11_000)
  const again = await grant()
  t.not(again.from.port, from.port)
  t.match(status(), { state: 'registered', flowFailures: 1, error: undefined })
  const stopped = bridge.stop()
  const farewell = await registrar.expect('REGISTER')
  t.same(farewell.from, again.from)
  registrar.respond(farewell, 200, { tag: 'r' })
  await stopped
})

t.test(
  'the registrar closes: registered again at once, and with a pause the second time',
  async (t) => {
    const { registrar, status, grant, bridge } = await registering(t)
    const { from } = await grant()
    registrar.drop()
    const again = await grant()
    t.not(again.from.port, from.port)
    registrar.drop()
    while (status().flowFailures < 2) await new Promise(setImmediate)
    const { error, nextAt } = status()
    t.match(error, { code: 'TRUNK_REGISTER_FLOW_FAILED', detail: /connection was closed/ })
    t.type(nextAt, 'number', 'it is waited for; one that is asked at once has none')
    const stopped = bridge.stop()
    registrar.respond(await registrar.expect('REGISTER'), 200, { tag: 'r' })
    await stopped
  },
)

const accept = {
  from: [],
  username: ACCOUNT.username,
  password: new Secret(ACCOUNT.password),
  registrations: true,
}

/** A PBX registers over TCP, with a flow of RFC 5626. */
async function registered(t: Test) {
  const net = await network(t, { accept })
  const pbx = await SipPeer.stream()
  t.teardown(() => pbx.close())
  const server = { host: '127.0.0.1', port: net.streamPorts[0]! }
  const contact = `${pbx.contact};+sip.instance="<urn:uuid:1>";reg-id=1`
  const headers = { Supported: 'outbound' }
  const { answer } = await registerAt(pbx, server, { contact, headers })
  t.equal(answer.header('flow-timer'), '120')
  const contacts = () => net.bridge.registrations().contacts[0]!.contacts
  t.equal(contacts().length, 1)
  return { ...net, pbx, sip: server, contacts }
}

t.test('a PBX that pings stays registered, one that is silent is forgotten', async (t) => {
  const { pbx, sip, contacts, clock, counters, heard, server } = await registered(t)
  for (let count = 0; count < 3; count++) {
    clock.advance(119_000)
    const before = counters().keepalives
    pbx.send(sip, '\r\n\r\n')
    await heard(before)
  }
  t.equal(contacts().length, 1)
  clock.advance(141_000)
  t.equal(contacts().length, 0)
  t.equal(server.metrics().now.registeredFlows, 0)
})

t.test('a PBX that closes its connection is not called at its contact', async (t) => {
  const { pbx, contacts } = await registered(t)
  pbx.drop()
  while (contacts().length > 0) await new Promise(setImmediate)
  t.pass('forgotten')
})
