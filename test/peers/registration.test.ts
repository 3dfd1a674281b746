import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type CallRecord, startSimulator } from '../../src/simulator/index.ts'
import { type Asterisk, startAsterisk } from './support/asterisk.ts'
import { answered, hears } from './support/asterisk-calls.ts'
import { type Causeway, causewayPorts, startCauseway } from './support/causeway.ts'
import { configuration, DOMAIN, managedNumber } from './support/configuration.ts'
import { tail } from './support/daemon.ts'
import { peersFolder } from './support/install.ts'
import { rtpRange } from './support/ports.ts'
import { until } from './support/until.ts'

const TONE = { consumer: 440, service: 600 }
/** Which way each trunk registers: its name in Causeway, and the endpoint in Asterisk. */
const ways = [
  { trunk: 'registers', endpoint: 'causeway' },
  { trunk: 'accepts', endpoint: 'pbx' },
] as const
type Way = (typeof ways)[number]
const NUMBERS = ['+441632960110', '+441632960111']
let consumers = 5001

interface Lab {
  simulator: Awaited<ReturnType<typeof startSimulator>>
  causeway: Causeway
  asterisk: Asterisk
  /** Kills Asterisk and starts another one in its place, which remembers nothing. */
  restart(): Promise<void>
}

/** Asterisk, Causeway and the simulator; Asterisk and Causeway know each other by registration alone. */
async function start(t: Test, transport: 'udp' | 'tcp'): Promise<Lab> {
  const rows = NUMBERS.map((phoneNumber, index) => ({
    name: `number-${index}`,
    phoneNumber,
    phoneNumberId: `1065403522429${10 + index}`,
    accessToken: `token-${index}`,
    appId: 'app',
  }))
  const folder = mkdtempSync(join(peersFolder(), 'run-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const ports = await causewayPorts()
  const simulator = await startSimulator({
    numbers: rows,
    folder,
    dialTo: { [DOMAIN]: { host: '127.0.0.1', port: ports.whatsapp } },
    media: { tone: { frequency: TONE.consumer, level: -16 } },
  })
  t.teardown(() => simulator.close())
  const password = crypto.randomUUID()
  const options = {
    peerPort: ports.pbx,
    configuration: join(import.meta.dirname, 'asterisk', 'registrations'),
    values: { TRANSPORT: transport, SECRET: password },
  }
  const lab: Lab = { simulator, asterisk: await startAsterisk(options) } as Lab
  t.teardown(() => lab.asterisk.stop())
  const { sipPort } = lab.asterisk
  const range = rtpRange(400)
  const base = configuration({
    ports,
    pbxPort: sipPort,
    whatsappPort: simulator.sipAddress.port,
    tls: { ...simulator.issueCertificate([DOMAIN]), ca: simulator.caFile },
    graphUrl: simulator.graphUrl,
    numbers: rows.map((row, index) =>
      managedNumber(row.name, row, {
        listen: ports.whatsapp,
        inbound: { trunk: ways[index]!.trunk, to: 'service', ring_timeout: '4s' },
      }),
    ),
  }) as { sip: { listen: { pbx: string[] } } }
  base.sip.listen.pbx = [`${transport}://127.0.0.1:${ports.pbx}`]
  const account = { username: 'causeway', password }
  const config = {
    ...base,
    media: { relay: 'embedded', listen: '127.0.0.1', ports: `${range.first}-${range.last}` },
    trunks: [
      {
        name: 'registers',
        register: {
          registrar: `sip:127.0.0.1:${sipPort};transport=${transport}`,
          ...account,
          expires: '10s',
        },
        credentials: account,
        accept: { from: [] },
        outbound: { number: 'number-0' },
      },
      {
        name: 'accepts',
        accept: { username: 'pbx', password, registrations: true },
        outbound: { number: 'number-1' },
      },
    ],
    log: { level: 'info' },
  }
  lab.causeway = await startCauseway({ ports, config })
  t.teardown(async () => {
    if (!t.passing()) {
      t.comment(`Causeway's log ends with\n${tail(lab.causeway.log)}`)
      t.comment(`Asterisk's log ends with\n${tail(lab.asterisk.log)}`)
    }
    await lab.causeway.stop()
  })
  lab.restart = async () => {
    await lab.asterisk.kill()
    await lab.asterisk.stop()
    lab.asterisk = await startAsterisk({ ...options, sipPort })
  }
  return lab
}

/** Both registrations are up, as either side sees them. */
async function related(lab: Lab): Promise<void> {
  await until('both registrations are up', () => bothWays(lab))
  await lab.causeway.healthy()
}

async function bothWays({ causeway, asterisk }: Lab): Promise<boolean> {
  const metrics = await causeway.metrics()
  const theirs = /pbx\/sip:\S+\s+\S+\s+Registered/.test(asterisk.cli('pjsip show registrations'))
  const ours = /Contact:\s+causeway\/sip:/.test(asterisk.cli('pjsip show contacts'))
  return theirs && ours && metrics.get('causeway_registrar_contacts{trunk="accepts"}') === 1
}

/** A call each way over each relation. */
async function calls(t: Test, lab: Lab): Promise<void> {
  for (const [index, way] of ways.entries()) {
    const from = `+33199${consumers++}`
    const incoming = lab.simulator.sip.placeCall({ from, to: NUMBERS[index]! })
    await talks(t, lab, incoming, `${way.trunk}: WhatsApp calls`)
    await talks(t, lab, await originate(lab, way, index), `${way.trunk}: Asterisk calls`)
  }
}

async function talks(t: Test, lab: Lab, call: CallRecord, name: string): Promise<void> {
  await answered(t, call)
  await hears(t, call, TONE.service)
  lab.simulator.sip.hangup(call.id)
  await call.until(() => false)
  t.pass(name)
}

/** Asterisk calls a consumer by the name of the endpoint alone. */
async function originate(lab: Lab, { endpoint }: Way, index: number): Promise<CallRecord> {
  const { simulator, asterisk } = lab
  const consumer = `+33199${consumers++}`
  const business = simulator.store.lookupNumberByPhone(NUMBERS[index]!)!
  simulator.store.grantPermission(business, consumer, true)
  simulator.sip.consumers.update(consumer, { script: { action: 'answer', after: 100 } })
  const coming = simulator.sip.calls.next((call) => call.consumer === consumer.slice(1))
  asterisk.cli(`channel originate PJSIP/${consumer}@${endpoint} extension service@services`)
  const call = await Promise.race([coming, sleep(10_000)])
  if (!call) throw new Error(`no call of Asterisk over ${endpoint} reached WhatsApp`)
  return call
}

t.setTimeout(150_000)
for (const transport of ['udp', 'tcp'] as const) {
  t.test(`registrations over ${transport}, in both directions`, async (t) => {
    const lab = await start(t, transport)
    await related(lab)
    await calls(t, lab)
    await lab.restart()
    await related(lab)
    await calls(t, lab)
  })
}
