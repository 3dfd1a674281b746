import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { systemClock } from '../../src/shared/clock.ts'
import { createGraphSimulator } from '../../src/simulator/graph/index.ts'
import { causeway } from '../support/cli.ts'
import { FakeRandom } from '../support/fake-random.ts'

const APP = {
  phoneNumberId: '106540352242922',
  phoneNumber: '+441632960123',
  accessToken: 'token-support',
  appId: '634974688087057',
}
const OTHER_APP = { ...APP, appId: '77', accessToken: 'token-other' }

const HOURS = `call_hours:
        status: ENABLED
        timezone_id: Europe/Paris
        weekly_operating_hours:
          - { day_of_week: MONDAY, open_time: "0900", close_time: "1730" }
        holiday_schedule:
          - { date: 2199-12-25, start_time: "0000", end_time: "2359" }`

interface SiteOptions {
  dialect?: 'meta' | 'v23' | '360dialog'
  domain?: string
  listen?: string
  calling?: string
  token?: string
  more?: string
}

/** A simulated Graph API, and a function that writes a folder whose configuration points at it. */
async function lab(t: Test, dialect: SiteOptions['dialect'] = 'meta') {
  const random = new FakeRandom(5)
  const numbers = [APP, OTHER_APP]
  const graph = createGraphSimulator({ numbers, dialect, clock: systemClock, random })
  await graph.start()
  t.teardown(() => graph.stop())
  const number = graph.store.lookupNumberByPhone('441632960123')!
  const folder = t.testdir({ tls: { 'cert.pem': 'x', 'key.pem': 'x' } })
  let files = 0

  /** The name of a configuration. */
  function site(options: SiteOptions = {}): string {
    const { domain = 'sip.example.com', listen = 'tls://0.0.0.0:5061', calling = '{}' } = options
    const { token = APP.accessToken, more = '' } = options
    const name = `causeway-${files++}.yaml`
    writeFileSync(
      join(folder, name),
      `sip:
  domain: ${domain}
  listen: { whatsapp: "${listen}", pbx: ["udp://10.0.0.5:5060"] }
  tls: { cert: tls/cert.pem, key: tls/key.pem }
media: { listen: 127.0.0.1 }
whatsapp:
  provider: ${dialect === '360dialog' ? '360dialog' : 'meta'}
  graph_url: ${graph.url}
numbers:
  - name: support
    phone_number: "+441632960123"
    phone_number_id: "106540352242922"
    access_token: ${token}
    calling: ${calling}
    inbound: { trunk: main }
${more}trunks:
  - name: main
    targets: ["sip:10.0.0.9"]
    outbound: { number: support }
`,
    )
    return name
  }
  const run = (args: string[], config: string, tty = false) =>
    causeway(['numbers', ...args, '-c', config], { cwd: folder, tty })
  return { graph, number, site, run }
}

for (const dialect of ['meta', 'v23', '360dialog'] as const) {
  t.test(`plan, apply, and the plan is empty (${dialect})`, async (t) => {
    const { site, run, graph } = await lab(t, dialect)
    const config = site({ calling: `\n      ${HOURS}` })
    const first = await run(['plan'], config)
    t.equal(first.code, 2)
    t.match(first.stdout, /^support {2}\+441632960123\n/)
    t.match(first.stdout, /calling\.status\s+DISABLED → ENABLED/)
    t.match(first.stdout, /\+ calling\.sip\.servers\[sip\.example\.com\]\s+sip\.example\.com:5061/)
    t.match(first.stdout, /\+ MONDAY 0900-1730\n/)
    t.match(first.stdout, /\+ 2199-12-25 0000-2359\n/)
    t.match(first.stdout, /1 number, 8 differences in [23] requests; causeway numbers apply/)
    t.equal(first.stderr, '')
    t.equal(graph.requests.of('POST').length, 0, 'a plan writes nothing')
    const applied = await run(['apply'], config)
    t.equal(applied.code, 0, applied.stdout)
    t.match(applied.stdout, /✓ call hours\n/)
    t.match(applied.stdout, /✓ read back: every field is as configured\n/)
    const again = await run(['plan'], config)
    t.same(again, {
      code: 0,
      stdout: 'support  +441632960123  ✓ as configured\n\n1 number, nothing to write\n',
      stderr: '',
    })
    t.match(await run(['apply'], config), { code: 0, stdout: /as configured, nothing written/ })
  })
}

