import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type Simulator, startSimulator } from '../../../src/simulator/index.ts'
import { type Ari, connectAri } from './ari.ts'
import { type Asterisk, startAsterisk } from './asterisk.ts'
import { type Causeway, causewayPorts, startCauseway } from './causeway.ts'
import { configuration, DOMAIN, managedNumber } from './configuration.ts'
import { tail } from './daemon.ts'
import { peersFolder } from './install.ts'
import { rtpRange } from './ports.ts'
import { writeTone } from './wav.ts'

/** A trunk of Asterisk (test/peers/asterisk/trunks/pjsip.conf), by the address it has. */
const TRUNKS = {
  'plain-opus': { hosts: ['127.0.0.11'], srtp: 'none' },
  'plain-pcma': { hosts: ['127.0.0.12'], srtp: 'none' },
  'sdes-opus': { hosts: ['127.0.0.13'], srtp: 'sdes' },
  'sdes-pcma': { hosts: ['127.0.0.14'], srtp: 'sdes' },
  'webrtc-opus': { hosts: ['127.0.0.15'], srtp: 'dtls' },
  'webrtc-pcma': { hosts: ['127.0.0.16'], srtp: 'dtls' },
  direct: { hosts: ['127.0.0.17'], srtp: 'none' },
  // Both plain trunks as one: a transfer from the first target to the second changes the codec.
  switchboard: { hosts: ['127.0.0.11', '127.0.0.12'], srtp: 'none' },
} as const

/** Name of a trunk between Causeway and Asterisk. */
export type TrunkName = keyof typeof TRUNKS

/** Voices in Hz: the consumers', Asterisk's services, its music on hold, and Causeway's. */
export const TONE = {
  consumer: 440,
  service: 600,
  early: 700,
  second: 900,
  asteriskMusic: 1100,
  holdMusic: 1300,
} as const

/** A business number of the lab. */
export interface LabNumber {
  trunk: TrunkName
  /** Keying of its WhatsApp leg. Default SDES. */
  srtp?: 'SDES' | 'DTLS'
  /** G.711 enabled on the number beside Opus. */
  codecs?: readonly ('PCMA' | 'PCMU')[]
  earlyMedia?: boolean
}

/** Simulator, Causeway with its embedded relay, and Asterisk, connected. */
export interface AsteriskLab {
  simulator: Simulator
  causeway: Causeway
  asterisk: Asterisk
  ari: Ari
  /** E.164 of the number at this place in the list. */
  numbers: readonly string[]
}

/**
 * Starts all three. A call to a number comes to Asterisk over the number's trunk; the last three
 * digits of the caller choose the service there.
 *
 * @param holdMusic whether Causeway has music on hold of its own
 */
export async function startAsteriskLab(
  t: Test,
  numbers: readonly LabNumber[],
  { holdMusic = false }: { holdMusic?: boolean } = {},
): Promise<AsteriskLab> {
  const rows = numbers.map((number, index) => ({
    ...number,
    name: `number-${index}`,
    phoneNumberId: `1065403522429${10 + index}`,
    phoneNumber: `+4416329601${10 + index}`,
    accessToken: `token-${index}`,
    appId: 'app',
  }))
  const folder = mkdtempSync(join(peersFolder(), 'run-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const music = join(folder, 'music')
  mkdirSync(music)
  writeTone(join(music, 'music.wav'), TONE.asteriskMusic, 10_000)
  const hold = join(folder, 'hold.wav')
  writeTone(hold, TONE.holdMusic, 2000)
  const ports = await causewayPorts()
  const simulator = await startSimulator({
    numbers: rows,
    folder,
    dialTo: { [DOMAIN]: { host: '127.0.0.1', port: ports.whatsapp } },
    media: { tone: { frequency: TONE.consumer, level: -16 } },
  })
  t.teardown(() => simulator.close())
  const asterisk = await startAsterisk({
    peerPort: ports.pbx,
    configuration: join(import.meta.dirname, '..', 'asterisk', 'trunks'),
    values: { MUSIC: music, ICE_CANDIDATES: iceCandidates() },
  })
  t.teardown(() => asterisk.stop())
  const range = rtpRange(1000)
  const config = {
    ...configuration({
      ports,
      pbxPort: asterisk.sipPort,
      whatsappPort: simulator.sipAddress.port,
      tls: { ...simulator.issueCertificate([DOMAIN]), ca: simulator.caFile },
      graphUrl: simulator.graphUrl,
      numbers: rows.map((row) => numberConfig(row, ports.whatsapp)),
    }),
    media: {
      relay: 'embedded',
      listen: '127.0.0.1',
      ports: `${range.first}-${range.last}`,
      ...(holdMusic ? { hold_music: hold } : {}),
    },
    trunks: trunksOf(rows, asterisk.sipPort),
    limits: { calls: 200 },
  }
  const causeway = await startCauseway({ ports, config })
  t.teardown(async () => {
    if (!t.passing()) t.comment(`Causeway's log ends with\n${tail(causeway.log)}`)
    await causeway.stop()
  })
  const ari = await connectAri(asterisk.ari, asterisk.credentials)
  t.teardown(() => ari.close())
  await causeway.healthy()
  return { simulator, causeway, asterisk, ari, numbers: rows.map((row) => row.phoneNumber) }
}

type Row = LabNumber & {
  name: string
  phoneNumber: string
  phoneNumberId: string
  accessToken: string
}

/** An entry of `numbers`. */
function numberConfig(row: Row, port: number): { name: string } {
  const { name, trunk, srtp = 'SDES', codecs = [], earlyMedia = false } = row
  return managedNumber(name, row, {
    listen: port,
    inbound: { trunk, to: 'service', ring_timeout: '4s', early_media: earlyMedia },
    calling: {
      srtp_key_exchange_protocol: srtp,
      ...(codecs.length > 0 ? { audio: { additional_codecs: codecs } } : {}),
    },
  })
}

/** The entries of `trunks` that the numbers need, in the order of the table. */
function trunksOf(rows: readonly Row[], port: number): object[] {
  return Object.entries(TRUNKS)
    .filter(([name]) => rows.some((row) => row.trunk === name))
    .map(([name, { hosts, srtp }]) => ({
      name,
      targets: hosts.map((host) => `sip:${host}:${port};transport=udp`),
      accept: { from: hosts.map((host) => `${host}/32`) },
      media: { srtp, codecs: ['opus', 'PCMA', 'PCMU'] },
      outbound: { number: rows.find((row) => row.trunk === name)?.name },
    }))
}

/** The machine's addresses, each to be offered by Asterisk as a loopback address. */
export function iceCandidates(loopback = '127.0.0.1'): string {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
  return addresses.map(({ address }) => `${address} => ${loopback}`).join('\n')
}
