import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { CallRecord } from '../../src/simulator/index.ts'
import type { Ari, AriEvent } from './support/ari.ts'
import { type Lab, startLab } from './support/lab.ts'
import { answeredReinvites, sessionTimers } from './support/trace.ts'
import { until } from './support/until.ts'
import { toneMilliseconds } from './support/wav.ts'

/** The voice of a consumer, and of Asterisk, in Hz. */
const CONSUMER = 440
const ASTERISK = 600

let callers = 1001

const lab = await startLab(t, ['listen', 'echo', 'busy', 'no-answer', 'unknown', 'controlled'])
const { simulator, asterisk, ari } = lab
await until('the numbers are set up', async () => {
  const state = (await lab.causeway.get('/healthz')) as { status: string }
  return state.status === 'pass'
})

t.test('a WhatsApp user calls the echo extension and hears itself', async (t) => {
  const call = place(lab, 'echo')
  await answered(t, call)
  await hears(t, call, CONSUMER)
  simulator.sip.hangup(call.id)
  await until('the channel is gone', () => channels() === 0)
  obeyed(t, call)
})

t.test('Asterisk calls a WhatsApp user; each hears the other', async (t) => {
  const consumer = '+33199002001'
  allow(lab, consumer)
  const channel = await originate(ari, consumer, 'listen')
  const call = await incoming(lab, consumer)
  await answered(t, call)
  await hears(t, call, ASTERISK)
  simulator.sip.hangup(call.id)
  const { cause } = await destroyed(ari, channel)
  // Asterisk says 0 after a BYE without a Reason.
  t.equal(cause, 16, 'normal clearing')
  const heard = toneMilliseconds(join(asterisk.spool, 'heard.wav'), CONSUMER)
  t.ok(heard > 300, `Asterisk heard the user for ${heard} ms`)
  obeyed(t, call)
})

t.test('hold and resume from Asterisk leave WhatsApp untouched', async (t) => {
  const call = place(lab, 'controlled')
  await answered(t, call)
  const { channel } = await ari.event('StasisStart', ({ type }) => type === 'StasisStart')
  await hears(t, call, ASTERISK)
  const before = call.messages.length
  asterisk.cli('pjsip set logger on')
  await ari.request('POST', `/channels/${channel!.id}/hold`)
  await until(
    'the re-INVITE for hold is answered',
    () => answeredReinvites(asterisk.log, 'sendonly') === 1,
  )
  await ari.request('DELETE', `/channels/${channel!.id}/hold`)
  await until(
    'the re-INVITE to resume is answered',
    () => answeredReinvites(asterisk.log, 'sendrecv') === 1,
  )
  asterisk.cli('pjsip set logger off')
  await hears(t, call, ASTERISK)
  t.equal(call.state, 'answered', 'the call is still up')
  t.equal(call.messages.length, before, 'WhatsApp saw no message of it')
  await ari.request('DELETE', `/channels/${channel!.id}`)
  await call.until(() => false)
  t.match(call.outcome, { by: 'business', reason: 'hung up' })
  obeyed(t, call)
})

t.test('Asterisk takes the session timer it is offered, and refreshes', async (t) => {
  asterisk.cli('pjsip set logger on')
  const call = place(lab, 'echo')
  await answered(t, call)
  await until('the 200 is in the log', () => sessionTimers(asterisk.log).length > 0)
  asterisk.cli('pjsip set logger off')
  t.same(sessionTimers(asterisk.log), ['600;refresher=uas'])
  await hears(t, call, CONSUMER)
  simulator.sip.hangup(call.id)
  await until('the channel is gone', () => channels() === 0)
  obeyed(t, call)
})

t.test('busy, no answer and an unknown extension reach WhatsApp as what they are', async (t) => {
  const outcomes = [
    { extension: 'busy', status: 486 },
    { extension: 'no-answer', status: 480 },
    { extension: 'unknown', status: 404 },
  ]
  await Promise.all(
    outcomes.map(async ({ extension, status }) => {
      const call = place(lab, extension)
      await call.until(() => false)
      t.equal(call.outcome?.status, status, extension)
      t.same(call.violations, [], `${extension}: WhatsApp's rules were kept`)
    }),
  )
  await until('no channel is left in Asterisk', () => channels() === 0)
})

