import t from 'tap'
import type { PbxCall } from '../../src/simulator/toy-pbx/index.ts'
import { until } from '../support/until.ts'
import { startLab, type WholeLab } from '../support/whole-lab.ts'
import { HOUR } from './support.ts'

const NUMBERS = { sdes: { srtp: 'SDES' } } as const
const CONSUMER = '+33199001234'

/** Calls the consumer; gives the call once it is over or answered. */
async function call(lab: WholeLab, consumer = CONSUMER): Promise<PbxCall> {
  const pbx = lab.pbx.call(consumer, { from: lab.phoneNumber('sdes') })
  await until('the end of the setup', () => pbx.state !== 'ringing')
  return pbx
}

const numberOf = (lab: WholeLab) =>
  lab.simulator.store.lookupNumberByPhone(lab.phoneNumber('sdes'))!

t.test('from no permission to a call, through a request the consumer accepts', async (t) => {
  const lab = await startLab(t, {
    numbers: NUMBERS,
    permissions: { mode: 'request', text: 'May we call you?' },
  })
  const { simulator, instance } = lab
  const replies: Record<string, unknown>[] = []
  simulator.store.onWebhook(({ value }) => void replies.push(value))
  simulator.graph.setPermissionReply(() => undefined)

  const asked = await call(lab)
  t.equal(asked.status, 480)
  t.match(
    asked.headers['warning'],
    /^399 sip\.example\.com "CALL_PERMISSION_REQUESTED: request sent"/,
  )
  t.match(asked.headers['reason'], /^Q\.850;cause=31;/)
  const again = await call(lab)
  t.equal(again.status, 403)
  t.match(
    again.headers['warning'],
    /"CALL_PERMISSION_REQUEST_LIMIT: 1 of 1 in 24 hours, free again/,
  )
  t.equal(simulator.store.limits(numberOf(lab), CONSUMER).requests[0]!.current_usage, 1)
  t.same(simulator.sip.calls.all(), [], 'no INVITE has left')

  simulator.store.grantPermission(numberOf(lab), CONSUMER, false)
  const reply = {
    phoneNumberId: numberOf(lab).phoneNumberId,
    consumers: ['33199001234'],
    response: 'accept' as const,
    permanent: false,
    expires: Date.now() + HOUR,
    at: Date.now(),
  }
  t.ok(instance.calling.applyReply(reply))
  simulator.sip.consumers.update(CONSUMER, { script: { action: 'answer', after: 50 } })
  const talk = await call(lab)
  t.equal(talk.state, 'answered')
  talk.hangup()
  await lab.nothingHeld(t)
  t.equal(await lab.metric('permission_checks{number="sdes",result="allowed"}'), 1)
  t.equal(await lab.metric('permission_requests{number="sdes",result="sent"}'), 1)
  t.equal(await lab.metric('pickup_ratio{number="sdes"}'), 1)
})

t.test('what the number may not do is refused before any INVITE', async (t) => {
  const lab = await startLab(t, { numbers: NUMBERS, permissions: 'check' })
  const { simulator, instance } = lab
  const number = numberOf(lab)
  const denied = await call(lab)
  t.equal(denied.status, 403)
  t.match(denied.headers['warning'], /"CALL_WHATSAPP_NO_PERMISSION: call_permissions says none"/)

  number.calling.other['call_hours'] = {
    status: 'ENABLED',
    timezone_id: 'Europe/Paris',
    weekly_operating_hours: [{ day_of_week: 'MONDAY', open_time: '0900', close_time: '1700' }],
    // Closed whenever this test runs: the days around now have no hours at all.
    holiday_schedule: [-1, 0, 1].map((days) => ({
      date: new Date(Date.now() + days * 24 * HOUR).toISOString().slice(0, 10),
      start_time: '0000',
      end_time: '0000',
    })),
  }
  await instance.settings.refresh('sdes')
  const closed = await call(lab)
  t.equal(closed.status, 480)
  t.match(closed.headers['warning'], /"CALL_OUTSIDE_HOURS: opens at .*Z, hours of Europe\/Paris"/)

  const at = Date.now()
  const event = {
    phoneNumber: lab.phoneNumber('sdes'),
    kind: 'restriction' as const,
    type: 'RESTRICTED_BUSINESS_INITIATED_CALLING',
    expires: at + HOUR,
    remediation: undefined,
    at,
  }
  t.ok(instance.calling.applyAccountEvent(event))
  const paused = await call(lab)
  t.equal(paused.status, 403)
  t.match(paused.headers['reason'], /^Q\.850;cause=52;/)
  t.match(paused.headers['warning'], /"CALL_WHATSAPP_PAUSED: until /)
  t.match(
    instance.operations.checks().find(({ component }) => component === 'calling'),
    { id: 'sdes', status: 'warn', ready: true, output: /CALL_WHATSAPP_PAUSED: .* until 20.*Z; / },
  )
  t.same(simulator.sip.calls.all(), [], 'no INVITE has left')
  await lab.nothingHeld(t)
})

t.test('a Graph API that is gone keeps no call back', async (t) => {
  const lab = await startLab(t, { numbers: NUMBERS, permissions: 'check' })
  const { simulator } = lab
  simulator.store.grantPermission(numberOf(lab), CONSUMER, true)
  simulator.sip.consumers.update(CONSUMER, { script: { action: 'answer', after: 50 } })
  await simulator.graph.stop()
  const talk = await call(lab)
  t.equal(talk.state, 'answered')
  talk.hangup()
  t.equal(await lab.metric('permission_checks{number="sdes",result="unchecked"}'), 1)
  await lab.nothingHeld(t)
})
