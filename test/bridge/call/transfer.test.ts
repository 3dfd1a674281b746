import t from 'tap'
import {
  answeredByPbx,
  answeredByWhatsApp,
  type BridgeLab,
  bare,
  bridgeLab,
  labConfig,
  settle,
} from '../../support/bridge-lab.ts'
import { numberConfig, trunkConfig } from '../../support/configs.ts'
import type { FakeRequest, FakeSent } from '../../support/fake-sip-port.ts'

const REFER_TO = '<sip:202@10.0.0.9>'

/** The PBX sends a REFER; gives the INVITE that follows, once media is there. */
async function refer(lab: BridgeLab, dialogId: string, headers: Record<string, string> = {}) {
  const request = lab.inDialog('REFER', dialogId, {
    headers: { 'refer-to': REFER_TO, cseq: '5 REFER', ...headers },
  })
  await settle()
  const invite = lab.port.sent.findLast((sent) => sent.request.method === 'INVITE')!
  return { request, invite }
}

/** Bodies and states of the NOTIFYs so far. */
function notified(lab: BridgeLab): string[] {
  return lab.port.sent
    .filter(({ request }) => request.method === 'NOTIFY')
    .map((sent) => `${sent.request.body?.trim()} ${sent.header('subscription-state')}`)
}

/** What was sent since, as method and dialog. */
function sentSince(lab: BridgeLab, count: number): [string, string | undefined][] {
  return lab.port.sent.slice(count).map(({ request }) => [request.method, request.dialogId])
}

const TRYING = 'SIP/2.0 100 Trying active;expires=180'
const final = (status: string) => `SIP/2.0 ${status} terminated;reason=noresource`

t.test('a blind transfer: the new leg takes over, the old one is hung up', async (t) => {
  const lab = await bridgeLab()
  const { pbx, whatsapp, sent: first } = await answeredByPbx(lab)
  const { request, invite } = await refer(lab, pbx, { 'referred-by': '<sip:200@10.0.0.9>' })
  t.match(request.last, { status: 202, headers: { 'Refer-Sub': undefined } })
  t.match(invite.request, {
    uri: 'sip:202@10.0.0.9:5060;transport=udp',
    body: 'replace()',
    headers: {
      From: /^"Zoé" <sip:\+33199001234@localhost>;tag=/,
      'P-Asserted-Identity': /\+33199001234/,
      'Referred-By': '<sip:200@10.0.0.9>',
      'X-WhatsApp-Wacid': 'wacid.1',
    },
  })
  t.not(invite.header('call-id'), first.header('call-id'))
  t.same(notified(lab), [TRYING])
  t.match(lab.port.sent.find(({ request }) => request.method === 'NOTIFY')!.request, {
    dialogId: pbx,
    headers: { Event: 'refer', 'Content-Type': 'message/sipfrag;version=2.0' },
  })
  invite.respond(180, 'Ringing')
  const count = lab.port.sent.length
  invite.respond(200, 'OK', { body: 'new-answer' })
  t.equal(invite.acked, 1)
  await settle()
  t.same(lab.media.asked.slice(-2), ['replace', 'commit'])
  t.same(sentSince(lab, count), [
    ['NOTIFY', pbx],
    ['BYE', pbx],
  ])
  t.same(notified(lab), [TRYING, final('200 OK')])
  t.same(lab.inDialog('BYE', pbx).statuses, [200], 'BYEs that cross')
  t.equal(lab.calls.size, 1)
  const hold = lab.inDialog('INVITE', invite.madeDialog, { body: 'hold' })
  await settle()
  t.equal(hold.last?.body, 'reoffer(hold)', 'the new leg is the call now')
  lab.inDialog('BYE', invite.madeDialog)
  t.same(lab.port.last!.request.dialogId, whatsapp)
  const record = await bare(t, lab)
  t.match(record.cause, { code: 'NORMAL', owner: 'pbx' })
  t.same(
    record.ladder.filter(({ leg }) => leg === 'whatsapp').map(({ what }) => what),
    ['INVITE', '200 OK', 'ACK', 'BYE'],
  )
})

