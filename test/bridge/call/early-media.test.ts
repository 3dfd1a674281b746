import t from 'tap'
import { bare, bridgeLab, settle } from '../../support/bridge-lab.ts'
import { numberConfig } from '../../support/configs.ts'

const inbound = { ...numberConfig().inbound!, earlyMedia: true }

async function ringing(earlyMedia = true) {
  const numbers = [numberConfig({ inbound: { ...inbound, earlyMedia } })]
  const lab = await bridgeLab({ numbers })
  const invite = lab.fromWhatsApp()
  await settle()
  return { ...lab, lab, invite, sent: lab.port.last! }
}

t.test('early media reaches WhatsApp where the number has it', async (t) => {
  const lab = await ringing()
  lab.sent.respond(180, 'Ringing')
  t.same(lab.invite.statuses, [180])
  lab.sent.respond(183, 'Session Progress', { body: 'one' })
  await settle()
  t.match(lab.invite.last, {
    status: 183,
    body: 'early(one)',
    headers: { 'Content-Type': 'application/sdp', Contact: /sip\.example\.com/ },
  })
  t.equal(lab.media.last.started, 1, 'media may flow')
  lab.sent.respond(183, 'Session Progress', { body: 'one' })
  await settle()
  t.same(lab.invite.statuses, [180, 183], 'once')
  lab.sent.respond(180, 'Ringing')
  t.same(lab.invite.statuses, [180, 183])
  lab.sent.respond(200, 'OK', { body: 'two' })
  await settle()
  t.match(lab.invite.last, { status: 200, body: 'answer pbx(two)' }, "the 200's description counts")
  t.equal([...lab.calls.active()][0]!.state, 'answered')
})

t.test('early descriptions are taken one after the other, and before the answer', async (t) => {
  const lab = await ringing()
  const open = lab.media.hold()
  lab.sent.respond(183, 'Session Progress', { body: 'one' })
  lab.sent.respond(183, 'Session Progress', { body: 'two' })
  lab.sent.respond(200, 'OK', { body: 'three' })
  await settle()
  t.same(lab.media.asked, ['offer whatsapp', 'early'])
  open()
  await settle()
  t.same(
    lab.media.asked.filter((what) => what !== 'start'),
    ['offer whatsapp', 'early', 'early', 'answer pbx'],
  )
  t.same(lab.invite.statuses, [183, 183, 200])
})

t.test('otherwise it rings', async (t) => {
  const off = await ringing(false)
  off.sent.respond(183, 'Session Progress', { body: 'one' })
  t.same(off.invite.statuses, [180])
  await settle()
  t.same(off.invite.statuses, [180])
  t.equal(off.media.last.started, 0)

  const refused = await ringing()
  refused.sent.respond(183, 'Session Progress', { body: 'bad' })
  await settle()
  t.same(refused.invite.statuses, [180])
  refused.sent.respond(200, 'OK', { body: 'good' })
  await settle()
  t.same(refused.invite.statuses, [180, 200])
})

t.test('reliable provisional responses are acknowledged, and may bring the answer', async (t) => {
  const lab = await ringing(false)
  t.match(lab.sent.header('supported'), '100rel')
  lab.sent.respond(183, 'Session Progress', { headers: { rseq: '1' }, body: 'one' })
  t.equal(lab.sent.acked, 1)
  lab.sent.respond(180, 'Ringing')
  t.equal(lab.sent.acked, 1)
  lab.sent.respond(200, 'OK')
  await settle()
  t.match(lab.invite.last, { status: 200, body: 'answer pbx(one)' })
})

t.test('the PBX updates its early dialog', async (t) => {
  const lab = await ringing(false)
  const { madeDialog } = lab.sent
  lab.sent.respond(183, 'Session Progress', { headers: { rseq: '1' }, body: 'one' })
  const update = lab.inDialog('UPDATE', madeDialog, { body: 'two' })
  await settle()
  t.match(update.last, { status: 200, body: 'reoffer(two)' })
  const bad = lab.inDialog('UPDATE', madeDialog, { body: 'bad' })
  await settle()
  t.equal(bad.last?.status, 488)
  t.same(lab.inDialog('UPDATE', madeDialog).statuses, [200])
  t.same(lab.inDialog('INFO', madeDialog).statuses, [481])
  t.same(lab.inDialog('ACK', madeDialog).statuses, [], 'an ACK is never answered')
  lab.invite.cancel()
  t.same(lab.inDialog('UPDATE', madeDialog).statuses, [481])
  lab.sent.respond(183, 'Session Progress', { headers: { rseq: '2' } })
  t.equal(lab.sent.acked, 2, 'also while it is being cancelled')
  lab.sent.respond(487, 'Request Terminated')
  await bare(t, lab.lab)
})

t.test('what an UPDATE has changed, the 200 does not change back', async (t) => {
  const lab = await ringing(false)
  lab.sent.respond(183, 'Session Progress', { headers: { rseq: '1' }, body: 'one' })
  const open = lab.media.hold()
  lab.inDialog('UPDATE', lab.sent.madeDialog, { body: 'two' })
  lab.sent.respond(200, 'OK', { body: 'again' })
  const hold = lab.inDialog('INVITE', lab.sent.madeDialog, { body: 'three' })
  open()
  await settle()
  t.equal(lab.invite.last?.body, 'answer pbx(one)', 'RFC 3261 §13.2.1')
  t.equal(hold.last?.body, 'reoffer(three)')
  t.same(lab.media.asked.filter((what) => what !== 'start').slice(1), [
    'early',
    'reoffer',
    'answer pbx',
    'reoffer',
  ])
})

t.test('a cancelled call sends no early media', async (t) => {
  const lab = await ringing()
  const open = lab.media.hold()
  lab.sent.respond(183, 'Session Progress', { body: 'one' })
  lab.invite.cancel()
  open()
  await settle()
  t.same(lab.invite.statuses, [])
  await bare(t, lab.lab)
})
