import t from 'tap'
import { type BridgeLab, bare, bridgeLab, settle } from '../../support/bridge-lab.ts'
import { numberConfig, overflowTo, trunkConfig } from '../../support/configs.ts'

const target = (host: string) => ({
  uri: `sip:${host}:5060;transport=udp`,
  host,
  port: 5060,
  transport: 'udp' as const,
  weight: 1,
})

async function calling(overflow: string | undefined, announcement = '/wait.wav') {
  const inbound = {
    ...numberConfig().inbound!,
    overflow: overflow === undefined ? [] : overflowTo(overflow, 20_000),
    announcement,
    ringTimeout: 20_000,
  }
  const lab = await bridgeLab({
    numbers: [numberConfig({ inbound })],
    trunks: [trunkConfig(), trunkConfig({ name: 'backup', targets: [target('10.0.0.20')] })],
  })
  const invite = lab.fromWhatsApp()
  await settle()
  return { ...lab, lab, invite, first: lab.port.last! }
}

const played = (lab: BridgeLab) =>
  lab.media.last.emit({ type: 'played', leg: 'whatsapp', file: '/wait.wav' })

const LOOP = 'play whatsapp /wait.wav loop'
const ONCE = 'play whatsapp /wait.wav'

t.test('the caller hears it while the overflow trunk rings, then the PBX', async (t) => {
  const lab = await calling('backup')
  lab.first.respond(180, 'Ringing')
  lab.clock.advance(20_000)
  await settle()
  t.ok(lab.first.cancelled)
  t.match(lab.invite.last, { status: 200, body: 'answerAlone()' })
  t.same(lab.media.asked, ['offer whatsapp', 'answerAlone', 'start', LOOP, 'retarget'])
  const second = lab.port.last!
  t.match(second.request, { uri: /10\.0\.0\.20/, body: 'retarget(backup)' })
  const call = [...lab.calls.active()][0]!
  lab.inDialog('ACK', lab.invite.madeDialog)
  second.respond(180, 'Ringing')
  t.equal(call.state, 'ringing', 'nobody has answered it yet')
  second.respond(200, 'OK', { body: 'pbx' })
  await settle()
  t.same(lab.media.asked.slice(5), ['answer pbx', 'play whatsapp nothing'])
  t.same(lab.invite.statuses, [180, 200], 'one answer')
  t.equal(call.state, 'answered')
  t.equal(call.trunk, 'backup')
  lab.inDialog('BYE', second.madeDialog)
  t.equal(lab.port.last!.request.dialogId, lab.invite.madeDialog)
  t.equal((await bare(t, lab.lab)).cause?.code, 'NORMAL')
})

t.test('the PBX answers before the announcement has begun', async (t) => {
  const lab = await calling('backup')
  lab.first.respond(500, 'Server Error')
  await settle()
  const open = lab.media.hold()
  lab.port.last!.respond(200, 'OK', { body: 'pbx' })
  open()
  await settle()
  t.equal([...lab.calls.active()][0]!.state, 'answered')
  t.equal(lab.media.asked.at(-1), 'play whatsapp nothing')
})

t.test('nobody answers: it is heard once, then the call ends', async (t) => {
  for (const overflow of [undefined, 'backup']) {
    const lab = await calling(overflow)
    lab.clock.advance(20_000)
    await settle()
    if (overflow) {
      lab.port.last!.respond(486, 'Busy Here')
      await settle()
    }
    t.equal(lab.media.asked.at(-1), ONCE)
    t.same(lab.invite.statuses, [200])
    t.equal(lab.calls.size, 1)
    played(lab.lab)
    t.match(lab.port.last!.request, {
      method: 'BYE',
      dialogId: lab.invite.madeDialog,
      headers: {},
    })
    t.match((await bare(t, lab.lab)).cause, {
      code: 'CALL_ANNOUNCED',
      result: 'unanswered',
      text: overflow ? '486 Busy Here' : 'nothing within 20 s',
    })
  }
})

t.test('the caller hangs up meanwhile', async (t) => {
  const while1 = await calling('backup')
  while1.clock.advance(20_000)
  await settle()
  const second = while1.port.last!
  t.same(while1.inDialog('BYE', while1.invite.madeDialog).statuses, [200])
  t.ok(second.cancelled)
  t.match((await bare(t, while1.lab)).cause, { code: 'CALL_CANCELLED', result: 'cancelled' })

  const after = await calling(undefined)
  after.first.respond(404, 'Not Found')
  await settle()
  after.inDialog('BYE', after.invite.madeDialog)
  t.match((await bare(t, after.lab)).cause, { code: 'CALL_ANNOUNCED', result: 'unanswered' })
})

t.test('the caller cancels before it is answered for the announcement', async (t) => {
  const lab = await calling(undefined)
  const open = lab.media.hold()
  lab.first.respond(404, 'Not Found')
  lab.invite.cancel()
  open()
  await settle()
  t.same(lab.invite.statuses, [])
  await bare(t, lab.lab)

  const crossed = await calling(undefined)
  crossed.invite.gone = true
  crossed.first.respond(404, 'Not Found')
  await settle()
  t.equal((await bare(t, crossed.lab)).cause?.code, 'CALL_CANCELLED')
})

t.test('an operator, or the loss of media, ends it', async (t) => {
  const lab = await calling('backup')
  lab.clock.advance(20_000)
  await settle()
  const second = lab.port.last!
  lab.bridge.hangUp([...lab.calls.active()][0]!.id)
  t.ok(second.cancelled)
  t.equal(lab.port.last!.request.dialogId, lab.invite.madeDialog)
  t.equal((await bare(t, lab.lab)).cause?.code, 'CALL_ENDED_BY_OPERATOR')
})

t.test('an announcement that cannot be heard', async (t) => {
  const media = await calling(undefined)
  media.media.refuse['answerAlone'] = 'MEDIA_DTLS_WHATSAPP'
  media.first.respond(404, 'Not Found')
  await settle()
  t.same(media.invite.statuses, [404])
  t.equal((await bare(t, media.lab)).cause?.code, 'CALL_PBX_NUMBER_UNKNOWN')

  const ringing = await calling('backup')
  ringing.media.refuse['answerAlone'] = 'MEDIA_DTLS_WHATSAPP'
  ringing.first.respond(404, 'Not Found')
  await settle()
  ringing.port.last!.respond(200, 'OK', { body: 'pbx' })
  await settle()
  t.match(ringing.invite.last, { status: 200, body: 'answer pbx(pbx)' })

  const file = await calling(undefined, 'missing')
  file.first.respond(404, 'Not Found')
  await settle()
  t.same(file.invite.statuses, [200])
  t.equal(file.port.last!.request.method, 'BYE')
  t.equal((await bare(t, file.lab)).cause?.code, 'CALL_PBX_NUMBER_UNKNOWN')

  const endless = await calling(undefined)
  endless.first.respond(404, 'Not Found')
  await settle()
  endless.clock.advance(600_000)
  t.equal((await bare(t, endless.lab)).cause?.code, 'CALL_ANNOUNCED')
})
