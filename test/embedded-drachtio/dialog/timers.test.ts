import t from 'tap'
import { FakeClock } from '../../support/fake-clock.ts'
import { PeerDialog, type PeerMessage, SipPeer } from '../../support/sip-peer.ts'
import { bench, fails } from '../contract/cases.ts'
import { answered } from '../contract/incoming.ts'
import { hangUp, placed } from '../contract/outgoing.ts'
import { RawApp } from '../contract/raw-app.ts'
import { type AppRequest, Calls, event, requests, sdp } from '../contract/srf.ts'
import { openServer } from '../support.ts'

/** A server on a clock of its own, and a bench on it. */
async function setUp(t: Parameters<typeof bench>[0]) {
  const clock = new FakeClock()
  const { server, address } = await openServer({ clock })
  t.teardown(() => server.close())
  return { clock, server, bench: bench(t, address) }
}

function byeReason(bye: PeerMessage): string {
  return /text="(.*)"/.exec(bye.header('reason'))?.[1] ?? ''
}

t.test('an answer that is never acknowledged ends in a BYE after 32 s', async (t) => {
  const { clock, bench, server } = await setUp(t)
  const { app, invites } = await bench.service()
  const peer = await bench.peer()
  const call = peer.dialog(bench.sip)
  call.request('INVITE', { body: sdp(4000) })
  const { req, res } = await invites.next()
  const dialog = await app.createUAS(req, res, { localSdp: sdp(5000) })
  const ok = await peer.expect(200)
  peer.forget(ok)
  clock.advance(500)
  t.equal((await peer.expect(200)).text, ok.text)
  const destroyed = event(dialog, 'destroy')
  clock.advance(31_500)
  const bye = await peer.expect('BYE')
  t.equal(byeReason(bye), 'ACK timeout')
  t.equal(bye.tag('to'), call.localTag)
  peer.respond(bye, 200)
  t.equal((await destroyed)[1], 'ACK timeout')
  t.equal(server.metrics().now.dialogs, 0)
})

t.test('a session the peer does not refresh ends at its interval', async (t) => {
  const { clock, bench } = await setUp(t)
  const headers = { Supported: 'timer', 'Session-Expires': '100;refresher=uac' }
  const { peer, call, dialog, ok } = await answered(bench, {
    invite: { body: sdp(4000), headers },
  })
  t.equal(ok.header('session-expires'), '100;refresher=uac')
  t.equal(ok.header('require'), 'timer')
  clock.advance(99_000)
  call.request('UPDATE', { headers: { 'Session-Expires': '100;refresher=uac' } })
  await peer.expect(200)
  clock.advance(99_000)
  await peer.settle(bench.sip)
  t.notOk(peer.has('BYE'), 'the UPDATE has prolonged it')
  const destroyed = event(dialog, 'destroy')
  clock.advance(1000)
  const bye = await peer.expect('BYE')
  t.equal(byeReason(bye), 'Session timer expired')
  t.equal((await destroyed)[1], 'Session timer expired')
  peer.respond(bye, 200)
})

t.test('a peer that is told nothing of timers cannot make us refresh', async (t) => {
  const { clock, bench } = await setUp(t)
  const { peer, dialog } = await placed(bench, {
    headers: { 'Session-Expires': '100;refresher=uac' },
  })
  clock.advance(200_000)
  await peer.settle(bench.sip)
  t.notOk(peer.has('INVITE'))
  t.notOk(peer.has('BYE'))
  await hangUp(peer, dialog)
})

