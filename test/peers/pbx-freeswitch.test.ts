import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { causeway } from '../support/cli.ts'
import { edit } from '../support/config-file.ts'

const TARGETS = 'targets: ["sip:10.0.0.9:5060"]'
const PASSWORD = `'a&b <c> $$\${d} --'`

/** The trunk in the ways of knowing each other. */
const TRUNKS = {
  'by address': TARGETS,
  'Causeway registers': `register: { registrar: "sip:10.0.0.9", username: wa, password: ${PASSWORD} }`,
  'FreeSWITCH registers': `targets: []\n    accept: { username: fs, password: ${PASSWORD}, registrations: true }`,
}

/** Debian's own XML parser, for what is written for FreeSWITCH. */
function installXmllint(): void {
  const lines = '. "$0" && system_package libxml2-utils'
  const { status } = spawnSync('bash', ['-c', lines, join(import.meta.dirname, 'lib.sh')])
  if (status !== 0) throw new Error('xmllint could not be installed')
}

installXmllint()

for (const [name, trunk] of Object.entries(TRUNKS)) {
  t.test(`xmllint reads what is written for FreeSWITCH: ${name}`, async (t) => {
    const text = edit([TARGETS, trunk])
    const cwd = t.testdir({ tls: { 'cert.pem': 'x', 'key.pem': 'x' }, 'causeway.yaml': text })
    const { code } = await causeway(['pbx', 'freeswitch', '-o', 'out'], { cwd })
    t.equal(code, 0)
    const files = globSync(join(cwd, 'out/**/*.xml'))
    t.ok(files.length >= 4)
    const { status, stderr } = spawnSync('xmllint', ['--noout', ...files], { encoding: 'utf8' })
    t.equal(status, 0, stderr)
  })
}
