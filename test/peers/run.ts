/**
 * `npm run test:peers`: Causeway against real peers. Needs Debian 12 with its package mirror, and root
 * the first time. Ends with the plain line `N passed, N failed`. File names as arguments narrow the run.
 */
import { globSync } from 'node:fs'
import { runTap } from '../support/tap-run.ts'
import { install } from './support/install.ts'

let passed = 0
let failed = 0

const peers = [
  'sipp',
  'asterisk',
  'kamailio',
  'rtpengine',
  'prometheus',
  'baresip',
  'chromium',
  'tshark',
] as const
for (const peer of peers) {
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
// One at a time: rates are part of what is tested.
const result = runTap(files, ['--jobs=1', '--timeout=300'])
passed += result.passed
failed += result.failed

console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