t.test(
  'a declined, an unanswered and a forbidden call reach Asterisk as what they are',
  async (t) => {
    const outcomes = [
      { consumer: '+33199003001', action: 'decline' as const, allowed: true, cause: 17 },
      { consumer: '+33199003002', action: 'unanswered' as const, allowed: true, cause: 19 },
      { consumer: '+33199003003', action: 'answer' as const, allowed: false, cause: 21 },
    ]
    await Promise.all(
      outcomes.map(async ({ consumer, action, allowed, cause }) => {
        if (allowed) allow(lab, consumer)
        simulator.sip.consumers.update(consumer, { script: { action, after: 1000 } })
        const channel = await originate(ari, consumer, 'listen')
        t.equal((await destroyed(ari, channel)).cause, cause, `${action}, allowed: ${allowed}`)
      }),
    )
  },
)

t.test('nothing is left', async (t) => {
  t.equal(channels(), 0, 'in Asterisk')
  const metrics = await lab.causeway.metrics()
  for (const direction of ['user-initiated', 'business-initiated']) {
    t.equal(metrics.get(`causeway_calls_active{direction="${direction}"}`), 0, direction)
  }
  t.equal(metrics.get('causeway_sip_dialogs'), 0, 'dialogs')
})

/** A consumer of its own calls the number of an extension. */
function place({ simulator, numberOf }: Lab, extension: string): CallRecord {
  return simulator.sip.placeCall({ from: `+3319900${callers++}`, to: numberOf(extension) })
}

/** Gives the business the permission to call. */
function allow({ simulator }: Lab, consumer: string): void {
  simulator.store.grantPermission(simulator.store.numbers[0]!, consumer, true)
}

/** Asterisk calls a consumer; on the answer it runs an extension of its own. Returns the channel. */
async function originate(ari: Ari, consumer: string, extension: string): Promise<string> {
  const channel = await ari.request('POST', '/channels', {
    endpoint: `PJSIP/${consumer}@trunk`,
    context: 'from-trunk',
    extension,
    callerId: '1001',
  })
  return (channel as { id: string }).id
}

/** The simulator's record of the call Asterisk made. */
async function incoming({ simulator }: Lab, consumer: string): Promise<CallRecord> {
  const fits = (call: CallRecord): boolean => call.consumer === consumer.slice(1)
  return simulator.sip.calls.all().find(fits) ?? simulator.sip.calls.next(fits)
}

async function answered(t: Test, call: CallRecord): Promise<void> {
  await call.until(({ state }) => state === 'answered')
  t.equal(call.state, 'answered', `answered ${call.outcome?.reason ?? ''}`)
}

/** Half a second more of a tone than was heard before reaches the consumer. */
async function hears(t: Test, call: CallRecord, frequency: number): Promise<void> {
  const heard = (): number => {
    const tone = call.view().media?.received.tone
    return tone?.frequency === frequency ? tone.ms : 0
  }
  const before = heard()
  await until(`the consumer hears ${frequency} Hz`, () => heard() >= before + 500)
  t.pass(`the consumer hears ${frequency} Hz`)
}

/** No rule of WhatsApp's was broken but those Asterisk's media breaks, which nobody stands before here. */
function obeyed(t: Test, call: CallRecord): void {
  const broken = call.violations.filter(({ rule }) => !MEDIA.includes(rule))
  t.same(broken, [], "WhatsApp's rules were kept")
}

const MEDIA = ['first-packet', 'ssrc', 'sequence', 'timestamp']

function destroyed(ari: Ari, channel: string): Promise<AriEvent> {
  const fits = (event: AriEvent): boolean =>
    event.type === 'ChannelDestroyed' && event.channel?.id === channel
  return ari.event('the channel ends', fits)
}

/** Channels in Asterisk. */
function channels(): number {
  return Number(/^(\d+) active channel/m.exec(asterisk.cli('core show channels count'))?.[1] ?? -1)
}