t.test('the party that transfers hangs up first', async (t) => {
  const media = { ...labConfig().media, holdMusic: '/moh.wav' }
  for (const [status, answer] of [
    [200, 'new'],
    [486, ''],
  ] as const) {
    const lab = await bridgeLab({ media })
    const { pbx, whatsapp } = await answeredByPbx(lab)
    const { invite } = await refer(lab, pbx)
    t.same(lab.inDialog('BYE', pbx).statuses, [200])
    t.equal(lab.calls.size, 1, 'the call goes on')
    t.equal(lab.media.asked.at(-1), 'play whatsapp /moh.wav loop')
    t.same(lab.inDialog('INVITE', pbx, { body: 'x' }).statuses, [481])
    const count = lab.port.sent.length
    invite.respond(status, 'X', { body: answer })
    await settle()
    if (status === 200) {
      t.same(sentSince(lab, count), [], 'no NOTIFY and no BYE into a dialog that is gone')
      t.equal(lab.media.asked.at(-1), 'play whatsapp nothing')
      lab.inDialog('BYE', whatsapp)
      t.same(sentSince(lab, count), [['BYE', invite.madeDialog]])
      t.equal((await bare(t, lab)).cause?.code, 'NORMAL')
    } else {
      t.same(sentSince(lab, count), [['BYE', whatsapp]])
      t.match((await bare(t, lab)).cause, {
        code: 'CALL_TRANSFER_FAILED',
        result: 'failed',
        text: '486 X',
      })
    }
  }
})

t.test('the target does not take the call: the old leg goes on', async (t) => {
  const lab = await bridgeLab()
  const { pbx } = await answeredByPbx(lab)
  const { invite } = await refer(lab, pbx)
  invite.respond(486, 'Busy Here')
  await settle()
  t.same(notified(lab), [TRYING, final('486 Busy Here')])
  t.equal(lab.media.asked.at(-1), 'abandon')
  t.equal(lab.calls.size, 1)
  const again = await refer(lab, pbx, { cseq: '6 REFER' })
  t.equal(again.request.last?.status, 202, 'another attempt')
  t.equal(lab.port.last!.request.method, 'INVITE')
  t.equal(
    lab.port.sent.findLast(({ request }) => request.method === 'NOTIFY')!.header('event'),
    'refer;id=6',
  )
  lab.clock.advance(45_000)
  await settle()
  t.ok(again.invite.cancelled)
  t.same(notified(lab).at(-1), final('408 Request Timeout'))
  again.invite.respond(200, 'OK', { body: 'late' })
  t.equal(lab.port.last!.request.method, 'BYE', 'an answer that crosses the CANCEL')
  t.equal(lab.port.last!.request.dialogId, again.invite.madeDialog)
  lab.inDialog('BYE', pbx)
  await bare(t, lab)
})

t.test('an answer that cannot be used', async (t) => {
  const lab = await bridgeLab()
  const { pbx } = await answeredByPbx(lab)
  const { invite } = await refer(lab, pbx)
  invite.respond(200, 'OK', { body: 'bad' })
  await settle()
  t.same(notified(lab), [TRYING, final('488 an INVITE without an SDP offer')])
  t.equal(lab.port.last!.request.dialogId, invite.madeDialog)
  t.equal(lab.calls.size, 1)
  lab.inDialog('BYE', pbx)
  await bare(t, lab)
})

t.test('the call ends while it is being transferred', async (t) => {
  for (const moment of ['ringing', 'answered'] as const) {
    const lab = await bridgeLab()
    const { pbx, whatsapp } = await answeredByPbx(lab)
    const { invite } = await refer(lab, pbx)
    invite.respond(180, 'Ringing')
    const open = moment === 'answered' ? lab.media.hold() : () => {}
    if (moment === 'answered') invite.respond(200, 'OK', { body: 'new' })
    const count = lab.port.sent.length
    lab.inDialog('BYE', whatsapp)
    open()
    await settle()
    t.same(notified(lab).at(-1), final('487 Request Terminated'))
    if (moment === 'ringing') {
      t.match(invite.cancelled, { Reason: /cause=16/ })
      t.same(sentSince(lab, count), [
        ['NOTIFY', pbx],
        ['BYE', pbx],
      ])
      invite.respond(200, 'OK', { body: 'crosses' })
      t.same(lab.port.last!.request.dialogId, invite.madeDialog)
    } else {
      t.same(sentSince(lab, count), [
        ['NOTIFY', pbx],
        ['BYE', pbx],
        ['BYE', invite.madeDialog],
      ])
    }
    t.match((await bare(t, lab)).cause, { code: 'NORMAL', owner: 'whatsapp' })
  }
})

