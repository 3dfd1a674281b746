import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { checks } from '../../src/doctor/index.ts'
import { causeway } from '../support/cli.ts'
import { VALID } from '../support/config-file.ts'

const OFFLINE = 'config,trunk-srtp,codecs'

/** A configuration in a folder of its own; files it names are not there unless `files` are given. */
function file(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-doctor-cli-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'causeway.yaml')
  writeFileSync(path, text)
  return path
}

/** Reaches nobody: WhatsApp, Graph and PBX are closed ports of this machine. */
const quiet = (text: string): string =>
  `${text.replace('numbers:', 'whatsapp:\n  graph_url: http://127.0.0.1:1\n  sip_proxy: sip:127.0.0.1:1;transport=tls\nnumbers:')}http: { listen: 127.0.0.1:1 }\n`

t.test('errors in the file: the first check names them, the others are skipped, 78', async (t) => {
  const path = file(VALID.replace('phone_number: "+441632960123"', 'phone_number: 0044'))
  const plain = await causeway(['doctor', '-c', path])
  t.equal(plain.code, 78)
  t.match(plain.stdout, /error\[CONFIG_/)
  t.match(plain.stdout, new RegExp(`config: 1 error; ${checks.length - 1} checks skipped\\n$`))
  const json = await causeway(['doctor', '-c', path, '--json'])
  t.equal(json.code, 78)
  const document = JSON.parse(json.stdout)
  t.match(document, { verdict: 'fail', counts: { fail: 1, skipped: checks.length - 1 } })
  t.match(document.checks[0], {
    id: 'config',
    verdict: 'fail',
    findings: [{ code: /^CONFIG_/, subject: /causeway\.yaml:\d+:\d+ numbers\[0\]\.phone_number/ }],
  })
})

t.test('a file that is not there', async (t) => {
  const { code, stdout } = await causeway(['doctor', '-c', '/nowhere/causeway.yaml', '--json'])
  t.equal(code, 78)
  t.match(JSON.parse(stdout).checks[0].findings, [{ code: 'CONFIG_FILE_UNREADABLE' }])
})

t.test('an unknown check is told with the one that was meant', async (t) => {
  const wrong = await causeway(['doctor', '--only', 'certificat'])
  t.equal(wrong.code, 64)
  t.match(wrong.stderr, 'no check certificat; did you mean certificate?')
  for (const args of [
    ['--stun', 'a:b:c'],
    ['--url', 'ftp://x'],
    ['--skip', 'x'],
  ]) {
    t.equal((await causeway(['doctor', ...args])).code, 64, args.join(' '))
  }
})

t.test('chosen checks that pass: 0, grouped by area', async (t) => {
  const { code, stdout, stderr } = await causeway([
    'doctor',
    '-c',
    file(quiet(VALID)),
    '--only',
    'trunk-srtp,codecs',
  ])
  t.equal(code, 0, stderr)
  t.match(stdout, /\nPBX\n {2}✓ codecs {6}number support, trunk main: both have opus\n/)
  t.match(stdout, /\n {2}✓ trunk-srtp {2}trunk main: srtp: sdes, relay none\n/)
  t.match(stdout, /\n2 passed in \d+\.\d s\n$/)
  t.notMatch(stdout, '\u001b', 'no colours, no moving line')
})

t.test('a warning: 2, with cause, owner and fix', async (t) => {
  const { code, stdout } = await causeway([
    'doctor',
    '-c',
    file(
      quiet(VALID).replace(
        'inbound:\n      trunk: main',
        'inbound:\n      trunk: main\n      ring_timeout: 90s',
      ),
    ),
    '--only',
    'config',
  ])
  t.equal(code, 2)
  t.match(
    stdout,
    /\n! config line \d+ numbers\[0\]\.inbound\.ring_timeout {2}CONFIG_RING_TIMEOUT_LONG\n/,
  )
  for (const note of ['seen:', 'cause:', 'who:    you', 'fix:']) t.match(stdout, note)
  t.match(stdout, /\n1 warning, 0 passed in/)
})

t.test('a failure: 1; and one document of JSON', async (t) => {
  const path = file(quiet(VALID).replace('srtp: sdes', 'srtp: none'))
  const args = ['doctor', '-c', path, '--only', OFFLINE]
  const plain = await causeway(args)
  t.equal(plain.code, 1)
  t.match(plain.stdout, /\n✗ trunk-srtp trunk main {2}DOCTOR_SRTP_TRUNK\n/)
  const { code, stdout } = await causeway([...args, '--json'])
  t.equal(code, 1)
  t.match(JSON.parse(stdout), {
    verdict: 'fail',
    counts: { fail: 1 },
    checks: [{ id: 'config' }, { id: 'codecs' }, { id: 'trunk-srtp', verdict: 'fail' }],
  })
})

t.test('on a terminal what is waited for shows, and goes away', async (t) => {
  const path = file(quiet(VALID))
  const { stdout } = await causeway(['doctor', '-c', path, '--only', OFFLINE], { tty: true })
  t.match(stdout, '… config, codecs, trunk-srtp')
  t.match(stdout, '\r\u001b[2K')
  t.notMatch(stdout.split('\r\u001b[2K').at(-1)!, '…', 'the last line is whole')
})

t.test('every check on a machine where nothing answers: no crash, no secret', async (t) => {
  const path = file(quiet(VALID).replace('sip:10.0.0.9:5060', 'sip:127.0.0.1:1'))
  const { code, stdout } = await causeway(['doctor', '-c', path, '--skip', 'dns', '--json'])
  t.equal(code, 1)
  const { checks: results } = JSON.parse(stdout) as { checks: { id: string }[] }
  t.same(
    results.map(({ id }) => id),
    checks.map(({ id }) => id).filter((id) => id !== 'dns'),
  )
  t.notMatch(stdout, /DOCTOR_CHECK_(CRASHED|TIMEOUT)/)
  t.notMatch(stdout, 'token-of-support')
})
