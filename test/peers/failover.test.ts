import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Causeway, causewayPorts, startCauseway } from './support/causeway.ts'
import { labCertificates } from './support/certificates.ts'
import { configuration, DOMAIN } from './support/configuration.ts'
import { peersFolder } from './support/install.ts'
import { freePort } from './support/ports.ts'
import { type Sipp, startSipp } from './support/sipp.ts'
import { until } from './support/until.ts'

t.setTimeout(240_000)

/** Calls a second. */
const RATE = 20
const NUMBER = '+441632960123'
const PASSWORD = 's3cretS3cretS3cretS3cretS3cret12'
const scenario = (name: string): string => join(import.meta.dirname, 'sipp', `${name}.xml`)

/** A call as `GET /api/v1/calls` has it. */
interface Row {
  startedAt: number
  ringingAt: number
  ladder: { leg: string; what: string }[]
}

/** Causeway with a trunk of two targets, the first of them preferred, and a caller for it. */
async function setUp(t: Test) {
  const folder = mkdtempSync(join(peersFolder(), 'run-'))
  const { own, whatsapp, caFile } = labCertificates(folder)
  const ports = await causewayPorts()
  const [first, second] = [await freePort(), await freePort()]
  const number = {
    name: 'support',
    phone_number: NUMBER,
    phone_number_id: '106540352242922',
    manage: 'off',
    sip_password: PASSWORD,
    inbound: { trunk: 'pbx' },
  }
  const base = configuration({
    ports,
    pbxPort: first,
    whatsappPort: await freePort(),
    tls: { cert: own.cert, key: own.key, ca: caFile },
    numbers: [number],
  }) as { trunks: object[] }
  const uri = (port: number) => `sip:127.0.0.1:${port}`
  const trunk = {
    ...base.trunks[0],
    targets: [
      { uri: uri(first), priority: 1 },
      { uri: uri(second), priority: 2 },
    ],
    options: { interval: '2s', timeout: '1s' },
  }
  const causeway = await startCauseway({ ports, config: { ...base, trunks: [trunk] } })
  t.teardown(async () => {
    await causeway.stop()
    rmSync(folder, { recursive: true })
  })
  const call = async (calls: number): Promise<Sipp> => {
    const tls = ['-t', 'l1', '-tls_cert', whatsapp.cert, '-tls_key', whatsapp.key]
    const load = ['-r', String(RATE), '-m', String(calls), '-d', '1000', '-recv_timeout', '20000']
    return startSipp({
      scenario: scenario('whatsapp-caller'),
      port: await freePort(),
      target: `127.0.0.1:${causeway.ports.whatsapp}`,
      keys: { domain: DOMAIN, username: NUMBER.slice(1), password: PASSWORD },
      args: [...tls, ...load, '-s', NUMBER, '-cid_str', 'outgoing:wacid.%u-%p@%s'],
    })
  }
  return { causeway, call, first, second, uri }
}

/** A SIPp that answers calls at a port; ended with the test. */
async function target(t: Test, port: number, name = 'target'): Promise<Sipp> {
  const sipp = await startSipp({ scenario: scenario(name), port })
  t.teardown(() => {
    signal(sipp, 'SIGCONT')
    return sipp.stop()
  })
  return sipp
}

function signal({ pid }: Sipp, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It is gone.
  }
}

/** Milliseconds until Causeway thinks of a target as said. */
async function seen(causeway: Causeway, uri: string, up: boolean): Promise<number> {
  const began = performance.now()
  const name = `causeway_target_up{trunk="pbx",target="${uri}"}`
  const wanted = up ? 1 : 0
  await until(name, async () => (await causeway.metrics()).get(name) === wanted, 20_000)
  return Math.round(performance.now() - began)
}

/** The calls that have ended. */
async function calls(causeway: Causeway): Promise<Row[]> {
  const list = await causeway.get('/api/v1/calls?state=ended&limit=1000')
  const rows: Row[] = []
  for (const { id } of (list as { calls: { id: string }[] }).calls) {
    rows.push((await causeway.get(`/api/v1/calls/${id}`)) as Row)
  }
  return rows
}

