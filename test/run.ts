/**
 * `npm test`: lint, types and every test that needs nothing beyond npm. Ends with the plain line
 * `N passed, N failed`. File names as arguments narrow the run and leave lint and types out.
 */
import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let passed = 0
let failed = 0

function run(command: string, args: string[]): number {
  const result = spawnSync(join('node_modules', '.bin', command), args, { stdio: 'inherit' })
  return result.status ?? 1
}

function check(name: string, command: string, args: string[]): void {
  console.log(`# ${name}`)
  if (run(command, args) === 0) passed++
  else failed++
}

/** Adds up the summary of a TAP file: `# { total: 12, pass: 11, fail: 1 }`. */
function count(tap: string): void {
  const summary = [...tap.matchAll(/^# \{ total: \d+(.*)\}$/gm)].at(-1)?.[1] ?? ''
  const of = (key: string): number =>
    Number(new RegExp(`\\b${key}: (\\d+)`).exec(summary)?.[1] ?? 0)
  passed += of('pass')
  failed += of('fail')
}

const named = process.argv.slice(2)
const files =
  named.length > 0
    ? named
    : globSync('test/**/*.test.ts', {
        exclude: (path) => /^test\/(peers|bench)$/.test(path),
      }).sort()

if (named.length === 0) {
  check('lint', 'biome', ['check', '--error-on-warnings', '.'])
  check('types', 'tsc', ['--noEmit'])
}

const folder = mkdtempSync(join(tmpdir(), 'causeway-test-'))
const output = join(folder, 'all.tap')
console.log(`# ${files.length} test files`)
const status = run('tap', ['run', '--reporter=terse', `--output-file=${output}`, ...files])
count(readFileSync(output, 'utf8'))
rmSync(folder, { recursive: true })
if (status !== 0 && failed === 0) failed = 1

console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
