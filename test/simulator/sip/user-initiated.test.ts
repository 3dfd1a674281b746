import { readFileSync } from 'node:fs'
import t from 'tap'
import {
  headerValue,
  headerValues,
  parseMessage,
  type SipMessage,
} from '../../../src/embedded-drachtio/message/index.ts'
import { systemClock } from '../../../src/shared/clock.ts'
import { systemRandom } from '../../../src/shared/random.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { MediaEndpoint } from '../../../src/simulator/media/index.ts'
import { digestResponse, parseDigest } from '../../../src/simulator/sip/digest.ts'
import { decodeWacid } from '../../../src/simulator/sip/index.ts'
import { BUSINESS, CONSUMER, HOST, inDialog, type Lab, OFFER, reply, startLab } from './lab.ts'

const ANSWER = OFFER.replace('107 0 8 101', '111 126')
  .replaceAll(':107 ', ':111 ')
  .replaceAll(':101 ', ':126 ')
const CONTACT = `Contact: <sip:${BUSINESS}@${HOST};transport=tls>`

/** The message with everything that differs from call to call replaced. */
function skeleton(text: string): string[] {
  const [head = ''] = text.split('\r\n\r\n')
  return head.split('\r\n').map((line) =>
    line
      .replace(/wacid\.[\w+/=]+/g, 'WACID')
      .replace(/z9hG4bKPj-\w{31}/, 'INNER')
      .replace(/z9hG4bKPj[0-9a-f]{32}/, 'BRANCH')
      .replace(/\]:(?!5061)\d+/, ']:PORT')
      .replace(/rport=\d+/, 'rport=PORT')
      .replace(/tag=[0-9a-f-]{36}/, 'tag=UUID')
      .replace(/^CSeq: \d{4,5} /, 'CSeq: N ')
      .replace(/FR\.\d{20}/, 'BSUID')
      .replace(/Length: \d+/, 'Length: N')
      .replace(/wa-trunk\.example\.com/, HOST),
  )
}

/** Answers the INVITE and waits until WhatsApp has dealt with the 200. */
async function answer(
  lab: Lab,
  options: Parameters<typeof reply>[3] & { contact?: string } = {},
): Promise<SipMessage> {
  const invite = await lab.peer.expect('INVITE')
  const { contact = CONTACT, ...rest } = options
  invite.write(reply(invite.message, '100 Trying'))
  invite.write(reply(invite.message, '180 Ringing'))
  invite.write(reply(invite.message, '200 OK', contact, { body: ANSWER, ...rest }))
  return invite.message
}

/** What the business knows of the dialog, in the shape `inDialog` reads: a message of WhatsApp's. */
function dialogOf(invite: SipMessage): SipMessage {
  const from = headerValue(invite.headers, 'to')!
  const text = `SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK0\r\nFrom: ${from};tag=biz2\r\nTo: ${headerValue(invite.headers, 'from')}\r\nCall-ID: ${invite.callId}\r\nCSeq: 1 INVITE\r\nContact: ${headerValue(invite.headers, 'contact')}\r\nContent-Length: 0\r\n\r\n`
  return parseMessage(Buffer.from(text))
}

t.test('the INVITE has the shape of a real one, header by header', async (t) => {
  const fixture = readFileSync(
    new URL('../../fixtures/sip/whatsapp-invite.sip', import.meta.url),
    'utf8',
  )
  const lab = await startLab(t)
  lab.simulator.placeCall({ from: CONSUMER, to: BUSINESS })
  const { text, message } = await lab.peer.expect('INVITE')
  t.same(skeleton(text), skeleton(fixture))
  const wacid = headerValue(message.headers, 'x-wa-meta-wacid')!
  t.equal(message.callId, `outgoing:${wacid}`)
  t.match(decodeWacid(wacid), { user: '33199001234', business: '441632960123' })
  const vias = headerValues(message.headers, 'via')
  const branch = /z9hG4bKPj[0-9a-f]{32}/.exec(vias[0]!)![0]
  t.match(vias[1], branch, 'the first two hops share a branch')
})

