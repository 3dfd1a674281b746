import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type CallRecord, startSimulator } from '../../src/simulator/index.ts'
import { PeerDialog, SipPeer } from '../support/sip-peer.ts'
import { answered } from './support/asterisk-calls.ts'
import { type Causeway, causewayPorts, startCauseway } from './support/causeway.ts'
import { configuration, DOMAIN, managedNumber } from './support/configuration.ts'
import { tail } from './support/daemon.ts'
import { peersFolder } from './support/install.ts'
import { type Kamailio, startKamailio } from './support/kamailio.ts'
import { rtpRange } from './support/ports.ts'
import { until } from './support/until.ts'

/** Seconds after which Kamailio takes a flow for dead (RFC 5626 §4.4.1). */
const FLOW_TIMER = 6
const SDP = [
  ...['v=0', 'o=phone 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'],
  ...['m=audio 40000 RTP/AVP 8', 'a=rtpmap:8 PCMA/8000', 'a=ptime:20', ''],
].join('\r\n')
const number = {
  name: 'support',
  phoneNumber: '+441632960123',
  phoneNumberId: '106540352242922',
  accessToken: 'token',
  appId: 'app',
}
let consumers = 7001

interface Lab {
  simulator: Awaited<ReturnType<typeof startSimulator>>
  causeway: Causeway
  kamailio: Kamailio
  phone: SipPeer
  /** Kills Kamailio and starts another one in its place, which remembers nothing. */
  restart(): Promise<void>
}

