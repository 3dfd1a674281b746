import { existsSync, readFileSync } from 'node:fs'
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
  type LabTrunk,
  startGeneratedLab,
} from './support/generated-lab.ts'
import { until } from './support/until.ts'
import { toneSpan } from './support/wav.ts'

/** Milliseconds the tone of Asterisk is heard by the consumer. */
const TALK = 700
/** Trunks that are tried at a time. */
const AT_ONCE = 3

const KEYINGS: GeneratedTrunk['srtp'][] = ['none', 'sdes', 'dtls']
const TRANSPORTS: GeneratedTrunk['transport'][] = ['udp', 'tcp', 'tls']

type Mode = GeneratedTrunk['mode']

/** Each of the transports with this way of SRTP. */
function trunksOf(mode: Mode, srtp: GeneratedTrunk['srtp'], transports = TRANSPORTS) {
  return transports.map((transport) => ({ mode, transport, srtp }))
}

// By address over TLS Causeway has another address for each trunk, and one --host is for one of them. An
// Asterisk that registers is known by where it did: each transport is a place of its own, and no more.
const labs: Record<string, GeneratedTrunk[]> = {
  'by address': KEYINGS.flatMap((srtp) => trunksOf('address', srtp, ['udp', 'tcp'])),
}
for (const srtp of KEYINGS) {
  labs[`by address over TLS, ${srtp}`] = trunksOf('address', srtp, ['tls'])
  const registered = (['causeway registers', 'asterisk registers'] as const).flatMap((mode) =>
    trunksOf(mode, srtp),
  )
  labs[`by registration, ${srtp}`] = registered
}
const table: string[] = []

t.setTimeout(280_000)

for (const [name, trunks] of Object.entries(labs)) {
  t.test(name, async (t) => {
    t.setTimeout(90_000)
    const lab = await startGeneratedLab(t, trunks)
    t.jobs = AT_ONCE
    await Promise.all(lab.trunks.map((trunk, index) => tryTrunk(t, lab, trunk, index)))
    const [trunk] = lab.trunks
    await refused(t, lab, trunk!)
    await nothingLeft(t, lab)
    const log = readFileSync(lab.asterisk.log, 'utf8')
    t.match(log, /"WhatsApp call wacid\.\S+ from \+33199\d+ to \+44\d+"/, 'headers are variables')
  })
}

t.teardown(() => {
  t.comment('trunk | from WhatsApp: ms heard there, here | to WhatsApp: the same | verdict')
  for (const row of table.sort()) t.comment(row)
})

/** A call each way. */
function tryTrunk(t: Test, lab: GeneratedLab, trunk: LabTrunk, index: number): Promise<unknown> {
  const { mode, transport, srtp, number } = trunk
  return t.test(`${mode}, ${transport}, ${srtp}`, { buffered: true }, async (t) => {
    const consumer = (way: number): string => `+33199${1000 + index}00${way}`
    const incoming = lab.simulator.sip.placeCall({ from: consumer(1), to: number })
    const there = await talks(t, lab, trunk, incoming)
    const back = await talks(t, lab, trunk, await dial(lab, trunk, consumer(2)))
    table.push([mode, transport, srtp, there, back, t.passing() ? 'good' : 'BAD'].join(' | '))
  })
}

/** A phone of Asterisk dials a consumer in its own way; the consumer picks up. */
async function dial(
  { simulator, ari }: GeneratedLab,
  { name, number }: LabTrunk,
  consumer: string,
): Promise<CallRecord> {
  simulator.store.grantPermission(simulator.store.lookupNumberByPhone(number)!, consumer, true)
  simulator.sip.consumers.update(consumer, { script: { action: 'answer', after: 100 } })
  const digits = consumer.slice(1)
  const coming = simulator.sip.calls.next((call) => call.consumer === digits)
  await ari.request('POST', '/channels', {
    endpoint: `Local/00${digits}@to-whatsapp-${name}/n`,
    context: 'services',
    extension: `talk-${digits}`,
    callerId: '1001',
  })
  return await coming
}

/** A consumer who has given no permission: the dialplan gets to know why. */
async function refused(t: Test, lab: GeneratedLab, { name }: LabTrunk): Promise<void> {
  await lab.ari
    .request('POST', '/channels', {
      endpoint: `Local/0033199009999@to-whatsapp-${name}/n`,
      context: 'services',
      extension: 'talk-refused',
    })
    .catch(() => undefined)
  const told = /"WhatsApp \+33199009999: CHANUNAVAIL, cause 21, SIP 403 \S+"/
  const log = (): string => readFileSync(lab.asterisk.log, 'utf8')
  await until('the dialplan has the cause', () => /"WhatsApp \+33199009999: /.test(log()))
  t.match(log(), told)
}

/** Both sides hear each other; Causeway has nothing to complain of. Says what was heard. */
async function talks(
  t: Test,
  lab: GeneratedLab,
  { name, srtp, number }: LabTrunk,
  call: CallRecord,
): Promise<string> {
  await answered(t, call)
  await hears(t, call, TONE.service, TALK)
  lab.simulator.sip.hangup(call.id)
  await call.until(() => false)
  promised(t, call)
  const record = await recordOf(lab, call)
  t.match(record, { trunk: name, business: number })
  t.match(record.report, { verdict: 'good', verdicts: [], legs: { pbx: { srtp: { mode: srtp } } } })
  const file = join(lab.asterisk.spool, `heard-${call.consumer}.wav`)
  const there = (): number => (existsSync(file) ? toneSpan(file, TONE.consumer).heard : 0)
  await until('Asterisk has recorded the consumer', () => there() > 0)
  t.pass(`Asterisk heard the consumer for ${there()} ms`)
  return `${there()}, ${heard(call, TONE.service)}`
}
