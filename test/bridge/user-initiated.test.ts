import t, { type Test } from 'tap'
import type { CallRecord } from '../../src/calls/index.ts'
import { Secret } from '../../src/shared/secret.ts'
import { bridgeLab, settle } from '../support/bridge-lab.ts'
import { numberConfig, overflowTo, trunkConfig } from '../support/configs.ts'

type Lab = Awaited<ReturnType<typeof bridgeLab>>

const target = (host: string, weight = 1) => ({
  uri: `sip:${host}:5060;transport=udp`,
  host,
  port: 5060,
  transport: 'udp' as const,
  weight,
})

/** Nothing is left of any call. */
function clean(t: Test, lab: Lab): CallRecord {
  t.equal(lab.calls.size, 0, 'no call is left')
  t.equal(lab.media.open_, 0, 'media is released')
  t.equal(lab.clock.pending, 0, 'no timer is left')
  return lab.calls.ended()[0]!
}

t.test('a call is answered by the PBX and hung up by the WhatsApp user', async (t) => {
  const lab = await bridgeLab()
  const invite = lab.fromWhatsApp()
  await settle()
  const out = lab.port.last!
  t.equal(out.request.method, 'INVITE')
  t.equal(out.request.uri, 'sip:+441632960123@10.0.0.9:5060;transport=udp')
  t.equal(out.request.body, 'offer whatsapp(wa-offer)')
  t.match(out.request.headers, {
    From: /^"Zoé" <sip:\+33199001234@localhost>;tag=[0-9a-f]{16}$/,
    To: '<sip:+441632960123@10.0.0.9:5060>',
    'P-Asserted-Identity': '"Zoé" <sip:+33199001234@localhost>',
    CSeq: '1 INVITE',
    'X-WhatsApp-Wacid': 'wacid.1',
    'X-WhatsApp-User-Id': 'FR.1',
    'X-WhatsApp-Business-Number': '+441632960123',
    'X-WhatsApp-Phone-Number-Id': '106540352242922',
  })
  out.respond(183, 'Session Progress', { body: 'early' })
  out.respond(180, 'Ringing')
  t.same(invite.statuses, [180], 'ringing once')
  t.equal(invite.last?.body, undefined, 'no early media')
  out.respond(200, 'OK', { body: 'pbx-answer' })
  t.equal(out.acked, 1)
  await settle()
  t.match(invite.last, {
    status: 200,
    body: 'answer pbx(pbx-answer)',
    headers: { Contact: '<sip:+441632960123@sip.example.com:5061;transport=tls>' },
  })
  const call = [...lab.calls.active()][0]!
  t.equal(call.state, 'answered')
  t.equal(lab.clock.pending, 0, 'no timer runs during a call')
  lab.inDialog('ACK', invite.madeDialog)
  lab.clock.advance(42_000)
  const bye = lab.inDialog('BYE', invite.madeDialog, {
    headers: {
      'x-wa-meta-call-duration': '42',
      reason: 'Q.850;cause=16;text="bye"',
      'x-wa-meta-username': 'zoe',
    },
  })
  t.same(bye.statuses, [200])
  t.match(lab.port.last?.request, {
    method: 'BYE',
    dialogId: `${out.header('call-id')};from-tag=${/tag=(.*)/.exec(out.header('from')!)![1]}`,
    headers: { Reason: 'Q.850;cause=16;text="bye"' },
  })
  const record = clean(t, lab)
  t.match(record, {
    direction: 'user-initiated',
    consumer: '+33199001234',
    talkSeconds: 42,
    cause: { code: 'NORMAL', owner: 'whatsapp' },
    whatsapp: { wacid: 'wacid.1', callDuration: 42, username: 'zoe', displayName: 'Zoé' },
    media: { codec: { whatsapp: 'opus', pbx: 'opus' } },
  })
  t.same(
    record.ladder.map(({ leg, dir, what }) => `${leg} ${dir} ${what}`),
    [
      'whatsapp in INVITE',
      'pbx out INVITE',
      'pbx in 183 Session Progress',
      'whatsapp out 180 Ringing',
      'pbx in 180 Ringing',
      'pbx in 200 OK',
      'pbx out ACK',
      'whatsapp out 200 OK',
      'whatsapp in ACK',
      'whatsapp in BYE',
      'whatsapp out 200 OK',
      'pbx out BYE',
    ],
  )
  t.same(lab.port.methods, ['INVITE', 'BYE'])
})

t.test('the PBX hangs up; a BYE that crosses ends nothing twice', async (t) => {
  const lab = await bridgeLab()
  const invite = lab.fromWhatsApp()
  await settle()
  const out = lab.port.last!
  out.respond(200, 'OK', { body: 'a' })
  await settle()
  const dialog = `${out.header('call-id')};from-tag=${/tag=(.*)/.exec(out.header('from')!)![1]}`
  t.same(lab.inDialog('BYE', dialog).statuses, [200])
  t.same(lab.port.methods, ['INVITE', 'BYE'])
  t.same(lab.port.last?.request.headers, {}, 'the BYE to WhatsApp is bare')
  t.same(lab.inDialog('BYE', invite.madeDialog).statuses, [200], 'crossing')
  t.same(lab.port.methods, ['INVITE', 'BYE'])
  t.match(clean(t, lab).cause, { code: 'NORMAL', owner: 'pbx' })
})

