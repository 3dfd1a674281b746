import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { catalogue } from '../../src/shared/errors/index.ts'
import { causeway } from '../support/cli.ts'
import { blocksOf } from '../support/markdown.ts'
import { parseXml } from '../support/xml.ts'

const GUIDES = { asterisk: 'docs/guides/asterisk.md', freeswitch: 'docs/guides/freeswitch.md' }
const ENV = { WA_TOKEN: 'a', FS_PASSWORD: 'b', CAUSEWAY_PASSWORD: 'c', CAUSEWAY_TOKEN: 'd' }

/** A folder with the shipped sample and the secrets it names. */
function site(t: Test, pbx: string): string {
  const cwd = t.testdir({ secrets: { 'whatsapp-token': 'x', 'api-token': 'x' } })
  mkdirSync(join(cwd, 'tls'))
  for (const name of ['fullchain', 'privkey']) writeFileSync(join(cwd, `tls/${name}.pem`), 'x')
  copyFileSync(`config/${pbx}.yaml`, join(cwd, 'causeway.yaml'))
  return cwd
}

for (const [pbx, guide] of Object.entries(GUIDES)) {
  t.test(`${guide}: the command of the guide writes what it says`, async (t) => {
    const cwd = site(t, pbx)
    const [command = ''] = blocksOf(guide, 'sh')
    const args = command.trim().replace(`/etc/${pbx}`, 'out').split(' ').slice(1)
    const { code, stdout } = await causeway(args, { cwd, env: ENV })
    t.equal(code, 0)
    const [printed] = blocksOf(guide, 'text')
    t.equal(stdout.replaceAll(join(cwd, 'out'), `/etc/${pbx}`), printed)
  })

  t.test(`${guide}: every code it names exists`, async (t) => {
    const codes = readFileSync(guide, 'utf8').matchAll(/`((?:MEDIA|CALL|SIP|CONFIG)_[A-Z_]+)`/g)
    for (const [, code] of codes) t.ok(code! in catalogue, code!)
  })
}

t.test('samples of Asterisk are sections of settings, a dialplan, or includes', async (t) => {
  const blocks = [
    ...readFileSync(GUIDES.asterisk, 'utf8').matchAll(/^ *```ini\n([\s\S]*?)^ *```/gm),
  ]
  t.ok(blocks.length >= 5)
  for (const [, text] of blocks) {
    for (const line of text!.split('\n').map((each) => each.trim())) {
      if (line === '') continue
      t.match(
        line,
        /^(\[[\w-]+\]|\w+ = \S.*|exten => [^,]+,1,\w+\(.*\)|same => n,\w+\(.*\)|#include "[\w.-]+")$/,
      )
    }
  }
})

t.test('samples of Asterisk name what exists, as the generator writes it', async (t) => {
  const cwd = site(t, 'asterisk')
  const { stdout } = await causeway(['pbx', 'asterisk', '--trunk', 'asterisk'], { cwd, env: ENV })
  const guide = readFileSync(GUIDES.asterisk, 'utf8')
  for (const [, file] of guide.matchAll(/#include "([\w.-]+)"/g)) t.match(stdout, `==> ${file}: `)
  t.match(stdout, '[causeway-asterisk]')
  t.match(stdout, '[to-whatsapp-asterisk]')
})

t.test('samples of FreeSWITCH are well-formed', async (t) => {
  const blocks = [
    ...readFileSync(GUIDES.freeswitch, 'utf8').matchAll(/^ *```xml\n([\s\S]*?)^ *```/gm),
  ]
  t.ok(blocks.length >= 5)
  for (const [, text] of blocks) t.doesNotThrow(() => parseXml(`<x>${text}</x>`), text!)
})

t.test('lines to be included are those the verb prints', async (t) => {
  const cwd = site(t, 'freeswitch')
  const { stderr } = await causeway(['pbx', 'freeswitch'], { cwd, env: ENV })
  const lines = readFileSync(GUIDES.freeswitch, 'utf8').match(/<X-PRE-PROCESS.*\/>/g) ?? []
  t.equal(lines.length, 2)
  for (const line of lines) t.match(stderr, line)
})
