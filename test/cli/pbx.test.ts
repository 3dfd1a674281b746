import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { causeway } from '../support/cli.ts'
import { edit } from '../support/config-file.ts'

const SECRET = 'pbx-secret'
const FILE = edit([
  'targets: ["sip:10.0.0.9:5060"]',
  `targets: ["sip:10.0.0.9:5060"]\n    credentials: { username: wa, password: ${SECRET} }`,
])

function site(t: Test, text = FILE): string {
  return t.testdir({ tls: { 'cert.pem': 'x', 'key.pem': 'x' }, 'causeway.yaml': text })
}

t.test('printed, the files stand one after the other, without passwords', async (t) => {
  const cwd = site(t)
  const { code, stdout, stderr } = await causeway(['pbx', 'asterisk'], { cwd })
  t.equal(code, 0)
  t.same(
    [...stdout.matchAll(/^==> (\S+): .* <==$/gm)].map(([, name]) => name),
    ['causeway-transports.conf', 'causeway-main.pjsip.conf', 'causeway-main.extensions.conf'],
  )
  t.match(stdout, 'password = [redacted]')
  t.notMatch(stdout + stderr, SECRET)
  t.match(stderr, /^note: trunk main: calls from WhatsApp go to 1001 of the PBX; --extension /)
  const shown = await causeway(['pbx', 'asterisk', '--secrets'], { cwd })
  t.match(shown.stdout, `password = ${SECRET}`)
})

t.test('written, they hold what they need, for their owner alone', async (t) => {
  for (const pbx of ['asterisk', 'freeswitch']) {
    const cwd = site(t)
    const { code, stdout, stderr } = await causeway(['pbx', pbx, '-o', 'out'], { cwd })
    t.equal(code, 0)
    t.notMatch(stdout + stderr, SECRET)
    const files = readdirSync(join(cwd, 'out'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
    t.equal(files.length, pbx === 'asterisk' ? 3 : 5)
    for (const file of files) {
      t.equal(statSync(file).mode & 0o777, 0o600, file)
      t.match(stdout, `written   ${file}: `)
    }
    t.match(stdout, /Mode 0600: give them to the user/)
    const all = files.map((file) => readFileSync(file, 'utf8')).join('')
    if (pbx === 'asterisk') t.match(all, `password = ${SECRET}`)
    const again = await causeway(['pbx', pbx, '-o', 'out'], { cwd })
    t.match(again.stdout, /^unchanged /)
  }
})

t.test('a file that was edited is kept, unless it may be replaced', async (t) => {
  const cwd = site(t)
  await causeway(['pbx', 'asterisk', '-o', 'out'], { cwd })
  const edited = join(cwd, 'out/causeway-main.extensions.conf')
  const other = join(cwd, 'out/causeway-main.pjsip.conf')
  writeFileSync(edited, 'mine')
  const before = readFileSync(other, 'utf8')
  const args = ['pbx', 'asterisk', '-o', 'out', '--host', '192.0.2.5']
  const kept = await causeway(args, { cwd })
  t.equal(kept.code, 1)
  t.match(kept.stderr, /^error\[APP_PBX_FILE_KEPT\]/)
  t.match(kept.stderr, edited)
  t.equal(readFileSync(edited, 'utf8'), 'mine')
  t.equal(readFileSync(other, 'utf8'), before, 'nothing is written')
  const forced = await causeway([...args, '--force'], { cwd })
  t.equal(forced.code, 0)
  t.match(forced.stdout, `replaced  ${edited}`)
  t.match(readFileSync(other, 'utf8'), 'contact = sip:192.0.2.5:5060')
})

t.test('a folder that cannot be written', async (t) => {
  const cwd = site(t)
  const { code, stderr } = await causeway(['pbx', 'asterisk', '-o', 'causeway.yaml'], { cwd })
  t.equal(code, 1)
  t.match(stderr, /^error\[APP_PBX_UNWRITABLE\]/)
})

t.test('--json has the files', async (t) => {
  const cwd = site(t)
  const { stdout } = await causeway(['pbx', 'freeswitch', '--json', '-o', 'out'], { cwd })
  const { ok, pbx, files, notes } = JSON.parse(stdout)
  t.match({ ok, pbx }, { ok: true, pbx: 'freeswitch' })
  t.match(files[0], {
    name: 'sip_profiles/external/causeway-main.xml',
    about: 'the gateway',
    contents: /^<include>/,
    path: join(cwd, 'out/sip_profiles/external/causeway-main.xml'),
  })
  t.ok(notes.length > 0)
  t.notMatch(stdout, SECRET)
})

t.test('what is wrong on the command line is told', async (t) => {
  const cwd = site(t)
  const unknown = await causeway(['pbx', 'asterisk', '--trunk', 'mian'], { cwd })
  t.equal(unknown.code, 64, 'as every other name that is not there')
  t.match(unknown.stderr, /no trunk mian; did you mean main\?/)
  for (const args of [
    ['--extension', '1001,20)'],
    ['--host', 'a b'],
    ['--transport', 'x\ny'],
  ]) {
    const { code, stderr } = await causeway(['pbx', 'asterisk', ...args], { cwd })
    t.equal(code, 64, args.join(' '))
    t.match(stderr, /cannot take/)
  }
  for (const args of [
    ['--transport', 'x'],
    ['--over', 'sctp'],
  ]) {
    const { code } = await causeway(['pbx', 'freeswitch', ...args], { cwd })
    t.equal(code, 64)
  }
  const bad = await causeway(['pbx', 'asterisk'], { cwd: site(t, 'sip: {}') })
  t.equal(bad.code, 78)
})
