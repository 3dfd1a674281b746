import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const tap = join('node_modules', '.bin', 'tap')

/** Figures of a run: assertions, as tap counts them. */
export interface TapResult {
  passed: number
  failed: number
}

/**
 * Runs test files under tap, in processes of their own, and counts what its summary line says:
 * `# { total: 12, pass: 11, fail: 1 }`. What was skipped or is to be done has not passed.
 */
export function runTap(files: readonly string[], options: readonly string[] = []): TapResult {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-test-'))
  const output = join(folder, 'all.tap')
  // After npm ci tap is not yet built with the plugins of .taprc.
  spawnSync(tap, ['build'], { stdio: 'inherit' })
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
  return { passed: of('pass'), failed: status !== 0 && failed === 0 ? 1 : failed }
}