t.test('BYEs while the new leg is being connected', async (t) => {
  for (const order of ['old', 'new', 'both'] as const) {
    const lab = await bridgeLab()
    const { pbx, whatsapp } = await answeredByPbx(lab)
    const { invite } = await refer(lab, pbx)
    const open = lab.media.hold()
    invite.respond(200, 'OK', { body: 'new' })
    if (order !== 'new') t.same(lab.inDialog('BYE', pbx).statuses, [200])
    if (order !== 'old') t.same(lab.inDialog('BYE', invite.madeDialog).statuses, [200])
    t.equal(lab.calls.size, 1)
    open()
    await settle()
    t.equal(lab.calls.size, order === 'old' ? 1 : 0)
    if (order === 'old') lab.inDialog('BYE', whatsapp)
    await bare(t, lab)
  }
})

t.test('the call ends while media for the new leg is being made', async (t) => {
  const lab = await bridgeLab()
  const { pbx } = await answeredByPbx(lab)
  const open = lab.media.hold()
  const { request } = await refer(lab, pbx)
  t.same(request.statuses, [])
  lab.inDialog('BYE', pbx)
  t.equal(lab.calls.size, 0, 'nothing was accepted: the BYE ends the call')
  open()
  await settle()
  t.same(request.statuses.length, 1)
  t.ok(request.last!.status >= 400)
  await bare(t, lab)
})

t.test('WhatsApp hangs up before the REFER is answered: nothing is notified', async (t) => {
  const lab = await bridgeLab()
  const { pbx, whatsapp } = await answeredByPbx(lab)
  const open = lab.media.hold()
  const { request } = await refer(lab, pbx)
  lab.inDialog('BYE', whatsapp)
  open()
  await settle()
  t.same(request.statuses, [487])
  t.same(notified(lab), [], 'there is no subscription')
  await bare(t, lab)
})

t.test('the PBX renegotiates the old leg meanwhile', async (t) => {
  const lab = await bridgeLab()
  const { pbx } = await answeredByPbx(lab)
  const { invite } = await refer(lab, pbx)
  const hold = lab.inDialog('INVITE', pbx, { body: 'hold' })
  await settle()
  t.equal(hold.last?.body, 'reoffer(hold)')
  const open = lab.media.hold()
  const crossing = lab.inDialog('INVITE', pbx, { body: 'crossing' })
  invite.respond(200, 'OK', { body: 'new' })
  open()
  await settle()
  t.equal(crossing.responses.length, 1, 'answered one way or the other')
  t.equal(lab.port.last!.request.dialogId, pbx)
  lab.inDialog('BYE', invite.madeDialog)
  await bare(t, lab)
})

t.test('what is refused', async (t) => {
  const lab = await bridgeLab()
  const { pbx, whatsapp } = await answeredByPbx(lab)
  const table: [Record<string, string>, number, string][] = [
    [{ 'refer-to': '' }, 400, 'CALL_REFER_INVALID'],
    [{ 'refer-to': '<sip:1@h>, <sip:2@h>' }, 400, 'CALL_REFER_INVALID'],
    [{ 'refer-to': '<sip:202@10.0.0.9;method=BYE>' }, 603, 'CALL_REFER_FORBIDDEN'],
    [{ 'refer-to': '<sip:elsewhere.example>' }, 603, 'CALL_REFER_FORBIDDEN'],
    [{ require: 'multiple-refer' }, 420, 'CALL_EXTENSION_UNSUPPORTED'],
  ]
  for (const [headers, status, code] of table) {
    const { request } = await refer(lab, pbx, headers)
    t.match(request.last, { status, headers: { Warning: new RegExp(code) } }, code)
  }
  t.same(lab.inDialog('REFER', whatsapp).statuses, [405])
  await refer(lab, pbx)
  const second = await refer(lab, pbx)
  t.match(second.request.last, { status: 491, headers: { Warning: /CALL_TRANSFER_PENDING/ } })
  lab.bridge.hangUp([...lab.calls.active()][0]!.id)
  await bare(t, lab)
})

t.test('no media for the new leg', async (t) => {
  const lab = await bridgeLab()
  const { pbx } = await answeredByPbx(lab)
  lab.media.refuse['replace'] = 'MEDIA_PORTS_EXHAUSTED'
  const { request } = await refer(lab, pbx)
  t.match(request.last, {
    status: 503,
    headers: { Warning: /MEDIA_PORTS_EXHAUSTED/, 'Retry-After': '10' },
  })
  t.equal(lab.calls.size, 1)
  delete lab.media.refuse['replace']
  t.equal((await refer(lab, pbx)).request.last?.status, 202)
})