/** How many targets a call was sent to, at most. */
const tried = (rows: Row[]): number =>
  Math.max(
    0,
    ...rows.map(
      ({ ladder }) => ladder.filter(({ leg, what }) => leg === 'pbx' && what === 'INVITE').length,
    ),
  )

/** Milliseconds until a call rang, at most. */
const slowest = (rows: Row[]): number =>
  Math.max(0, ...rows.map(({ startedAt, ringingAt }) => ringingAt - startedAt))

/** Every call succeeded, and nothing is left of them. */
async function flawless(t: Test, causeway: Causeway, caller: Sipp, count: number): Promise<void> {
  const result = await caller.done()
  const { succeeded, failed, unexpected } = result
  t.same({ succeeded, failed, unexpected }, { succeeded: count, failed: 0, unexpected: 0 })
  if (failed + unexpected > 0) t.comment(result.errors)
  const held = ['dialogs', 'flows', 'releasing'].map(
    (kind) => `causeway_bridge_held{kind="${kind}"}`,
  )
  await until(
    'nothing is held',
    async () => {
      const metrics = await causeway.metrics()
      return held.every((name) => metrics.get(name) === 0)
    },
    10_000,
  )
}

for (const [name, away, back] of [
  ['is killed', 'SIGKILL', undefined],
  ['hangs', 'SIGSTOP', 'SIGCONT'],
] as const) {
  t.test(`a target ${name} at ${RATE} calls/s, and comes back`, { timeout: 90_000 }, async (t) => {
    const { causeway, call, first, second, uri } = await setUp(t)
    const [preferred] = [await target(t, first), await target(t, second)]
    await Promise.all([first, second].map((port) => seen(causeway, uri(port), true)))
    const count = 24 * RATE
    const caller = await call(count)
    await sleep(5000)
    const gone = Date.now()
    signal(preferred, away)
    const detected = await seen(causeway, uri(first), false)
    const known = Date.now()
    await sleep(7000)
    const returned = Date.now()
    if (back) signal(preferred, back)
    const again = back ? preferred : await target(t, first)
    const recovered = await seen(causeway, uri(first), true)
    const up = Date.now()
    const before = again.counts().created
    await flawless(t, causeway, caller, count)
    const rows = await calls(causeway)
    t.equal(rows.length, count)
    const between = rows.filter(({ startedAt: at }) => at >= gone && at < known)
    const after = rows.filter(({ startedAt: at }) => at >= known && at < returned)
    t.ok(after.length > 0)
    t.equal(tried(after), 1, 'no call is sent to a target that is known to be down')
    t.equal(tried(between), 2, 'the calls before that are handed on within their attempt')
    t.equal(tried(rows.filter(({ startedAt }) => startedAt >= up)), 1)
    await until('calls come again', () => again.counts().created > before, 5000)
    const metrics = await causeway.metrics()
    const failovers = metrics.get('causeway_target_failovers_total{trunk="pbx"}') ?? 0
    t.ok(failovers > 0)
    t.comment(
      `${count} calls, 0 failed; down after ${detected} ms; ${failovers} handed on, ringing after ` +
        `${slowest(between)} ms at most; then ${slowest(after)} ms; back after ${recovered} ms`,
    )
  })
}

t.test(`a target that answers 503 at ${RATE} calls/s`, { timeout: 60_000 }, async (t) => {
  const { causeway, call, first, second, uri } = await setUp(t)
  const [busy] = [await target(t, first, 'target-busy'), await target(t, second)]
  await seen(causeway, uri(second), true)
  const count = 12 * RATE
  const caller = await call(count)
  await flawless(t, causeway, caller, count)
  const rows = await calls(causeway)
  t.equal(tried(rows), 2, 'at most')
  const metrics = await causeway.metrics()
  const failovers = metrics.get('causeway_target_failovers_total{trunk="pbx"}') ?? 0
  // One call for each Retry-After of 3 s, and those under way when the first 503 came.
  t.ok(failovers >= 3 && failovers < count / 4, `${failovers} of ${count} calls tried it`)
  t.comment(
    `${count} calls, 0 failed, ringing after ${slowest(rows)} ms at most; ${failovers} tried it; ` +
      `it got ${busy.counts().created} requests`,
  )
})
