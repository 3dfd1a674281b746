import t, { type Test } from 'tap'
import { until } from '../support/until.ts'
import {
  account,
  challenged,
  foreignToWhatsApp,
  MetaInvite,
  metaAnswer,
  metaBye,
  metaChallenge,
  metaVia,
  pbxAnswer,
  pbxBye,
  pbxInvite,
  pbxVia,
  userCall,
  userTalk,
} from './support/calls.ts'
import { ackFailure, cancelOf, Dialog } from './support/dialog.ts'
import { answerDigest } from './support/digest.ts'
import { type Lab, withLab } from './support/lab.ts'
import { response, Sip, tagOf } from './support/message.ts'

interface Listed {
  state: string
  cause?: { code: string; result: string }
}

async function calls(lab: Lab): Promise<Listed[]> {
  return ((await (await lab.http('/api/v1/calls')).json()) as { calls: Listed[] }).calls
}

/** Every call is over, the last one for this reason. */
async function over(t: Test, lab: Lab, code: string): Promise<void> {
  let all: Listed[] = []
  await until('the end of every call', async () => {
    all = await calls(lab)
    return all.every(({ state }) => state === 'ended')
  })
  t.same(
    all.filter(({ state }) => state !== 'ended'),
    [],
    'no call is left',
  )
  t.equal(all[0]?.cause?.code, code)
}

t.test('WhatsApp cancels, early and late', (t) =>
  withLab(t, {}, async (lab) => {
    const reason: [string, string][] = [['Reason', 'Q.850;cause=19;text="NO_ANSWER"']]

    const early = await userCall(lab)
    early.line.send(cancelOf(early.invite, reason))
    await lab.wa.inbox.take({ of: 'CANCEL', status: 200, callId: early.meta.callId })
    const gone = await lab.wa.inbox.take({ of: 'INVITE', status: 487, callId: early.meta.callId })
    early.line.send(ackFailure(early.invite, gone.sip))

    for (const first of ['100 Trying', '180 Ringing', '183 Session Progress'] as const) {
      const call = await userCall(lab)
      // The CANCEL above may have left an INVITE behind that was taken back before it was answered.
      const invite = await lab.pbx.inbox.take({
        method: 'INVITE',
        where: (sip) => sip.get('X-WhatsApp-Wacid') === call.meta.wacid,
      })
      const tag = 'ringing'
      const early = first.startsWith('183') ? { body: 'v=0\r\n' } : {}
      invite.reply(response(invite.sip, first, first.startsWith('100') ? {} : { tag, ...early }))
      if (!first.startsWith('100')) {
        const rings = await lab.wa.inbox.take({
          status: (s) => s > 100 && s < 200,
          callId: call.meta.callId,
        })
        t.equal(rings.sip.status, 180, 'no early media towards WhatsApp')
        t.equal(rings.sip.body, '')
        t.same(rings.sip.all('Record-Route'), call.invite.all('Record-Route'))
      }
      call.line.send(cancelOf(call.invite, reason))
      const cancel = await lab.pbx.inbox.take({ method: 'CANCEL', callId: invite.sip.callId })
      t.equal(cancel.sip.get('Via'), invite.sip.get('Via'), 'RFC 3261 §9.1')
      t.match(cancel.sip.get('Reason'), /NO_ANSWER/)
      cancel.reply(response(cancel.sip, '200 OK', { tag }))
      invite.reply(response(invite.sip, '487 Request Terminated', { tag }))
      await lab.pbx.inbox.take({ method: 'ACK', callId: invite.sip.callId })
      const end = await lab.wa.inbox.take({ of: 'INVITE', status: 487, callId: call.meta.callId })
      call.line.send(ackFailure(call.invite, end.sip))
      await over(t, lab, 'CALL_CANCELLED')
    }

    // The PBX's 200 and WhatsApp's CANCEL cross: the PBX is hung up again.
    const crossed = await userCall(lab)
    const invite = await lab.pbx.inbox.take({
      method: 'INVITE',
      where: (sip) => sip.get('X-WhatsApp-Wacid') === crossed.meta.wacid,
    })
    invite.reply(response(invite.sip, '180 Ringing', { tag: 'late' }))
    await lab.wa.inbox.take({ status: 180, callId: crossed.meta.callId })
    crossed.line.send(cancelOf(crossed.invite))
    const cancel = await lab.pbx.inbox.take({ method: 'CANCEL', callId: invite.sip.callId })
    const { dialog } = pbxAnswer(lab, invite)
    cancel.reply(response(cancel.sip, '200 OK', { tag: 'late' }))
    await lab.pbx.inbox.take({ method: 'ACK', callId: invite.sip.callId })
    const bye = await lab.pbx.inbox.take({ method: 'BYE', callId: invite.sip.callId })
    t.equal(tagOf(bye.sip.get('To')), tagOf(dialog.state.local))
    bye.reply(response(bye.sip, '200 OK'))
    await over(t, lab, 'CALL_CANCELLED')

    // CANCEL after the 200: too late, the call stands.
    const late = await userTalk(lab)
    late.line.send(cancelOf(late.invite))
    const answer = await lab.wa.inbox.take({ of: 'CANCEL', callId: late.meta.callId })
    t.ok([200, 481].includes(answer.sip.status))
    await metaBye(lab, late)
    await over(t, lab, 'NORMAL')
  }),
)

