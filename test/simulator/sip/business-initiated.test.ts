import { once } from 'node:events'
import { connect } from 'node:tls'
import t from 'tap'
import { headerValue, headerValues } from '../../../src/embedded-drachtio/message/index.ts'
import { decodeWacid } from '../../../src/simulator/sip/index.ts'
import {
  ackFailure,
  CONSUMER,
  callConsumer,
  credentials,
  crlf,
  HOST,
  inDialog,
  inviteText,
  Peer,
  startLab,
} from './lab.ts'

t.test('ALPN is refused with alert 120', async (t) => {
  const lab = await startLab(t)
  const { port } = lab.simulator.address
  const socket = connect({ host: '127.0.0.1', port, ca: lab.ca.cert, ALPNProtocols: ['sip'] })
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => socket.on('error', resolve))
  t.match(error.message, /alert number 120/)
})

t.test('a keepalive ping gets its pong (RFC 5626)', async (t) => {
  const lab = await startLab(t)
  const socket = await lab.connect(new Peer())
  const pong = once(socket, 'data')
  socket.write('\r\n\r\n')
  const [bytes] = await pong
  t.equal(String(bytes), '\r\n')
})

t.test('a call from the challenge to the BYE', async (t) => {
  const lab = await startLab(t)
  const socket = await lab.connect()
  socket.write(crlf(inviteText({ branch: 'z9hG4bKfirst' })))
  const challenge = (await lab.peer.expect('407 INVITE')).message
  t.equal(challenge.toTag, 'z9hG4bKfirst', 'To tag equals the top branch')
  t.same(
    challenge.headers.map((header) => header.name),
    ['Via', 'From', 'To', 'Call-ID', 'CSeq', 'Proxy-Authenticate', 'Content-Length'],
  )
  socket.write(crlf(ackFailure(challenge)))

  const trying = await callConsumer(lab, socket, { callId: 'call-2' })
  t.equal(trying.message.kind === 'response' && trying.message.status, 100)
  const ringing = (await lab.peer.expect('180 INVITE')).message
  t.ok(ringing.toTag)
  lab.clock.advance(1000)
  const answered = await lab.peer.expect('200 INVITE')
  const ok = answered.message
  t.same(headerValues(ok.headers, 'record-route'), [
    '<sip:onevc-sip-proxy.fbinfra.net:8191;transport=tls;lr>',
    '<sip:wa.meta.vc;transport=tls;lr>',
  ])
  t.equal(
    headerValue(ok.headers, 'contact'),
    `<sip:${CONSUMER}@wa.meta.vc;transport=tls;ob;X-FB-Sip-Smc-Tier=collaboration.sip_gateway.sip.prod>;isfocus`,
  )
  t.equal(headerValue(ok.headers, 'supported'), 'timer')
  t.equal(headerValue(ok.headers, 'allow'), 'INVITE, ACK, BYE, CANCEL, NOTIFY, OPTIONS')
  t.equal(headerValue(ok.headers, 'x-fb-external-domain'), 'wa.meta.vc')
  t.match(ok.body!.toString(), /m=audio \d+ RTP\/SAVP 107 101\r\n/, 'payload numbers are echoed')
  t.equal(ok.toTag, ringing.toTag)
  socket.write(crlf(inDialog('ACK', ok)))

  const call = lab.simulator.calls.byCallId('call-2')!
  t.equal(call.state, 'answered')
  t.equal(decodeWacid(call.id)!.businessInitiated, true)
  socket.write(crlf(inDialog('BYE', ok)))
  await lab.peer.expect('200 BYE')
  await call.until(() => false)
  t.same(call.outcome, { by: 'business', reason: 'hung up' })
  t.same(call.violations, [])
  t.equal(lab.store.activeCalls().length, 0)
})

