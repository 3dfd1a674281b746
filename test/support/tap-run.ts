import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tapFailures } from './tap-failures.ts'

const tap = join('node_modules', '.bin', 'tap')

/** Figures of a run: assertions, as tap counts them. */
export interface TapResult {
  passed: number
  failed: number
}

const BUILT = join('node_modules', '@tapjs', 'test', 'test-built', 'dist', 'esm', 'index.js')
const LOCK = join('node_modules', '.tap-build')

/** Whether tap is built with the plugins of .taprc: without the one that compiles TypeScript. */
function isBuilt(): boolean {
  return existsSync(BUILT) && !readFileSync(BUILT, 'utf8').includes('@tapjs/typescript')
}

/** Builds tap once after `npm ci`. Of runs that start together one builds, and the others wait. */
function buildTap(): void {
  for (let waited = 0; !isBuilt() || existsSync(LOCK); waited++) {
    try {
      mkdirSync(LOCK)
    } catch {
      // A run that was killed while it built must not stop all later ones.
      if (waited > 60) rmdirSync(LOCK)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
      continue
    }
    try {
      if (!isBuilt()) spawnSync(tap, ['build'], { stdio: 'inherit' })
    } finally {
      rmdirSync(LOCK)
    }
    if (!isBuilt()) throw new Error('tap build did not leave the TypeScript plugin out')
  }
}

/**
 * Runs test files under tap, in processes of their own, and counts what its summary line says:
 * `# { total: 12, pass: 11, fail: 1 }`. What was skipped or is to be done has not passed.
 */
export function runTap(files: readonly string[], options: readonly string[] = []): TapResult {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-test-'))
  const output = join(folder, 'all.tap')
  buildTap()
  // Without a terminal only failures are shown: progress would fill a log with cursor movements.
  const reporter = process.stdout.isTTY ? 'terse' : 'min'
  const args = ['run', `--reporter=${reporter}`, `--output-file=${output}`, ...options, ...files]
  const { status } = spawnSync(tap, args, { stdio: 'inherit' })
  // tap ends with an escape sequence and no line break.
  console.log()
  const text = readFileSync(output, 'utf8')
  rmSync(folder, { recursive: true })
  const summary = [...text.matchAll(/^# \{ total: \d+(.*)\}$/gm)].at(-1)?.[1] ?? ''
  const of = (key: string): number =>
    Number(new RegExp(`\\b${key}: (\\d+)`).exec(summary)?.[1] ?? 0)
  const failed = of('fail') + of('skip') + of('todo')
  // Said once more, from the file tap wrote: of a long log often only the end is kept, and the
  // reporter has been seen to show nothing of what its summary counts.
  if (status !== 0 || failed > 0) console.log(`# what failed\n${tapFailures(text).join('\n')}\n`)
  return { passed: of('pass'), failed: status !== 0 && failed === 0 ? 1 : failed }
}