t.test('the PBX cancels, before and after each answer of WhatsApp', (t) =>
  withLab(t, {}, async (lab) => {
    const dial = (): Sip => {
      const invite = pbxInvite(lab)
      lab.pbx.send(lab.at.udp, invite.raw)
      return invite
    }
    const cancelled = async (invite: Sip): Promise<void> => {
      lab.pbx.send(lab.at.udp, cancelOf(invite))
      await lab.pbx.inbox.take({ of: 'CANCEL', status: 200, callId: invite.callId })
      const end = await lab.pbx.inbox.take({ of: 'INVITE', status: 487, callId: invite.callId })
      lab.pbx.send(lab.at.udp, ackFailure(invite, end.sip))
    }

    // Before WhatsApp has said anything, then it challenges: no second INVITE.
    const first = dial()
    const silent = await lab.wa.inbox.take({ method: 'INVITE' })
    await cancelled(first)
    t.equal(lab.wa.inbox.count({ method: 'CANCEL' }), 0, 'no CANCEL before a provisional (§9.1)')
    const headers: [string, string][] = [['Proxy-Authenticate', metaChallenge()]]
    silent.reply(response(silent.sip, '407 Proxy Authentication Required', { tag: 'a', headers }))
    await lab.wa.inbox.take({ method: 'ACK', callId: silent.sip.callId })
    await over(t, lab, 'CALL_CANCELLED')
    t.equal(lab.wa.inbox.count({ method: 'INVITE' }), 1)

    // After 100.
    for (const ring of ['100 Trying', '180 Ringing']) {
      const invite = dial()
      const arrived = await challenged(lab, await lab.wa.inbox.take({ method: 'INVITE' }))
      arrived.reply(response(arrived.sip, ring, { tag: 'r' }))
      if (ring.startsWith('180')) await lab.pbx.inbox.take({ status: 180, callId: invite.callId })
      await cancelled(invite)
      if (!ring.startsWith('180')) {
        // The provisional may be on its way still.
        arrived.reply(response(arrived.sip, '180 Ringing', { tag: 'r' }))
      }
      const cancel = await lab.wa.inbox.take({ method: 'CANCEL', callId: arrived.sip.callId })
      t.equal(cancel.sip.get('Via'), arrived.sip.get('Via'))
      t.equal(cancel.sip.get('Proxy-Authorization'), '')
      t.equal(cancel.sip.uri, arrived.sip.uri)
      cancel.reply(response(cancel.sip, '200 OK', { tag: 'r' }))
      arrived.reply(response(arrived.sip, '487 Request Terminated', { tag: 'r' }))
      await lab.wa.inbox.take({ method: 'ACK', callId: arrived.sip.callId })
      await over(t, lab, 'CALL_CANCELLED')
    }

    // WhatsApp's 200 crosses the CANCEL: acknowledged and hung up.
    const invite = dial()
    const arrived = await challenged(lab, await lab.wa.inbox.take({ method: 'INVITE' }))
    arrived.reply(response(arrived.sip, '180 Ringing', { tag: 'x' }))
    await lab.pbx.inbox.take({ status: 180, callId: invite.callId })
    await cancelled(invite)
    const cancel = await lab.wa.inbox.take({ method: 'CANCEL', callId: arrived.sip.callId })
    const dialog = metaAnswer(arrived, 'x')
    cancel.reply(response(cancel.sip, '200 OK', { tag: 'x' }))
    const ack = await lab.wa.inbox.take({ method: 'ACK', callId: arrived.sip.callId })
    t.equal(ack.sip.all('Route').length, 2)
    const bye = await lab.wa.inbox.take({ method: 'BYE', callId: arrived.sip.callId })
    t.equal(tagOf(bye.sip.get('To')), tagOf(dialog.state.local))
    bye.reply(response(bye.sip, '200 OK'))
    await over(t, lab, 'CALL_CANCELLED')
    t.same(foreignToWhatsApp(lab), [])
  }),
)

