import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { makeCert } from '../support/certificates.ts'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { DOMAIN } from './support/configuration.ts'
import type { Sipp } from './support/sipp.ts'
import { type TrafficLab, trafficLab } from './support/traffic.ts'
import { until } from './support/until.ts'

/** Calls a second, both ways together. */
const RATE = 20
const RELOADS = 100
/** Milliseconds between two reloads. */
const PAUSE = 250

interface View {
  loaded_at: string
  last: { ok: boolean; applied: string[]; restart: string[]; errors: unknown[] } | null
}

const launcher = join(import.meta.dirname, '..', '..', 'src', 'cli', 'causeway.js')

/** Puts a file in the place of another at once, as an editor or a renewal does. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** Writes what the configuration is at a round, each time with another change. */
function rewrite(lab: TrafficLab, causeway: Causeway, round: number): string {
  const config = structuredClone(lab.config) as Record<string, never> & TrafficLab['config']
  const change = round % 6
  // Everything but the round's own change alternates too, so that nothing is ever put back.
  config.trunks[0]!.targets.forEach((target, index) => {
    target.weight = change === 0 ? 1 + ((round / 6 + index) % 4) : 1
  })
  config.log.level = change === 1 ? 'debug' : 'info'
  config.limits.calls = change === 2 ? 3000 + round : 4000
  config.numbers[0]!.inbound.ring_timeout = change === 3 ? '40s' : '45s'
  if (change === 4) {
    const { cert, key } = makeCert({ ca: lab.ca, dns: [DOMAIN] })
    const files = { cert: join(lab.folder, 'other.pem'), key: join(lab.folder, 'other-key.pem') }
    writeFileSync(files.cert, cert)
    writeFileSync(files.key, key)
    config.sip.tls = files
  }
  if (change === 5) config.trunks[0]!.media.codecs = ['PCMA', 'opus']
  replace(causeway.file, JSON.stringify(config))
  return ['weights', 'log level', 'limits', 'ring timeout', 'certificate', 'codecs'][change]!
}

/** Each way to ask; resolves when it is done. */
async function reload(causeway: Causeway, round: number): Promise<string> {
  if (round % 10 === 9) {
    const args = [launcher, 'reload', '--url', causeway.url, '--json']
    const child = spawn(process.execPath, args, { stdio: 'ignore' })
    await once(child, 'exit')
    return 'command'
  }
  if (round % 2 === 0) {
    await fetch(`${causeway.url}/api/v1/reload`, { method: 'POST' })
    return 'API'
  }
  const taken = async (): Promise<number> =>
    (await causeway.metrics()).get('causeway_reloads_total{result="taken"}') ?? 0
  const before = await taken()
  process.kill(causeway.pid, 'SIGHUP')
  await until('the signal', async () => (await taken()) > before)
  return 'signal'
}

/** Calls of both sides at half the rate each. */
async function traffic(lab: TrafficLab, calls: number, held: number) {
  const callees: Sipp[] = []
  for (const port of lab.pbxPorts) {
    callees.push(await lab.callee('pbx', 'pbx-is-hung-up-on', port))
  }
  callees.push(await lab.callee('whatsapp', 'whatsapp-is-hung-up-on', lab.whatsappPort))
  const load = { rate: RATE / 2, calls: calls / 2, held }
  const callers = [
    await lab.users('whatsapp-hangs-up', load),
    await lab.agents('pbx-hangs-up', load),
  ]
  return { callees, callers }
}

/** How each call ended, by code. */
function endings(causeway: Causeway): Map<string, number> {
  const codes = new Map<string, number>()
  for (const [, code] of readFileSync(causeway.log, 'utf8').matchAll(
    /"code":"(\w+)"[^\n]*"msg":"call ended"/g,
  )) {
    codes.set(code!, (codes.get(code!) ?? 0) + 1)
  }
  return codes
}

