import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { Instance } from '../../src/app/index.ts'
import type { CallRecord } from '../../src/calls/index.ts'
import { type LoadResult, parseConfig } from '../../src/config/index.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { systemRandom } from '../../src/shared/random.ts'
import { type Behaviour, type Simulator, startSimulator } from '../../src/simulator/index.ts'
import { createFrameDecoder, toneLoop } from '../../src/simulator/media/codec.ts'
import { startToyPbx, type ToyPbx, type ToyPbxOptions } from '../../src/simulator/toy-pbx/index.ts'
import { starvation } from './starvation.ts'
import { until } from './until.ts'
import { Talk, type TalkOptions } from './whole-talk.ts'

const DOMAIN = 'sip.example.com'
/**
 * Address of all media here, this process's own: packets on their way to a port that was closed would
 * otherwise reach whoever binds it next, in another process too.
 */
export const MEDIA_ADDRESS = `127.${1 + (process.pid % 250)}.${systemRandom.int(1, 255)}.${systemRandom.int(1, 255)}`
/** Milliseconds phones ring. */
const RING = 50
/**
 * Milliseconds the first packet towards WhatsApp may take here, where everything shares a busy machine;
 * the 20 ms of the promise are proven on virtual time in test/media-relay/call.
 */
export const FIRST_PACKET = 2000

/** What WhatsApp, the PBX and the party a call is transferred to play, Hz. */
export const TONES = { whatsapp: 440, incoming: 880, outgoing: 1000, music: 660, third: 1250 }

/** One business number of the lab. */
export interface LabNumber {
  srtp: 'SDES' | 'DTLS'
  /** G.711 enabled at WhatsApp. */
  codecs?: ('PCMA' | 'PCMU')[]
  /** More of `numbers[].inbound`. */
  inbound?: Record<string, unknown>
}

/** How a lab is started. */
export interface LabOptions {
  /** By name. Default `sdes` and `dtls`. */
  numbers?: Record<string, LabNumber>
  /** Trunk `main`: `media` of it. Default plain Opus. */
  trunk?: { srtp?: 'none' | 'sdes'; codecs?: string[]; dtmf?: 'rfc4733' | 'info' }
  /** More of the PBX. Its protection and codecs are the trunk's. */
  pbx?: ToyPbxOptions
  /** The other PBX: second target of `main`, only target of trunk `other`. Default none. */
  third?: ToyPbxOptions
  /** `permissions` of the trunks. Default off. */
  permissions?: string | Record<string, unknown>
  /** More of `media`. */
  media?: Record<string, unknown>
  behaviour?: Partial<Behaviour>
}

/** Simulator, Causeway with the embedded relay, and toy PBXs, in one process. */
export interface WholeLab {
  readonly simulator: Simulator
  readonly pbx: ToyPbx
  /** Undefined unless asked for. */
  readonly third: ToyPbx | undefined
  readonly instance: Instance
  /** E.164 of a number by its name. */
  phoneNumber(name: string): string
  /** Places a call; it rings or is refused. */
  place(options: TalkOptions): Promise<Talk>
  /** Places a call and waits until both sides hear each other. */
  talk(options: TalkOptions): Promise<Talk>
  /** Causeway's record of the call with a consumer. */
  record(consumer: string): CallRecord | undefined
  /** A metric by its name without prefix, and labels as in `{state="used"}`. */
  metric(name: string): Promise<number | undefined>
  /** Nothing of any call is left. */
  nothingHeld(t: Test): Promise<void>
}

/** Codecs are compiled and tones encoded before the first call is timed. */
async function warmUp(): Promise<void> {
  starvation()
  for (const frequency of Object.values(TONES)) await toneLoop('opus', frequency, -16)
  const decoder = await createFrameDecoder('opus')
  decoder.free()
}

