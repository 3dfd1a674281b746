import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { jsonSchema } from '../../src/config/index.ts'
import { causeway } from '../support/cli.ts'
import { edit, VALID } from '../support/config-file.ts'

/** A folder with a configuration and the files it names. */
function site(t: Test, text: string): string {
  const folder = t.testdir({ tls: { 'cert.pem': 'x', 'key.pem': 'x' }, 'causeway.yaml': text })
  return folder
}

t.test('config check: a good file is good', async (t) => {
  const cwd = site(t, VALID)
  t.same(await causeway(['config', 'check'], { cwd }), {
    code: 0,
    stdout: 'causeway.yaml: no errors, no warnings\n',
    stderr: '',
  })
})

t.test('config check: warnings are shown, and the code says so', async (t) => {
  const cwd = site(t, edit(['relay: none', 'ports: 20000-20039']))
  const { code, stdout } = await causeway(['config', 'check'], { cwd })
  t.equal(code, 2)
  t.match(stdout, /^warning\[CONFIG_PORTS_FEW\]: media\.ports does not suffice for limits\.calls/)
  t.match(stdout, /causeway\.yaml: 1 warning\n$/)
})

t.test('config check: an error looks like a compiler’s', async (t) => {
  const cwd = site(
    t,
    edit(['  domain:', '  domian:'], ['access_token: token-of-support', 'access_token: ""']),
  )
  const { code, stdout, stderr } = await causeway(['config', 'check'], { cwd })
  t.equal(code, 78)
  t.equal(stderr, '')
  const [first, second] = stdout.split('\n\n') as [string, string]
  t.match(first.split('\n'), [
    'error[CONFIG_UNKNOWN_KEY]: unknown key: domian in sip',
    / --> .*causeway\.yaml:2:3 sip\.domian$/,
    '  |',
    '2 |   domian: sip.example.com',
    '  |   ^^^^^^ did you mean domain?',
    '  = found: domian',
    '  = expected: one of domain, external_address, listen, tls, server',
    /^ {2}= cause: /,
    /^ {2}= fix: /,
  ])
  t.match(second, /13 \|\s+access_token: \[redacted\]\n/)
  t.match(stdout, /causeway\.yaml: 2 errors\n$/)
})

t.test('config check --json: the same as data', async (t) => {
  const good = await causeway(['config', 'check', '--json'], { cwd: site(t, VALID) })
  t.equal(good.code, 0)
  t.same(JSON.parse(good.stdout), { ok: true, file: 'causeway.yaml', errors: [], warnings: [] })
  const cwd = site(t, edit(['  domain:', '  domian:'], ['relay: none', 'ports: 20000-20039']))
  const bad = await causeway(['config', 'check', '--json'], { cwd })
  t.equal(bad.code, 78)
  t.match(JSON.parse(bad.stdout), {
    ok: false,
    errors: [
      { code: 'CONFIG_UNKNOWN_KEY', line: 2, column: 3, path: 'sip.domian', nearest: 'domain' },
    ],
    warnings: [{ code: 'CONFIG_PORTS_FEW' }],
  })
})

t.test('-c names the file, the environment fills it', async (t) => {
  const cwd = site(t, edit(['token-of-support', `\${WA_TOKEN}`]))
  const args = ['config', 'check', '-c', join(cwd, 'causeway.yaml')]
  t.match(await causeway(args, { env: { WA_TOKEN: 'x' } }), { code: 0 })
  const unset = await causeway(args, { env: { WA_TOKN: 'x' } })
  t.equal(unset.code, 78)
  t.match(unset.stdout, /CONFIG_VARIABLE_UNSET.*WA_TOKEN/)
  t.match(unset.stdout, /did you mean WA_TOKN\?/)
  const missing = await causeway(['config', 'check', '-c', 'nowhere.yaml'], { cwd })
  t.equal(missing.code, 78)
  t.match(missing.stdout, /CONFIG_FILE_UNREADABLE.*there is no such file/)
})

t.test('config print shows what Causeway understood, without secrets', async (t) => {
  const cwd = site(t, VALID)
  const { code, stdout, stderr } = await causeway(['config', 'print'], { cwd })
  t.equal(code, 0)
  t.equal(stderr, '')
  t.notMatch(stdout, 'token-of-support')
  t.match(parse(stdout), {
    sip: { tls: { cert: join(cwd, 'tls/cert.pem') }, server: 'embedded' },
    numbers: [{ name: 'support', access_token: '[redacted]', manage: 'apply' }],
    limits: { calls: 1000 },
  })
  const json = await causeway(['config', 'print', '--json'], { cwd })
  t.same(JSON.parse(json.stdout), parse(stdout))
})

t.test('config print of a bad file fails like any verb that needs a configuration', async (t) => {
  const cwd = site(t, edit(['relay: none', 'relay: nonne']))
  const text = await causeway(['config', 'print'], { cwd })
  t.equal(text.code, 78)
  t.equal(text.stdout, '')
  t.match(text.stderr, /error\[CONFIG_BAD_VALUE\].*\n[\s\S]*did you mean none\?[\s\S]*1 error\n$/)
  const json = await causeway(['config', 'print', '--json'], { cwd })
  t.equal(json.code, 78)
  t.match(JSON.parse(json.stdout), { ok: false, errors: [{ code: 'CONFIG_BAD_VALUE' }] })
})

t.test('config schema prints the JSON Schema', async (t) => {
  const { code, stdout } = await causeway(['config', 'schema'])
  t.equal(code, 0)
  t.same(JSON.parse(stdout), jsonSchema())
})

t.test('colours are for terminals, and NO_COLOR is obeyed', async (t) => {
  const cwd = site(t, edit(['relay: none', 'relay: nonne']))
  const ESC = String.fromCharCode(27)
  const coloured = async (tty: boolean, env = {}): Promise<boolean> =>
    (await causeway(['config', 'check'], { cwd, tty, env })).stdout.includes(ESC)
  t.equal(await coloured(true), true)
  t.equal(await coloured(false), false)
  t.equal(await coloured(true, { NO_COLOR: '1' }), false)
  t.equal(await coloured(true, { TERM: 'dumb' }), false)
})
