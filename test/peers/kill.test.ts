import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { trafficLab } from './support/traffic.ts'
import { until } from './support/until.ts'

/** Calls a second. */
const RATE = 20
/** Milliseconds until the PBX refreshes its sessions: by then Causeway is back. */
const REFRESH = 12_000

t.setTimeout(150_000)
t.test(`kill -9 at ${RATE} calls/s, and a restart on the same ports`, async (t) => {
  const lab = await trafficLab(t)
  const { ports } = lab
  const records = join(lab.folder, 'records')
  const config = { ...lab.config, records: { path: records } }
  const first = await startCauseway({ ports, config })
  const pbx = await lab.callee('pbx', 'pbx-refreshes', lab.pbxPorts[0]!, REFRESH)
  const users = await lab.users('whatsapp-hangs-up', { rate: RATE, calls: 1000, held: 60_000 })
  const hasty = await lab.users('whatsapp-hangs-up', { rate: RATE, calls: 1000, held: 300 })
  await until('traffic', () => pbx.counts().created > 100, 20_000)
  const total = await totalOf(first, 'active')
  // What the history counts is written; what ends after the answer may be or not.
  const before = await totalOf(first, 'ended')
  process.kill(first.pid, 'SIGKILL')
  await first.stop()
  const killed = performance.now()
  await Promise.all([users.stop(), hasty.stop()])
  const file = new DatabaseSync(join(records, 'calls.db'))
  t.match(file.prepare('PRAGMA integrity_check').get(), { integrity_check: 'ok' })
  file.close()

  const second = await startCauseway({ ports, config })
  t.teardown(() => second.stop())
  const ready = performance.now() - killed
  const kept = await totalOf(second, 'ended')
  t.ok(before > 20, `${before} calls had ended`)
  t.ok(kept >= before, `${kept} of them are in the records`)
  const trunks = JSON.stringify(await second.get('/api/v1/trunks'))
  t.notMatch(trunks, /"fail"/, 'the trunk is up')
  const again = await lab.users('whatsapp-hangs-up', { rate: 5, calls: 5, held: 300 })
  await until('a call', () => pbx.counts().created > 100, 20_000)
  const { succeeded } = await again.done()
  const passed = performance.now() - killed
  t.equal(succeeded, 5, 'new calls pass')

  // The dialogs of before end at their refresh; those that were only ringing at their 200's end.
  await until('no dialog is left at the PBX', () => pbx.counts().current === 0, 60_000)
  const ended = performance.now() - killed
  const result = await pbx.stop()
  t.ok(total > 0)
  t.ok(result.succeeded > 50, `${result.succeeded} dialogs ended by a 481 to their refresh`)
  t.comment(
    `${total} calls in progress at the kill, ${before} ended, ${kept} in the records; ready after ${Math.round(ready)} ms, ` +
      `5 new calls done after ${Math.round(passed)} ms; ${result.succeeded} of ${result.created} ` +
      `dialogs of the PBX ended by the 481 to their refresh, the last after ${Math.round(ended / 1000)} s`,
  )
  t.ok(ready < 5000, 'within 5 s')
})

async function totalOf(causeway: Causeway, state: 'active' | 'ended'): Promise<number> {
  const answer = await causeway.get(`/api/v1/calls?state=${state}&limit=1`)
  return (answer as { total: number }).total
}
