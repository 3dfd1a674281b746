import t from 'tap'
import {
  answeredByPbx,
  answeredByWhatsApp,
  type BridgeLab,
  bare,
  bridgeLab,
  settle,
} from '../../support/bridge-lab.ts'

let cseq = 10
/** A re-INVITE; without a body it wants our offer. */
async function reinvite(lab: BridgeLab, dialogId: string, body = '') {
  const request = lab.inDialog('INVITE', dialogId, {
    body,
    headers: { cseq: `${++cseq} INVITE` },
  })
  await settle()
  return request
}

function ack(lab: BridgeLab, dialogId: string, body = '', number = cseq) {
  return lab.inDialog('ACK', dialogId, { body, headers: { cseq: `${number} ACK` } })
}

t.test('packets may go to WhatsApp once it has its answer, or its ACK', async (t) => {
  const user = await bridgeLab()
  const invite = user.fromWhatsApp()
  await settle()
  user.port.last!.respond(183, 'Session Progress', { body: 'early' })
  await settle()
  t.equal(user.media.last.started, 0)
  user.port.last!.respond(200, 'OK', { body: 'a' })
  await settle()
  t.same(invite.statuses, [180, 200])
  t.same(user.media.asked, ['offer whatsapp', 'early', 'answer pbx', 'start'])

  const business = await bridgeLab()
  await answeredByWhatsApp(business)
  t.same(business.media.asked, ['offer pbx', 'answer whatsapp', 'start'])
})

t.test('a CANCEL that was quicker than our 200 starts nothing', async (t) => {
  const lab = await bridgeLab()
  const invite = lab.fromWhatsApp()
  await settle()
  invite.gone = true
  lab.port.last!.respond(200, 'OK', { body: 'a' })
  await settle()
  t.equal(lab.media.last.started, 0)
  await bare(t, lab)
})

t.test('the PBX leaves the offer to us', async (t) => {
  const lab = await bridgeLab()
  const { invite, pbx } = await answeredByWhatsApp(lab, {
    body: '',
    headers: { cseq: '3 INVITE', 'content-type': '' },
  })
  t.match(invite.last, { status: 200, body: 'answer whatsapp(wa-answer)' })
  t.equal(lab.port.sent[0]!.request.body, 'offer pbx()')
  const update = lab.inDialog('UPDATE', pbx, { body: 'too soon' })
  t.same(update.statuses, [491], 'our offer waits')
  ack(lab, pbx, 'late-answer', 3)
  await settle()
  t.equal(lab.media.asked.at(-1), 'acknowledge')
  const hold = await reinvite(lab, pbx, 'hold')
  t.match(hold.last, { status: 200, body: 'reoffer(hold)' })
  lab.inDialog('BYE', pbx)
  await bare(t, lab)
})