t.test('repetitions: INVITE, 200 and ACK', (t) =>
  withLab(t, {}, async (lab) => {
    // The PBX repeats its INVITE over UDP: one call.
    const invite = pbxInvite(lab)
    for (let i = 0; i < 3; i++) lab.pbx.send(lab.at.udp, invite.raw)
    const arrived = await challenged(lab, await lab.wa.inbox.take({ method: 'INVITE' }))
    const wa = metaAnswer(arrived)
    // WhatsApp repeats its 200, as it does without an ACK: each gets one.
    metaAnswer(arrived, tagOf(wa.state.local))
    await lab.wa.inbox.take({ method: 'ACK', callId: arrived.sip.callId })
    const { sip: answer } = await lab.pbx.inbox.take({ status: 200, callId: invite.callId })
    // The ACK of the PBX is lost: the 200 comes again (§13.3.1.4).
    const wanted = { status: 200, of: 'INVITE', callId: invite.callId }
    await until('a 200 without ACK is repeated', () => lab.pbx.inbox.count(wanted) >= 2)
    const pbx = Dialog.caller(invite, answer, pbxVia(lab))
    lab.pbx.send(lab.at.udp, pbx.ack())
    lab.pbx.send(lab.at.udp, pbx.ack())
    const acks = lab.wa.inbox
      .requests()
      .filter(
        ({ method, cseq, callId }) =>
          method === 'ACK' && callId === arrived.sip.callId && cseq === arrived.sip.cseq,
      )
    t.equal(acks.length, 2, 'each 200 is acknowledged')
    const line = await lab.wa.dial(lab.at.whatsapp)
    const talk = {
      wa,
      pbx,
      answer,
      arrived: arrived.sip,
      sendWa: line.send,
      sendPbx: (text: string) => lab.pbx.send(lab.at.udp, text),
    }
    await pbxBye(lab, talk)
    t.equal((await calls(lab)).length, 1)

    // The PBX repeats its 200 to WhatsApp's call, because our ACK was lost.
    const user = await userTalk(lab)
    const count = (): number =>
      lab.pbx.inbox.count({ method: 'ACK', callId: user.pbx.state.callId })
    const before = count()
    const original = lab.pbx.inbox.log.find(
      ({ sip }) => sip.method === 'INVITE' && sip.callId === user.pbx.state.callId,
    )!
    const contact = user.pbx.state.contact
    const tag = tagOf(user.pbx.state.local)
    original.reply(
      response(original.sip, '200 OK', { tag, headers: [['Contact', contact]], body: 'v=0\r\n' }),
    )
    await until('an ACK for the repetition', () => count() !== before)
    t.equal(count(), before + 1)
    await metaBye(lab, user)
  }),
)