t.test('failures of the PBX become answers to WhatsApp', async (t) => {
  for (const [status, answered, code] of [
    [486, 486, 'CALL_BUSY'],
    [603, 603, 'CALL_DECLINED'],
    [404, 404, 'CALL_PBX_NUMBER_UNKNOWN'],
    [500, 503, 'CALL_PBX_FAILED'],
    [401, 480, 'CALL_PBX_AUTH_FAILED'],
  ] as const) {
    const lab = await bridgeLab()
    const invite = lab.fromWhatsApp()
    await settle()
    lab.port.last!.respond(status, 'x')
    await settle()
    t.same(invite.statuses, [answered], String(status))
    t.equal(clean(t, lab).cause?.code, code)
  }
})

t.test('WhatsApp cancels while the PBX rings', async (t) => {
  const lab = await bridgeLab()
  const invite = lab.fromWhatsApp()
  await settle()
  lab.port.last!.respond(180, 'Ringing')
  invite.cancel({ reason: 'Q.850;cause=19;text="NO_ANSWER"' })
  t.same(lab.port.last!.cancelled, { Reason: 'Q.850;cause=19;text="NO_ANSWER"' })
  t.match(clean(t, lab).cause, { code: 'CALL_CANCELLED', text: 'NO_ANSWER', result: 'cancelled' })
  lab.port.last!.respond(487, 'Request Terminated')
  t.same(invite.statuses, [180], 'the SIP server answers the INVITE itself')
})

t.test('WhatsApp cancels before the INVITE to the PBX is confirmed', async (t) => {
  const lab = await bridgeLab()
  lab.port.slow = true
  const invite = lab.fromWhatsApp()
  await settle()
  invite.cancel()
  t.equal(lab.port.last!.cancelled, undefined)
  lab.port.last!.confirm()
  t.same(lab.port.last!.cancelled, {})
  clean(t, lab)
})

t.test('WhatsApp cancels before there is an INVITE to the PBX', async (t) => {
  const lab = await bridgeLab()
  const invite = lab.fromWhatsApp()
  invite.cancel()
  await settle()
  t.same(lab.port.methods, [])
  t.equal(lab.calls.size, 0)
})

t.test("our CANCEL crosses the PBX's 200: it is acknowledged and hung up", async (t) => {
  const lab = await bridgeLab()
  const invite = lab.fromWhatsApp()
  await settle()
  const out = lab.port.last!
  invite.cancel()
  out.respond(200, 'OK', { body: 'late' })
  t.equal(out.acked, 1)
  t.same(lab.port.methods, ['INVITE', 'BYE'])
  t.same(invite.statuses, [])
  clean(t, lab)
})

t.test("WhatsApp's CANCEL comes between the PBX's 200 and ours", async (t) => {
  const lab = await bridgeLab()
  const invite = lab.fromWhatsApp()
  await settle()
  lab.port.last!.respond(200, 'OK', { body: 'a' })
  invite.cancel()
  await settle()
  t.same(lab.port.methods, ['INVITE', 'BYE'])
  t.same(invite.statuses, [], 'no 200 any more')
  t.equal(clean(t, lab).cause?.code, 'CALL_CANCELLED')
})

t.test("WhatsApp's CANCEL was quicker than our 200", async (t) => {
  const lab = await bridgeLab()
  const invite = lab.fromWhatsApp()
  await settle()
  invite.gone = true
  lab.port.last!.respond(200, 'OK', { body: 'a' })
  await settle()
  t.same(lab.port.methods, ['INVITE', 'BYE'])
  t.equal(clean(t, lab).cause?.code, 'CALL_CANCELLED')
})

t.test('the PBX answers and hangs up before WhatsApp is answered', async (t) => {
  const lab = await bridgeLab()
  const invite = lab.fromWhatsApp()
  await settle()
  const out = lab.port.last!
  out.respond(200, 'OK', { body: 'a' })
  const dialog = `${out.header('call-id')};from-tag=${/tag=(.*)/.exec(out.header('from')!)![1]}`
  lab.inDialog('BYE', dialog)
  await settle()
  t.same(invite.statuses, [480])
  t.same(lab.port.methods, ['INVITE'])
  clean(t, lab)
})