t.test('no answer in the ACK, or one that cannot be used, ends the call', async (t) => {
  for (const [body, headers, code] of [
    ['', {}, 'CALL_ANSWER_MISSING'],
    ['bad', {}, 'CALL_OFFER_MISSING'],
    ['x', { 'content-type': 'text/plain' }, 'CALL_BODY_UNSUPPORTED'],
  ] as const) {
    const lab = await bridgeLab()
    const { pbx, whatsapp } = await answeredByWhatsApp(lab, {
      body: '',
      headers: { cseq: '3 INVITE' },
    })
    ack(lab, pbx, 'of another', 2)
    t.equal(lab.calls.size, 1)
    lab.inDialog('ACK', pbx, { body, headers: { cseq: '3 ACK', ...headers } })
    await settle()
    t.same(
      lab.port.sent.slice(1).map(({ request }) => [request.method, request.dialogId]),
      [
        ['BYE', whatsapp],
        ['BYE', pbx],
      ],
    )
    t.match(lab.port.last!.request.headers, { Reason: /^Q\.850;cause=\d+;text="/ })
    t.equal((await bare(t, lab)).cause?.code, code)
  }
})

t.test('a re-INVITE without an offer is answered with ours', async (t) => {
  const lab = await bridgeLab()
  const { pbx } = await answeredByPbx(lab)
  const asks = await reinvite(lab, pbx)
  t.match(asks.last, { status: 200, body: 'reoffer()', headers: { Supported: /replaces/ } })
  t.same((await reinvite(lab, pbx, 'glare')).statuses, [491])
  cseq--
  ack(lab, pbx, 'answer')
  await settle()
  t.equal(lab.media.asked.at(-1), 'acknowledge')
  ack(lab, pbx, 'again')
  t.equal((await reinvite(lab, pbx, 'next')).last?.status, 200)
  const cancelled = lab.inDialog('INVITE', pbx, { headers: { cseq: `${++cseq} INVITE` } })
  cancelled.gone = true
  await settle()
  t.equal((await reinvite(lab, pbx, 'after a CANCEL')).last?.status, 200, 'nothing is awaited')
  await reinvite(lab, pbx)
  ack(lab, pbx)
  await settle()
  t.equal(lab.calls.size, 1, 'an empty ACK after an answered call: what was agreed goes on')
  t.equal((await reinvite(lab, pbx, 'and the next offer is taken')).last?.status, 200)
  await reinvite(lab, pbx)
  ack(lab, pbx, 'bad')
  t.equal((await bare(t, lab)).cause?.code, 'CALL_OFFER_MISSING')
})

t.test('offers while another is being answered', async (t) => {
  const lab = await bridgeLab()
  const { pbx, whatsapp } = await answeredByPbx(lab)
  const open = lab.media.hold()
  const first = await reinvite(lab, pbx, 'one')
  for (const method of ['INVITE', 'UPDATE']) {
    const second = lab.inDialog(method, pbx, { body: 'two' })
    t.match(second.last, { status: 500, headers: { 'Retry-After': /^(\d|10)$/ } }, method)
  }
  t.same(lab.inDialog('UPDATE', pbx).statuses, [200], 'a refresh alone')
  open()
  await settle()
  t.equal(first.last?.body, 'reoffer(one)')
  lab.media.hold()
  const last = await reinvite(lab, pbx, 'three')
  const shut = lab.media.hold()
  lab.inDialog('BYE', whatsapp)
  shut()
  t.same(last.statuses, [])
  await bare(t, lab)
})

t.test('a call that ends while an offer is being answered', async (t) => {
  const lab = await bridgeLab()
  const { pbx, whatsapp } = await answeredByPbx(lab)
  const open = lab.media.hold()
  const pending = await reinvite(lab, pbx, 'one')
  lab.inDialog('BYE', whatsapp)
  t.equal(lab.port.last!.request.dialogId, pbx)
  open()
  await settle()
  t.same(pending.statuses, [487])
  await bare(t, lab)
})

t.test('a body that is not SDP', async (t) => {
  const lab = await bridgeLab()
  const { pbx } = await answeredByPbx(lab)
  const headers = { 'content-type': 'multipart/mixed' }
  const request = lab.inDialog('INVITE', pbx, { body: 'x', headers })
  t.match(request.last, { status: 415, headers: { Accept: 'application/sdp' } })
  const invite = lab.fromPbx({ headers })
  await settle()
  t.match(invite.last, { status: 415, headers: { Warning: /CALL_BODY_UNSUPPORTED/ } })
})

t.test('a PBX that demands reliable ringing', async (t) => {
  const lab = await bridgeLab()
  const invite = lab.fromPbx({ headers: { require: '100rel', cseq: '1 INVITE' } })
  await settle()
  lab.port.last!.respond(180, 'Ringing')
  t.match(invite.last, { status: 180, headers: { Require: '100rel' } })
  const early = (method: string, body = '') => lab.inDialog(method, invite.madeDialog, { body })
  t.same(early('PRACK').statuses, [200])
  t.same(early('PRACK').statuses, [481], 'once')
  t.same(early('UPDATE').statuses, [200])
  t.match(early('UPDATE', 'x').last, { status: 500, headers: { 'Retry-After': '5' } })
  t.same(early('INFO').statuses, [481])
  lab.port.last!.respond(200, 'OK', { body: 'a' })
  await settle()
  t.equal(invite.last?.status, 200)
  t.same(early('PRACK').statuses, [481])
  lab.inDialog('BYE', invite.madeDialog)
  await bare(t, lab)
})

t.test('the PRACK comes after the answer', async (t) => {
  const lab = await bridgeLab()
  const invite = lab.fromPbx({ headers: { require: '100rel' } })
  await settle()
  lab.port.last!.respond(180, 'Ringing')
  lab.port.last!.respond(200, 'OK', { body: 'a' })
  await settle()
  t.same(lab.inDialog('PRACK', invite.madeDialog).statuses, [200])
  t.same(lab.inDialog('PRACK', invite.madeDialog).statuses, [481])
})

t.test('an early dialog leaves nothing behind', async (t) => {
  for (const end of ['cancel', 'refused', 'hung up'] as const) {
    const lab = await bridgeLab()
    const invite = lab.fromPbx({ headers: { require: '100rel' } })
    await settle()
    lab.port.last!.respond(180, 'Ringing')
    if (end === 'cancel') invite.cancel()
    else if (end === 'refused') lab.port.last!.respond(486, 'Busy')
    else lab.bridge.hangUp([...lab.calls.active()][0]!.id)
    await bare(t, lab)
  }
})

t.test('reliable ringing for a PBX that wants our offer would have to bring it', async (t) => {
  const lab = await bridgeLab()
  const invite = lab.fromPbx({ body: '', headers: { require: '100rel', cseq: '1 INVITE' } })
  await settle()
  lab.port.last!.respond(180, 'Ringing')
  t.same(invite.statuses, [])
  lab.port.last!.respond(200, 'OK', { body: 'a' })
  await settle()
  t.same(invite.statuses, [200])
})
