/** Requests inside dialogs, and the life of dialogs and applications. */

import { PeerDialog, type PeerMessage } from '../../support/sip-peer.ts'
import { type Case, fails } from './cases.ts'
import { answered } from './incoming.ts'
import { hangUp, placed } from './outgoing.ts'
import {
  type AppRequest,
  type AppResponse,
  Calls,
  connectApp,
  event,
  requests,
  sdp,
} from './srf.ts'

export const insideCases: Record<string, Case> = {
  'a re-INVITE of the peer is answered, its ACK told': async (bench) => {
    const { t } = bench
    const { peer, call, dialog } = await answered(bench)
    const modified = new Calls<{ req: AppRequest; res: AppResponse }>()
    dialog.on('modify', (req: AppRequest, res: AppResponse) => modified.add({ req, res }))
    const invite = call.request('INVITE', { body: sdp(4002) })
    await peer.expect((m) => m.status === 100 && m.header('cseq') === invite.header('cseq'))
    const { req, res } = await modified.next()
    t.equal(req.stackDialogId, dialog.id)
    t.equal(req.body, sdp(4002))
    res.send(200, { body: sdp(5002) })
    const ok = await peer.expect((m) => m.status === 200 && m.cseq === invite.cseq)
    t.equal(ok.body, sdp(5002))
    t.ok(ok.contact)
    const acked = event(dialog, 'ack')
    call.request('ACK')
    const [ack] = (await acked) as [AppRequest]
    t.not(ack.stackTxnId, req.stackTxnId, 'its ACK has a transaction of its own')
    await hangUp(peer, dialog)
  },

  'a re-INVITE of the application is acknowledged with its own number': async (bench) => {
    const { t } = bench
    const { peer, dialog, invite } = await placed(bench)
    const modified = dialog.modify(sdp(4002))
    const again = await peer.expect('INVITE')
    t.equal(again.cseq, invite.cseq + 1)
    t.equal(again.tag('to'), 'callee')
    t.equal(again.uri, `sip:peer@${peer.hostport}`)
    t.equal(again.body, sdp(4002))
    t.ok(again.contact)
    peer.respond(again, 200, { headers: { Contact: peer.contact }, body: sdp(6002) })
    t.equal(await modified, sdp(6002))
    t.equal((await peer.expect('ACK')).cseq, again.cseq)
    await hangUp(peer, dialog)
  },

  'a re-INVITE of the application from the called side': async (bench) => {
    const { t } = bench
    const { peer, call, dialog, ok } = await answered(bench)
    const modified = dialog.modify(sdp(5002))
    const invite = await peer.expect('INVITE')
    t.equal(invite.tag('from'), ok.tag('to'))
    t.equal(invite.tag('to'), call.localTag)
    peer.respond(invite, 200, { headers: { Contact: peer.contact }, body: sdp(4002) })
    t.equal(await modified, sdp(4002))
    await peer.expect('ACK')
    await hangUp(peer, dialog)
  },

  'both sides re-INVITE at once': async (bench) => {
    const { t } = bench
    const { peer, call, dialog } = await answered(bench)
    dialog.on('modify', (_: AppRequest, res: AppResponse) => res.send(491))
    const modified = fails(t, dialog.modify(sdp(5002)), { status: 491 })
    const theirs = await peer.expect('INVITE')
    const ours = call.request('INVITE', { body: sdp(4002) })
    peer.respond(theirs, 491)
    await peer.expect((m) => m.status === 491 && m.cseq === ours.cseq)
    call.request('ACK', { branch: call.inviteBranch })
    await modified
    await hangUp(peer, dialog)
  },

  'BYEs cross': async (bench) => {
    const { t } = bench
    const { peer, call, dialog } = await answered(bench)
    const ended = dialog.destroy()
    const theirs = await peer.expect('BYE')
    const ours = call.request('BYE')
    const reply = await peer.expect((m) => m.status > 0 && m.header('cseq') === ours.header('cseq'))
    t.ok([200, 481].includes(reply.status), `answered ${reply.status}`)
    peer.respond(theirs, 200)
    await ended
  },

  'INFO, MESSAGE, NOTIFY, REFER, OPTIONS and UPDATE go both ways': async (bench) => {
    const { t } = bench
    const { peer, call, dialog } = await answered(bench)
    for (const method of ['INFO', 'MESSAGE', 'NOTIFY', 'REFER', 'OPTIONS', 'UPDATE']) {
      dialog.on(method.toLowerCase(), (req: AppRequest, res: AppResponse) => {
        res.send(200, { headers: { 'X-Saw': req.method } })
      })
      const request = call.request(method, { headers: { 'Refer-To': '<sip:x@127.0.0.1>' } })
      const reply = await peer.expect((m) => m.header('cseq') === request.header('cseq'))
      t.equal(reply.status, 200, method)
      t.equal(reply.header('x-saw'), method)

      const pending = dialog.request({
        method,
        headers: { 'X-From-App': method, 'Content-Type': 'text/plain' },
        body: `body of ${method}`,
      })
      const out = await peer.expect(method)
      t.equal(out.header('x-from-app'), method)
      t.equal(out.body, `body of ${method}`)
      peer.respond(out, 202, { headers: { 'X-Reply': 'yes' } })
      const answer = await pending
      t.equal(answer.status, 202)
      t.equal(answer.get('X-Reply'), 'yes')
    }
    await hangUp(peer, dialog)
  },

  'a challenged BYE is sent again and ends the call': async (bench) => {
    const { t } = bench
    const app = await bench.app()
    const peer = await bench.peer()
    const pending = app.createUAC(`sip:bob@${peer.hostport}`, {
      localSdp: sdp(4000),
      auth: { username: 'u', password: 'p' },
    })
    const invite = await peer.expect('INVITE')
    peer.respond(invite, 200, { tag: 'c', headers: { Contact: peer.contact }, body: sdp(6000) })
    const dialog = await pending
    await peer.expect('ACK')
    const ended = dialog.destroy()
    const first = await peer.expect('BYE')
    peer.respond(first, 401, { headers: { 'WWW-Authenticate': 'Digest realm="r", nonce="n"' } })
    const second = await peer.expect('BYE')
    t.match(second.header('authorization'), /^Digest /)
    t.equal(second.cseq, first.cseq + 1)
    peer.respond(second, 200)
    await ended
  },

  'requests outside dialogs are answered by the application': async (bench) => {
    const { t } = bench
    const others = requests()
    await bench.app({
      options: others.handler,
      register: others.handler,
      message: others.handler,
      info: others.handler,
    })
    const peer = await bench.peer()
    for (const method of ['OPTIONS', 'REGISTER', 'MESSAGE', 'INFO']) {
      const request = peer.dialog(bench.sip).request(method)
      const { req, res } = await others.next()
      t.equal(req.method, method)
      t.notOk(req.stackDialogId)
      res.send(200, { headers: { Allow: 'INVITE' } })
      const reply = await peer.expect(200)
      t.equal(reply.header('call-id'), request.header('call-id'))
      t.equal(reply.header('allow'), 'INVITE')
      t.ok(reply.tag('to'))
    }
  },

  'OPTIONS and REGISTER of the application, with a challenge': async (bench) => {
    const { t } = bench
    const app = await bench.app()
    const peer = await bench.peer()
    for (const method of ['OPTIONS', 'REGISTER']) {
      const request = await app.request(`sip:${peer.hostport}`, {
        method,
        headers: { Contact: 'sip:me@localhost', Expires: '60' },
        auth: { username: 'u', password: 'p' },
      })
      const response = new Promise<AppResponse>((resolve) => request.on('response', resolve))
      const first = await peer.expect(method)
      t.equal(first.header('call-id'), request.get('Call-ID'))
      t.match(first.contact, `sip:me@${bench.sip.host}:${bench.sip.port}`)
      peer.respond(first, 401, {
        tag: 'r',
        headers: { 'WWW-Authenticate': 'Digest realm="r", nonce="n"' },
      })
      const second = await peer.expect(method)
      t.equal(second.cseq, first.cseq + 1)
      t.equal(second.tag('from'), first.tag('from'))
      peer.respond(second, 200, { tag: 'r', headers: { Expires: '60' } })
      const final = await response
      t.equal(final.status, 200)
      t.equal(final.get('Expires'), '60')
      t.notOk(final.stackDialogId)
    }
  },

  'a subscription of the application is notified and ended': async (bench) => {
    const { t } = bench
    const app = await bench.app()
    const peer = await bench.peer()
    const pending = app.createUAC(`sip:bob@${peer.hostport}`, {
      method: 'SUBSCRIBE',
      headers: { Event: 'presence', Expires: '60' },
    })
    const subscribe = await peer.expect('SUBSCRIBE')
    t.ok(subscribe.contact)
    peer.respond(subscribe, 202, {
      tag: 'n',
      headers: { Contact: peer.contact, Expires: '60' },
    })
    const dialog = await pending
    const call = PeerDialog.of(peer, subscribe, 'n')
    const notified = event(dialog, 'notify')
    dialog.on('notify', (_: AppRequest, res: AppResponse) => res.send(200))
    call.request('NOTIFY', {
      headers: { Event: 'presence', 'Subscription-State': 'active;expires=60' },
    })
    await notified
    await peer.expect(200)
    const told = event(dialog, 'notify')
    const last = call.request('NOTIFY', {
      headers: { Event: 'presence', 'Subscription-State': 'terminated;reason=timeout' },
    })
    await told
    await peer.expect((m) => m.status > 100 && m.header('cseq') === last.header('cseq'))
  },

  'an application that reconnects can end its old calls': async (bench) => {
    const { t } = bench
    const { peer, dialog, app } = await answered(bench)
    app.disconnect()
    await event(app, 'close')
    const again = await connectApp(bench.server)
    t.teardown(() => again.disconnect())
    const bye = await again.request('sip:placeholder', {
      method: 'BYE',
      stackDialogId: dialog.id,
    })
    const response = new Promise<AppResponse>((resolve) => bye.on('response', resolve))
    peer.respond(await peer.expect('BYE'), 200)
    t.equal((await response).status, 200)
  },

  'a call whose application is gone gets 481': async (bench) => {
    const { peer, call, app } = await answered(bench)
    app.disconnect()
    await event(app, 'close')
    await peer.settle(bench.sip)
    call.request('BYE')
    await peer.expect(481)
  },

  'two applications take turns': async (bench) => {
    const { t } = bench
    const turns = [0, 0]
    const taking = (which: 0 | 1) => (_: AppRequest, res: AppResponse) => {
      turns[which]!++
      res.send(486)
    }
    await bench.app({ invite: taking(0) })
    await bench.app({ invite: taking(1) })
    const peer = await bench.peer()
    for (let i = 0; i < 4; i++) {
      const call = peer.dialog(bench.sip)
      call.request('INVITE', { body: sdp(4000) })
      await peer.expect((m) => m.status === 486 && m.header('call-id') === call.callId)
    }
    t.same(turns, [2, 2])
  },

  'text of an UTF-8 body is delivered byte for byte': async (bench) => {
    const { t } = bench
    const { peer, dialog } = await placed(bench)
    const text = 'Grüße, 世界, 🎉'.repeat(20)
    const pending = dialog.request({
      method: 'MESSAGE',
      headers: { 'Content-Type': 'text/plain;charset=utf-8' },
      body: text,
    })
    const message: PeerMessage = await peer.expect('MESSAGE')
    t.equal(message.body, text)
    t.equal(Number(message.header('content-length')), Buffer.byteLength(text))
    peer.respond(message, 200)
    await pending
    await hangUp(peer, dialog)
  },

  'a Contact behind NAT is reached at its source': async (bench) => {
    const { t } = bench
    const nat = { contact: '<sip:peer@10.0.0.77:5060>' }
    const { peer, dialog } = await answered(bench, { dialog: nat })
    const ended = dialog.destroy()
    const bye = await peer.expect('BYE')
    t.equal(bye.uri, 'sip:peer@10.0.0.77:5060')
    peer.respond(bye, 200)
    await ended
  },

  'a strict router gets its URI as Request-URI': async (bench) => {
    const { t } = bench
    const peer = await bench.peer()
    const strict = `sip:${peer.hostport};n=1`
    const { app, invites } = await bench.service()
    const call = peer.dialog(bench.sip)
    call.request('INVITE', { body: sdp(4000), headers: { 'Record-Route': `<${strict}>` } })
    const { req, res } = await invites.next()
    const dialog = await app.createUAS(req, res, { localSdp: sdp(5000) })
    call.learn(await peer.expect(200))
    call.request('ACK')
    const ended = dialog.destroy()
    const bye = await peer.expect('BYE')
    t.equal(bye.uri, strict)
    t.equal(bye.header('route'), peer.contact)
    peer.respond(bye, 200)
    await ended
  },

  'the wrong dialog of a pair is refused without harm': async (bench) => {
    const { t } = bench
    const { peer, call, dialog } = await answered(bench)
    const tag = call.remoteTag
    call.remoteTag = 'wrong'
    call.request('BYE')
    await peer.expect(481)
    call.remoteTag = tag
    const seen: AppRequest[] = []
    dialog.on('info', (req: AppRequest, res: AppResponse) => {
      seen.push(req)
      res.send(200)
    })
    call.request('INFO')
    await peer.expect(200)
    t.equal(seen.length, 1)
    await hangUp(peer, dialog)
  },
}