t.test('a plan as data', async (t) => {
  const { site, run } = await lab(t)
  const config = site()
  const { code, stdout } = await run(['plan', 'support', '--json'], config)
  t.equal(code, 2)
  t.match(JSON.parse(stdout), {
    ok: true,
    drift: true,
    numbers: [
      {
        name: 'support',
        phone_number: '+441632960123',
        phone_number_id: '106540352242922',
        steps: [
          {
            group: 'line',
            differences: [{ path: 'calling.status', actual: 'DISABLED', desired: 'ENABLED' }],
            patch: { sip: { servers: [{ hostname: 'sip.example.com', port: 5061 }] } },
            notes: [],
          },
        ],
        warnings: [],
      },
    ],
  })
  const applied = await run(['apply', '--json'], config)
  t.equal(applied.code, 0)
  t.match(JSON.parse(applied.stdout), {
    ok: true,
    numbers: [{ steps: [{ group: 'line' }], drift: [] }],
  })
})

t.test('what a change replaces, and what it carries over', async (t) => {
  const { site, run } = await lab(t)
  await run(['apply'], site({ calling: `\n      ${HOURS}` }))
  const without = HOURS.split('\n').slice(0, 5).join('\n').replace('1730', '1800')
  const config = site({ domain: 'trunk.example.com', calling: `\n      ${without}` })
  const { code, stdout } = await run(['plan'], config)
  t.equal(code, 2)
  t.match(
    stdout,
    /~ calling\.sip\.servers\[trunk\.example\.com\] {2}sip\.example\.com:5061 → trunk/,
  )
  t.match(stdout, /! calling\.sip\.servers\[sip\.example\.com\] is replaced/)
  t.match(stdout, / {4}- MONDAY 0900-1730\n.*\+ MONDAY 0900-1800\n/)
  t.match(stdout, /= calling\.call_hours\.holiday_schedule written again as it is: 2199-12-25/)
  t.match(await run(['apply'], config), { code: 0 })
})

t.test('another app’s server is reported with the fix, and stays', async (t) => {
  const { site, run, number } = await lab(t)
  await run(['apply'], site({ domain: 'theirs.example.com', token: OTHER_APP.accessToken }))
  const config = site()
  const applied = await run(['apply'], config)
  t.equal(applied.code, 2)
  t.match(applied.stdout, /! SETTINGS_FOREIGN_SERVER .*: theirs\.example\.com \(app 77\)\n/)
  t.match(applied.stdout, /fix: .*token of the app/)
  t.equal(number.calling.servers.size, 2)
  const plan = await run(['plan'], config)
  t.equal(plan.code, 2, 'warnings alone are worth the code')
  t.match(plan.stdout, /✓ as configured/)
  t.match(plan.stdout, /1 warning\n$/)
})

