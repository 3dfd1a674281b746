import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { causewayPorts } from './causeway.ts'
import { labCertificates } from './certificates.ts'
import { DOMAIN } from './configuration.ts'
import { peersFolder } from './install.ts'
import { freePort, rtpRange } from './ports.ts'
import { type ScenarioName, scenarioXml } from './scenarios.ts'
import { type Sipp, startSipp } from './sipp.ts'

export const NUMBER = '+441632960123'
export const PASSWORD = 's3cretS3cretS3cretS3cretS3cret12'

/** How many calls, how fast, and how long the caller holds them in milliseconds. */
export interface Load {
  rate: number
  calls: number
  held: number
}

/** Ports, certificates and scenarios of a test that sends calls both ways through a Causeway of its own. */
export async function trafficLab(t: Test, pbxes = 1) {
  const folder = mkdtempSync(join(peersFolder(), 'run-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const { ca, own, whatsapp, caFile } = labCertificates(folder)
  writeFileSync(join(folder, 'audio.raw'), Buffer.alloc(8000, 0xd5))
  const ports = await causewayPorts()
  const whatsappPort = await freePort()
  const pbxPorts: number[] = []
  while (pbxPorts.length < pbxes) pbxPorts.push(await freePort())
  const range = rtpRange(4000)
  const tls = ['-t', 'l1', '-tls_cert', whatsapp.cert, '-tls_key', whatsapp.key]
  const load = ({ rate, calls, held }: Load): string[] => [
    ...['-r', String(rate), '-m', String(calls), '-d', String(held), '-recv_timeout', '20000'],
  ]
  const scenario = (name: ScenarioName): string => {
    const file = join(folder, `${name}.xml`)
    writeFileSync(file, scenarioXml(name, join(folder, 'audio.raw')))
    return file
  }
  const config = {
    sip: {
      domain: DOMAIN,
      listen: {
        whatsapp: `tls://127.0.0.1:${ports.whatsapp}`,
        pbx: [`udp://127.0.0.1:${ports.pbx}`],
      },
      tls: { cert: own.cert, key: own.key },
    },
    media: { relay: 'embedded', listen: '127.0.0.1', ports: `${range.first}-${range.last}` },
    whatsapp: {
      sip_proxy: `sip:127.0.0.1:${whatsappPort};transport=tls`,
      ca: caFile,
      sources: ['127.0.0.0/8'],
    },
    numbers: [
      {
        name: 'support',
        phone_number: NUMBER,
        phone_number_id: '106540352242922',
        manage: 'off',
        sip_password: PASSWORD,
        calling: { srtp_key_exchange_protocol: 'SDES', audio: { additional_codecs: ['PCMA'] } },
        inbound: { trunk: 'pbx', ring_timeout: '45s' },
      },
    ],
    trunks: [
      {
        name: 'pbx',
        targets: pbxPorts.map((port) => ({
          uri: `sip:127.0.0.1:${port};transport=udp`,
          weight: 1,
        })),
        accept: { from: ['127.0.0.0/8'] },
        media: { srtp: 'none', codecs: ['opus', 'PCMA'] },
        outbound: { number: 'support' },
      },
    ],
    limits: { calls: 4000, calls_per_number: 4000, invites_per_second: 500 },
    http: { listen: `127.0.0.1:${ports.http}` },
    log: { level: 'info' },
  }
  return {
    folder,
    ca,
    ports,
    whatsappPort,
    pbxPorts,
    config,
    /** The PBX, or WhatsApp, waits to be called. `held` is what a `<pause/>` of it lasts. */
    callee: (side: 'pbx' | 'whatsapp', name: ScenarioName, port: number, held = 500) =>
      startSipp({
        scenario: scenario(name),
        port,
        args: [...(side === 'whatsapp' ? tls : []), '-d', String(held)],
      }),
    /** WhatsApp users call. */
    users: async (name: ScenarioName, traffic: Load): Promise<Sipp> =>
      startSipp({
        scenario: scenario(name),
        port: await freePort(),
        target: `127.0.0.1:${ports.whatsapp}`,
        keys: { domain: DOMAIN, username: NUMBER.slice(1), password: PASSWORD },
        args: [...tls, ...load(traffic), '-s', NUMBER, '-cid_str', 'outgoing:wacid.%u-%p@%s'],
      }),
    /** The PBX calls WhatsApp users. */
    agents: async (name: ScenarioName, traffic: Load): Promise<Sipp> =>
      startSipp({
        scenario: scenario(name),
        port: await freePort(),
        target: `127.0.0.1:${ports.pbx}`,
        args: [...load(traffic), '-s', NUMBER],
      }),
  }
}

export type TrafficLab = Awaited<ReturnType<typeof trafficLab>>