t.test('a session we refresh', async (t) => {
  const { clock, bench } = await setUp(t)
  const answer = { headers: { 'Session-Expires': '100;refresher=uac' } }
  const { peer, dialog, invite } = await placed(bench, answer, { Supported: 'timer' })
  clock.advance(44_000)
  await peer.settle(bench.sip)
  t.notOk(peer.has('INVITE'))
  clock.advance(11_000)
  const refresh = await peer.expect('INVITE')
  t.equal(refresh.body, sdp(4000), 'the description of the call')
  t.equal(refresh.header('session-expires'), '100;refresher=uac')
  t.equal(refresh.header('min-se'), '90')
  t.equal(refresh.contact, invite.contact)
  t.equal(refresh.cseq, invite.cseq + 1)
  peer.respond(refresh, 491)
  await peer.expect('ACK')
  clock.advance(4000)
  const again = await peer.expect('INVITE')
  peer.respond(again, 200, {
    headers: { Contact: peer.contact, 'Session-Expires': '100;refresher=uac' },
    body: sdp(6000),
  })
  t.equal((await peer.expect('ACK')).cseq, again.cseq)
  clock.advance(56_000)
  const failing = await peer.expect('INVITE')
  const destroyed = event(dialog, 'destroy')
  peer.respond(failing, 408)
  await peer.expect('ACK')
  const bye = await peer.expect('BYE')
  t.equal(byeReason(bye), 'Session timer expired')
  await destroyed
  peer.respond(bye, 200)
})

t.test('a session whose refresher is the callee, us', async (t) => {
  const { clock, bench } = await setUp(t)
  const headers = { Supported: 'timer', 'Session-Expires': '120;refresher=uas' }
  const { peer, dialog, ok } = await answered(bench, { invite: { body: sdp(4000), headers } })
  t.equal(ok.header('session-expires'), '120;refresher=uas')
  clock.advance(66_000)
  const refresh = await peer.expect('INVITE')
  t.equal(refresh.body, sdp(5000))
  peer.respond(refresh, 200, { headers: { Contact: peer.contact }, body: sdp(4000) })
  await peer.expect('ACK')
  await hangUp(peer, dialog)
  clock.advance(1_000_000)
  await peer.settle(bench.sip)
  t.notOk(peer.has('INVITE'), 'no refresh of a call that is over')
})

t.test('a request the application does not answer gets 500 while the peer waits', async (t) => {
  const { clock, bench, server } = await setUp(t)
  const silent = requests()
  await bench.app({ options: silent.handler, message: silent.handler })
  const peer = await bench.peer()
  peer.dialog(bench.sip).request('OPTIONS')
  const { res } = await silent.next()
  clock.advance(20_000)
  const later = peer.dialog(bench.sip).request('MESSAGE')
  const second = await silent.next()
  clock.advance(10_000)
  await peer.expect(500)
  second.res.send(200)
  t.equal((await peer.expect(200)).header('call-id'), later.header('call-id'))
  t.match(await new Promise((resolve) => res.send(200, {}, resolve)), /unknown transaction/)
  t.equal(server.metrics().now.incoming, 0)
  t.equal(server.metrics().counters.dialogs.answeredForApp, 1)
})

t.test('an INVITE the application forgets ends, and the application is told', async (t) => {
  const { clock, bench, server } = await setUp(t)
  const { invites } = await bench.service()
  const peer = await bench.peer()
  peer.dialog(bench.sip).request('INVITE', { body: sdp(4000) })
  const { req, res } = await invites.next()
  res.send(180)
  await peer.expect(180)
  const cancelled = event(req as never, 'cancel')
  clock.advance(600_000)
  await peer.expect(408)
  clock.advance(32_000)
  await cancelled
  t.equal(server.metrics().now.incoming, 0)
  t.equal(server.metrics().now.dialogs, 0)
})

t.test('calls of an application that does not come back are hung up', async (t) => {
  const { clock, bench, server } = await setUp(t)
  const { peer, app } = await answered(bench)
  app.disconnect()
  await event(app, 'close')
  await peer.settle(bench.sip)
  t.equal(server.metrics().now.dialogs, 1)
  clock.advance(600_000)
  const bye = await peer.expect('BYE')
  t.equal(byeReason(bye), 'application disconnected')
  t.equal(server.metrics().now.dialogs, 0)
})

