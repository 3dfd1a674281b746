import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type Simulator, startSimulator } from '../../../src/simulator/index.ts'
import { causeway as runCauseway } from '../../support/cli.ts'
import { connectAri } from './ari.ts'
import { type Asterisk, startAsterisk } from './asterisk.ts'
import { type AsteriskLab, iceCandidates, TONE } from './asterisk-lab.ts'
import { causewayPorts, startCauseway } from './causeway.ts'
import { configuration, DOMAIN } from './configuration.ts'
import { type Daemon, tail } from './daemon.ts'
import { peersFolder } from './install.ts'
import { freePort, rtpRange } from './ports.ts'
import { until } from './until.ts'

/** One row of the matrix. */
export interface GeneratedTrunk {
  /** How both sides come to know each other. */
  mode: 'address' | 'causeway registers' | 'asterisk registers'
  transport: 'udp' | 'tcp' | 'tls'
  srtp: 'none' | 'sdes' | 'dtls'
}

/** Simulator, Causeway, and an Asterisk that runs what Causeway has written for it. */
export type GeneratedLab = AsteriskLab

/**
 * Asterisk's address, and Causeway's towards it, so that each side can tell the other by it. They are
 * neighbours: of its TLS listeners Causeway takes the one that is nearest to the PBX.
 */
const ASTERISK = '127.0.0.3'
const CAUSEWAY = '127.0.0.2'
const NUMBER = '+441632960123'

/**
 * Starts all three. The configuration of Asterisk is what `causeway pbx asterisk` writes for the same
 * file, included as it is; calls from WhatsApp go to extension `talk`.
 */
