import t, { type Test } from 'tap'
import type { CallRecord } from '../../src/simulator/index.ts'
import {
  answered,
  arrows,
  controlled,
  hangUp,
  hears,
  nothingLeft,
  place,
  promised,
  recordOf,
} from './support/asterisk-calls.ts'
import { type LabNumber, startAsteriskLab, TONE } from './support/asterisk-lab.ts'

const numbers: LabNumber[] = [
  { trunk: 'plain-opus' },
  { trunk: 'sdes-pcma' },
  { trunk: 'webrtc-opus', srtp: 'DTLS' },
  { trunk: 'switchboard' },
]
const PLAIN = 0
const HOSTS = ['127.0.0.11', '127.0.0.14', '127.0.0.15', '127.0.0.12']
t.setTimeout(60_000)
const lab = await startAsteriskLab(t, numbers, { holdMusic: true })
const { ari, asterisk } = lab

for (const [index, { trunk }] of numbers.entries()) {
  const codec = trunk === 'switchboard' ? ', which speaks another codec' : ''
  t.test(`${trunk}: a blind transfer to another extension${codec}`, async (t) => {
    const call = place(lab, index, '611')
    await answered(t, call)
    const channel = await controlled(lab, call)
    await hears(t, call, TONE.service)
    const before = await recordOf(lab, call)
    await refer(channel, `sip:602@${HOSTS[index]}:${asterisk.sipPort}`)
    await hears(t, call, TONE.second, 1000)
    const after = await recordOf(lab, call)
    t.ok(arrows(after).includes('in REFER'), 'by REFER')
    t.equal(before.media?.codec.pbx === after.media?.codec.pbx, codec === '', 'the codec')
    await ends(t, call)
  })
}

t.test('a transfer to a busy extension: the former one goes on', async (t) => {
  const call = place(lab, PLAIN, '611')
  await answered(t, call)
  const channel = await controlled(lab, call)
  await hears(t, call, TONE.service)
  await refer(channel, `sip:603@127.0.0.11:${asterisk.sipPort}`)
  await hears(t, call, TONE.service, 1000)
  t.ok(arrows(await recordOf(lab, call)).includes('out NOTIFY 486 Busy Here'), 'Asterisk is told')
  await ends(t, call)
})

t.test('an attended transfer: REFER with Replaces', async (t) => {
  const call = place(lab, PLAIN, '611')
  await answered(t, call)
  const channel = await controlled(lab, call)
  await hears(t, call, TONE.service)
  // The consultation call: Asterisk to a phone of its own, which takes it over to the WhatsApp user.
  const { id } = (await ari.request('POST', '/channels', {
    endpoint: 'PJSIP/602@phone',
    app: 'tester',
  })) as { id: string }
  await ari.event(
    'the phone answers',
    ({ type, channel }) => type === 'StasisStart' && channel?.id === id,
  )
  const [callId, local, remote] = await Promise.all(
    ['call-id', 'local_tag', 'remote_tag'].map((what) => variable(id, `CHANNEL(pjsip,${what})`)),
  )
  const replaces = encodeURIComponent(`${callId};to-tag=${remote};from-tag=${local}`)
  await refer(channel, `sip:602@127.0.0.11:${asterisk.sipPort}?Replaces=${replaces}`)
  await hears(t, call, TONE.second, 1000)
  t.ok(arrows(await recordOf(lab, call)).includes('out NOTIFY 200 OK'), 'Asterisk is told')
  await ends(t, call)
})

t.test('an attended transfer: INVITE with Replaces', async (t) => {
  const call = place(lab, PLAIN, '611')
  await answered(t, call)
  const channel = await controlled(lab, call)
  await hears(t, call, TONE.service)
  const [callId, local, remote] = await Promise.all(
    ['call-id', 'local_tag', 'remote_tag'].map((what) =>
      variable(channel, `CHANNEL(pjsip,${what})`),
    ),
  )
  const globals = {
    REPLACES: `${callId};to-tag=${remote};from-tag=${local}`,
    CONSUMER: `+${call.consumer}`,
    TRUNK: 'plain-opus',
  }
  for (const [name, value] of Object.entries(globals)) {
    await ari.request('POST', '/asterisk/variable', { variable: name, value })
  }
  await ari.request('POST', '/channels', {
    endpoint: 'Local/take-over@services',
    context: 'services',
    extension: '615',
    priority: '1',
  })
  await hears(t, call, TONE.second, 1000)
  t.ok(arrows(await recordOf(lab, call)).includes('in INVITE with Replaces'))
  await ends(t, call)
})

/** Asterisk sends REFER. */
async function refer(channel: string, to: string): Promise<void> {
  await ari.request('POST', `/channels/${channel}/redirect`, { endpoint: `PJSIP/${to}` })
}

async function variable(channel: string, name: string): Promise<string> {
  const answer = await ari.request('GET', `/channels/${channel}/variable`, { variable: name })
  return (answer as { value: string }).value
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