t.test('an answer the application does not acknowledge is let go', async (t) => {
  const { clock, bench, server } = await setUp(t)
  const app = await RawApp.open(bench.server)
  t.teardown(() => app.close())
  await app.authenticate(bench.server.secret)
  const peer = await bench.peer()
  app.send('sip', '', `\r\nINVITE sip:x@${peer.hostport} SIP/2.0\r\n\r\n${sdp(4000)}`)
  const invite = await peer.expect('INVITE')
  peer.respond(invite, 200, { tag: 'c', headers: { Contact: peer.contact }, body: sdp(6000) })
  await app.next((f) => f.tokens[1] === 'sip')
  clock.advance(32_000)
  await peer.expect('ACK')
  const bye = await peer.expect('BYE')
  const told = await app.next((f) => f.tokens[8] === 'unsolicited')
  t.equal(told.tokens[2], 'application')
  t.equal(told.tokens[9], `${invite.header('call-id')};from-tag=${invite.tag('from')}`)
  t.equal(told.tokens.length, 11)
  t.equal(told.text, bye.text, 'the BYE as sent')
  t.equal(server.metrics().now.dialogs, 0)
})

t.test('requests without any answer fail with 408 made here', async (t) => {
  const { clock, bench } = await setUp(t)
  const app = await RawApp.open(bench.server)
  t.teardown(() => app.close())
  await app.authenticate(bench.server.secret)
  const peer = await bench.peer()
  for (const method of ['INVITE', 'OPTIONS']) {
    const mid = app.send('sip', '', `\r\n${method} sip:x@${peer.hostport} SIP/2.0\r\n\r\n`)
    const sent = await app.next((f) => f.tokens[2] === mid)
    await peer.expect(method)
    clock.advance(32_000)
    const failed = await app.next((f) => f.tokens[1] === 'sip')
    t.same(failed.tokens.slice(2, 7), ['network', '0', '', '', '0'])
    t.equal(failed.tokens[8], sent.tokens[10])
    t.equal(failed.tokens[9] !== '', method === 'INVITE')
    t.match(failed.text, /^SIP\/2.0 408 Request Timeout\r\n/)
    t.match(failed.text, /^From: .*tag=/m)
  }
})

t.test('a reliable response without PRACK rejects the call', async (t) => {
  const { clock, bench, server } = await setUp(t)
  const { invites } = await bench.service()
  const peer = await bench.peer()
  const call = peer.dialog(bench.sip)
  call.request('INVITE', { body: sdp(4000), headers: { Supported: '100rel' } })
  const { req, res } = await invites.next()
  const cancelled = event(req as never, 'cancel')
  res.send(183, { headers: { Require: '100rel' }, body: sdp(5000) })
  res.send(180, { headers: { Require: '100rel' } })
  const first = await peer.expect(183)
  peer.forget(first)
  clock.advance(500)
  t.equal((await peer.expect(183)).text, first.text)
  t.notOk(peer.has(180), 'the second waits for the first')
  clock.advance(31_500)
  await peer.expect(504)
  await cancelled
  t.equal(server.metrics().now.dialogs, 0)
})

t.test('reliable responses follow one another', async (t) => {
  const { bench } = await setUp(t)
  const { invites } = await bench.service()
  const peer = await bench.peer()
  const call = peer.dialog(bench.sip)
  call.request('INVITE', { body: sdp(4000), headers: { Supported: '100rel' } })
  const { res } = await invites.next()
  res.send(183, { headers: { Require: '100rel' }, body: sdp(5000) })
  res.send(180, { headers: { Require: '100rel' } })
  const first = await peer.expect(183)
  call.learn(first)
  const rseq = Number(first.header('rseq'))
  call.request('PRACK', { headers: { RAck: `${rseq} 1 INVITE` } })
  await peer.expect(200)
  const second = await peer.expect(180)
  t.equal(Number(second.header('rseq')), rseq + 1)
  call.request('PRACK', { headers: { RAck: `${rseq + 1} 1 INVITE` } })
  await peer.expect(200)
  res.send(486)
  await peer.expect(486)
})