export async function startGeneratedLab(t: Test, trunk: GeneratedTrunk): Promise<GeneratedLab> {
  const folder = mkdtempSync(join(peersFolder(), 'run-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const ports = await causewayPorts()
  const sipPort = await freePort()
  const number = {
    phoneNumberId: '106540352242910',
    phoneNumber: NUMBER,
    accessToken: 'token',
    appId: 'app',
  }
  const simulator = await startSimulator({
    numbers: [number],
    folder,
    dialTo: { [DOMAIN]: { host: '127.0.0.1', port: ports.whatsapp } },
    media: { tone: { frequency: TONE.consumer, level: -16 } },
  })
  t.teardown(() => simulator.close())
  const own = simulator.issueCertificate([DOMAIN, CAUSEWAY])
  const range = rtpRange(100)
  const base = configuration({
    ports,
    pbxPort: sipPort,
    whatsappPort: simulator.sipAddress.port,
    tls: { ...own, ca: simulator.caFile },
    graphUrl: simulator.graphUrl,
    numbers: [{ name: 'support' }],
  }) as { sip: { listen: { whatsapp: string } }; whatsapp: object }
  const config = {
    ...base,
    sip: {
      ...base.sip,
      listen: { ...base.sip.listen, pbx: [`${trunk.transport}://${CAUSEWAY}:${ports.pbx}`] },
    },
    // A call over a connection of our own to Asterisk is told from WhatsApp's by its source alone.
    whatsapp: { ...base.whatsapp, sources: ['127.0.0.1'] },
    media: { relay: 'embedded', listen: CAUSEWAY, ports: `${range.first}-${range.last}` },
    numbers: [
      {
        name: 'support',
        phone_number: NUMBER,
        phone_number_id: number.phoneNumberId,
        access_token: number.accessToken,
        calling: {
          status: 'ENABLED',
          srtp_key_exchange_protocol: 'SDES',
          sip: { status: 'ENABLED', port: ports.whatsapp },
        },
        inbound: { trunk: 'main' },
      },
    ],
    trunks: [trunkConfig(trunk, sipPort)],
    limits: { calls: 20 },
  }
  const generated = join(folder, 'generated')
  await generate(trunk, { config, target: generated, simulator, sipPort })
  // Who asks the other first finds it there: by OPTIONS or REGISTER.
  const runAsterisk = () =>
    running(
      t,
      startAsterisk({
        peerPort: ports.pbx,
        sipPort,
        configuration: join(import.meta.dirname, '..', 'asterisk', 'generated'),
        values: { GENERATED: generated, ICE_CANDIDATES: iceCandidates(ASTERISK) },
      }),
    )
  const first = trunk.mode === 'causeway registers' ? await runAsterisk() : undefined
  const causeway = await running(t, startCauseway({ ports, config }))
  const asterisk = first ?? (await runAsterisk())
  const ari = await connectAri(asterisk.ari, asterisk.credentials)
  t.teardown(() => ari.close())
  await until('the number and the trunk are set up', async () => {
    const { status } = (await causeway.get('/healthz')) as { status: string }
    return status === 'pass'
  })
  await until('both sides know each other', () => related(trunk, asterisk))
  return { simulator, causeway, asterisk, ari, numbers: [NUMBER] }
}

/** A daemon, with the end of its log when the test fails. */
async function running<T extends Daemon>(t: Test, starting: Promise<T>): Promise<T> {
  const daemon = await starting
  t.teardown(async () => {
    if (!t.passing()) t.comment(tail(daemon.log, 60))
    await daemon.stop()
  })
  return daemon
}

/** Whether registrations are up, as Asterisk sees it. */
function related({ mode }: GeneratedTrunk, { cli }: Asterisk): boolean {
  if (mode === 'causeway registers') {
    return /Contact:\s+causeway\/sip:/.test(cli('pjsip show contacts'))
  }
  return mode === 'address' || /\sRegistered\s/.test(cli('pjsip show registrations'))
}

/** The trunk in Causeway's own file. */
function trunkConfig({ mode, transport, srtp }: GeneratedTrunk, port: number): object {
  const target = `sip:${ASTERISK}:${port};transport=${transport}`
  const common = {
    name: 'main',
    media: { srtp, codecs: ['opus', 'PCMA', 'PCMU'] },
    outbound: { number: 'support' },
  }
  if (mode === 'address') return { ...common, targets: [target], accept: { from: [ASTERISK] } }
  if (mode === 'asterisk registers') {
    const accept = { username: 'asterisk', password: 'in; secret', registrations: true }
    return { ...common, accept }
  }
  const account = { username: 'causeway', password: 'out; secret' }
  return { ...common, register: { registrar: target, ...account }, accept: { from: [] } }
}

/**
 * What a user does: `causeway pbx asterisk -o …`. An Asterisk that registers has a transport of its own
 * here, as its port is not in the file of Causeway.
 */
async function generate(
  { mode, transport }: GeneratedTrunk,
  lab: { config: object; target: string; simulator: Simulator; sipPort: number },
): Promise<void> {
  const { config, target, simulator, sipPort } = lab
  const folder = join(target, '..')
  mkdirSync(target)
  writeFileSync(join(folder, 'causeway.yaml'), JSON.stringify(config), { mode: 0o600 })
  const { cert, key } = simulator.issueCertificate([ASTERISK])
  const own = mode === 'asterisk registers' ? ['--transport', 'site'] : []
  const args = ['--extension', 'talk@services', '--host', CAUSEWAY, '-o', target, ...own]
  const pem = ['--cert', cert, '--key', key, '--ca', simulator.caFile]
  const { code, stderr } = await runCauseway(['pbx', 'asterisk', ...args, ...pem], { cwd: folder })
  if (code !== 0) throw new Error(`causeway pbx asterisk: ${stderr}`)
  if (own.length === 0) return
  const tls = [`cert_file=${cert}`, `priv_key_file=${key}`, `ca_list_file=${simulator.caFile}`]
  const lines = ['[site]', 'type=transport', `protocol=${transport}`, `bind=${ASTERISK}:${sipPort}`]
  if (transport === 'tls') lines.push(...tls, 'method=tlsv1_2', 'verify_server=yes')
  writeFileSync(join(target, 'causeway-transports.conf'), `${lines.join('\n')}\n`)
}