t.test('WhatsApp hangs up before its ACK, and the PBX right after its 200', (t) =>
  withLab(t, {}, async (lab) => {
    const call = await userCall(lab)
    const invite = await lab.pbx.inbox.take({ method: 'INVITE' })
    pbxAnswer(lab, invite)
    const { sip: answer } = await lab.wa.inbox.take({ status: 200, callId: call.meta.callId })
    const wa = Dialog.caller(call.invite, answer, metaVia)
    wa.state.routes = []
    const number = wa.state.cseq
    call.line.send(wa.request('BYE'))
    call.line.send(wa.ack(number))
    await lab.wa.inbox.take({ of: 'BYE', status: 200, callId: call.meta.callId })
    const bye = await lab.pbx.inbox.take({ method: 'BYE', callId: invite.sip.callId })
    bye.reply(response(bye.sip, '200 OK'))
    await over(t, lab, 'NORMAL')

    const second = await userCall(lab)
    const again = await lab.pbx.inbox.take({ method: 'INVITE' })
    const { dialog } = pbxAnswer(lab, again)
    lab.pbx.send(lab.at.udp, dialog.request('BYE'))
    await lab.pbx.inbox.take({ of: 'BYE', status: 200, callId: again.sip.callId })
    const final = await lab.wa.inbox.take({
      of: 'INVITE',
      status: (s) => s >= 200,
      callId: second.meta.callId,
    })
    if (final.sip.status === 200) {
      const late = Dialog.caller(second.invite, final.sip, metaVia)
      late.state.routes = []
      second.line.send(late.ack())
      const end = await lab.wa.inbox.take({ method: 'BYE', callId: second.meta.callId })
      end.reply(response(end.sip, '200 OK'))
    } else second.line.send(ackFailure(second.invite, final.sip))
    await over(t, lab, 'NORMAL')
    t.same(foreignToWhatsApp(lab), [])
  }),
)

t.test('a connection of its own for every message, and none at all', (t) =>
  withLab(t, {}, async (lab) => {
    // The line of the INVITE breaks while the PBX rings: the answer takes another way or the call ends.
    const meta = new MetaInvite()
    const one = await lab.wa.dial(lab.at.whatsapp)
    const first = new Sip(meta.text())
    one.send(first.raw)
    const { sip: challenge } = await lab.wa.inbox.take({ status: 407, callId: meta.callId })
    const two = await lab.wa.dial(lab.at.whatsapp)
    two.send(ackFailure(first, challenge))
    one.socket.destroy()
    meta.cseq++
    const three = await lab.wa.dial(lab.at.whatsapp)
    const invite = new Sip(meta.text(answerDigest(challenge.get('Proxy-Authenticate'), account())))
    three.send(invite.raw)
    const arrived = await lab.pbx.inbox.take({ method: 'INVITE' })
    pbxAnswer(lab, arrived)
    const { sip: answer } = await lab.wa.inbox.take({ status: 200, callId: meta.callId })
    const wa = Dialog.caller(invite, answer, metaVia)
    wa.state.routes = []
    const four = await lab.wa.dial(lab.at.whatsapp)
    four.send(wa.ack())
    four.socket.end()
    const five = await lab.wa.dial(lab.at.whatsapp)
    five.send(wa.request('BYE'))
    await lab.wa.inbox.take({ of: 'BYE', status: 200, callId: meta.callId })
    const bye = await lab.pbx.inbox.take({ method: 'BYE', callId: arrived.sip.callId })
    bye.reply(response(bye.sip, '200 OK'))
    await over(t, lab, 'NORMAL')

    // WhatsApp's edge restarts in the middle of a call: the BYE makes a new connection.
    const talk = await userTalk(lab)
    lab.wa.hangLines()
    await pbxBye(lab, talk)
    await over(t, lab, 'NORMAL')
  }),
)
