import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { DASHBOARD, dashboardExpressions, type Panel, readDashboard } from '../support/dashboard.ts'
import { anchorsOf, proseLines } from '../support/markdown.ts'

const GUIDE = 'docs/guides/monitoring.md'
const ALERTS = 'docker/prometheus/alerts.yaml'
const RULES = 'docker/prometheus/rules.yaml'
const RULE_TESTS = 'docker/prometheus/tests/alerts.test.yaml'

interface Rule {
  alert?: string
  record?: string
  expr: string
  for?: string
  labels?: { severity: string }
  annotations?: { summary: string; description: string; runbook_url: string }
}

function rulesOf(file: string): Rule[] {
  const { groups } = parse(readFileSync(file, 'utf8')) as { groups: { rules: Rule[] }[] }
  return groups.flatMap(({ rules }) => rules)
}

/** Of prom-client, which the page names as a whole. */
const PROCESS = [
  'causeway_process_start_time_seconds',
  'causeway_process_open_fds',
  'causeway_process_max_fds',
  'causeway_process_cpu_seconds_total',
  'causeway_process_resident_memory_bytes',
  'causeway_nodejs_gc_duration_seconds',
]

/** Every series there is to name, with those of histograms. */
function known(): Map<string, string[]> {
  const page = readFileSync('docs/reference/metrics.md', 'utf8')
  const names = new Map<string, string[]>()
  for (const [, name, type, labels] of page.matchAll(
    /^\| `(causeway_\w+)` \| (\w+) \| (.*?) \| .+ \|$/gm,
  )) {
    const keys = [...labels!.matchAll(/`(\w+)`/g)].map(([, key]) => key!)
    for (const part of type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']) {
      names.set(name! + part, part === '_bucket' ? [...keys, 'le'] : keys)
    }
  }
  return names
}

const page = known()
const recorded = new Set(rulesOf(RULES).map(({ record }) => record!))
const parts = /_(?:bucket|sum|count)$/

/** What an expression names that there is not. */
function unknown(expr: string): string[] {
  const names = expr.match(/\bcauseway[\w:]+/g) ?? []
  return names.filter((name) => {
    if (name.includes(':')) return !recorded.has(name)
    return !page.has(name) && !PROCESS.includes(name.replace(parts, ''))
  })
}

t.test('every metric that rules, dashboard and guide name exists', async (t) => {
  const rules = [...rulesOf(ALERTS), ...rulesOf(RULES)]
  for (const { alert, record, expr } of rules) t.same(unknown(expr), [], alert ?? record!)
  for (const { place, expr } of dashboardExpressions()) t.same(unknown(expr), [], place)
  for (const { name, query } of readDashboard().templating.list) {
    t.same(unknown(typeof query === 'string' ? query : query.query), [], name)
  }
  const guide = proseLines(GUIDE).join('\n').replaceAll('causeway_media_instance_…', '')
  t.same(unknown(guide), [], GUIDE)
})

t.test('labels in selectors are those of the metric', async (t) => {
  const exprs = [...rulesOf(ALERTS), ...rulesOf(RULES), ...dashboardExpressions()]
  let seen = 0
  for (const { expr } of exprs) {
    for (const [, name, inner] of expr.matchAll(/\b(causeway_\w+)\{([^}]*)\}/g)) {
      const labels = page.get(name!)
      if (!labels) continue
      for (const [, label] of inner!.matchAll(/(\w+)\s*(?:=~|!~|!=|=)"/g)) {
        seen++
        const fits = ['job', 'instance', ...labels].includes(label!)
        t.ok(fits, `${name} has no label ${label}`)
      }
    }
  }
  t.ok(seen > 100, `${seen} labels`)
})

t.test('every alert says what it is, how bad, and where to read on', async (t) => {
  const anchors = anchorsOf(GUIDE)
  const alerts = rulesOf(ALERTS)
  t.ok(alerts.length >= 40, `${alerts.length} alerts`)
  t.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length, 'no name comes twice')
  for (const { alert, labels, annotations } of alerts) {
    t.match(alert, /^Causeway[A-Z]/)
    t.ok(['critical', 'warning'].includes(labels!.severity), `${alert} ${labels!.severity}`)
    const { summary, description, runbook_url } = annotations!
    t.ok(summary.length >= 10 && summary.length < 70, `${alert}: ${summary}`)
    t.match(description, /\.$/, `${alert} ends its sentence`)
    const [file, anchor] = runbook_url.split('#')
    t.equal(file, GUIDE)
    t.ok(anchors.has(anchor!), `${GUIDE} has #${anchor}`)
  }
  const chapters = [...anchors].filter((anchor) => anchor.startsWith('causeway'))
  t.same(
    chapters.sort(),
    alerts.map(({ alert }) => alert!.toLowerCase()).sort(),
    'one chapter each',
  )
})

