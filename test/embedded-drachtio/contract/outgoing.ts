/** Calls of applications (§14.2, §14.3). */

import { PeerDialog, type PeerMessage, type SipPeer } from '../../support/sip-peer.ts'
import { type Bench, type Case, fails } from './cases.ts'
import { type AppDialog, type AppRequest, type AppResponse, Calls, event, sdp } from './srf.ts'

/** A call of an application, answered by a peer. */
export interface Placed {
  peer: SipPeer
  dialog: AppDialog
  invite: PeerMessage
  ack: PeerMessage
  /** The call from the callee's side. */
  call: PeerDialog
  app: Awaited<ReturnType<Bench['app']>>
}

/** Sets up an outgoing call. */
export async function placed(
  bench: Bench,
  answer: { headers?: Record<string, string | string[]> } = {},
  headers: Record<string, string> = {},
): Promise<Placed> {
  const app = await bench.app()
  const peer = await bench.peer()
  const pending = app.createUAC(`sip:bob@${peer.hostport}`, { localSdp: sdp(4000), headers })
  const invite = await peer.expect('INVITE')
  peer.respond(invite, 200, {
    tag: 'callee',
    headers: { Contact: peer.contact, ...answer.headers },
    body: sdp(6000),
  })
  const dialog = await pending
  const ack = await peer.expect('ACK')
  const call = PeerDialog.of(peer, invite, 'callee')
  return { peer, dialog, invite, ack, call, app }
}

/** Ends a call from the application's side. */
export async function hangUp(peer: SipPeer, dialog: AppDialog): Promise<void> {
  const ended = dialog.destroy()
  peer.respond(await peer.expect('BYE'), 200)
  await ended
}