t.test(
  'an attended transfer passes Replaces on; without notifications where not wanted',
  async (t) => {
    const lab = await bridgeLab()
    const { pbx } = await answeredByPbx(lab)
    const { request, invite } = await refer(lab, pbx, {
      'refer-to': '<sip:202@10.0.0.9?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>',
      'refer-sub': 'false',
      require: 'norefersub',
    })
    t.match(request.last, { status: 202, headers: { 'Refer-Sub': 'false' } })
    t.equal(invite.header('replaces'), 'a@b;to-tag=1;from-tag=2')
    invite.respond(200, 'OK', { body: 'new' })
    await settle()
    t.same(notified(lab), [])
    lab.inDialog('BYE', invite.madeDialog)
    await bare(t, lab)
  },
)

t.test(
  'a call of a number without inbound is transferred too; targets are tried in order',
  async (t) => {
    const target = (host: string) => ({
      uri: `sip:${host}`,
      host,
      port: undefined,
      transport: 'udp' as const,
      weight: 1,
    })
    const lab = await bridgeLab({
      numbers: [numberConfig({ inbound: undefined })],
      trunks: [trunkConfig({ targets: [target('10.0.0.9'), target('10.0.0.10')] })],
    })
    const { pbx } = await answeredByWhatsApp(lab)
    const { invite } = await refer(lab, pbx, { 'refer-to': '<sip:202@pbx.example>' })
    t.match(invite.request, {
      uri: 'sip:202@10.0.0.9;transport=udp',
      headers: { From: /^<sip:\+33199001234@localhost>/ },
    })
    invite.respond(503, 'Service Unavailable', { local: true })
    const second = lab.port.last as FakeSent
    t.match(second.request.uri, '202@10.0.0.10')
    second.respond(200, 'OK', { body: 'new' })
    await settle()
    t.same(notified(lab), [TRYING, final('200 OK')])
    t.notOk(lab.bridge.status().targets[0]!.reachable)
    lab.inDialog('BYE', second.madeDialog)
    await bare(t, lab)
  },
)

t.test('a target that is silent is left for the next, as in any call', async (t) => {
  const target = (host: string) => ({
    ...{ uri: `sip:${host}`, host, port: undefined, transport: 'udp' as const, weight: 1 },
  })
  const lab = await bridgeLab({
    trunks: [trunkConfig({ targets: [target('10.0.0.9'), target('10.0.0.10')] })],
  })
  const { pbx } = await answeredByPbx(lab)
  const { invite } = await refer(lab, pbx, { 'refer-to': '<sip:202@pbx.example>' })
  lab.clock.advance(4999)
  t.equal(invite.cancelled, undefined)
  lab.clock.advance(1)
  t.match(invite.cancelled?.['Reason'], /cause=18/)
  const second = lab.port.last as FakeSent
  t.match(second.request.uri, '202@10.0.0.10')
  t.match(lab.bridge.status(), {
    targets: [{ state: 'down', reason: 'nothing within 5 s' }, {}],
    trunks: [{ failovers: 1 }],
  })
  invite.respond(200, 'OK', { body: 'late' })
  t.equal(lab.port.last?.request.method, 'BYE', 'its late answer is hung up')
  lab.clock.advance(20_000)
  second.respond(200, 'OK', { body: 'new' })
  await settle()
  t.same(notified(lab), [TRYING, final('200 OK')])
  lab.inDialog('BYE', second.madeDialog)
  await bare(t, lab)
})

t.test('transfers have an end', async (t) => {
  const lab = await bridgeLab()
  let { pbx } = await answeredByPbx(lab)
  let last: FakeRequest | undefined
  for (let i = 0; i < 21; i++) {
    const { request, invite } = await refer(lab, pbx)
    last = request
    if (request.last?.status !== 202) break
    invite.respond(200, 'OK', { body: `answer ${i}` })
    await settle()
    pbx = invite.madeDialog
  }
  t.match(last?.last, { status: 403, headers: { Warning: /CALL_TRANSFER_LIMIT/ } })
  t.equal(lab.port.sent.filter(({ request }) => request.method === 'INVITE').length, 21)
  lab.inDialog('BYE', pbx)
  await bare(t, lab)
})