/** Causeway registers over TCP with Kamailio, which sends calls to a phone over UDP. */
async function start(t: Test): Promise<Lab> {
  const folder = mkdtempSync(join(peersFolder(), 'run-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const ports = await causewayPorts()
  const simulator = await startSimulator({
    numbers: [number],
    folder,
    dialTo: { [DOMAIN]: { host: '127.0.0.1', port: ports.whatsapp } },
  })
  t.teardown(() => simulator.close())
  const phone = await SipPeer.open()
  t.teardown(() => phone.close())
  const password = crypto.randomUUID()
  const options = {
    configuration: join(import.meta.dirname, 'kamailio'),
    peerPort: phone.port,
    values: { SECRET: password, FLOW_TIMER },
  }
  const lab = { simulator, phone, kamailio: await startKamailio(options) } as Lab
  t.teardown(() => lab.kamailio.stop())
  const { sipPort } = lab.kamailio
  const inbound = { trunk: 'sbc', to: '1001' }
  const entry = managedNumber(number.name, number, { listen: ports.whatsapp, inbound })
  const base = configuration({
    ports,
    pbxPort: sipPort,
    whatsappPort: simulator.sipAddress.port,
    tls: { ...simulator.issueCertificate([DOMAIN]), ca: simulator.caFile },
    graphUrl: simulator.graphUrl,
    numbers: [entry],
  }) as { sip: { listen: { pbx: string[] } } }
  base.sip.listen.pbx = [`tcp://127.0.0.1:${ports.pbx}`]
  const range = rtpRange(100)
  const registrar = `sip:127.0.0.1:${sipPort};transport=tcp`
  const config = {
    ...base,
    media: { relay: 'embedded', listen: '127.0.0.1', ports: `${range.first}-${range.last}` },
    trunks: [
      {
        name: 'sbc',
        register: { registrar, username: 'causeway', password, expires: '300s' },
        accept: { from: [] },
        media: { srtp: 'none', codecs: ['PCMA'] },
        outbound: { number: number.name },
      },
    ],
    log: { level: 'info' },
  }
  lab.causeway = await startCauseway({ ports, config })
  t.teardown(async () => {
    if (!t.passing()) {
      t.comment(`Causeway's log ends with\n${tail(lab.causeway.log)}`)
      t.comment(`Kamailio's log ends with\n${tail(lab.kamailio.log)}`)
    }
    await lab.causeway.stop()
  })
  await lab.causeway.healthy()
  lab.restart = async () => {
    await lab.kamailio.kill()
    await lab.kamailio.stop()
    lab.kamailio = await startKamailio({ ...options, sipPort })
  }
  return lab
}

/** What Kamailio has registered, as text; '' for nothing. */
async function table({ kamailio }: Lab): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${kamailio.sipPort}/RPC`, {
    method: 'POST',
    body: JSON.stringify({ jsonrpc: '2.0', method: 'ul.dump', id: 1 }),
  })
  return JSON.stringify(await response.json())
}

const TRUNK = '{trunk="sbc"}'
const DONE = '{trunk="sbc",result="registered"}'

const metric = async ({ causeway }: Lab, name: string): Promise<number> =>
  (await causeway.metrics()).get(name) ?? 0

const registered = (lab: Lab): Promise<void> =>
  until(
    'Causeway is registered',
    async () => /"Address":"sip:causeway@/i.test(await table(lab)),
    30_000,
  )

/** A phone behind Kamailio takes a call, or has called: both sides hang up. */
async function userCalls(t: Test, lab: Lab): Promise<void> {
  const { simulator, phone } = lab
  const from = `+33199${consumers++}000`
  const call = simulator.sip.placeCall({ from, to: number.phoneNumber })
  const invite = await phone.expect('INVITE')
  t.equal(invite.all('record-route').length, 2, 'one for TCP, one for UDP')
  t.match(invite.header('from'), from)
  const dialog = PeerDialog.of(phone, invite, 'phone')
  dialog.headers = { Route: invite.all('record-route') }
  const headers = { Contact: phone.contact, 'Record-Route': invite.all('record-route') }
  phone.respond(invite, 200, { tag: 'phone', headers, body: SDP })
  await phone.expect('ACK')
  await answered(t, call)
  dialog.request('BYE')
  await phone.expect((m) => m.status === 200 && m.method === 'BYE')
  await ended(t, call)
}

async function phoneCalls(t: Test, lab: Lab): Promise<void> {
  const { simulator, phone, kamailio } = lab
  const consumer = `+33199${consumers++}000`
  const business = simulator.store.lookupNumberByPhone(number.phoneNumber)!
  simulator.store.grantPermission(business, consumer, true)
  simulator.sip.consumers.update(consumer, { script: { action: 'answer', after: 100 } })
  const coming = simulator.sip.calls.next((call) => call.consumer === consumer.slice(1))
  const proxy = { host: '127.0.0.1', port: kamailio.sipPort }
  const dialog = phone.dialog(proxy, {
    uri: `sip:causeway@127.0.0.1:${kamailio.sipPort}`,
    to: `<sip:${consumer}@127.0.0.1>`,
  })
  dialog.request('INVITE', { body: SDP })
  const call = await coming
  const ok = await phone.expect((m) => m.status === 200 && m.method === 'INVITE', 10_000)
  dialog.learn(ok)
  dialog.headers = { Route: ok.all('record-route').toReversed() }
  dialog.request('ACK')
  await answered(t, call)
  simulator.sip.hangup(call.id)
  phone.respond(await phone.expect('BYE'), 200)
  await ended(t, call)
}

async function ended(t: Test, call: CallRecord): Promise<void> {
  await call.until(() => false)
  t.match(call.outcome, { reason: 'hung up' })
}

t.test('Kamailio as registrar and proxy over TCP, with a flow (RFC 5626)', async (t) => {
  t.setTimeout(90_000)
  const lab = await start(t)
  await registered(lab)
  const entry = await table(lab)
  t.match(entry, /"Instance":"<urn:uuid:[0-9a-f-]{36}>"/i)
  t.match(entry, /"Reg-Id":1/i)
  t.match(entry, /"Received":"sip:127\.0\.0\.1:\d+;transport=tcp"/i)
  await userCalls(t, lab)
  await phoneCalls(t, lab)

  // Kamailio answers pings: nothing else has to show that the flow is alive.
  const pings = (): Promise<number> => metric(lab, 'causeway_sip_keepalives_total')
  const before = await pings()
  await until('two pings', async () => (await pings()) >= before + 2, 4 * FLOW_TIMER * 1000)
  t.equal(await metric(lab, 'causeway_sip_flows_kept'), 1)
  t.equal(await metric(lab, `causeway_registration_attempts_total${DONE}`), 1, 'no renewal')
  t.equal(await metric(lab, `causeway_registration_flow_failures_total${TRUNK}`), 0)

  await lab.restart()
  await registered(lab)
  t.equal(await metric(lab, `causeway_registration_flow_failures_total${TRUNK}`), 1, 'noticed')
  await userCalls(t, lab)
  await phoneCalls(t, lab)
})
