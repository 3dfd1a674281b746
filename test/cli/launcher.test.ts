import { spawn } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'

const LAUNCHER = 'src/cli/causeway.js'

/** Makes `process.versions.node` an old one before the launcher looks. */
const OLD_NODE =
  'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"18.20.0"}})'

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

function run(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { env: { ...process.env, ...env } })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (data) => (stdout += data))
    child.stderr.on('data', (data) => (stderr += data))
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

t.test('in a clone it runs the TypeScript, and passes the exit code on', async (t) => {
  t.match(await run([LAUNCHER, '--version']), { code: 0, stdout: /^causeway \d/ })
  t.match(await run([LAUNCHER, 'nonsense']), { code: 64, stderr: /unknown verb nonsense/ })
})

t.test('an old Node finds the newer one beside the package', async (t) => {
  const result = await run(['--import', OLD_NODE, LAUNCHER, 'nonsense'])
  t.match(result, { code: 64, stderr: /unknown verb nonsense/ })
})

/** A package without sources, as npm installs it: launcher, build, package.json. */
function installed(t: Test): string {
  const root = join(t.testdir({}), 'node_modules', '@causeway', 'bridge')
  mkdirSync(join(root, 'src/cli'), { recursive: true })
  mkdirSync(join(root, 'dist/cli'), { recursive: true })
  copyFileSync(LAUNCHER, join(root, LAUNCHER))
  chmodSync(join(root, LAUNCHER), 0o755)
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  writeFileSync(
    join(root, 'dist/cli/main.js'),
    'export async function start() { console.log("built", process.argv.slice(2).join()) }',
  )
  return root
}

t.test('installed it runs the build, even through a link', async (t) => {
  const root = installed(t)
  t.match(await run([join(root, LAUNCHER), 'a', 'b']), { code: 0, stdout: 'built a,b\n' })
  const link = join(t.testdirName, 'causeway')
  symlinkSync(join(root, LAUNCHER), link)
  t.match(await run([link]), { code: 0, stdout: 'built \n' })
})

t.test('an old Node without a newer one says what to do', async (t) => {
  const root = installed(t)
  const result = await run(['--import', OLD_NODE, join(root, LAUNCHER)])
  t.equal(result.code, 1)
  t.equal(result.stdout, '')
  t.match(result.stderr, /causeway needs Node 24 or later/)
  t.match(result.stderr, /npm ci/)
})