export const outgoingCases: Record<string, Case> = {
  'an outgoing call is answered and ended by the application': async (bench) => {
    const { t } = bench
    const app = await bench.app()
    const peer = await bench.peer()
    const sent = new Calls<AppRequest>()
    const progress = new Calls<AppResponse>()
    const pending = app.createUAC(
      `sip:bob@${peer.hostport}`,
      {
        localSdp: sdp(4000),
        callingNumber: '1234',
        headers: {
          'X-Custom-Id': 'abc',
          subject: 'hello',
          'P-Asserted-Identity': 'sip:1@localhost',
        },
      },
      {
        cbRequest: (_, req) => sent.add(req),
        cbProvisional: (res) => progress.add(res),
      },
    )
    const invite = await peer.expect('INVITE')
    const local = `${bench.sip.host}:${bench.sip.port}`
    t.equal(invite.uri, `sip:bob@${peer.hostport}`)
    t.match(invite.header('from'), `<sip:1234@${local}>;tag=`)
    t.match(invite.contact, `sip:1234@${local}`)
    t.match(invite.header('p-asserted-identity'), `sip:1@${local}`)
    t.match(invite.header('to'), `<sip:bob@${peer.hostport}>`)
    t.equal(invite.header('max-forwards'), '70')
    t.equal(invite.header('content-type'), 'application/sdp')
    t.match(invite.text, /^X-Custom-Id: abc\r$/m)
    t.match(invite.text, /^Subject: hello\r$/m)
    t.match(
      invite.header('via'),
      new RegExp(`^SIP/2.0/UDP ${local.replaceAll('.', '\\.')};.*branch=z9hG4bK`),
    )
    t.match(invite.header('via'), /;rport/)
    t.notMatch(invite.header('call-id'), /@/)
    t.equal(invite.body, sdp(4000))
    const request = await sent.next()
    t.equal(request.get('Call-ID'), invite.header('call-id'))
    t.equal(request.get('CSeq'), invite.header('cseq'))
    t.equal(request.get('From'), invite.header('from'))
    peer.respond(invite, 100)
    peer.respond(invite, 180, { tag: 'callee', headers: { Contact: peer.contact } })
    t.equal((await progress.next()).status, 180, 'the 100 is not told')
    peer.respond(invite, 200, {
      tag: 'callee',
      headers: { Contact: peer.contact },
      body: sdp(6000),
    })
    const dialog = await pending
    const ack = await peer.expect('ACK')
    t.equal(ack.uri, `sip:peer@${peer.hostport}`)
    t.equal(ack.header('cseq'), `${invite.cseq} ACK`)
    t.equal(ack.tag('to'), 'callee')
    t.equal(ack.tag('from'), invite.tag('from'))
    t.not(ack.header('via'), invite.header('via'), 'a branch of its own')
    t.equal(dialog.id, `${invite.header('call-id')};from-tag=${invite.tag('from')}`)
    t.equal(dialog.remote.sdp, sdp(6000))
    const ended = dialog.destroy()
    const bye = await peer.expect('BYE')
    t.equal(bye.cseq, invite.cseq + 1)
    peer.respond(bye, 200)
    await ended
  },

  'an outgoing call is ended by the callee': async (bench) => {
    const { peer, dialog, call } = await placed(bench)
    const destroyed = event(dialog, 'destroy')
    call.request('BYE')
    await destroyed
    await peer.expect(200)
    await fails(bench.t, dialog.request({ method: 'INFO' }), { code: 'ENODIALOG' })
  },

  'an outgoing call fails; the server acknowledges': async (bench) => {
    const { t } = bench
    const app = await bench.app()
    const peer = await bench.peer()
    const pending = app.createUAC(`sip:bob@${peer.hostport}`, { localSdp: sdp(4000) })
    const failed = fails(t, pending, { status: 486, reason: 'Busy Here' })
    const invite = await peer.expect('INVITE')
    peer.respond(invite, 486, { tag: 'callee', reason: 'Busy Here' })
    const ack = await peer.expect('ACK')
    t.equal(ack.header('via'), invite.header('via'), 'the same branch')
    t.equal(ack.tag('to'), 'callee')
    await failed
  },

  'a challenge is answered with the same Call-ID, tag and the next CSeq': async (bench) => {
    const { t } = bench
    const app = await bench.app()
    const peer = await bench.peer()
    const pending = app.createUAC(`sip:bob@${peer.hostport}`, {
      localSdp: sdp(4000),
      auth: { username: 'u', password: 'p' },
    })
    const first = await peer.expect('INVITE')
    peer.respond(first, 407, {
      tag: 'proxy',
      headers: { 'Proxy-Authenticate': 'Digest realm="r", nonce="n", qop="auth"' },
    })
    await peer.expect('ACK')
    const second = await peer.expect('INVITE')
    t.equal(second.header('call-id'), first.header('call-id'))
    t.equal(second.tag('from'), first.tag('from'))
    t.equal(second.cseq, first.cseq + 1)
    t.equal(second.tag('to'), '')
    t.match(second.header('proxy-authorization'), /username="u".*realm="r"/)
    peer.respond(second, 200, {
      tag: 'callee',
      headers: { Contact: peer.contact },
      body: sdp(6000),
    })
    const dialog = await pending
    const ack = await peer.expect('ACK')
    t.equal(ack.cseq, second.cseq)
    t.equal(dialog.id, `${first.header('call-id')};from-tag=${first.tag('from')}`)
    await hangUp(peer, dialog)
  },

  'CANCEL waits for the first provisional response': async (bench) => {
    const { t } = bench
    const app = await bench.app()
    const peer = await bench.peer()
    const sent = new Calls<AppRequest>()
    const pending = app.createUAC(
      `sip:bob@${peer.hostport}`,
      { localSdp: sdp(4000) },
      { cbRequest: (_, req) => sent.add(req) },
    )
    const failed = fails(t, pending, { status: 487 })
    const invite = await peer.expect('INVITE')
    const request = await sent.next()
    await new Promise<void>((resolve) => request.cancel({}, () => resolve()))
    t.notOk(peer.has('CANCEL'), 'held')
    peer.respond(invite, 180, { tag: 'callee' })
    const cancel = await peer.expect('CANCEL')
    t.equal(cancel.header('via'), invite.header('via'), 'the branch of the INVITE')
    t.equal(cancel.cseq, invite.cseq)
    t.equal(cancel.uri, invite.uri)
    peer.respond(cancel, 200, { tag: 'callee' })
    peer.respond(invite, 487, { tag: 'callee' })
    await peer.expect('ACK')
    await failed
  },

  'CANCEL after a provisional response goes out with its Reason': async (bench) => {
    const { t } = bench
    const app = await bench.app()
    const peer = await bench.peer()
    const sent = new Calls<AppRequest>()
    const progress = new Calls<AppResponse>()
    const pending = app.createUAC(
      `sip:bob@${peer.hostport}`,
      { localSdp: sdp(4000) },
      { cbRequest: (_, req) => sent.add(req), cbProvisional: (res) => progress.add(res) },
    )
    const failed = fails(t, pending, { status: 487 })
    const invite = await peer.expect('INVITE')
    peer.respond(invite, 180, { tag: 'callee' })
    await progress.next()
    const request = await sent.next()
    request.cancel({ headers: { Reason: 'SIP;cause=200;text="elsewhere"' } })
    const cancel = await peer.expect('CANCEL')
    t.match(cancel.header('reason'), 'elsewhere')
    peer.respond(cancel, 200, { tag: 'callee' })
    peer.respond(invite, 487, { tag: 'callee' })
    await peer.expect('ACK')
    await failed
  },

  'CANCEL crossed by the answer: the server hangs up': async (bench) => {
    const { t } = bench
    const app = await bench.app()
    const peer = await bench.peer()
    const sent = new Calls<AppRequest>()
    const progress = new Calls<AppResponse>()
    const pending = app.createUAC(
      `sip:bob@${peer.hostport}`,
      { localSdp: sdp(4000) },
      { cbRequest: (_, req) => sent.add(req), cbProvisional: (res) => progress.add(res) },
    )
    const invite = await peer.expect('INVITE')
    peer.respond(invite, 180, { tag: 'callee', headers: { Contact: peer.contact } })
    await progress.next()
    const request = await sent.next()
    request.cancel()
    const cancel = await peer.expect('CANCEL')
    peer.respond(invite, 200, {
      tag: 'callee',
      headers: { Contact: peer.contact },
      body: sdp(6000),
    })
    peer.respond(cancel, 200, { tag: 'callee' })
    const dialog = await pending
    const destroyed = event(dialog, 'destroy')
    await peer.expect('ACK')
    const bye = await peer.expect('BYE')
    peer.respond(bye, 200)
    t.equal(bye.cseq, invite.cseq + 1)
    await destroyed
  },

  'a repeated answer gets the ACK again': async (bench) => {
    const { t } = bench
    const { peer, dialog, invite, ack } = await placed(bench)
    peer.forget(ack)
    peer.respond(invite, 200, {
      tag: 'callee',
      headers: { Contact: peer.contact },
      body: sdp(6000),
    })
    const again = await peer.expect('ACK')
    t.equal(again.header('cseq'), ack.header('cseq'))
    t.equal(again.tag('to'), ack.tag('to'))
    await hangUp(peer, dialog)
  },

  'the route set of an answer is reversed': async (bench) => {
    const { t } = bench
    const app = await bench.app()
    const peer = await bench.peer()
    const pending = app.createUAC(`sip:bob@${peer.hostport}`, { localSdp: sdp(4000) })
    const invite = await peer.expect('INVITE')
    const routes = ['<sip:127.0.0.1:9;lr;n=2>', `<sip:${peer.hostport};lr;n=1>`]
    peer.respond(invite, 200, {
      tag: 'callee',
      headers: { Contact: '<sip:bob@127.0.0.1:7>', 'Record-Route': routes },
      body: sdp(6000),
    })
    const dialog = await pending
    const ack = await peer.expect('ACK')
    const listed = (message: PeerMessage): string[] =>
      message.all('route').flatMap((line) => line.split(/\s*,\s*/))
    t.equal(ack.uri, 'sip:bob@127.0.0.1:7')
    t.same(listed(ack), [...routes].reverse())
    const ended = dialog.destroy()
    const bye = await peer.expect('BYE')
    t.equal(bye.uri, 'sip:bob@127.0.0.1:7')
    t.same(listed(bye), [...routes].reverse())
    peer.respond(bye, 200)
    await ended
  },

  'ringing by two phones, answered by the second': async (bench) => {
    const { t } = bench
    const app = await bench.app()
    const peer = await bench.peer()
    const progress = new Calls<AppResponse>()
    const pending = app.createUAC(
      `sip:bob@${peer.hostport}`,
      { localSdp: sdp(4000) },
      { cbProvisional: (res) => progress.add(res) },
    )
    const invite = await peer.expect('INVITE')
    for (const tag of ['one', 'two']) {
      peer.respond(invite, 180, { tag, headers: { Contact: `<sip:${tag}@${peer.hostport}>` } })
      const ringing = await progress.next()
      t.match(ringing.get('To'), `tag=${tag}`)
      t.equal(ringing.stackDialogId, `${invite.header('call-id')};from-tag=${invite.tag('from')}`)
    }
    peer.respond(invite, 200, {
      tag: 'two',
      headers: { Contact: `<sip:two@${peer.hostport}>` },
      body: sdp(6000),
    })
    const dialog = await pending
    const ack = await peer.expect('ACK')
    t.equal(ack.uri, `sip:two@${peer.hostport}`)
    t.equal(ack.tag('to'), 'two')
    t.equal(dialog.sip.remoteTag, 'two')
    await hangUp(peer, dialog)
  },

  'a reliable provisional response is acknowledged by PRACK': async (bench) => {
    const { t } = bench
    const app = await bench.app()
    const peer = await bench.peer()
    const pending = app.createUAC(`sip:bob@${peer.hostport}`, {
      localSdp: sdp(4000),
      headers: { Supported: '100rel' },
    })
    const invite = await peer.expect('INVITE')
    peer.respond(invite, 183, {
      tag: 'callee',
      headers: { Contact: peer.contact, Require: '100rel', RSeq: '77' },
      body: sdp(6000),
    })
    const prack = await peer.expect('PRACK')
    t.equal(prack.header('rack'), `77 ${invite.cseq} INVITE`)
    t.equal(prack.cseq, invite.cseq + 1)
    t.equal(prack.tag('to'), 'callee')
    peer.respond(prack, 200)
    peer.respond(invite, 200, {
      tag: 'callee',
      headers: { Contact: peer.contact },
      body: sdp(6000),
    })
    const dialog = await pending
    t.equal((await peer.expect('ACK')).cseq, invite.cseq)
    await hangUp(peer, dialog)
  },

  'an UPDATE of the callee before its answer reaches the application': async (bench) => {
    const { t } = bench
    const app = await bench.app()
    const peer = await bench.peer()
    const progress = new Calls<AppResponse>()
    const pending = app.createUAC(
      `sip:bob@${peer.hostport}`,
      { localSdp: sdp(4000) },
      { cbProvisional: (res) => progress.add(res) },
    )
    const failed = fails(t, pending, { status: 480 })
    const invite = await peer.expect('INVITE')
    peer.respond(invite, 183, {
      tag: 'callee',
      headers: { Contact: peer.contact, Require: '100rel', RSeq: '1' },
      body: sdp(6000),
    })
    peer.respond(await peer.expect('PRACK'), 200)
    await progress.next()
    const call = PeerDialog.of(peer, invite, 'callee')
    const update = call.request('UPDATE', { body: sdp(6002) })
    const ok = await peer.expect(200)
    t.equal(ok.header('cseq'), update.header('cseq'))
    t.equal(ok.body, sdp(4000))
    peer.respond(invite, 480, { tag: 'callee' })
    await failed
  },

  'a request goes where the proxy option says, its Request-URI unchanged': async (bench) => {
    const { t } = bench
    const app = await bench.app()
    const peer = await bench.peer()
    const pending = app.createUAC('sip:bob@unreachable.invalid', {
      localSdp: sdp(4000),
      proxy: `sip:${peer.hostport}`,
    })
    const failed = fails(t, pending, { status: 404 })
    const invite = await peer.expect('INVITE')
    t.equal(invite.uri, 'sip:bob@unreachable.invalid')
    t.notOk(invite.has('route'))
    peer.respond(invite, 404, { tag: 'x' })
    await peer.expect('ACK')
    await failed
  },
}
