import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type Simulator, startSimulator } from '../../../src/simulator/index.ts'
import { causeway as runCauseway } from '../../support/cli.ts'
import { connectAri } from './ari.ts'
import { type Asterisk, startAsterisk } from './asterisk.ts'
import { type AsteriskLab, iceCandidates, TONE } from './asterisk-lab.ts'
import { causewayPorts, startCauseway } from './causeway.ts'
import { configuration, DOMAIN, managedNumber } from './configuration.ts'
import { type Daemon, tail } from './daemon.ts'
import { peersFolder } from './install.ts'
import { freePort, rtpRange } from './ports.ts'
import { until } from './until.ts'

/** A trunk of the matrix. */
export interface GeneratedTrunk {
  /** How both sides come to know each other. */
  mode: 'address' | 'causeway registers' | 'asterisk registers'
  transport: 'udp' | 'tcp' | 'tls'
  srtp: 'none' | 'sdes' | 'dtls'
}

/** A trunk of a lab, with what is needed to call over it. */
export interface LabTrunk extends GeneratedTrunk {
  name: string
  /** Its business number. */
  number: string
}

/** Simulator, Causeway, and an Asterisk that runs what Causeway has written for it. */
export interface GeneratedLab extends AsteriskLab {
  trunks: readonly LabTrunk[]
}

/** Ports of both sides, the same at each of their addresses. */
interface Ports {
  asterisk: { plain: number; tls: number }
  causeway: { plain: number; tls: number }
}

/** A trunk with the addresses it has. */
interface Row extends LabTrunk {
  /** Asterisk, and Causeway beside it: of its listeners Causeway takes the one nearest to the PBX. */
  asterisk: string
  causeway: string
}

/**
 * Starts all three. The configuration of Asterisk is what `causeway pbx asterisk` writes for the same
 * file, included as it is; calls from WhatsApp go to extension `talk`. Trunks by address have one of
 * their own on each side, so that each side can tell them apart.
 */
