import { join } from 'node:path'
import t from 'tap'
import { CallJoiner } from '../../src/app/call-joiner.ts'
import { CallRecords } from '../../src/app/call-records.ts'
import { CallRegistry, hungUpBy } from '../../src/calls/index.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { createLogger, silentLogger } from '../../src/shared/log.ts'
import { systemRandom } from '../../src/shared/random.ts'
import { parseEnvelope } from '../../src/webhooks/index.ts'
import { labConfig } from '../support/bridge-lab.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { emptyReport } from '../support/fake-media.ts'
import { fixture } from '../webhooks/support.ts'

const KEPT = { keep: 0, maxSize: 0, maxCalls: 0, push: undefined }

/** Records of a registry, in a folder; the thread is the real one. */
function lab(folder: string, log = silentLogger()) {
  const calls = new CallRegistry(new FakeClock(Date.UTC(2026, 10, 29, 8)))
  const config = labConfig({ records: { path: folder, secret: undefined, calls: KEPT } })
  const records = new CallRecords({ config, calls, clock: systemClock, random: systemRandom, log })
  const begin = (id: string, wacid?: string) =>
    calls.begin({
      id,
      direction: wacid === undefined ? 'business-initiated' : 'user-initiated',
      number: 'support',
      business: '+441632960123',
      consumer: '+33199001234',
      trunk: 'main',
      whatsapp: wacid === undefined ? {} : { wacid },
    })
  return { calls, records, begin }
}

t.test('the end, the figures and WhatsApp’s word are written, whenever they come', async (t) => {
  const { calls, records, begin } = lab(t.testdir({}))
  const call = begin('a', 'wacid.A')
  t.equal(await records.stored?.get('a'), undefined, 'not while it goes on')
  calls.tell('wacid.A', { createdAt: 5 })
  t.equal(await records.stored?.get('a'), undefined, 'nor what WhatsApp says of it meanwhile')
  call.end(hungUpBy('pbx'))
  t.match(await records.stored?.get('a'), { state: 'ended', whatsappReport: { createdAt: 5 } })
  call.complete(emptyReport(7))
  t.match(await records.stored?.get('a'), { report: { at: 7 }, whatsappReport: { createdAt: 5 } })
  calls.tell('wacid.A', { status: 'COMPLETED', duration: 12 })
  t.match(await records.stored?.get('a'), {
    report: { at: 7 },
    whatsappReport: { createdAt: 5, status: 'COMPLETED' },
    billing: { basis: 'webhook', seconds: 12 },
  })
  t.equal(await records.stored?.forget('+33199001234'), 1)
  t.equal(calls.record('a'), undefined, 'in memory too')
  await records.close()
})

t.test('webhooks find their call across a restart', async (t) => {
  const folder = t.testdir({})
  const [event] = parseEnvelope(JSON.parse(fixture('terminate-completed')))!.flatMap(({ event }) =>
    event?.kind === 'call' ? [event] : [],
  )
  const first = lab(folder)
  first.begin('a', event!.wacid).end(hungUpBy('pbx'))
  await first.records.close()

  const { calls, records } = lab(folder)
  const told = new Promise((resolve) => calls.subscribe({ told: ({ id }) => resolve(id) }))
  const clock = new FakeClock()
  const joiner = new CallJoiner({
    calls,
    stored: records,
    clock,
    log: silentLogger(),
    numberOf: () => 'support',
  })
  joiner.onCall(event!)
  t.same(joiner.counts(), { joined: 0, waiting: 1, unknown: 0 })
  t.equal(await told, 'a', 'events are told of it')
  t.match(await records.stored?.get('a'), { whatsappReport: { status: 'COMPLETED' } })
  await new Promise((resolve) => setImmediate(resolve))
  t.same(joiner.counts(), { joined: 1, waiting: 0, unknown: 0 })
  t.equal(clock.pending, 0)
  joiner.onCall({ ...event!, wacid: 'wacid.nobody' })
  t.equal(await records.tell('wacid.nobody', {}), false)
  t.same(joiner.counts(), { joined: 1, waiting: 1, unknown: 0 })
  joiner.stop()
  await records.close()
})

t.test('trouble is a warning with its fix, and stops no call', async (t) => {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  const log = createLogger({ level: 'info', numbers: 'full', destination })
  const { records, begin } = lab(join(t.testdir({ file: '' }), 'file', 'data'), log)
  begin('a').end(hungUpBy('pbx'))
  await t.rejects(records.stored!.count({}), { code: 'APP_RECORDS_UNUSABLE' })
  const [check] = records.checks()
  t.match(check, {
    component: 'records',
    id: 'calls',
    status: 'warn',
    ready: true,
    output: /^APP_RECORDS_UNUSABLE: .*; calls that wait: 1\. Correct records\.path/,
  })
  await records.close()
  t.match(records.checks()[0]?.output, 'APP_RECORDS_LOST: records lost since the start: 1.')
  const lost = records.metrics().find(({ name }) => name === 'records_lost')
  t.same(lost?.samples, [{ labels: {}, value: 1 }])
  t.equal(
    lines.filter((line) => line.includes('"msg":"the call history cannot be written"')).length,
    1,
  )
})

t.test('without a history there is nothing to ask', async (t) => {
  const calls = new CallRegistry(new FakeClock())
  const records = new CallRecords({
    config: labConfig(),
    calls,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger(),
  })
  t.equal(records.stored, undefined)
  t.same(records.checks(), [])
  t.equal(await records.tell('wacid.A', {}), false)
  t.ok(records.metrics().every(({ samples }) => samples.length === 0))
  await records.close()
})
