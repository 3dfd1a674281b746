import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { startSimulator } from '../../src/simulator/index.ts'
import { startToyPbx } from '../../src/simulator/toy-pbx/index.ts'
import { dashboardExpressions } from '../support/dashboard.ts'
import { type Causeway, causewayPorts, startCauseway } from './support/causeway.ts'
import { configuration, DOMAIN } from './support/configuration.ts'
import { startDaemon, tail } from './support/daemon.ts'
import { install, peersFolder } from './support/install.ts'
import { freePort } from './support/ports.ts'
import { until } from './support/until.ts'

t.setTimeout(200_000)

const RULES = 'docker/prometheus'
const NUMBER = '+441632960123'
const CONSUMER = '+33199001234'

/** promtool, which lies beside prometheus. Both are Go and need no library of their suite. */
function promtool(args: string[], input?: string) {
  const program = join(install('prometheus').root, 'usr/bin/promtool')
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    ...(input === undefined ? {} : { input }),
  })
  return { status, output: stdout + stderr }
}

/** A folder that is gone at the end of the test. */
function folderOf(t: Test): string {
  const folder = mkdtempSync(join(peersFolder(), 'run-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return folder
}

t.test('promtool takes rules, alerts and the sample configuration', async (t) => {
  const rules = promtool(['check', 'rules', `${RULES}/rules.yaml`, `${RULES}/alerts.yaml`])
  t.equal(rules.status, 0, rules.output)
  const config = promtool(['check', 'config', `${RULES}/prometheus.yml`])
  t.equal(config.status, 0, config.output)
})

t.test('the alerts fire when they should, and not when they should not', async (t) => {
  const { status, output } = promtool(['test', 'rules', `${RULES}/tests/alerts.test.yaml`])
  t.equal(status, 0, output)
  t.match(output, 'SUCCESS')
})

/** The expressions of the guide's table; `|` is escaped there. */
function guideExpressions(): string[] {
  const rows = readFileSync('docs/guides/monitoring.md', 'utf8').matchAll(
    /^\| [^|]+ \| `(.+)` \|$/gm,
  )
  return [...rows]
    .map(([, expr]) => expr!.replaceAll('\\|', '|'))
    .filter((expr) => /[([]/.test(expr))
}

t.test('every expression of the dashboard and of the guide is PromQL', async (t) => {
  const guide = guideExpressions()
  t.equal(guide.length, 10, 'ten in the guide')
  const folder = folderOf(t)
  const file = join(folder, 'dashboard.yaml')
  const exprs = [...dashboardExpressions().map(({ expr }) => expr), ...guide]
  const rules = exprs.map((expr, index) => ({ record: `dashboard:${index}`, expr }))
  writeFileSync(file, stringify({ groups: [{ name: 'dashboard', rules }] }))
  const { status, output } = promtool(['check', 'rules', file])
  t.equal(status, 0, output)
  t.match(output, `${rules.length} rules found`)
})

/** Causeway with simulator and toy PBX around it, after a call in each direction. */
async function calledCauseway(t: Test): Promise<Causeway> {
  const folder = folderOf(t)
  const ports = await causewayPorts()
  const row = { name: 'support', phoneNumber: NUMBER, phoneNumberId: '106540352242922' }
  const simulator = await startSimulator({
    numbers: [{ ...row, accessToken: 'token', appId: 'app' }],
    folder,
    dialTo: { [DOMAIN]: { host: '127.0.0.1', port: ports.whatsapp } },
  })
  t.teardown(() => simulator.close())
  const pbx = await startToyPbx({ srtp: 'none', codecs: ['opus'] })
  t.teardown(() => pbx.close())
  const number = {
    name: 'support',
    phone_number: NUMBER,
    phone_number_id: row.phoneNumberId,
    access_token: 'token',
    manage: 'apply',
    calling: { status: 'ENABLED', srtp_key_exchange_protocol: 'SDES' },
    inbound: { trunk: 'pbx' },
  }
  const base = configuration({
    ports,
    // Replaced by the URI of the toy.
    pbxPort: 5060,
    whatsappPort: simulator.sipAddress.port,
    tls: { ...simulator.issueCertificate([DOMAIN]), ca: simulator.caFile },
    graphUrl: simulator.graphUrl,
    numbers: [number],
  }) as { trunks: object[] }
  const targets = [pbx.uri]
  const trunks = base.trunks.map((trunk) => ({ ...trunk, targets, media: { srtp: 'none' } }))
  const media = { relay: 'embedded', listen: '127.0.0.1' }
  const causeway = await startCauseway({ ports, config: { ...base, trunks, media } })
  t.teardown(async () => {
    if (!t.passing()) t.comment(tail(causeway.log))
    await causeway.stop()
  })
  pbx.settings.trunk = `sip:127.0.0.1:${ports.pbx}`
  const settled = async (): Promise<boolean> => {
    const { status } = (await causeway.get('/healthz')) as { status: string }
    return status === 'pass'
  }
  await until('the number is set up', settled)
  const call = simulator.sip.placeCall({ from: CONSUMER, to: NUMBER })
  await call.until(({ state }) => state === 'answered')
  t.equal(call.state, 'answered')
  simulator.sip.hangup(call.id)
  simulator.store.grantPermission(simulator.store.lookupNumberByPhone(NUMBER)!, CONSUMER, true)
  simulator.sip.consumers.update(CONSUMER, { script: { action: 'answer', after: 100 } })
  const outward = pbx.call(CONSUMER, { from: NUMBER })
  await outward.until(({ state }) => state === 'answered')
  outward.hangup()
  await until('both calls have ended', async () => {
    const metrics = await causeway.metrics()
    const ended = [...metrics].filter(([name]) => name.startsWith('causeway_calls_ended_total{'))
    return ended.reduce((sum, [, value]) => sum + value, 0) === 2
  })
  return causeway
}

/** Names that were there before the linter's advice: they stay. */
const OLD = /^causeway_(?:nodejs_active_\w+_total|media_mos_(?:sum|count)_total) /

t.test('a running Causeway, scraped by a real Prometheus', async (t) => {
  const causeway = await calledCauseway(t)

  t.test('promtool finds nothing to say about the names', async (t) => {
    const accept = { headers: { accept: 'text/plain' } }
    const text = await (await fetch(`${causeway.url}/metrics`, accept)).text()
    const { output } = promtool(['check', 'metrics'], text)
    const said = output.split('\n').filter((line) => line !== '' && !OLD.test(line))
    t.same(said, [])
  })

  const folder = folderOf(t)
  for (const file of ['rules.yaml', 'alerts.yaml']) cpSync(`${RULES}/${file}`, join(folder, file))
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ['rules.yaml', 'alerts.yaml'],
    scrape_configs: [
      {
        job_name: 'causeway',
        static_configs: [{ targets: [new URL(causeway.url).host] }],
      },
    ],
  }
  writeFileSync(join(folder, 'prometheus.yml'), stringify(config))
  mkdirSync(join(folder, 'data'))
  const port = await freePort()
  const base = `http://127.0.0.1:${port}`
  const prometheus = await startDaemon({
    name: 'Prometheus',
    command: install('prometheus').command,
    args: [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    log: join(folder, 'log'),
    ready: () =>
      fetch(`${base}/-/ready`).then(
        (answer) => answer.ok,
        () => false,
      ),
  })
  t.teardown(() => prometheus.stop())
  const ask = async (path: string): Promise<unknown> => {
    const { data } = (await (await fetch(`${base}/api/v1/${path}`)).json()) as { data: unknown }
    return data
  }
  const query = async (expr: string): Promise<{ value: [number, string] }[]> => {
    const data = await ask(`query?query=${encodeURIComponent(expr)}`)
    return (data as { result: { value: [number, string] }[] }).result
  }

  await until('it has scraped', async () => (await query('up == 1')).length > 0)
  const { activeTargets } = (await ask('targets')) as {
    activeTargets: { health: string; lastError: string }[]
  }
  t.match(activeTargets, [{ health: 'up', lastError: '' }], 'the whole exposition was taken')
  const started = await query('sum(causeway_calls_started_total)')
  t.equal(started[0]?.value[1], '2')
  const setups = await query('causeway_call_setup_seconds_bucket{le="+Inf"}')
  t.same(
    setups.map(({ value }) => value[1]),
    ['1', '1'],
  )

  await until('every rule was evaluated', async () => {
    const { groups } = (await ask('rules')) as {
      groups: { rules: { health: string; lastError?: string }[] }[]
    }
    const rules = groups.flatMap((group) => group.rules)
    t.same(
      rules.flatMap(({ lastError }) => lastError ?? []),
      [],
    )
    return rules.length > 45 && rules.every(({ health }) => health === 'ok')
  })
  const { alerts } = (await ask('alerts')) as {
    alerts: { labels: { alertname: string }; state: string }[]
  }
  t.same(
    alerts.map(({ labels, state }) => `${labels.alertname} ${state}`),
    [],
    'a healthy Causeway raises no alert',
  )
  for (const { place, expr } of dashboardExpressions()) {
    const answer = await fetch(`${base}/api/v1/query?query=${encodeURIComponent(expr)}`)
    t.equal(answer.status, 200, place)
  }
})