t.test('payloads, user parameters, other ports, profile names and BSUIDs', async (t) => {
  const lab = await startLab(t, { behaviour: { display: 'name' } })
  const server = lab.number.calling.servers.get('634974688087057')!
  server.requestUriUserParams = { tgrp: 'wacall', 'trunk-context': 'byoc.example.com' }
  server.port = 5081
  lab.simulator.consumers.update(CONSUMER, {
    name: 'Camille "Cam"',
    hidesNumber: true,
    username: 'camille',
    parentUserId: 'FR.ENT.1',
  })
  lab.simulator.placeCall({
    from: CONSUMER,
    to: BUSINESS,
    ctaPayload: 'sales',
    deeplinkPayload: 'x-1',
  })
  const { text, message } = await lab.peer.expect('INVITE')
  const params = ';tgrp=wacall;trunk-context=byoc.example.com'
  t.match(text, `INVITE sip:${BUSINESS}${params}@${HOST}:5081;transport=tls SIP/2.0\r\n`)
  t.equal(headerValue(message.headers, 'to'), `<sip:${BUSINESS}${params}@${HOST}>`)
  const bsuid = headerValue(message.headers, 'x-wa-meta-user-id')!
  t.match(
    headerValue(message.headers, 'from'),
    `"Camille \\"Cam\\"" <sip:${bsuid}@wa.meta.vc>;tag=`,
  )
  t.equal(
    headerValue(message.headers, 'contact'),
    `<sip:${bsuid}@wa.meta.vc;transport=tls;ob>;isfocus`,
  )
  t.equal(headerValue(message.headers, 'x-wa-meta-cta-payload'), 'sales')
  t.equal(headerValue(message.headers, 'x-wa-meta-deeplink-payload'), 'x-1')
  t.equal(headerValue(message.headers, 'x-wa-meta-username'), 'camille')
  t.equal(headerValue(message.headers, 'x-wa-meta-parent-user-id'), 'FR.ENT.1')
})

t.test('a hidden number is nowhere in the headers', async (t) => {
  const lab = await startLab(t)
  lab.simulator.consumers.update(CONSUMER, { hidesNumber: true, username: 'camille' })
  lab.simulator.placeCall({ from: CONSUMER, to: BUSINESS })
  const { text, message } = await lab.peer.expect('INVITE')
  t.match(headerValue(message.headers, 'from'), /^"camille" <sip:FR\./)
  t.notMatch(text, CONSUMER.slice(1))
})

t.test('a challenge is answered once, with the number and its password', async (t) => {
  const lab = await startLab(t)
  const call = lab.simulator.placeCall({ from: CONSUMER, to: BUSINESS })
  const first = await lab.peer.expect('INVITE')
  const challenge = 'Proxy-Authenticate: Digest realm="trunk", nonce="n1", opaque="o", qop="auth"'
  first.write(reply(first.message, '407 Proxy Authentication Required', challenge))
  await lab.peer.expect('ACK')
  const second = await lab.peer.expect('INVITE')
  t.equal(second.message.cseq, first.message.cseq + 1)
  t.equal(second.message.callId, first.message.callId)
  t.equal(second.message.fromTag, first.message.fromTag)
  t.not(second.message.via.branch, first.message.via.branch)
  t.equal(second.message.body!.toString(), first.message.body!.toString())
  const params = parseDigest(headerValue(second.message.headers, 'proxy-authorization')!)!
  t.equal(params['username'], '441632960123')
  t.equal(params['uri'], `sip:${BUSINESS}@${HOST}`, 'no ;transport=tls')
  const { nonce = '', nc, cnonce, uri = '', username = '' } = params
  t.equal(
    params['response'],
    digestResponse({
      algorithm: 'MD5',
      realm: 'trunk',
      password: new Secret(lab.store.passwordOf(lab.number, '634974688087057')),
      method: 'INVITE',
      username,
      uri,
      nonce,
      nc,
      cnonce,
    }),
  )
  second.write(
    reply(second.message, '401 Unauthorized', 'WWW-Authenticate: Digest realm="r", nonce="2"'),
  )
  await lab.peer.expect('ACK')
  await call.until(() => false)
  t.match(call.outcome, { reason: 'credentials refused' })
  t.match(call.violations, [{ rule: 'challenge' }])
})

t.test('answer, ACK, in-dialog rules, BYE of the business', async (t) => {
  const lab = await startLab(t)
  const call = lab.simulator.placeCall({ from: CONSUMER, to: BUSINESS })
  const invite = await answer(lab)
  const ack = (await lab.peer.expect('ACK')).message
  t.equal(ack.kind === 'request' && ack.uri, `sip:${BUSINESS}@${HOST};transport=tls`)
  t.equal(ack.cseq, invite.cseq)
  t.same(headerValues(ack.headers, 'route'), [])
  await call.until((call) => call.state === 'answered')

  const socket = await lab.connect()
  const write = (method: string, cseq: number, routes?: string) =>
    socket.write(
      inDialog(method, dialogOf(invite), { cseq, ...(routes === undefined ? {} : { routes }) })
        .replace(/\n/g, '\r\n')
        .concat('\r\nContent-Length: 0\r\n\r\n'),
    )
  write('INVITE', 2)
  await lab.peer.expect('500 INVITE')
  write('BYE', 3, '')
  await lab.peer.expect('404 BYE')
  write('BYE', 4)
  await lab.peer.expect('200 BYE')
  await call.until(() => false)
  t.same(
    call.violations.map((violation) => violation.rule),
    ['re-invite', 'route'],
  )
})

