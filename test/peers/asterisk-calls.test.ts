import t from 'tap'
import type { CallRecord } from '../../src/simulator/index.ts'
import {
  answered,
  hangUp,
  heard,
  hears,
  nothingLeft,
  originate,
  place,
  promised,
  recordOf,
} from './support/asterisk-calls.ts'
import { type LabNumber, startAsteriskLab, TONE } from './support/asterisk-lab.ts'
import { until } from './support/until.ts'

const numbers: LabNumber[] = [
  { trunk: 'plain-opus' },
  { trunk: 'plain-pcma' },
  { trunk: 'sdes-opus' },
  { trunk: 'webrtc-pcma', srtp: 'DTLS' },
  { trunk: 'plain-opus', earlyMedia: true },
]
const EARLY = 4
t.setTimeout(120_000)
const lab = await startAsteriskLab(t, numbers)
const { simulator, ari, asterisk } = lab

for (const [index, { trunk, earlyMedia }] of numbers.entries()) {
  if (earlyMedia) continue
  t.test(`${trunk}: digits that Asterisk collects and says back`, async (t) => {
    const call = place(lab, index, '609')
    await answered(t, call)
    await until('the consumer may speak', () => (call.view().media?.sent.packets ?? 0) > 10)
    simulator.sip.dtmf(call.id, '53*1')
    const digits = (): string => {
      const { received } = call.view().media!
      return received.digits.map(({ digit }) => digit).join('')
    }
    await until('the digits come back', () => digits() === '53*1')
    await call.until(() => false)
    t.match(call.outcome, { by: 'business', reason: 'hung up' })
    for (const digit of call.view().media!.received.digits) {
      t.ok(
        digit.duration >= 100 && digit.duration <= 250,
        `${digit.digit} lasted ${digit.duration} ms`,
      )
    }
    promised(t, call)
    const { report } = await recordOf(lab, call)
    t.same(
      report?.dtmf.map(({ side, digit }) => `${side} ${digit}`),
      ['5', '3', '*', '1']
        .flatMap((digit) => `whatsapp ${digit}`)
        .concat(['5', '3', '*', '1'].map((digit) => `pbx ${digit}`)),
      'the report has them',
    )
    await nothingLeft(t, lab)
  })
}

t.test('a tone before the answer that WhatsApp does not get', async (t) => {
  const call = place(lab, 0, '608')
  await answered(t, call)
  await hears(t, call, TONE.service)
  t.equal(heard(call, TONE.early), 0, 'nothing of it')
  hangUp(lab, call)
  await call.until(() => false)
  promised(t, call)
  await nothingLeft(t, lab)
})

t.test('a tone before the answer that WhatsApp gets', async (t) => {
  simulator.sip.change({ earlyMedia: 'accept' })
  const call = place(lab, EARLY, '608')
  await answered(t, call)
  await hears(t, call, TONE.service)
  t.ok(heard(call, TONE.early) > 1500, `${heard(call, TONE.early)} ms of it`)
  simulator.sip.change({ earlyMedia: 'refuse' })
  hangUp(lab, call)
  await call.until(() => false)
  promised(t, call)
  await nothingLeft(t, lab)
})

t.test('calls that Asterisk refuses', async (t) => {
  const outcomes = [
    { service: '603', status: 486 },
    { service: '604', status: 480 },
    { service: '605', status: 503 },
    { service: '606', status: 480 },
    { service: '699', status: 404 },
  ]
  await Promise.all(
    outcomes.map(async ({ service, status }) => {
      const call = place(lab, 0, service)
      await call.until(() => false)
      t.equal(call.outcome?.status, status, service)
      t.same(call.violations, [], `${service}: WhatsApp's rules were kept`)
    }),
  )
  await nothingLeft(t, lab)
})

t.test('calls that Asterisk ends, and that end while they ring', async (t) => {
  const ended = place(lab, 1, '607')
  const cancelled = place(lab, 2, '604')
  await answered(t, ended)
  hangUp(lab, cancelled)
  await Promise.all([ended, cancelled].map((call) => call.until(() => false)))
  t.match(ended.outcome, { by: 'business', reason: 'hung up' })
  t.match(cancelled.outcome, { by: 'consumer' })
  promised(t, ended)
  await nothingLeft(t, lab)
})

t.test('Asterisk dies in the middle of calls', async (t) => {
  const calls: CallRecord[] = await Promise.all([
    ...numbers.slice(0, 4).map(async (_, index) => place(lab, index, '611')),
    originate(lab, { trunk: 'plain-pcma', number: 1, service: '601' }).then(({ call }) => call),
  ])
  for (const call of calls) await answered(t, call)
  await Promise.all(calls.map((call) => hears(t, call, TONE.service)))
  const ringing = place(lab, 2, '604')
  await ringing.until(({ state }) => state === 'ringing')
  ari.close()
  await asterisk.kill()
  await until('Causeway says that the PBX is silent', async () => {
    const records = await Promise.all(calls.map((call) => recordOf(lab, call)))
    return records.every(({ verdicts }) => verdicts.some((v) => v.code === 'MEDIA_SILENT_PBX'))
  })
  await ringing.until(() => false)
  t.equal(ringing.outcome?.status, 480, 'the call that rang ends as unanswered')
  for (const call of calls) {
    t.equal(call.state, 'answered', "silence keeps WhatsApp's leg up")
    hangUp(lab, call)
    await call.until(() => false)
    promised(t, call)
  }
  // A BYE that nobody answers is given up after 32 s (RFC 3261 §17.1.2.2, timer F).
  await nothingLeft(t, lab, 40_000)
})
