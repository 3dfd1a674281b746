import t from 'tap'
import { bridgeLab, settle } from '../support/bridge-lab.ts'

/** An answered business-initiated call and the two dialogs of it. */
async function answered() {
  const lab = await bridgeLab()
  const invite = lab.fromPbx()
  await settle()
  const out = lab.port.last!
  out.respond(200, 'OK', { body: 'a' })
  await settle()
  lab.inDialog('ACK', invite.madeDialog)
  const whatsapp = `${out.header('call-id')};from-tag=${/tag=(.*)/.exec(out.header('from')!)![1]}`
  return { ...lab, pbx: invite.madeDialog, whatsapp }
}

t.test('what the PBX asks in a call is answered on its leg alone', async (t) => {
  const lab = await answered()
  const sent = lab.port.sent.length
  const hold = lab.inDialog('INVITE', lab.pbx, { body: 'hold' })
  await settle()
  t.match(hold.last, {
    status: 200,
    body: 'reoffer(hold)',
    headers: { 'Content-Type': 'application/sdp' },
  })
  const offerless = lab.inDialog('INVITE', lab.pbx, { headers: { cseq: '7 INVITE' } })
  await settle()
  t.match(offerless.last, { status: 200, body: 'reoffer()' })
  lab.inDialog('ACK', lab.pbx, { headers: { cseq: '7 ACK' }, body: 'late' })
  await settle()
  t.equal(lab.media.asked.at(-1), 'acknowledge')
  const update = lab.inDialog('UPDATE', lab.pbx, { body: 'resume' })
  await settle()
  t.match(update.last, { status: 200, body: 'reoffer(resume)' })
  const refresh = lab.inDialog('UPDATE', lab.pbx)
  await settle()
  t.equal(refresh.last?.status, 200)
  t.equal(refresh.last?.body, undefined)
  for (const [method, status] of [
    ['INFO', 200],
    ['OPTIONS', 200],
    ['MESSAGE', 405],
    ['NOTIFY', 405],
    ['SUBSCRIBE', 405],
    ['FOO', 405],
    ['PRACK', 481],
  ] as const) {
    const request = lab.inDialog(method, lab.pbx)
    t.same(request.statuses, [status], method)
    if (status === 405) t.match(request.last?.headers?.['Allow'], /INVITE, ACK, BYE/)
  }
  t.equal(lab.port.sent.length, sent, 'WhatsApp heard of none of it')
  t.equal(lab.calls.size, 1)
})

t.test('a refused re-offer leaves the call as it was', async (t) => {
  const lab = await answered()
  const bad = lab.inDialog('INVITE', lab.pbx, { body: 'bad' })
  await settle()
  t.equal(bad.last?.status, 488)
  t.match(bad.last?.headers?.['Warning'], /bad sdp/)
  const required = lab.inDialog('INVITE', lab.pbx, {
    body: 'x',
    headers: { require: 'foo, timer' },
  })
  await settle()
  t.match(required.last, { status: 420, headers: { Unsupported: 'foo' } })
  t.equal(lab.calls.size, 1)
})

t.test('a second offer before the first is answered', async (t) => {
  const lab = await answered()
  const first = lab.inDialog('INVITE', lab.pbx, { body: 'one' })
  const second = lab.inDialog('UPDATE', lab.pbx, { body: 'two' })
  t.match(second.last, { status: 500, headers: { 'Retry-After': /^\d+$/ } })
  await settle()
  t.equal(first.last?.status, 200)
  const third = lab.inDialog('UPDATE', lab.pbx, { body: 'two' })
  await settle()
  t.equal(third.last?.status, 200)
})

t.test('WhatsApp asks for nothing but BYE', async (t) => {
  const lab = await answered()
  const sent = lab.port.sent.length
  for (const [method, status] of [
    ['INVITE', 488],
    ['OPTIONS', 200],
    ['INFO', 405],
    ['UPDATE', 405],
  ] as const) {
    t.same(lab.inDialog(method, lab.whatsapp).statuses, [status], method)
  }
  t.equal(lab.port.sent.length, sent)
  const reason =
    'SIP;cause=500;text="WhatsApp client terminated the call due to not receiving any media for a long time."'
  lab.inDialog('BYE', lab.whatsapp, { headers: { reason } })
  t.match(lab.port.last?.request, { method: 'BYE', headers: { Reason: reason } })
  t.equal(lab.calls.ended()[0]?.cause?.code, 'CALL_WHATSAPP_MEDIA_TIMEOUT')
})

t.test('BYEs the SIP server sends by itself end the other leg', async (t) => {
  for (const [text, code] of [
    ['ACK timeout', 'CALL_ACK_TIMEOUT'],
    ['Session timer expired', 'CALL_DIALOG_LOST'],
  ]) {
    const lab = await answered()
    const headers = { reason: `SIP;cause=200;text="${text}"` }
    const bye = lab.inDialog('BYE', lab.pbx, { local: true, headers })
    t.same(bye.statuses, [], 'nobody waits for an answer')
    t.match(lab.port.last?.request, { method: 'BYE', dialogId: lab.whatsapp })
    t.equal(lab.calls.ended()[0]?.cause?.code, code)
    t.equal(lab.media.open_, 0)
  }
})

t.test('an operator hangs up', async (t) => {
  const lab = await answered()
  const [call] = [...lab.calls.active()]
  t.notOk(lab.bridge.hangUp('nobody'))
  t.ok(lab.bridge.hangUp(call!.id))
  t.same(lab.port.methods, ['INVITE', 'BYE', 'BYE'])
  t.match(lab.port.last?.request, {
    dialogId: lab.pbx,
    headers: { Reason: /^Q\.850;cause=16;text="the call was hung up by an operator"$/ },
  })
  t.equal(lab.calls.ended()[0]?.cause?.code, 'CALL_ENDED_BY_OPERATOR')
  t.notOk(lab.bridge.hangUp(call!.id), 'once')
})