t.test('a subscription that is not refreshed ends by itself', async (t) => {
  const { clock, bench, server } = await setUp(t)
  const subscribes = requests()
  const app = await bench.app({ subscribe: subscribes.handler })
  const peer = await bench.peer()
  peer.dialog(bench.sip).request('SUBSCRIBE', { headers: { Event: 'presence', Expires: '60' } })
  const { req, res } = await subscribes.next()
  const dialog = await app.createUAS(req, res, { headers: { Expires: '60' } })
  await peer.expect(202)
  t.equal(server.metrics().now.dialogs, 1)
  const notify = dialog.request({
    method: 'NOTIFY',
    headers: { Event: 'presence', 'Subscription-State': 'active' },
  })
  const out = await peer.expect('NOTIFY')
  t.ok(out.contact)
  peer.respond(out, 200)
  await notify
  clock.advance(60_000)
  t.equal(server.metrics().now.dialogs, 1)
  clock.advance(32_000)
  t.equal(server.metrics().now.dialogs, 0)
})

t.test('after any traffic every table is empty again', async (t) => {
  const { clock, server, bench } = await setUp(t)
  const done = new Calls<AppRequest>()
  const { app, invites } = await bench.service()
  const peer = await bench.peer()

  for (const _ of [1, 2, 3]) {
    // Answered, ended by either side.
    const up = peer.dialog(bench.sip)
    up.request('INVITE', { body: sdp(4000) })
    const { req, res } = await invites.next()
    const dialog = await app.createUAS(req, res, { localSdp: sdp(5000) })
    const ok = await peer.expect(200)
    up.learn(ok)
    up.request('ACK')
    await event(dialog, 'ack')
    up.request('BYE')
    await peer.expect(200)

    // Cancelled, rejected, never acknowledged.
    const cancelled = peer.dialog(bench.sip)
    cancelled.request('INVITE', { body: sdp(4000) })
    const ringing = await invites.next()
    ringing.res.send(180)
    await peer.expect(180)
    cancelled.request('CANCEL')
    await peer.expect(200)
    await peer.expect(487)
    const rejected = peer.dialog(bench.sip)
    rejected.request('INVITE', { body: sdp(4000) })
    ;(await invites.next()).res.send(486)
    await peer.expect(486)

    // Ours: failed, forked, never answered.
    const pending = app.createUAC(`sip:x@${peer.hostport}`, { localSdp: sdp(4000) })
    const failed = fails(t, pending, { status: 500 })
    const invite = await peer.expect('INVITE')
    for (const tag of ['a', 'b']) {
      peer.respond(invite, 183, { tag, headers: { Contact: peer.contact } })
    }
    peer.respond(invite, 500, { tag: 'a' })
    await failed
    app
      .createUAC(
        `sip:x@${peer.hostport}`,
        { localSdp: sdp(4000) },
        { cbRequest: (_, sent) => done.add(sent) },
      )
      .catch(() => undefined)
    await done.next()
    await peer.expect('INVITE')
  }
  t.ok(server.metrics().now.serverTransactions > 0)
  clock.advance(700_000)
  await peer.settle(bench.sip)
  clock.advance(700_000)
  const { applications, ...rest } = server.metrics().now
  t.equal(applications, 1)
  for (const [name, value] of Object.entries(rest)) t.equal(value, 0, name)
})

t.test('an early dialog of the callee may be hung up on by its own side only', async (t) => {
  const { bench } = await setUp(t)
  const app = await bench.app()
  const peer = await SipPeer.open()
  t.teardown(() => peer.close())
  const pending = app.createUAC(`sip:x@${peer.hostport}`, { localSdp: sdp(4000) })
  const failed = fails(t, pending, { status: 486 })
  const invite = await peer.expect('INVITE')
  peer.respond(invite, 180, { tag: 'c', headers: { Contact: peer.contact } })
  await peer.settle(bench.sip)
  const call = PeerDialog.of(peer, invite, 'c')
  call.request('BYE')
  await peer.expect((m) => m.status === 481 && m.method === 'BYE')
  peer.respond(invite, 486, { tag: 'c' })
  await failed
})