t.test('an unacknowledged 200 is repeated, then the call is given up', async (t) => {
  const lab = await startLab(t, { behaviour: { mediaStart: 60_000 } })
  const socket = await lab.connect()
  await callConsumer(lab, socket)
  await lab.peer.expect('180 INVITE')
  lab.clock.advance(1000)
  const ok = await lab.peer.expect('200 INVITE')
  socket.write(crlf(inDialog('ACK', ok.message, { routes: '' })))
  const call = lab.simulator.calls.byCallId('call-1')!
  await call.until(() => call.violations.length > 0)
  t.match(call.violations, [{ rule: 'route' }])
  lab.clock.advance(1500)
  await lab.peer.expect('200 INVITE')
  await lab.peer.expect('200 INVITE')
  lab.clock.advance(32_000)
  t.match(call.violations.at(-1), { rule: 'ack' })
  t.match(call.outcome, { reason: 'no ACK' })
})

t.test('inside the dialog', async (t) => {
  const lab = await startLab(t)
  const socket = await lab.connect()
  await callConsumer(lab, socket)
  await lab.peer.expect('180 INVITE')
  lab.clock.advance(1000)
  const ok = (await lab.peer.expect('200 INVITE')).message
  socket.write(crlf(inDialog('ACK', ok)))
  const call = lab.simulator.calls.byCallId('call-1')!

  socket.write(crlf(inDialog('INVITE', ok)))
  const refused = (await lab.peer.expect('500 INVITE')).message
  socket.write(crlf(ackFailure(refused)))
  for (const method of ['UPDATE', 'INFO', 'REFER', 'PRACK', 'MESSAGE']) {
    socket.write(crlf(inDialog(method, ok)))
    await lab.peer.expect(`405 ${method}`)
  }
  t.same(
    call.violations.map((violation) => violation.rule),
    ['re-invite', 'method', 'method', 'method', 'method', 'method'],
  )
  socket.write(crlf(inDialog('BYE', ok, { routes: '' })))
  await lab.peer.expect('404 BYE')
  t.equal(call.state, 'answered', 'the consumer keeps hearing silence')
  lab.clock.advance(20_000)
  const bye = (await lab.peer.expect('BYE')).message
  t.match(headerValue(bye.headers, 'reason'), /^SIP;cause=500;text="WhatsApp client terminated/)
  t.match(call.outcome, { by: 'whatsapp', reason: 'no media for 20 s' })
})

t.test('challenges by algorithm', async (t) => {
  for (const digest of [['SHA-256'], ['SHA-512-256'], ['SHA-256', 'MD5']] as const) {
    const lab = await startLab(t, { behaviour: { digest: [...digest] } })
    const socket = await lab.connect()
    const { message, text } = await callConsumer(lab, socket)
    t.equal(message.kind === 'response' && message.status, 100, digest.join())
    t.notMatch(text, /Proxy-Authenticate/)
    const ladder = lab.simulator.calls.byCallId('call-1')!.messages
    const offered = ladder.find((entry) => entry.summary.startsWith('407'))!.text
    for (const algorithm of digest) t.match(offered, `algorithm=${algorithm}`)
    t.notMatch(ladder.map((entry) => entry.text).join(), /inline:[A-Z]|response="[0-9a-f]/)
  }
})

t.test('a nonce may be used again with a higher count', async (t) => {
  const lab = await startLab(t)
  const socket = await lab.connect()
  await callConsumer(lab, socket)
  await lab.peer.expect('180 INVITE')
  const ladder = lab.simulator.calls.byCallId('call-1')!.messages
  const offered = ladder.find((entry) => entry.summary.startsWith('407'))!.text
  const challenge = /Proxy-Authenticate: (.*)\r/.exec(offered)![1]!
  const password = lab.store.passwordOf(lab.number, '634974688087057')
  const other = '+33199005678'
  lab.store.grantPermission(lab.number, other, true)
  const invite = (callId: string, nc: string) =>
    socket.write(
      crlf(
        inviteText({
          callId,
          uri: `sip:${other}@wa.meta.vc;transport=tls`,
          authorization: credentials(challenge, password, { nc }),
        }),
      ),
    )
  invite('call-2', '00000001')
  const stale = await lab.peer.expect('407 INVITE')
  t.match(headerValue(stale.message.headers, 'proxy-authenticate'), /stale=true/)
  invite('call-3', '00000002')
  await lab.peer.expect('100 INVITE')
})

t.test('a From domain above the configured host name passes', async (t) => {
  const lab = await startLab(t)
  const parts = { fromDomain: 'example.com' }
  const { message } = await callConsumer(lab, await lab.connect(), parts)
  t.equal(message.kind === 'response' && message.status, 100)
})

t.test('a missing ;transport=tls is noted', async (t) => {
  const lab = await startLab(t)
  const parts = { uri: `sip:${CONSUMER}@wa.meta.vc` }
  await callConsumer(lab, await lab.connect(), parts)
  const call = lab.simulator.calls.byCallId('call-1')!
  t.match(call.violations[0], { rule: 'request-uri', detail: /transport=tls/ })
})

t.test('what a consumer may do instead of answering', async (t) => {
  for (const [action, after, status, text] of [
    ['decline', 1000, 486, 'User declined the call'],
    ['unanswered', 45_000, 480, 'Temporarily Unavailable'],
    ['unreachable', 1000, 480, 'Temporarily Unavailable'],
    ['error', 1000, 503, 'Service Unavailable'],
  ] as const) {
    const lab = await startLab(t)
    lab.simulator.consumers.update(CONSUMER, { script: { action } })
    await callConsumer(lab, await lab.connect())
    if (action === 'decline' || action === 'unanswered') await lab.peer.expect('180 INVITE')
    lab.clock.advance(after)
    const { message } = await lab.peer.expect(`${status} INVITE`)
    t.equal(message.kind === 'response' && message.reason, text)
    t.match(lab.simulator.calls.byCallId('call-1')!.outcome, { status })
  }
})

t.test('CANCEL: 200 and 487', async (t) => {
  const lab = await startLab(t)
  const socket = await lab.connect()
  await callConsumer(lab, socket)
  const { message } = await lab.peer.expect('180 INVITE')
  socket.write(
    crlf(`CANCEL sip:${CONSUMER}@wa.meta.vc;transport=tls SIP/2.0
Via: ${headerValue(message.headers, 'via')}
From: ${headerValue(message.headers, 'from')}
To: <sip:${CONSUMER}@wa.meta.vc>
Call-ID: call-1
CSeq: 2 CANCEL`),
  )
  await lab.peer.expect('200 CANCEL')
  await lab.peer.expect('487 INVITE')
  t.match(lab.simulator.calls.byCallId('call-1')!.outcome, { by: 'business', status: 487 })
})

t.test('the consumer hangs up over a new connection', async (t) => {
  const lab = await startLab(t)
  const socket = await lab.connect()
  lab.simulator.consumers.update(CONSUMER, { script: { action: 'answer', hangupAfter: 5000 } })
  await callConsumer(lab, socket)
  await lab.peer.expect('180 INVITE')
  lab.clock.advance(1000)
  const ok = (await lab.peer.expect('200 INVITE')).message
  socket.write(crlf(inDialog('ACK', ok)))
  const call = lab.simulator.calls.byCallId('call-1')!
  await call.until(() =>
    call.messages.some((entry) => entry.summary === 'ACK' && entry.text.includes('d')),
  )
  const sockets = lab.peer.sockets.size
  lab.clock.advance(5000)
  const bye = (await lab.peer.expect('BYE')).message
  t.equal(lab.peer.sockets.size, sockets + 1)
  t.equal(bye.kind === 'request' && bye.uri, `sip:+441632960123@${HOST}:5061;transport=tls`)
  t.equal(headerValue(bye.headers, 'x-wa-meta-wacid'), call.id)
  t.equal(headerValue(bye.headers, 'x-wa-meta-call-duration'), '5')
  t.match(call.outcome, { by: 'consumer' })
})