export async function startGeneratedLab(
  t: Test,
  trunks: readonly GeneratedTrunk[],
): Promise<GeneratedLab> {
  const folder = mkdtempSync(join(peersFolder(), 'run-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const free = await causewayPorts()
  const [plain, tls, ownTls] = [await freePort(), await freePort(), await freePort()]
  const ports: Ports = { asterisk: { plain, tls }, causeway: { plain: free.pbx, tls: ownTls } }
  const rows = trunks.map(rowOf)
  const numbers = rows.map(({ number }, index) => ({
    phoneNumberId: `1065403522429${10 + index}`,
    phoneNumber: number,
    accessToken: `token-${index}`,
    appId: 'app',
  }))
  const simulator = await startSimulator({
    numbers,
    folder,
    dialTo: { [DOMAIN]: { host: '127.0.0.1', port: free.whatsapp } },
    media: { tone: { frequency: TONE.consumer, level: -16 } },
  })
  t.teardown(() => simulator.close())
  const hosts = [...new Set(rows.map(({ causeway }) => causeway))]
  const range = rtpRange(1000)
  const base = configuration({
    ports: free,
    pbxPort: plain,
    whatsappPort: simulator.sipAddress.port,
    tls: { ...simulator.issueCertificate([DOMAIN, ...hosts]), ca: simulator.caFile },
    graphUrl: simulator.graphUrl,
    numbers: rows.map(({ name }, index) =>
      managedNumber(name, numbers[index]!, { listen: free.whatsapp, inbound: { trunk: name } }),
    ),
  }) as { sip: { listen: { whatsapp: string } }; whatsapp: object }
  const pbx = rows.map(({ transport, causeway }) => {
    return `${transport}://${causeway}:${ports.causeway[transport === 'tls' ? 'tls' : 'plain']}`
  })
  const config = {
    ...base,
    sip: { ...base.sip, listen: { ...base.sip.listen, pbx: [...new Set(pbx)] } },
    // A call over a connection of our own to Asterisk is told from WhatsApp's by its source alone.
    whatsapp: { ...base.whatsapp, sources: ['127.0.0.1'] },
    media: { relay: 'embedded', listen: hosts[0]!, ports: `${range.first}-${range.last}` },
    trunks: rows.map((row) => trunkConfig(row, ports)),
    limits: { calls: 100 },
  }
  const generated = join(folder, 'generated')
  await generate(rows, { config, target: generated, simulator })
  const address = rows[0]!.asterisk
  // Who asks the other first finds it there: by OPTIONS or REGISTER.
  const causeway = await running(t, startCauseway({ ports: free, config }))
  const asterisk = await running(
    t,
    startAsterisk({
      peerPort: free.pbx,
      sipPort: plain,
      rtpPorts: 800,
      configuration: join(import.meta.dirname, '..', 'asterisk', 'generated'),
      values: { GENERATED: generated, ICE_CANDIDATES: iceCandidates(address) },
    }),
  )
  const ari = await connectAri(asterisk.ari, asterisk.credentials)
  t.teardown(() => ari.close())
  await causeway.healthy()
  await until('both sides know each other', () => related(rows, asterisk), 60_000)
  const all = rows.map(({ number }) => number)
  return { simulator, causeway, asterisk, ari, numbers: all, trunks: rows }
}

function rowOf(trunk: GeneratedTrunk, index: number): Row {
  const net = trunk.mode === 'address' ? `127.0.${index + 1}` : '127.0.100'
  return {
    ...trunk,
    name: `${trunk.mode}-${trunk.transport}-${trunk.srtp}`.replace(' ', '-'),
    number: `+4416329601${10 + index}`,
    asterisk: `${net}.3`,
    causeway: `${net}.2`,
  }
}

/** The trunk in Causeway's own file. */
function trunkConfig({ mode, transport, srtp, name, asterisk }: Row, ports: Ports): object {
  const port = ports.asterisk[transport === 'tls' ? 'tls' : 'plain']
  const target = `sip:${asterisk}:${port};transport=${transport}`
  const media = { srtp, codecs: ['opus', 'PCMA', 'PCMU'] }
  const common = { name, media, outbound: { number: name } }
  if (mode === 'address') return { ...common, targets: [target], accept: { from: [asterisk] } }
  const account = { username: name, password: `${name}; secret` }
  if (mode === 'asterisk registers') {
    return { ...common, accept: { ...account, registrations: true } }
  }
  return { ...common, register: { registrar: target, ...account }, accept: { from: [] } }
}

/** What a user does: `causeway pbx asterisk -o …`. */
async function generate(
  rows: readonly Row[],
  lab: { config: object; target: string; simulator: Simulator },
): Promise<void> {
  const { config, target, simulator } = lab
  const folder = join(target, '..')
  mkdirSync(target)
  writeFileSync(join(folder, 'causeway.yaml'), JSON.stringify(config), { mode: 0o600 })
  const { cert, key } = simulator.issueCertificate(rows.map(({ asterisk }) => asterisk))
  // The name in Causeway's certificate is known to no DNS here.
  const host = rows.some(({ transport }) => transport === 'tls')
    ? ['--host', rows[0]!.causeway]
    : []
  const args = ['--extension', 'talk@services', '-o', target, ...host]
  const pem = ['--cert', cert, '--key', key, '--ca', simulator.caFile]
  const run = async (more: string[]): Promise<void> => {
    const line = ['pbx', 'asterisk', ...args, ...pem, ...more]
    const { code, stderr } = await runCauseway(line, { cwd: folder })
    if (code !== 0) throw new Error(`causeway pbx asterisk: ${stderr}`)
  }
  await run([])
  // What an Asterisk registers over is not in the file of Causeway.
  for (const { mode, name, transport } of rows) {
    if (mode !== 'asterisk registers') continue
    const over = ['--over', transport, '--transport', `causeway-${transport}`]
    await run(['--trunk', name, ...over, '--force'])
  }
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

/** Whether every registration is up, as Asterisk sees it. */
function related(rows: readonly Row[], { cli }: Asterisk): boolean {
  const contacts = cli('pjsip show contacts')
  const registrations = cli('pjsip show registrations')
  return rows.every(({ mode, name }) => {
    if (mode === 'causeway registers') return contacts.includes(` ${name}/sip:`)
    const line = registrations.split('\n').find((one) => one.includes(` causeway-${name}/`))
    return mode === 'address' || / Registered /.test(line ?? '')
  })
}