t.test('show: everything the endpoint tells, and never a password', async (t) => {
  const { site, run, graph, number } = await lab(t)
  const config = site({ calling: `\n      ${HOURS}` })
  await run(['apply'], site({ domain: 'theirs.example.com', token: OTHER_APP.accessToken }))
  await run(['apply'], config)
  number.restrictions.push({
    type: 'RESTRICTED_USER_INITIATED_CALLING',
    reason: 'low \u001b[31mpick-up',
    expiration: 1_800_000_000,
  })
  const password = graph.store.passwordOf(number, APP.appId)
  const text = await run(['show'], config)
  t.equal(text.code, 0)
  for (const line of [
    /^support {2}\+441632960123 {2}106540352242922\n/,
    /\n {2}status +ENABLED\n/,
    /sip\.example\.com:5061 {2}\(app 634974688087057, ours, has a password\)/,
    /theirs\.example\.com:5061 {2}\(app 77, of another app, no password shown\)/,
    /call_hours +ENABLED, Europe\/Paris\n +MONDAY 0900-1730\n +holiday 2199-12-25 0000-2359\n/,
    /voicemail +not set\n/,
    /RESTRICTED_USER_INITIATED_CALLING until 2027-01-15T08:00:00Z: low �\[31mpick-up/,
    /never written:\n +payload_encryption +status=DISABLED\n/,
    /storage_configuration +status=DEFAULT\n/,
    /user_identity_change +enabled=false\n/,
  ]) {
    t.match(text.stdout, line)
  }
  const json = await run(['show', '+441632960123', '--json'], config)
  t.equal(json.code, 0)
  const { numbers } = JSON.parse(json.stdout)
  t.match(numbers, [
    {
      name: 'support',
      calling: {
        status: 'ENABLED',
        call_hours: { timezone_id: 'Europe/Paris' },
        sip: {
          servers: [
            { app_id: '77', own: false, has_password: false },
            { hostname: 'sip.example.com', own: true, has_password: true },
          ],
        },
        restrictions: [{ type: 'RESTRICTED_USER_INITIATED_CALLING' }],
      },
      groups: { payload_encryption: { status: 'DISABLED' } },
    },
  ])
  for (const verb of ['show', 'plan', 'apply']) {
    for (const args of [[verb], [verb, '--json']]) {
      const { stdout, stderr } = await run(args, config)
      t.notOk(`${stdout}${stderr}`.includes(password), args.join(' '))
      t.notMatch(`${stdout}${stderr}`, /token-support/, args.join(' '))
    }
  }
})

t.test('colours on a terminal only', async (t) => {
  const { site, run } = await lab(t)
  const config = site()
  t.match((await run(['plan'], config, true)).stdout, /\u001b\[32m/)
  t.notMatch((await run(['plan'], config)).stdout, /\u001b/)
})

t.test('numbers that fail or are left alone', async (t) => {
  const { site, run } = await lab(t)
  const more = `  - { name: sales, phone_number: "+441632960124", phone_number_id: "7", access_token: mistyped }
  - { name: quiet, phone_number: "+441632960125", phone_number_id: "8", sip_password: own }
  - { name: off, phone_number: "+441632960126", phone_number_id: "9", access_token: x, manage: off }
`
  const config = site({ more })
  const { code, stdout } = await run(['plan'], config)
  t.equal(code, 1)
  t.match(stdout, /sales {2}\+441632960124\n {2}✗ SETTINGS_GRAPH_190 /)
  t.match(stdout, /quiet {2}\+441632960125 {2}left alone: no access_token\n/)
  t.match(stdout, /off {2}\+441632960126 {2}left alone: manage: off\n/)
  t.match(stdout, /2 numbers, 1 not readable, 4 differences/)
  const applied = await run(['apply', '--json'], config)
  t.equal(applied.code, 1)
  t.match(JSON.parse(applied.stdout), {
    ok: false,
    numbers: [
      { name: 'support', drift: [] },
      { name: 'sales', error: { code: 'SETTINGS_GRAPH_190' } },
      { name: 'quiet', skipped: 'no access_token' },
      { name: 'off', skipped: 'manage: off' },
    ],
  })
  t.match(await run(['plan', 'support'], config), { code: 0 })
  const named = await run(['plan', 'quiet'], config)
  t.match(named, { code: 1, stdout: /SETTINGS_TOKEN_MISSING/ })
  t.match(await run(['show', 'sales'], config), { code: 1, stdout: /SETTINGS_GRAPH_190/ })
})

t.test('what WhatsApp refuses is told where it stands, and the code says so', async (t) => {
  const { site, run, number } = await lab(t)
  number.messagingLimit = 250
  const config = site()
  const { code, stdout } = await run(['apply'], config)
  t.equal(code, 1)
  t.match(stdout, /✗ calling, SIP and codecs\n/)
  t.match(stdout, /✗ SETTINGS_GRAPH_138015 /)
  t.match(stdout, /✗ read back: 4 fields not as configured\n/)
  t.match(stdout, /1 not as configured\n$/)
})

t.test('a pause is told while it lasts', async (t) => {
  const { site, run, graph } = await lab(t)
  graph.faults.inject({ status: 500, code: 2 })
  const { code, stdout, stderr } = await run(['plan', '--json'], site())
  t.equal(code, 2)
  t.match(stderr, /^support: SETTINGS_GRAPH_SERVER .*; asking again in 0\.\d s\n$/)
  t.ok(JSON.parse(stdout).ok, 'and does not spoil what is read by programs')
})

t.test('a key exchange that does not stick is told', async (t) => {
  const { site, run, graph } = await lab(t)
  graph.modes.srtpReset = 'stubborn'
  const { code, stdout } = await run(['apply'], site())
  t.equal(code, 1)
  t.match(stdout, /! taken, not kept: calling, SIP and codecs\n/)
  t.match(stdout, /SETTINGS_SRTP_NOT_KEPT/)
})

t.test('a command line or file that is wrong', async (t) => {
  const { site, run } = await lab(t)
  const config = site()
  t.match(await run(['plan', 'suport'], config), { code: 64, stderr: /did you mean support\?/ })
  t.match(await run(['apply', '--dry-run'], config), {
    code: 64,
    stderr: /unknown option --dry-run/,
  })
  const past = site({ calling: `\n      ${HOURS.replace('2199', '2020')}` })
  const refused = await run(['apply'], past)
  t.equal(refused.code, 78)
  t.match(refused.stderr, /CONFIG_HOLIDAY_PAST[\s\S]*causeway-1\.yaml:\d+:\d+ numbers\[0\]/)
  const anywhere = site({ listen: 'tls://0.0.0.0:0' })
  t.match(await run(['plan'], anywhere), { code: 1, stdout: /SETTINGS_PORT_UNKNOWN/ })
  const fixed = site({ listen: 'tls://0.0.0.0:0', calling: '{ sip: { port: 5081 } }' })
  t.match(await run(['plan'], fixed), { code: 2, stdout: /sip\.example\.com:5081/ })
})
