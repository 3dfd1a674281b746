import { spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import { causeway } from '../support/cli.ts'

/** Runs the demo as a user does. `seen` is called with the output so far. */
function demo(args: string[], seen: (output: string, kill: () => void) => void = () => {}) {
  const child = spawn(process.execPath, ['src/cli/causeway.js', 'demo', ...args], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    seen(stdout, () => child.kill('SIGTERM'))
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

t.test('the demo completes two calls with audio in both directions', async (t) => {
  const { code, stdout, stderr } = await demo([])
  t.equal(code, 0, stdout + stderr)
  t.equal(stderr, '')
  for (const step of [
    'WhatsApp simulator: Graph API at http://127.0.0.1:',
    'toy PBX: sip:127.0.0.1:',
    'Causeway: version',
    'numbers: +441632960123 has SIP enabled at sip.example.com:',
    'health: ',
    'a WhatsApp user calls: +33199001234 → +441632960123',
    'permission: +33199001234 was asked',
    'the PBX calls: +441632960124 → +33199001234,',
  ]) {
    t.match(stdout, new RegExp(`^  ✓ +[\\d.]+ m?s {2}${step.replace(/[+.]/g, '\\$&')}`, 'm'), step)
  }
  t.match(stdout, /health: (\d+) of \1 checks of \/healthz pass/)
  t.match(stdout.replace(/\s+/g, ' '), 'causeway.yaml, no errors, no warnings')
  t.equal(stdout.match(/^ +ms {2}WhatsApp +Causeway +PBX$/gm)?.length, 2, 'two ladders')
  t.match(stdout, /│ INVITE ─+▶│/)
  t.match(stdout, /│◀─+ INVITE \(with credentials\) │/)
  t.equal(stdout.match(/ended {3}completed: /g)?.length, 2)
  for (const heard of [
    /✓ user-initiated +WhatsApp → PBX +opus +\d+ +\d+ {2}440 Hz for/,
    /✓ user-initiated +PBX → WhatsApp +opus +\d+ +\d+ {2}880 Hz for/,
    /✓ business-initiated +WhatsApp → PBX +opus +\d+ +\d+ {2}440 Hz for/,
    /✓ business-initiated +PBX → WhatsApp +opus +\d+ +\d+ {2}1000 Hz for/,
  ]) {
    t.match(stdout, heard)
  }
  t.match(stdout, /media {3}opus, SRTP AES_CM_128_HMAC_SHA1_80 to WhatsApp; opus, plain RTP to the/)
  t.match(stdout, /media {3}opus, DTLS-SRTP to WhatsApp; opus, plain RTP to the PBX/)
  t.equal(stdout.match(/audio +good: both sides are heard$/gm)?.length, 2)
  t.match(stdout, "✓ 2 calls, audio in both directions, no rule of WhatsApp's broken")
  for (const line of stdout.split('\n')) t.ok(line.length <= 80, `80 columns: ${line}`)
})

t.test('with --stay it runs on until it is told to stop', async (t) => {
  let looked: Promise<void> | undefined
  const { code, stdout } = await demo(['--stay', '--json'], (output, kill) => {
    if (!output.endsWith('}\n') || looked) return
    looked = look(JSON.parse(output)).finally(kill)
  })
  t.equal(code, 0)
  await looked
  const { ok, steps, calls, places } = JSON.parse(stdout)
  t.equal(ok, true)
  t.ok(steps.every((step: { ok: boolean }) => step.ok))
  t.match(calls, [
    { record: { direction: 'user-initiated' }, media: [{ faults: [] }, {}], violations: [] },
    { record: { direction: 'business-initiated' }, media: [{ faults: [] }, {}], violations: [] },
  ])
  t.notOk(existsSync(dirname(places.configuration)), 'its folder is gone')

  async function look({ places }: { places: Record<string, string> }): Promise<void> {
    t.equal((await fetch(`${places['api']}/readyz`)).status, 200)
    t.equal((await fetch(`${places['control']}/calls`)).status, 200)
    t.match(readFileSync(places['ca']!, 'utf8'), /BEGIN CERTIFICATE/)
    t.equal(statSync(places['configuration']!).mode & 0o077, 0, 'for the owner alone')
    const log = readFileSync(places['log']!, 'utf8')
    t.match(log, /"call ended"/)
    t.notMatch(log, /simulated-access-token/)
    const check = await causeway(['config', 'check', '-c', places['configuration']!])
    t.match(check, { code: 0 })
    const show = await causeway(['calls', 'list', '--url', places['api']!])
    t.match(show, { code: 0, stdout: /completed[\s\S]*completed/ })
  }
})

t.test(
  'with --hold the PBX holds and resumes, and WhatsApp hears silence without a gap',
  async (t) => {
    const { code, stdout } = await demo(['--hold', '--json'])
    t.equal(code, 0, stdout)
    const { calls } = JSON.parse(stdout)
    const [{ held, record, violations }] = calls
    t.ok(held.silence >= 1500, `${held.silence} ms of silence`)
    t.ok(held.gap < 1000, `no gap above ${held.gap} ms`)
    t.ok(record.report.legs.whatsapp.silenceInserted >= 60)
    t.same(violations, [])
    t.equal(calls[1].held, undefined)
  },
)

t.test('a step that fails is named, and nothing is left behind', async (t) => {
  const signal = AbortSignal.abort()
  const { code, stdout, stderr } = await causeway(['demo'], { signal })
  t.equal(code, 1)
  t.match(stdout, /^ {2}✗ +\d+ ms {2}numbers: /m)
  t.match(stderr, /^The demo failed at: numbers: /m)
  const [folder] = /\/\S*causeway-demo-\w+/.exec(stdout.replace(/\n {14}/g, '')) ?? []
  t.ok(folder)
  t.notOk(existsSync(folder!), 'an interrupted demo keeps no files')
  const json = await causeway(['demo', '--json'], { signal })
  t.equal(json.code, 1)
  t.match(JSON.parse(json.stdout), { ok: false, calls: [] })
})
