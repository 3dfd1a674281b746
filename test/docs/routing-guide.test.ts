import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { REFUSE_STATUSES } from '../../src/config/route-types.ts'
import { catalogue } from '../../src/shared/errors/index.ts'
import { causeway } from '../support/cli.ts'
import { blocksOf } from '../support/markdown.ts'

const GUIDE = 'docs/guides/routing.md'
const guide = readFileSync(GUIDE, 'utf8')
const env = { WA_TOKEN: 'token' }

/** A folder with the file of the guide. */
function site(t: Test): string {
  const cwd = t.testdir({ tls: { 'fullchain.pem': 'x', 'privkey.pem': 'x' } })
  writeFileSync(join(cwd, 'causeway.yaml'), blocksOf(GUIDE, 'yaml')[0]!)
  return cwd
}

/** Arguments of the commands of the guide, in the order of the page. */
const commands = blocksOf(GUIDE, 'console').flatMap((block) =>
  [...block.matchAll(/^\$ causeway (.+)$/gm)].map(([, line]) =>
    [...line!.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!),
  ),
)

t.test('the file of the guide has neither errors nor warnings', async (t) => {
  const { code, stdout } = await causeway(['config', 'check'], { cwd: site(t), env })
  t.equal(code, 0, stdout)
})

t.test('the explanations of the guide are those of its file', async (t) => {
  const cwd = site(t)
  const printed = blocksOf(GUIDE, 'text')
  t.equal(printed.length, 2)
  for (const [index, text] of printed.entries()) {
    const { code, stdout } = await causeway(commands[index]!, { cwd, env })
    t.equal(code, 0)
    t.equal(stdout, text)
  }
})

t.test('its other commands explain calls of its file, too', async (t) => {
  const cwd = site(t)
  const invite =
    'INVITE sip:+441632960123@sip.example.com SIP/2.0\nFrom: <sip:+1@h>\nX-WA-Meta-Wacid: w\n'
  writeFileSync(join(cwd, 'invite.txt'), invite)
  const said = []
  for (const args of commands.slice(2)) {
    const { code, stdout } = await causeway([...args, '--json'], { cwd, env })
    t.equal(code, 0, args.join(' '))
    const { number, route } = JSON.parse(stdout)
    said.push([number, route])
  }
  t.same(said.slice(0, 3), [
    ['support', 'orders'],
    ['sales', 'pai'],
    ['sales', 'diversion'],
  ])
  t.equal(said.length, 4)
})

t.test('codes and statuses of the guide are real', async (t) => {
  const codes = [...guide.matchAll(/`((?:CALL|CONFIG)_[A-Z_]+)`/g)].map(([, code]) => code!)
  t.ok(codes.length > 3)
  for (const code of codes) t.ok(code in catalogue, code)
  t.match(guide, `with ${REFUSE_STATUSES.slice(0, -1).join(', ')} or ${REFUSE_STATUSES.at(-1)}`)
})
