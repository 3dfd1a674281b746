/**
 * `npm test`: lint, types and every test that needs nothing beyond npm. Ends with the plain line
 * `N passed, N failed`. File names as arguments narrow the run and leave lint and types out.
 */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { runTap } from './support/tap-run.ts'

let passed = 0
let failed = 0

function check(name: string, command: string, args: string[]): void {
  console.log(`# ${name}`)
  const { status } = spawnSync(join('node_modules', '.bin', command), args, { stdio: 'inherit' })
  if (status === 0) passed++
  else failed++
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
console.log(`# ${files.length} test files`)
const result = runTap(files)
passed += result.passed
failed += result.failed

console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
