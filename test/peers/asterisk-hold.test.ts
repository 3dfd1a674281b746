import t, { type Test } from 'tap'
import type { CallRecord } from '../../src/simulator/index.ts'
import {
  answered,
  controlled,
  hangUp,
  hears,
  nothingLeft,
  place,
  promised,
  recordOf,
  silent,
} from './support/asterisk-calls.ts'
import { type LabNumber, startAsteriskLab, TONE } from './support/asterisk-lab.ts'
import { answeredReinvites, answeredRequests, movedStreams } from './support/trace.ts'
import { until } from './support/until.ts'

const numbers: LabNumber[] = [
  { trunk: 'plain-opus' },
  { trunk: 'sdes-opus' },
  { trunk: 'webrtc-opus', srtp: 'DTLS' },
  { trunk: 'plain-pcma' },
  { trunk: 'sdes-pcma' },
  { trunk: 'webrtc-pcma', srtp: 'DTLS' },
  { trunk: 'direct' },
]
t.setTimeout(60_000)
const lab = await startAsteriskLab(t, numbers)
const { ari, asterisk } = lab

for (const [index, { trunk }] of numbers.entries()) {
  if (!trunk.endsWith('opus')) continue
  t.test(`${trunk}: Asterisk holds with a re-INVITE and sends nothing`, async (t) => {
    const call = place(lab, index, '612')
    await answered(t, call)
    const channel = await controlled(lab, call)
    const seen = call.messages.length
    const { held, resumed } = traced()
    await ari.request('POST', `/channels/${channel}/hold`)
    await until('the re-INVITE for hold is answered', held)
    await silent(t, call, 1500)
    t.match(await recordOf(lab, call), { report: { legs: { pbx: { held: true } } } })
    await ari.request('DELETE', `/channels/${channel}/hold`)
    await until('the re-INVITE to resume is answered', resumed)
    // From Stasis on to a tone.
    await ari.request('POST', `/channels/${channel}/continue`, {
      context: 'services',
      extension: '601',
      priority: '1',
    })
    await hears(t, call, TONE.service)
    t.match(await recordOf(lab, call), { report: { legs: { pbx: { held: false } } } })
    t.equal(call.messages.length, seen, 'WhatsApp saw no message of it')
    await ends(t, call)
  })
}

for (const [index, { trunk }] of numbers.entries()) {
  if (!trunk.endsWith('pcma')) continue
  t.test(`${trunk}: Asterisk plays its music on hold`, async (t) => {
    const call = place(lab, index, '611')
    await answered(t, call)
    const channel = await controlled(lab, call)
    await hears(t, call, TONE.service)
    for (let turn = 0; turn < 2; turn++) {
      await ari.request('POST', `/channels/${channel}/hold`)
      await hears(t, call, TONE.asteriskMusic, 800)
      await ari.request('DELETE', `/channels/${channel}/hold`)
      // The music ended the tone.
      await silent(t, call, 300)
    }
    await ends(t, call)
  })
}

t.test('media that moves to a phone of the PBX', async (t) => {
  asterisk.cli('pjsip set logger on')
  const before = movedStreams(asterisk.log)
  const call = place(lab, numbers.length - 1, '613')
  await answered(t, call)
  await until('Asterisk re-INVITEs', () => movedStreams(asterisk.log) > before)
  asterisk.cli('pjsip set logger off')
  await hears(t, call, TONE.second, 1000)
  t.match(await recordOf(lab, call), { report: { verdict: 'good', verdicts: [] } })
  await ends(t, call)
})

t.test('a re-INVITE that changes nothing', async (t) => {
  const call = place(lab, 0, '611')
  await answered(t, call)
  const channel = await controlled(lab, call)
  const { resumed } = traced()
  await ari.request('DELETE', `/channels/${channel}/hold`)
  await until('the re-INVITE is answered', resumed)
  await hears(t, call, TONE.service, 1000)
  await ends(t, call)
})

t.test('an UPDATE that tells of another name', async (t) => {
  asterisk.cli('pjsip set logger on')
  const call = place(lab, numbers.length - 1, '614')
  await answered(t, call)
  await until('the UPDATE is answered', () => answeredRequests(asterisk.log, 'UPDATE') === 1)
  asterisk.cli('pjsip set logger off')
  await hears(t, call, TONE.service)
  await ends(t, call)
})

/** Whether Asterisk has had a hold and a resumption answered since. */
function traced(): { held: () => boolean; resumed: () => boolean } {
  asterisk.cli('pjsip set logger on')
  const count = (direction: string): number => answeredReinvites(asterisk.log, direction)
  const before = { held: count('sendonly'), resumed: count('sendrecv') }
  return {
    held: () => count('sendonly') > before.held,
    resumed: () => count('sendrecv') > before.resumed,
  }
}

/** The consumer hangs up a call that broke no promise, and nothing stays. */
async function ends(t: Test, call: CallRecord): Promise<void> {
  hangUp(lab, call)
  await call.until(() => false)
  promised(t, call)
  const { report } = await recordOf(lab, call)
  t.same(report?.verdicts, [], 'Causeway finds nothing wrong')
  await nothingLeft(t, lab)
}
