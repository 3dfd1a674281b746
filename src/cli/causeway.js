#!/usr/bin/env -S node --v8-pool-size=1
/**
 * Launcher. In a clone it runs the TypeScript as it is, in an installed package the build. Written so
 * that an old Node can read it, find a newer one, or at least say what is missing.
 *
 * One helper thread for V8's compiler and garbage collector, not four: on a machine of few cores they
 * take the processor from the two threads that carry calls (measured: a third off the 99th percentile).
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const NEEDED = 24
const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..')

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  const inClone = existsSync(join(here, 'main.ts')) && !here.split(sep).includes('node_modules')
  const { start } = await import(inClone ? './main.ts' : '../../dist/cli/main.js')
  await start()
} else {
  const candidates = [
    join(root, 'node_modules', 'node', 'bin', 'node'),
    join(root, '..', '..', 'node', 'bin', 'node'),
  ]
  const newer = candidates.find((path) => existsSync(path))
  if (newer && !process.env.CAUSEWAY_RELAUNCHED) relaunch(newer)
  else {
    process.stderr.write(
      `causeway needs Node ${NEEDED} or later; this is ${process.version}.\n` +
        `  In a clone: npm ci brings Node ${NEEDED} along, then run npm run causeway -- …\n` +
        `  Otherwise install Node ${NEEDED} LTS from your package manager or https://nodejs.org\n`,
    )
    process.exitCode = 1
  }
}

/** Runs this script again with a newer Node and passes signals and the exit code through. */
function relaunch(node) {
  const child = spawn(node, ['--v8-pool-size=1', ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, CAUSEWAY_RELAUNCHED: '1' },
  })
  // The terminal sends SIGINT to the whole group; swallowing ours lets the child end in its own way.
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`causeway: ${node} cannot be run: ${error.message}\n`)
    process.exitCode = 1
  })
  child.on('exit', (code) => {
    process.exitCode = code === null ? 1 : code
  })
}
