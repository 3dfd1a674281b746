import { globSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { CallRecord } from '../../src/simulator/index.ts'
import {
  answered,
  heard,
  hears,
  nothingLeft,
  promised,
  recordOf,
} from './support/asterisk-calls.ts'
import { TONE } from './support/asterisk-lab.ts'
import {
  type GeneratedLab,
  type GeneratedTrunk,
  startGeneratedLab,
} from './support/generated-lab.ts'
import { toneSpan } from './support/wav.ts'

/** Milliseconds the tone of each side is heard by the other. */
const TALK = 700
/** Labs at a time. */
const AT_ONCE = 3

const modes = ['address', 'causeway registers', 'asterisk registers'] as const
const rows: GeneratedTrunk[] = modes.flatMap((mode) =>
  (['udp', 'tcp', 'tls'] as const).flatMap((transport) =>
    (['none', 'sdes', 'dtls'] as const).map((srtp) => ({ mode, transport, srtp })),
  ),
)
const table: string[] = []

t.jobs = AT_ONCE
t.setTimeout(280_000)

for (const trunk of rows) {
  const { mode, transport, srtp } = trunk
  t.test(`${mode}, ${transport}, ${srtp}`, { buffered: true }, async (t) => {
    t.setTimeout(90_000)
    const began = performance.now()
    const lab = await startGeneratedLab(t, trunk)
    const incoming = lab.simulator.sip.placeCall({ from: '+33199001001', to: lab.numbers[0]! })
    const spoken = [
      await talks(t, lab, trunk, incoming),
      await talks(t, lab, trunk, await dial(lab, '0033199001002')),
    ]
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    table.push(
      [mode, transport, srtp, ...spoken, t.passing() ? 'good' : 'BAD', seconds].join(' | '),
    )
  })
}

t.teardown(() => {
  t.comment(
    'mode | transport | SRTP | from WhatsApp: heard there, here | to WhatsApp | verdict | s',
  )
  for (const row of table.sort()) t.comment(row)
})

/** A phone of Asterisk dials a consumer in its own way; the consumer picks up. */
async function dial(
  { simulator, ari, numbers }: GeneratedLab,
  dialled: string,
): Promise<CallRecord> {
  const consumer = `+${dialled.slice(2)}`
  simulator.store.grantPermission(simulator.store.lookupNumberByPhone(numbers[0]!)!, consumer, true)
  simulator.sip.consumers.update(consumer, { script: { action: 'answer', after: 100 } })
  const coming = simulator.sip.calls.next((call) => call.consumer === consumer.slice(1))
  await ari.request('POST', '/channels', {
    endpoint: `Local/${dialled}@phones/n`,
    context: 'services',
    extension: 'talk',
    callerId: '1001',
  })
  return await coming
}

/** Both sides hear each other; Causeway has nothing to complain of. Says what was heard. */
async function talks(
  t: Test,
  lab: GeneratedLab,
  { srtp }: GeneratedTrunk,
  call: CallRecord,
): Promise<string> {
  await answered(t, call)
  await hears(t, call, TONE.service, TALK)
  lab.simulator.sip.hangup(call.id)
  await call.until(() => false)
  promised(t, call)
  const record = await recordOf(lab, call)
  t.match(record.report, { verdict: 'good', verdicts: [], legs: { pbx: { srtp: { mode: srtp } } } })
  await nothingLeft(t, lab)
  const [file] = globSync(join(lab.asterisk.spool, 'heard-*.wav'))
  const { heard: there } = toneSpan(file!, TONE.consumer)
  rmSync(file!)
  t.ok(there > 0, `Asterisk heard the consumer for ${there} ms`)
  return `${there}, ${heard(call, TONE.service)}`
}
