import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Causeway, causewayPorts, startCauseway } from './support/causeway.ts'
import { labCertificates } from './support/certificates.ts'
import { configuration, DOMAIN } from './support/configuration.ts'
import { collectGarbage } from './support/inspector.ts'
import { peersFolder } from './support/install.ts'
import { freePort, rtpRange } from './support/ports.ts'
import { type Resources, resourcesOf } from './support/resources.ts'
import { type ScenarioName, scenarioXml } from './support/scenarios.ts'
import { type Sipp, startSipp } from './support/sipp.ts'
import { until } from './support/until.ts'

const PASSWORD = 's3cretS3cretS3cretS3cretS3cret12'

/**
 * MiB the process may have grown by: pages of its busiest moment, when calls whose PBX was killed
 * pile up, stay with the allocator. A leak of 10 KiB for each call is more.
 */
const GROWTH = 95

/** A way calls end, between a caller and a callee. */
interface Ending {
  name: string
  caller: ScenarioName
  callee: ScenarioName
  calls: number
  /** Calls a second. */
  rate: number
  /** Milliseconds the caller holds an answered call, or the callee that hangs up. */
  held?: number
  /** Milliseconds after which the PBX is killed, and its calls with it. */
  killed?: number
}

/** Calls of WhatsApp users; all at once. */
const INWARDS: Ending[] = [
  ending('hung up by WhatsApp', 'whatsapp-hangs-up', 'pbx-is-hung-up-on', 2000, 18, { held: 1000 }),
  ending('hung up by the PBX', 'whatsapp-waits', 'pbx-hangs-up-when-called', 1500, 13),
  ending('cancelled', 'whatsapp-cancels', 'pbx-rings', 1300, 12),
  ending('busy', 'whatsapp-is-refused', 'pbx-is-busy', 700, 8),
  ending('no service', 'whatsapp-is-refused', 'pbx-is-out-of-service', 500, 6),
  ending('killed', 'whatsapp-hangs-up', 'pbx-is-hung-up-on', 200, 50, { held: 6000, killed: 4000 }),
]

/** Calls of the PBX; one after the other, since there is one WhatsApp. */
const OUTWARDS: Ending[] = [
  ending('killed', 'pbx-hangs-up', 'whatsapp-hangs-up-when-called', 200, 50, {
    held: 6000,
    killed: 4000,
  }),
  ending('hung up by the PBX', 'pbx-hangs-up', 'whatsapp-is-hung-up-on', 1500, 45, { held: 500 }),
  ending('hung up by WhatsApp', 'pbx-waits', 'whatsapp-hangs-up-when-called', 1000, 45, {
    held: 500,
  }),
  ending('cancelled', 'pbx-cancels', 'whatsapp-rings', 600, 45),
  ending('declined', 'pbx-is-refused', 'whatsapp-declines', 500, 45),
]

function ending(
  name: string,
  caller: ScenarioName,
  callee: ScenarioName,
  calls: number,
  rate: number,
  more: Partial<Ending> = {},
): Ending {
  return { name, caller, callee, calls, rate, ...more }
}

/** Numbers and trunks, one for each way calls come in; those of the PBX leave from the first. */
function numberOf(index: number): string {
  return `+44163296012${index}`
}

class Lab {
  readonly causeway: Causeway
  readonly #inspect: number
  readonly whatsappPort: number
  readonly pbxPorts: number[]
  readonly #folder: string
  readonly #tls: string[]

  private constructor(parts: {
    causeway: Causeway
    inspect: number
    whatsappPort: number
    pbxPorts: number[]
    folder: string
    tls: string[]
  }) {
    this.causeway = parts.causeway
    this.#inspect = parts.inspect
    this.whatsappPort = parts.whatsappPort
    this.pbxPorts = parts.pbxPorts
    this.#folder = parts.folder
    this.#tls = parts.tls
  }