/** Starts a lab for one test and closes it at its end. */
export async function startLab(t: Test, options: LabOptions = {}): Promise<WholeLab> {
  t.setTimeout(90_000)
  await warmUp()
  const folder = mkdtempSync(join(tmpdir(), 'causeway-lab-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const named = Object.entries(
    options.numbers ?? { sdes: { srtp: 'SDES' }, dtls: { srtp: 'DTLS' } },
  )
  const numbers = named.map(([name, number], index) => ({
    ...number,
    name,
    phoneNumber: `+44163296010${index}`,
    phoneNumberId: `10654035224290${index}`,
  }))
  const simulator = await startSimulator({
    numbers: numbers.map((number) => ({ ...number, accessToken: 'token', appId: 'app' })),
    folder,
    dialTo: { [DOMAIN]: { host: '127.0.0.1' } },
    media: {
      address: MEDIA_ADDRESS,
      tone: { frequency: TONES.whatsapp, level: -16 },
      // One thread may have waited while another sent late: both count.
      stalled: () => 2 * starvation(),
    },
    behaviour: { strict: true, firstPacket: FIRST_PACKET, ahead: 1000, ...options.behaviour },
  })
  t.teardown(() => simulator.close())
  const media = { srtp: 'none' as const, codecs: ['opus'], ...options.trunk }
  const ours = {
    host: MEDIA_ADDRESS,
    ringMs: RING,
    srtp: media.srtp,
    codecs: codecsOf(media.codecs),
  }
  const pbx = await startToyPbx({ ...ours, tones: TONES, ...options.pbx })
  t.teardown(() => pbx.close())
  const third =
    options.third &&
    (await startToyPbx({
      ...ours,
      tones: { ...TONES, incoming: TONES.third },
      ...options.third,
    }))
  if (third) t.teardown(() => third.close())

  const trunk = {
    name: 'main',
    targets: [pbx, third].flatMap((one) => one?.uri ?? []),
    accept: { from: ['127.0.0.0/8'] },
    media,
    outbound: { number: numbers[0]!.name },
    ...(options.permissions ? { permissions: options.permissions } : {}),
  }
  const { cert, key } = simulator.issueCertificate([DOMAIN])
  const text = JSON.stringify({
    sip: {
      domain: DOMAIN,
      listen: { whatsapp: 'tls://127.0.0.1:0', pbx: ['udp://127.0.0.1:0'] },
      tls: { cert, key },
    },
    media: { relay: 'embedded', listen: MEDIA_ADDRESS, ...options.media },
    whatsapp: {
      graph_url: simulator.graphUrl,
      sip_proxy: simulator.sipProxy,
      ca: simulator.caFile,
      sources: ['127.0.0.1/32'],
    },
    numbers: numbers.map(({ name, phoneNumber, phoneNumberId, srtp, codecs, inbound }) => ({
      name,
      phone_number: phoneNumber,
      phone_number_id: phoneNumberId,
      access_token: 'token',
      manage: 'apply',
      calling: {
        status: 'ENABLED',
        srtp_key_exchange_protocol: srtp,
        ...(codecs ? { audio: { additional_codecs: codecs } } : {}),
      },
      inbound: { trunk: 'main', ...inbound },
    })),
    trunks: [trunk, ...(third ? [{ ...trunk, name: 'other', targets: [third.uri] }] : [])],
    http: { listen: '127.0.0.1:0' },
  })
  const load = (): LoadResult => parseConfig(text, { file: join(folder, 'causeway.yaml'), env: {} })
  const instance = await Instance.start({
    config: load().config,
    version: '0.0.0',
    log: silentLogger(),
    load,
  })
  t.teardown(() => instance.stop())
  const listener = instance.addresses.sip.pbx[0]!
  for (const one of [pbx, third]) {
    if (one) one.settings.trunk = `sip:${listener.host}:${listener.port}`
  }
  await until('the settings of the numbers', () =>
    instance.operations
      .numbers()
      .every(({ status, credentials }) => status === 'ok' && credentials),
  )

  const phoneNumber = (name: string): string =>
    numbers.find((number) => number.name === name)!.phoneNumber
  const lab: WholeLab = {
    simulator,
    pbx,
    third,
    instance,
    phoneNumber,
    place: (placing) => Talk.place(lab, placing),
    talk: (placing) => Talk.talk(lab, placing),
    record(consumer) {
      const { calls } = instance.operations
      const all = [...calls.active(), ...calls.ended()]
      return all.find((call) => call.consumer === consumer)
    },
    metric: async (name) => (await samples(instance)).get(name),
    nothingHeld: (t) => nothingHeld(t, instance),
  }
  return lab
}

function codecsOf(names: readonly string[]): ('opus' | 'PCMA' | 'PCMU')[] {
  return names.filter((name) => name === 'opus' || name === 'PCMA' || name === 'PCMU')
}

async function samples(instance: Instance): Promise<Map<string, number>> {
  const families = await instance.operations.metrics()
  return new Map(
    families.flatMap(({ name, samples }) =>
      samples.map(({ labels, value }) => {
        const inner = Object.entries(labels).map(([key, text]) => `${key}="${text}"`)
        return [inner.length > 0 ? `${name}{${inner.join(',')}}` : name, value] as const
      }),
    ),
  )
}

/** Gauges that are 0 without calls; transactions of UDP outlive them by 32 s and are left out. */
const HELD =
  /^(calls_active|bridge_held|media_relay_calls|media_instance_calls|media_ports\{state="used"|media_transcoding_calls|sip_dialogs$|sip_incoming_pending)/

async function nothingHeld(t: Test, instance: Instance): Promise<void> {
  let left: [string, number][] = []
  let looked = 0
  const look = async (): Promise<boolean> => {
    const gauges = [...(await samples(instance))].filter(([name]) => HELD.test(name))
    looked = gauges.length
    left = gauges.filter(([, value]) => value !== 0)
    return left.length === 0
  }
  await until('nothing held', look).catch(() => {})
  t.ok(looked >= 10, `${looked} gauges are looked at`)
  t.same(left, [], 'nothing is held any more')
}