t.test('broken Record-Routes: no ACK, and the BYE gets 404', async (t) => {
  const own = [
    '<sip:wa.meta.vc;transport=tls;lr>',
    '<sip:onevc-sip-proxy.fbinfra.net:8191;transport=tls;lr>',
  ]
  for (const recordRoutes of [
    [],
    own.slice(0, 1),
    [...own].reverse(),
    [own[0]!, '<sip:onevc-sip-proxy.fbinfra.net:8191;lr;transport=tls>'],
    [...own, '<sip:proxy.example.com;lr>'],
  ]) {
    const lab = await startLab(t)
    const call = lab.simulator.placeCall({ from: CONSUMER, to: BUSINESS })
    const invite = await answer(lab, { recordRoutes })
    await call.until((call) => call.state === 'answered')
    t.match(call.violations, [{ rule: 'record-route' }], recordRoutes.join())
    t.notOk(call.messages.some((entry) => entry.summary === 'ACK'))
    const socket = await lab.connect()
    socket.write(
      inDialog('BYE', dialogOf(invite))
        .replace(/\n/g, '\r\n')
        .concat('\r\nContent-Length: 0\r\n\r\n'),
    )
    await lab.peer.expect('404 BYE')
    t.equal(call.state, 'answered')
  }
})

t.test('a proxy of the business stays in the path', async (t) => {
  const lab = await startLab(t)
  lab.simulator.placeCall({ from: CONSUMER, to: BUSINESS })
  const invite = await lab.peer.expect('INVITE')
  const proxy = `<sip:${HOST};transport=tls;lr>`
  const recordRoutes = [proxy, ...headerValues(invite.message.headers, 'record-route')]
  const options = { recordRoutes, body: ANSWER }
  const contact = 'Contact: <sip:agent@10.0.0.5;transport=tls>'
  invite.write(reply(invite.message, '200 OK', contact, options))
  const ack = (await lab.peer.expect('ACK')).message
  t.equal(ack.kind === 'request' && ack.uri, 'sip:agent@10.0.0.5;transport=tls')
  t.same(headerValues(ack.headers, 'route'), [proxy])
})

t.test('nobody answers: CANCEL after the window', async (t) => {
  const lab = await startLab(t)
  const call = lab.simulator.placeCall({ from: CONSUMER, to: BUSINESS })
  const invite = await lab.peer.expect('INVITE')
  invite.write(reply(invite.message, '180 Ringing'))
  await call.until((call) => call.state === 'ringing')
  lab.clock.advance(44_999)
  t.equal(call.state, 'ringing')
  lab.clock.advance(1)
  const cancel = await lab.peer.expect('CANCEL')
  t.equal(cancel.message.via.branch, invite.message.via.branch)
  t.equal(headerValue(cancel.message.headers, 'reason'), 'Q.850;cause=19;text="NO_ANSWER"')
  cancel.write(reply(cancel.message, '200 OK'))
  invite.write(reply(invite.message, '487 Request Terminated'))
  await lab.peer.expect('ACK')
  await call.until(() => false)
  t.match(call.outcome, { by: 'whatsapp', status: 487, reason: 'not answered' })
})

t.test('the consumer gives up, and a refusal of the business', async (t) => {
  const lab = await startLab(t)
  const call = lab.simulator.placeCall({ from: CONSUMER, to: BUSINESS, cancelAfter: 3000 })
  const invite = await lab.peer.expect('INVITE')
  invite.write(reply(invite.message, '180 Ringing'))
  await call.until((call) => call.state === 'ringing')
  lab.clock.advance(3000)
  const cancel = await lab.peer.expect('CANCEL')
  t.equal(headerValue(cancel.message.headers, 'reason'), undefined)
  invite.write(reply(invite.message, '487 Request Terminated'))
  await lab.peer.expect('ACK')
  await call.until(() => false)
  t.match(call.outcome, { by: 'consumer', status: 487 })

  const second = lab.simulator.placeCall({ from: CONSUMER, to: BUSINESS })
  const busy = await lab.peer.expect('INVITE')
  busy.write(reply(busy.message, '486 Busy Here'))
  await lab.peer.expect('ACK')
  await second.until(() => false)
  t.match(second.outcome, { by: 'business', status: 486, reason: 'Busy Here' })
})

