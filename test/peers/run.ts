/**
 * `npm run test:peers`: Causeway against real peers. Needs Debian 12 with its package mirror, and root
 * the first time. Ends with the plain line `N passed, N failed`. File names as arguments narrow the run.
 */
import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { install } from './support/install.ts'

let passed = 0
let failed = 0

for (const peer of ['sipp', 'asterisk'] as const) {
  try {
    console.log(`# ${peer}: ${install(peer).command}`)
    passed++
  } catch (error) {
    console.log(`# ${error}`)
    failed++
  }
}

const named = process.argv.slice(2)
const files = named.length > 0 ? named : globSync('test/peers/*.test.ts').sort()
const folder = mkdtempSync(join(tmpdir(), 'causeway-test-'))
const output = join(folder, 'all.tap')
// One at a time: rates are part of what is tested.
const options = ['--jobs=1', '--timeout=300', '--reporter=terse', `--output-file=${output}`]
const tap = join('node_modules', '.bin', 'tap')
// After an npm ci tap has to be built with the plugins of .taprc once.
spawnSync(tap, ['build'], { stdio: 'inherit' })
const { status } = spawnSync(tap, ['run', ...options, ...files], { stdio: 'inherit' })
const summary = /^# \{ total: \d+(.*)\}$/m.exec(
  readFileSync(output, 'utf8').split('\n').toReversed().join('\n'),
)?.[1]
const of = (key: string): number =>
  Number(new RegExp(`\\b${key}: (\\d+)`).exec(summary ?? '')?.[1] ?? 0)
passed += of('pass')
// What was not run has not passed.
failed += of('fail') + of('skip') + of('todo')
if (status !== 0 && failed === 0) failed = 1
rmSync(folder, { recursive: true })

console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