  static async start(t: Test): Promise<Lab> {
    const folder = mkdtempSync(join(peersFolder(), 'run-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    const { own, whatsapp, caFile } = labCertificates(folder)
    writeFileSync(join(folder, 'audio.raw'), Buffer.alloc(8000, 0xd5))
    const ports = await causewayPorts()
    const whatsappPort = await freePort()
    const pbxPorts: number[] = []
    for (const _ of INWARDS) pbxPorts.push(await freePort())
    const numbers = INWARDS.map((_, index) => ({
      name: `number-${index}`,
      phone_number: numberOf(index),
      phone_number_id: `10654035224292${index}`,
      manage: 'off',
      sip_password: PASSWORD,
      calling: { srtp_key_exchange_protocol: 'SDES', audio: { additional_codecs: ['PCMA'] } },
      inbound: { trunk: `pbx-${index}`, ring_timeout: '8s' },
    }))
    const tls = { cert: own.cert, key: own.key, ca: caFile }
    const range = rtpRange(12_000)
    const config = {
      ...configuration({ ports, pbxPort: pbxPorts[0]!, whatsappPort, tls, numbers }),
      media: {
        relay: 'embedded',
        listen: '127.0.0.1',
        ports: `${range.first}-${range.last}`,
        transcoding: 300,
      },
      trunks: pbxPorts.map((port, index) => ({
        name: `pbx-${index}`,
        targets: [`sip:127.0.0.1:${port};transport=udp`],
        accept: { from: ['127.0.0.0/8'] },
        media: { srtp: 'none', codecs: ['opus', 'PCMA'] },
        outbound: { number: 'number-0' },
      })),
      limits: { calls: 4000, calls_per_number: 4000, invites_per_second: 2000 },
    }
    const inspect = await freePort()
    const causeway = await startCauseway({ ports, config, inspect })
    t.teardown(async () => {
      await causeway.stop()
    })
    const tlsArgs = ['-t', 'l1', '-tls_cert', whatsapp.cert, '-tls_key', whatsapp.key]
    return new Lab({ causeway, inspect, whatsappPort, pbxPorts, folder, tls: tlsArgs })
  }

  /** What the process holds in earnest: without garbage, and without our own connections to it. */
  async resources(): Promise<Resources> {
    await collectGarbage(this.#inspect)
    return resourcesOf(this.causeway.pid, [this.#inspect, this.causeway.ports.http])
  }

  /** Calls of users that end in one way. */
  async inwards(t: Test, ending: Ending, index: number, share = 1): Promise<void> {
    const calls = Math.ceil(ending.calls * share)
    const pbx = await startSipp({
      scenario: this.#scenario(ending.callee),
      port: this.pbxPorts[index]!,
      args: ['-m', String(calls), '-timeout', '180s'],
    })
    const whatsapp = await startSipp({
      scenario: this.#scenario(ending.caller),
      port: await freePort(),
      target: `127.0.0.1:${this.causeway.ports.whatsapp}`,
      keys: { domain: DOMAIN, username: numberOf(index).slice(1), password: PASSWORD },
      args: [...this.#tls, ...load(ending, calls), '-s', numberOf(index), ...CALL_ID],
    })
    await this.#end(t, `in, ${ending.name}`, ending, calls, whatsapp, pbx, pbx)
  }

  /** Calls of the PBX that end in one way. */
  async outwards(t: Test, ending: Ending, share = 1): Promise<void> {
    const calls = Math.ceil(ending.calls * share)
    const whatsapp = await startSipp({
      scenario: this.#scenario(ending.callee),
      port: this.whatsappPort,
      args: [
        ...this.#tls,
        '-m',
        String(calls),
        '-d',
        String(ending.held ?? 500),
        '-timeout',
        '180s',
      ],
    })
    const pbx = await startSipp({
      scenario: this.#scenario(ending.caller),
      port: await freePort(),
      target: `127.0.0.1:${this.causeway.ports.pbx}`,
      args: [...load(ending, calls), '-s', numberOf(0)],
    })
    await this.#end(t, `out, ${ending.name}`, ending, calls, pbx, whatsapp, pbx)
  }

  async #end(
    t: Test,
    name: string,
    ending: Ending,
    calls: number,
    caller: Sipp,
    callee: Sipp,
    pbx: Sipp,
  ): Promise<void> {
    if (ending.killed !== undefined) {
      await sleep(ending.killed)
      process.kill(pbx.pid, 'SIGKILL')
    }
    const result = await caller.done()
    if (ending.killed === undefined) {
      const { succeeded, failed } = result
      t.same({ succeeded, failed }, { succeeded: calls, failed: 0 }, `${name}: ${calls} calls`)
      if (failed > 0) t.comment(result.errors)
    } else t.ok(result.created > calls / 4, `${name}: ${result.created} calls`)
    // It waits for calls that never come, and for repetitions.
    await until(`${name}: the callee`, () => idle(callee), 20_000).catch(() => {})
    const { created, errors } = await callee.stop()
    if (ending.killed === undefined) t.equal(created, calls, `${name}: at the callee ${errors}`)
  }

  #scenario(name: ScenarioName): string {
    const file = join(this.#folder, `${name}.xml`)
    writeFileSync(file, scenarioXml(name, join(this.#folder, 'audio.raw')))
    return file
  }
}

const CALL_ID = ['-cid_str', 'outgoing:wacid.%u-%p@%s']

function load({ rate, held = 500 }: Ending, calls: number): string[] {
  return ['-r', String(rate), '-m', String(calls), '-d', String(held), '-recv_timeout', '15000']
}

function idle(sipp: Sipp): boolean {
  return sipp.counts().current === 0
}

/** Metrics that are 0 when no call is left and the last timer of its transactions has fired. */
const GAUGES =
  /^causeway_(calls_active|bridge_held|media_relay_calls|media_instance_calls|media_ports\{state="(used|cooling)"|media_transcoding_calls|sip_(dialogs|timers|transactions|incoming_pending|invites_pending|queue_bytes)(\{|$))/

async function left(causeway: Causeway): Promise<[string, number][]> {
  const metrics = await causeway.metrics()
  const gauges = [...metrics].filter(([name]) => GAUGES.test(name))
  if (gauges.length < 14) throw new Error(`${gauges.length} gauges`)
  return gauges.filter(([, value]) => value !== 0)
}

async function total(causeway: Causeway, name: string): Promise<number> {
  const metrics = await causeway.metrics()
  return [...metrics]
    .filter(([key]) => key.startsWith(`causeway_${name}_total{`))
    .reduce((sum, [, value]) => sum + value, 0)
}

/** All ways inwards at once, beside those outwards one by one. */
async function run(t: Test, lab: Lab, share = 1): Promise<void> {
  const outwards = async (): Promise<void> => {
    for (const ending of OUTWARDS) await lab.outwards(t, ending, share)
  }
  await Promise.all([
    outwards(),
    ...INWARDS.map((ending, index) => lab.inwards(t, ending, index, share)),
  ])
}

t.setTimeout(240_000)
t.test('10 000 calls of mixed endings leave nothing behind', async (t) => {
  const lab = await Lab.start(t)
  const { causeway } = lab
  await run(t, lab, 0.1)
  await until('no call', async () => (await total(causeway, 'calls_ended')) > 0)
  const before = await lab.resources()
  t.comment('before', before)

  const started = performance.now()
  await run(t, lab)
  t.comment(`${Math.round((performance.now() - started) / 1000)} s`)
  const calls = await total(causeway, 'calls_started')
  t.ok(calls >= 9800, `${calls} calls`)

  // Without an answer, BYE and 200 go on for 64·T1 each (RFC 3261 §17.1.2.2, §13.3.1.4).
  await until('nothing left', async () => (await left(causeway)).length === 0, 80_000).catch(
    () => {},
  )
  t.same(await left(causeway), [], 'every gauge is 0')
  t.equal(await total(causeway, 'calls_ended'), await total(causeway, 'calls_started'))
  const after = await lab.resources()
  t.comment('after', after)
  t.equal(after.udpSockets, before.udpSockets, 'no UDP socket is left')
  t.ok(after.tcpSockets <= before.tcpSockets, 'nor a connection')
  t.ok(after.files <= before.files, 'nor a file')
  t.equal(after.threads, before.threads, 'nor a thread')
  t.ok(after.rss < before.rss + GROWTH, `${before.rss} MiB before, ${after.rss} MiB after`)

  await lab.inwards(t, INWARDS[0]!, 0, 0.005)
  await lab.outwards(t, OUTWARDS[1]!, 0.005)
})
