import t from 'tap'
import { answerChallenge, chooseChallenge } from '../../src/bridge/digest/answer.ts'
import { Secret } from '../../src/shared/secret.ts'
import { labConfig } from '../support/bridge-lab.ts'
import { bridgeNetwork } from '../support/bridge-network.ts'
import { sdpFixture } from '../support/sdp-fixtures.ts'
import { PeerDialog, type PeerMessage } from '../support/sip-peer.ts'

const RECORD_ROUTES = [
  '<sip:wa.meta.vc;transport=tls;lr>',
  '<sip:onevc-sip-proxy.fbinfra.net:8191;transport=tls;lr>',
]
const URI = 'sip:+441632960123@sip.example.com;transport=tls'
type Network = Awaited<ReturnType<typeof bridgeNetwork>>

/** WhatsApp's INVITE, ready to be sent. */
function whatsappCall({ whatsapp }: Network, callId = 'outgoing:wacid.HBgL'): PeerDialog {
  return whatsapp.dialog({
    uri: URI,
    from: '"33199001234" <sip:+33199001234@wa.meta.vc>',
    to: '<sip:+441632960123@sip.example.com>',
    callId,
    headers: {
      'Record-Route': RECORD_ROUTES,
      'X-FB-External-Domain': 'wa.meta.vc',
      'x-wa-meta-wacid': callId.slice('outgoing:'.length),
    },
  })
}

/** Digest for a 407 of ours, the way WhatsApp makes it: its uri lacks the transport. */
function digest(challenge: PeerMessage, password: string): string {
  const proxy = challenge.header('proxy-authenticate')
  return answerChallenge(
    chooseChallenge({ www: undefined, proxy })!,
    { username: '441632960123', password: new Secret(password) },
    { method: 'INVITE', uri: 'sip:+441632960123@sip.example.com', count: 1, cnonce: 'c0ffee' },
  )
}

t.test('user-initiated: challenge, ringing, answer, hold, hang-up by WhatsApp', async (t) => {
  const whatsapp = { ...labConfig().whatsapp, challenge: true, sources: ['127.0.0.0/8'] }
  const net = await bridgeNetwork(t, { whatsapp })
  const call = whatsappCall(net)
  const body = sdpFixture('whatsapp-sdes-offer')
  call.request('INVITE', { body })
  const challenged = await net.whatsapp.expect(407)
  call.request('ACK', { branch: call.inviteBranch, headers: { To: challenged.header('to') } })
  const headers = { 'Proxy-Authorization': digest(challenged, 'pw') }
  call.request('INVITE', { body, headers })

  const invite = await net.pbx.expect('INVITE')
  t.match(invite.uri, /^sip:\+441632960123@127\.0\.0\.1:\d+;transport=udp$/)
  t.match(invite.header('from'), /^"33199001234" <sip:\+33199001234@127\.0\.0\.1:\d+>;tag=/)
  t.equal(invite.header('x-whatsapp-wacid'), 'wacid.HBgL')
  t.match(invite.header('p-asserted-identity'), '+33199001234@127.0.0.1')
  t.match(invite.body, /m=audio 3480 RTP\/SAVP 111 126/)
  net.pbx.respond(invite, 180, { tag: 'pbx1' })
  const ringing = await net.whatsapp.expect(180)
  t.equal(ringing.body, '')
  const contact = { Contact: net.pbx.contact }
  net.pbx.respond(invite, 200, {
    tag: 'pbx1',
    headers: contact,
    body: sdpFixture('pbx-sdes-answer'),
  })
  const answer = await net.whatsapp.expect(200)
  t.same(
    answer.all('record-route').flatMap((line) => line.split(/,\s*/)),
    RECORD_ROUTES,
    'Record-Routes come back as they were',
  )
  t.equal(answer.contact, `sip:+441632960123@sip.example.com:${net.tlsPort};transport=tls`)
  t.match(answer.body, /m=audio 15822 RTP\/SAVP 111 126/)
  await net.pbx.expect('ACK')
  call.learn(answer)
  call.request('ACK')

  // The PBX holds: answered to it alone.
  const leg = PeerDialog.of(net.pbx, invite, 'pbx1')
  const hold = sdpFixture('pbx-sdes-answer')
    .replace('a=sendrecv', 'a=sendonly')
    .replace(' 1821 1821 ', ' 1821 1822 ')
  leg.request('INVITE', { body: hold })
  const held = await net.pbx.expect((m) => m.status === 200 && m.method === 'INVITE')
  t.match(held.body, /a=(recvonly|inactive)/)
  leg.request('ACK')
  leg.request('INFO', { body: 'Signal=1', headers: { 'Content-Type': 'application/dtmf-relay' } })
  await net.pbx.expect((m) => m.status === 200 && m.method === 'INFO')
  leg.request('REFER', { headers: { 'Refer-To': '<sip:x@y>' } })
  const refused = await net.pbx.expect((m) => m.status > 100 && m.method === 'REFER')
  t.equal(refused.status, 488, 'no anchor, no transfer')
  leg.request('UPDATE')
  await net.pbx.expect((m) => m.status === 200 && m.method === 'UPDATE')

  call.request('BYE', {
    headers: { 'x-wa-meta-call-duration': '7', Reason: 'Q.850;cause=16;text="done"' },
  })
  const bye = await net.pbx.expect('BYE')
  t.match(bye.header('reason'), /cause=16/)
  net.pbx.respond(bye, 200)
  await net.whatsapp.expect((m) => m.status === 200 && m.method === 'BYE')
  await net.ended()
  t.match(net.calls.ended()[0], {
    cause: { code: 'NORMAL', owner: 'whatsapp' },
    whatsapp: { wacid: 'wacid.HBgL', callDuration: 7 },
  })
  t.same(
    net.whatsapp.received.filter((m) => m.status === 0).map((m) => m.method),
    [],
    'WhatsApp was never asked for anything',
  )
})