async function idle(t: Test, peers: Sipp[]): Promise<void> {
  for (const peer of peers) {
    await until('the callee', () => peer.counts().current === 0, 20_000).catch(() => {})
    const { failed, errors } = await peer.stop()
    t.equal(failed, 0, 'no call failed at the callee')
    if (failed > 0) t.comment(errors)
  }
}

t.setTimeout(180_000)
t.test(`${RELOADS} reloads at ${RATE} calls/s without a failed call`, async (t) => {
  const lab = await trafficLab(t, 2)
  const causeway = await startCauseway({ ports: lab.ports, config: lab.config })
  t.teardown(() => causeway.stop())
  const calls = 800
  const { callees, callers } = await traffic(lab, calls, 1500)
  await until('traffic', () => callers.every((caller) => caller.counts().created > 10))
  const ways = new Map<string, number>()
  const kinds = new Map<string, number>()
  const started = performance.now()
  for (let round = 0; round < RELOADS; round++) {
    const kind = rewrite(lab, causeway, round)
    const way = await reload(causeway, round)
    const { last } = (await causeway.get('/api/v1/reload')) as View
    if (!last?.ok || last.applied.length === 0 || last.restart.length > 0) {
      t.fail(`round ${round}: ${JSON.stringify(last)}`)
    }
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    ways.set(way, (ways.get(way) ?? 0) + 1)
    await sleep(PAUSE)
  }
  const seconds = (performance.now() - started) / 1000
  const during = callers.reduce((sum, caller) => sum + caller.counts().created, 0)
  for (const caller of callers) {
    const { succeeded, failed, unexpected, errors } = await caller.done()
    const flawless = { succeeded: calls / 2, failed: 0, unexpected: 0 }
    t.same({ succeeded, failed, unexpected }, flawless)
    if (failed + unexpected > 0) t.comment(errors)
  }
  await idle(t, callees)
  const metrics = await causeway.metrics()
  t.equal(metrics.get('causeway_reloads_total{result="taken"}'), RELOADS)
  t.equal(metrics.get('causeway_reloads_total{result="refused"}'), 0)
  const codes = endings(causeway)
  t.same([...codes], [['NORMAL', calls]], 'how calls ended')
  t.comment(
    `${RELOADS} reloads in ${seconds.toFixed(1)} s by ${JSON.stringify([...ways])}: ` +
      `${JSON.stringify([...kinds])}; ${during} calls begun meanwhile, ${calls} in all, 0 failed`,
  )
})

t.test(`a drain at ${RATE} calls/s cuts no call short`, async (t) => {
  const lab = await trafficLab(t)
  const causeway = await startCauseway({ ports: lab.ports, config: lab.config, drain: '15s' })
  t.teardown(() => causeway.stop())
  const { callees, callers } = await traffic(lab, 400, 2000)
  await until('traffic', () => callers.every((caller) => caller.counts().created > 50))
  const log = (): string => readFileSync(causeway.log, 'utf8')
  const active = (await causeway.get('/api/v1/calls?state=active&limit=1')) as { total: number }
  process.kill(causeway.pid, 'SIGTERM')
  const began = performance.now()
  await until('the end', () => !causeway.running, 30_000)
  const took = (performance.now() - began) / 1000
  const [, text] = /"calls":(\d+)[^\n]*"msg":"draining"/.exec(log()) ?? []
  const codes = endings(causeway)
  t.ok(Number(text) > 0, `${text} calls were in progress`)
  t.ok(active.total > 0)
  t.same([...codes.keys()], ['NORMAL'], 'each ended as its parties wanted')
  t.match(log(), /"msg":"stopped"/)
  // What came after the signal was refused; what had been answered was hung up by its caller.
  await Promise.all(callers.map((caller) => caller.stop()))
  await idle(t, callees)
  t.comment(
    `${text} calls in progress at SIGTERM, 0 cut short, ended after ${took.toFixed(1)} s of 15 s`,
  )
})