t.test('nobody answers: the PBX is cancelled, then the overflow trunk rings', async (t) => {
  const lab = await bridgeLab({
    numbers: [
      numberConfig({
        inbound: {
          ...numberConfig().inbound!,
          overflow: overflowTo('backup', 20_000),
          ringTimeout: 20_000,
        },
      }),
    ],
    trunks: [trunkConfig(), trunkConfig({ name: 'backup', targets: [target('10.0.0.20')] })],
  })
  const invite = lab.fromWhatsApp()
  await settle()
  const first = lab.port.last!
  first.respond(180, 'Ringing')
  lab.clock.advance(20_000)
  await settle()
  t.ok(first.cancelled)
  const second = lab.port.last!
  t.equal(second.request.uri, 'sip:+441632960123@10.0.0.20:5060;transport=udp')
  t.not(second.header('call-id'), first.header('call-id'))
  first.respond(487, 'Request Terminated')
  t.equal([...lab.calls.active()][0]!.trunk, 'backup')
  t.same(lab.media.trunks, ['main', 'backup'], 'media is shaped for the trunk')
  t.match(
    lab.lines.find(({ msg }) => msg === 'next trunk'),
    { from: 'main', to: 'backup', why: 'the PBX did not answer in time' },
  )
  second.respond(180, 'Ringing')
  lab.clock.advance(20_000)
  await settle()
  t.ok(second.cancelled)
  t.same(invite.statuses, [180, 480])
  t.match(clean(t, lab), { trunk: 'backup', cause: { code: 'CALL_NO_ANSWER' } })
})

t.test("a late 200 after the ring timeout does not disturb the overflow's call", async (t) => {
  const lab = await bridgeLab({
    numbers: [
      numberConfig({ inbound: { ...numberConfig().inbound!, overflow: overflowTo('backup') } }),
    ],
    trunks: [trunkConfig(), trunkConfig({ name: 'backup', targets: [target('10.0.0.20')] })],
  })
  const invite = lab.fromWhatsApp()
  await settle()
  const first = lab.port.last!
  lab.clock.advance(45_000)
  await settle()
  const second = lab.port.last!
  first.respond(200, 'OK', { body: 'late' })
  t.equal(first.acked, 1)
  second.respond(200, 'OK', { body: 'b' })
  await settle()
  t.same(lab.port.methods, ['INVITE', 'INVITE', 'BYE'])
  t.match(invite.last, { status: 200, body: 'answer pbx(b)' })
  t.equal(lab.calls.size, 1)
})

t.test('targets are tried in order when one cannot be reached, then avoided', async (t) => {
  const trunks = [trunkConfig({ targets: [target('10.0.0.9'), target('10.0.0.10')] })]
  const lab = await bridgeLab({ trunks })
  const invite = lab.fromWhatsApp()
  await settle()
  lab.port.last!.respond(503, 'Service Unavailable', { local: true })
  await settle()
  t.match(lab.port.last!.request.uri, /@10\.0\.0\.10:5060/)
  t.same(invite.statuses, [])
  lab.port.last!.respond(200, 'OK', { body: 'a' })
  await settle()
  t.equal(invite.last?.status, 200)
  t.match(lab.bridge.status().targets, [
    { trunk: 'main', uri: 'sip:10.0.0.9:5060;transport=udp', reachable: false },
    { trunk: 'main', uri: 'sip:10.0.0.10:5060;transport=udp', reachable: true },
  ])
  lab.fromWhatsApp()
  await settle()
  t.match(lab.port.last!.request.uri, /@10\.0\.0\.10:5060/, 'the next call goes there first')
  lab.clock.advance(30_000)
  t.ok(lab.bridge.status().targets[0]?.reachable, 'for a while')
})

t.test('no target is left', async (t) => {
  const lab = await bridgeLab()
  const invite = lab.fromWhatsApp()
  await settle()
  lab.port.last!.fail('requested protocol/transport not available')
  await settle()
  t.same(invite.statuses, [503])
  t.equal(clean(t, lab).cause?.code, 'CALL_PBX_UNREACHABLE')
})

t.test("the PBX's challenge is answered with the trunk's credentials, once", async (t) => {
  const credentials = { username: 'causeway', password: new Secret('pw') }
  const lab = await bridgeLab({ trunks: [trunkConfig({ credentials })] })
  const invite = lab.fromWhatsApp()
  await settle()
  const challenge = {
    'www-authenticate': 'Digest realm="pbx", nonce="n", algorithm=SHA-256, qop="auth"',
  }
  const first = lab.port.last!
  first.respond(401, 'Unauthorized', { headers: challenge })
  await settle()
  const second = lab.port.last!
  t.not(second, first)
  t.equal(second.header('call-id'), first.header('call-id'))
  t.equal(second.header('from'), first.header('from'))
  t.equal(second.header('cseq'), '2 INVITE')
  t.match(second.header('authorization'), /username="causeway".*algorithm=SHA-256/)
  second.respond(401, 'Unauthorized', { headers: challenge })
  await settle()
  t.equal(lab.port.last, second)
  t.same(invite.statuses, [480])
  t.equal(clean(t, lab).cause?.code, 'CALL_PBX_AUTH_FAILED')
})

t.test(
  'media that does not fit: WhatsApp is told, and a PBX that answered is hung up',
  async (t) => {
    const lab = await bridgeLab()
    const bad = lab.fromWhatsApp({ body: 'bad' })
    await settle()
    t.same(bad.statuses, [488])
    t.same(lab.port.methods, [])
    clean(t, lab)
    const invite = lab.fromWhatsApp()
    await settle()
    lab.port.last!.respond(200, 'OK', { body: 'bad' })
    await settle()
    t.same(invite.statuses, [488])
    t.same(lab.port.methods, ['INVITE', 'BYE'])
    clean(t, lab)
  },
)