t.test('a certificate for another name: the call is dropped before its INVITE', async (t) => {
  const lab = await startLab(t, { certificateFor: 'other.example.com' })
  const call = lab.simulator.placeCall({ from: CONSUMER, to: BUSINESS })
  await call.until(() => false)
  t.match(call.outcome!.reason, /^call dropped, no INVITE: the certificate of .* does not cover/)
  t.equal(lab.peer.inbox.size, 0)
  t.equal(lab.store.activeCalls().length, 0)
})

t.test('what keeps a call from being placed', async (t) => {
  const lab = await startLab(t)
  t.throws(() => lab.simulator.placeCall({ from: CONSUMER, to: '+15550000000' }), RangeError)
  lab.simulator.placeCall({ from: CONSUMER, to: BUSINESS })
  const again = lab.simulator.placeCall({ from: CONSUMER, to: BUSINESS })
  t.match(again.outcome!.reason, /in progress/)
  lab.number.calling.sipStatus = 'DISABLED'
  const off = lab.simulator.placeCall({ from: '+33199009999', to: BUSINESS })
  t.match(off.outcome!.reason, /disabled/)
  lab.number.calling.servers.clear()
  const none = lab.simulator.placeCall({ from: '+33199009999', to: BUSINESS })
  t.match(none.outcome!.reason, /no SIP server/)
})

t.test('no media: BYE after 20 s with its Reason', async (t) => {
  const lab = await startLab(t)
  const call = lab.simulator.placeCall({ from: CONSUMER, to: BUSINESS })
  await answer(lab)
  await lab.peer.expect('ACK')
  await call.until((call) => call.state === 'answered')
  lab.clock.advance(19_999)
  t.equal(call.state, 'answered')
  lab.clock.advance(1)
  const { message } = await lab.peer.expect('BYE')
  t.equal(
    headerValue(message.headers, 'reason'),
    'SIP;cause=500;text="WhatsApp client terminated the call due to not receiving any media for a long time."',
  )
  t.equal(headerValue(message.headers, 'x-wa-meta-call-duration'), '20')
  t.equal(headerValue(message.headers, 'x-wa-meta-wacid'), call.id)
  t.match(call.outcome, { by: 'whatsapp', reason: 'no media for 20 s' })
})

t.test('calls may share one connection', async (t) => {
  const lab = await startLab(t, { behaviour: { connections: 'reuse' } })
  for (const from of ['+33199001234', '+33199001235']) {
    const call = lab.simulator.placeCall({ from, to: BUSINESS, hangupAfter: 1000 })
    await answer(lab)
    await lab.peer.expect('ACK')
    await call.until((call) => call.state === 'answered')
    lab.clock.advance(1000)
    const bye = await lab.peer.expect('BYE')
    bye.write(reply(bye.message, '200 OK'))
  }
  t.equal(lab.peer.sockets.size, 1)
})

t.test('media flows: the business hears the consumer, who hears the business', async (t) => {
  const lab = await startLab(t, { clock: systemClock, random: systemRandom })
  const business = await MediaEndpoint.open({
    clock: systemClock,
    random: systemRandom,
    dialect: 'pbx',
    profile: 'RTP/SAVP',
    address: '127.0.0.1',
    codecs: ['opus'],
    tone: { frequency: 880, level: -20 },
    waits: false,
  })
  t.teardown(() => business.close())
  const call = lab.simulator.placeCall({ from: CONSUMER, to: BUSINESS, hangupAfter: 1200 })
  const invite = await lab.peer.expect('INVITE')
  const body = await business.answer(invite.message.body!.toString())
  invite.write(reply(invite.message, '200 OK', CONTACT, { body }))
  await lab.peer.expect('ACK')
  business.start()
  const bye = await lab.peer.expect('BYE')
  bye.write(reply(bye.message, '200 OK'))
  await call.until(() => false)
  const { media, violations } = call.view()
  t.same(violations, [])
  t.equal(media!.received.tone!.frequency, 880)
  t.ok(media!.heard)
  t.ok(media!.firstPacketAfter! < 500)
  t.equal(business.verdict().received.tone!.frequency, 440)
  t.equal(business.verdict().received.ssrcs.length, 1)
})