t.test('business-initiated: 407, SHA-256, nonce used again, hang-up by the PBX', async (t) => {
  const net = await bridgeNetwork(t)
  for (const round of [1, 2]) {
    const call = net.pbx.dialog(net.pbxAddress, {
      uri: `sip:0033199001234@127.0.0.1:${net.pbxAddress.port}`,
    })
    call.request('INVITE', { body: sdpFixture('pbx-sdes-offer') })
    let invite = await net.whatsapp.expect('INVITE')
    t.equal(invite.uri, 'sip:+33199001234@wa.meta.vc;transport=tls')
    t.match(invite.header('from'), /^<sip:\+441632960123@sip\.example\.com>;tag=/)
    t.equal(invite.header('to'), '<sip:+33199001234@wa.meta.vc>')
    if (round === 1) {
      const digest = 'Digest realm="wa.meta.vc",nonce="419ac2415577f8e1",opaque="440badfc05072367"'
      const values = [
        `${digest},algorithm=MD5,qop="auth"`,
        `${digest},algorithm=SHA-256,qop="auth"`,
      ]
      net.whatsapp.respond(invite, 407, { tag: 'c', headers: { 'Proxy-Authenticate': values } })
      await net.whatsapp.expect('ACK')
      const again = await net.whatsapp.expect('INVITE')
      t.equal(again.header('call-id'), invite.header('call-id'))
      t.equal(again.tag('from'), invite.tag('from'))
      t.equal(again.cseq, invite.cseq + 1)
      invite = again
    }
    const proof = invite.header('proxy-authorization')
    t.match(proof, /username="441632960123".*algorithm=SHA-256.*opaque="440badfc05072367"/)
    t.match(proof, new RegExp(`nc=0000000${round}`))
    net.whatsapp.respond(invite, 180, { tag: 'wa' })
    await net.pbx.expect(180)
    net.whatsapp.respond(invite, 200, {
      tag: 'wa',
      headers: { 'Record-Route': [...RECORD_ROUTES].reverse(), Contact: net.whatsapp.contact },
      body: sdpFixture('whatsapp-sdes-answer'),
    })
    const ack = await net.whatsapp.expect('ACK')
    t.same(
      ack.all('route').flatMap((line) => line.split(/,\s*/)),
      RECORD_ROUTES,
    )
    const answer = await net.pbx.expect((m) => m.status === 200 && m.method === 'INVITE')
    t.match(answer.body, /m=audio 3480 RTP\/SAVP 107/)
    call.learn(answer)
    call.request('ACK')
    call.request('BYE')
    await net.pbx.expect((m) => m.status === 200 && m.method === 'BYE')
    const bye = await net.whatsapp.expect('BYE')
    t.match(bye.uri, /^sip:\+33199001234@wa\.meta\.vc;transport=tls/)
    net.whatsapp.respond(bye, 200)
    await net.ended()
    t.match(net.calls.ended()[0]?.cause, { code: 'NORMAL', owner: 'pbx' })
  }
  t.same(
    [...new Set(net.whatsapp.received.filter((m) => m.status === 0).map((m) => m.method))],
    ['INVITE', 'ACK', 'BYE'],
  )
})