t.test('the tests of the alerts name alerts there are', async (t) => {
  const alerts = new Set(rulesOf(ALERTS).map(({ alert }) => alert))
  const text = readFileSync(RULE_TESTS, 'utf8')
  const named = [...text.matchAll(/alertname: (\w+)/g)].map(([, name]) => name!)
  t.ok(new Set(named).size >= 12, `${new Set(named).size} alerts are tested`)
  for (const name of named) t.ok(alerts.has(name), name)
})

t.test('the sample configurations name files there are', async (t) => {
  const { rule_files, scrape_configs } = parse(
    readFileSync('docker/prometheus/prometheus.yml', 'utf8'),
  ) as { rule_files: string[]; scrape_configs: { job_name: string }[] }
  for (const file of rule_files) t.ok(existsSync(`docker/prometheus/${file}`), file)
  t.same(
    scrape_configs.map(({ job_name }) => job_name),
    ['causeway'],
  )
  for (const file of ['dashboards/causeway', 'datasources/prometheus']) {
    const text = readFileSync(`docker/grafana/provisioning/${file}.yaml`, 'utf8')
    t.equal((parse(text) as { apiVersion: number }).apiVersion, 1)
  }
})

t.test('the dashboard is whole', async (t) => {
  const { uid, title, panels, templating } = readDashboard()
  t.equal(uid, 'causeway')
  t.equal(title, 'Causeway')
  const ids = panels.map(({ id }) => id)
  t.equal(new Set(ids).size, ids.length, 'ids are unique')
  t.same(
    templating.list.map(({ name }) => name),
    ['datasource', 'job', 'instance', 'number', 'trunk'],
  )
  t.same(
    panels.filter(({ type }) => type === 'row').map(({ title }) => title),
    [
      'Overview',
      'Calls',
      'Quality',
      'SIP',
      'Trunks',
      'Numbers and Graph API',
      'Instance',
      'Media relay',
    ],
  )
  const source = /^\$\{datasource\}$/
  for (const panel of panels.filter(({ type }) => type !== 'row')) {
    const { title, description, datasource, targets, fieldConfig } = panel
    t.match(datasource?.uid, source, `${title}: data source`)
    t.ok(targets!.length > 0, `${title}: queries`)
    t.match(description, /\.$/, `${title}: description`)
    t.ok(fieldConfig!.defaults.unit, `${title}: unit`)
    t.ok(fieldConfig!.defaults.thresholds!.steps.length > 0, `${title}: thresholds`)
    t.equal(fieldConfig!.defaults.thresholds!.steps[0]!.value, null, `${title}: the first has none`)
    const refs = targets!.map(({ refId }) => refId)
    t.equal(new Set(refs).size, refs.length, `${title}: refIds`)
    for (const target of targets!) {
      t.match(target.datasource.uid, source, `${title} ${target.refId}`)
      t.ok(target.legendFormat, `${title} ${target.refId}: legend`)
      t.match(target.expr, '$instance', `${title} ${target.refId} is of the chosen instances`)
    }
  }
  const titles = panels.map(({ title }) => title)
  t.equal(new Set(titles).size, titles.length, 'no title comes twice')
  t.notMatch(readFileSync(DASHBOARD, 'utf8'), /"uid": "(?!\$\{datasource\}|causeway)/)
})

t.test('its panels fill their rows and do not overlap', async (t) => {
  const { panels } = readDashboard()
  const taken = new Map<string, string>()
  for (const { title, gridPos } of panels) {
    const { x, y, w, h } = gridPos
    t.ok(x >= 0 && w > 0 && h > 0 && x + w <= 24, `${title} is within the page`)
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        const cell = `${column},${line}`
        if (taken.has(cell)) t.fail(`${title} lies on ${taken.get(cell)}`)
        taken.set(cell, title)
      }
    }
  }
  const bottom = Math.max(...panels.map(({ gridPos }: Panel) => gridPos.y + gridPos.h))
  t.equal(taken.size, 24 * bottom, 'no gap is left')
})