t.test('refusals at the door', async (t) => {
  const whatsapp = { ...labConfig().whatsapp, challenge: true, sources: ['127.0.0.0/8'] }
  const net = await bridgeNetwork(t, { whatsapp })
  const body = sdpFixture('whatsapp-sdes-offer')
  const wrong = whatsappCall(net, 'outgoing:wacid.a')
  wrong.request('INVITE', { body })
  const challenged = await net.whatsapp.expect(407)
  wrong.request('INVITE', { body, headers: { 'Proxy-Authorization': digest(challenged, 'no') } })
  await net.whatsapp.expect(403)
  const unknown = whatsappCall(net, 'outgoing:wacid.b')
  unknown.request('INVITE', { body, uri: 'sip:+441632960999@sip.example.com;transport=tls' })
  await net.whatsapp.expect(404)

  const send = (method: string, uri: string) =>
    net.pbx.dialog(net.pbxAddress, { uri }).request(method, { body: '' })
  send('OPTIONS', 'sip:127.0.0.1')
  const options = await net.pbx.expect((m) => m.status === 200 && m.method === 'OPTIONS')
  t.match(options.header('allow'), /INVITE, ACK, BYE/)
  for (const method of ['REGISTER', 'MESSAGE', 'SUBSCRIBE', 'PUBLISH']) {
    send(method, 'sip:127.0.0.1')
    const refused = await net.pbx.expect((m) => m.method === method && m.status > 0)
    t.equal(refused.status, 405, method)
    t.match(refused.header('warning'), /CALL_METHOD_UNSUPPORTED/)
  }
  net.pbx.dialog(net.pbxAddress, { uri: 'sip:+33199001234@127.0.0.1' }).request('INVITE')
  const offerless = await net.pbx.expect(488)
  t.match(offerless.header('warning'), /MEDIA_NO_OFFER/, 'no anchor, no late offer')
  const call = net.pbx.dialog(net.pbxAddress, { uri: 'sip:12@127.0.0.1' })
  call.request('INVITE', { body: sdpFixture('pbx-sdes-offer') })
  const invalid = await net.pbx.expect(404)
  t.match(invalid.header('reason'), /^Q\.850;\s*cause=28/)
  t.match(invalid.header('warning'), /^399 sip\.example\.com "CALL_DIALLED_INVALID: 12"/)
  t.equal(net.calls.size, 0)
})

t.test('a foreign source', async (t) => {
  const net = await bridgeNetwork(t, {
    whatsapp: { ...labConfig().whatsapp, sources: ['192.0.2.0/24'] },
  })
  whatsappCall(net).request('INVITE', { body: sdpFixture('whatsapp-sdes-offer') })
  const refused = await net.whatsapp.expect(403)
  t.notOk(refused.has('warning'))
  t.same(net.bridge.status().refusals, [
    { side: 'whatsapp', code: 'CALL_SOURCE_REFUSED', count: 1 },
  ])
})

t.test('CANCEL from WhatsApp, in time and too late', async (t) => {
  const net = await bridgeNetwork(t)
  const body = sdpFixture('whatsapp-sdes-offer')
  const early = whatsappCall(net, 'outgoing:wacid.early')
  early.request('INVITE', { body })
  const invite = await net.pbx.expect('INVITE')
  net.pbx.respond(invite, 180, { tag: 'p' })
  await net.whatsapp.expect(180)
  early.request('CANCEL', { headers: { Reason: 'Q.850;cause=19;text="NO_ANSWER"' } })
  await net.whatsapp.expect(487)
  const cancel = await net.pbx.expect('CANCEL')
  t.match(cancel.header('reason'), /NO_ANSWER/)
  net.pbx.respond(cancel, 200)
  net.pbx.respond(invite, 487, { tag: 'p' })
  await net.pbx.expect('ACK')
  await net.ended()

  // The PBX answers although it is being cancelled.
  const late = whatsappCall(net, 'outgoing:wacid.late')
  late.request('INVITE', { body })
  const second = await net.pbx.expect('INVITE')
  net.pbx.respond(second, 180, { tag: 'q' })
  await net.whatsapp.expect(180)
  late.request('CANCEL')
  await net.pbx.expect('CANCEL')
  const answer = {
    tag: 'q',
    headers: { Contact: net.pbx.contact },
    body: sdpFixture('pbx-sdes-answer'),
  }
  net.pbx.respond(second, 200, answer)
  await net.pbx.expect('ACK')
  const bye = await net.pbx.expect('BYE')
  net.pbx.respond(bye, 200)
  t.equal(net.calls.size, 0)
  t.notOk(net.whatsapp.received.some((m) => m.status === 200 && m.method === 'INVITE'))
})

t.test('CANCEL from the PBX, held until WhatsApp has said something', async (t) => {
  const net = await bridgeNetwork(t)
  const call = net.pbx.dialog(net.pbxAddress, { uri: 'sip:+33199001234@127.0.0.1' })
  call.request('INVITE', { body: sdpFixture('pbx-sdes-offer') })
  const invite = await net.whatsapp.expect('INVITE')
  call.request('CANCEL')
  await net.pbx.expect(487)
  net.whatsapp.respond(invite, 100)
  const cancel = await net.whatsapp.expect('CANCEL')
  net.whatsapp.respond(cancel, 200)
  net.whatsapp.respond(invite, 487, { tag: 'w' })
  await net.whatsapp.expect('ACK')
  await net.ended()
  t.equal(net.calls.ended()[0]?.cause?.code, 'CALL_CANCELLED')
})

t.test('the SIP server goes away', async (t) => {
  const net = await bridgeNetwork(t)
  const call = net.pbx.dialog(net.pbxAddress, { uri: 'sip:+33199001234@127.0.0.1' })
  call.request('INVITE', { body: sdpFixture('pbx-sdes-offer') })
  await net.whatsapp.expect('INVITE')
  await net.server.close()
  await net.ended()
  t.equal(net.calls.ended()[0]?.cause?.code, 'CALL_SIP_SERVER_LOST')
  t.notOk(net.bridge.status().connected)
})
