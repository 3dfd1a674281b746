/** What the embedded server does better than the server it stands in for. */

import { PeerDialog } from '../../support/sip-peer.ts'
import { beyondInsideCases } from './beyond-inside.ts'
import { type Case, fails, runCases, type Suite } from './cases.ts'
import { hangUp } from './outgoing.ts'
import { RawApp } from './raw-app.ts'
import { type AppResponse, Calls, event, requests, type ServerUnderTest, sdp } from './srf.ts'

const padding = (count: number): string[] =>
  Array.from(
    { length: count },
    (_, i) => `a=candidate:${i} 1 udp 2130706431 192.0.2.${i % 250} 50000 typ host`,
  )

const beyondCases: Record<string, Case> = {
  'commands before authentication are refused': async (bench) => {
    const { t } = bench
    for (const frame of [
      ['ping'],
      ['route', 'invite'],
      ['sip', '', '\r\nOPTIONS sip:x@h SIP/2.0\r\n\r\n'],
    ]) {
      const app = await RawApp.open(bench.server)
      const [verdict] = await app.answer(app.send(...frame))
      t.equal(verdict, 'NO')
      await app.ended()
    }
  },

  'what is left out is refused, and said so': async (bench) => {
    const { t } = bench
    const tagged = await RawApp.open(bench.server)
    t.match(await tagged.answer(tagged.send('authenticate', bench.server.secret, 'tag')), [
      'NOK',
      /tags/,
    ])
    tagged.close()
    const app = await RawApp.open(bench.server)
    await app.authenticate(bench.server.secret)
    t.match(await app.answer(app.send('route', 'cdr:attempt')), ['NOK', /CDR/])
    app.close()
    const { app: srf, invites } = await bench.service()
    const peer = await bench.peer()
    peer.dialog(bench.sip).request('INVITE')
    const { req, res } = await invites.next()
    await fails(
      t,
      srf.proxyRequest(req, 'sip:x@127.0.0.1').catch((reason: string) => {
        throw new Error(reason)
      }),
      { message: /proxying is not supported/ },
    )
    res.send(480)
    await peer.expect(480)
  },

  'line breaks in values are refused': async (bench) => {
    const { t } = bench
    const app = await RawApp.open(bench.server)
    await app.authenticate(bench.server.secret)
    for (const text of [
      '\r\nOPTIONS sip:x@127.0.0.1:9 SIP/2.0\r\nX-A: one\nVia: two\r\n\r\n',
      '\r\nOPTIONS sip:x@127.0.0.1:9 SIP/2.0\r\nX-A: one\rtwo\r\n\r\n',
      '\r\nOPTIONS sip:x@127.0.0.1:9 SIP/2.0\r\nX-A: one\r\n two\r\n\r\n',
      '\r\nOPTIONS sip:x@127.0.0.1:9?X-A=one%0D%0AVia:two SIP/2.0\r\n\r\n',
    ]) {
      const [verdict, reason] = await app.answer(app.send('sip', '', text))
      t.equal(verdict, 'NOK')
      t.match(reason, /line break/)
    }
    app.close()
  },

  'remove_route ends one subscription': async (bench) => {
    const { t } = bench
    const app = await RawApp.open(bench.server)
    bench.t.teardown(() => app.close())
    await app.authenticate(bench.server.secret)
    await app.answer(app.send('route', 'options'))
    await app.answer(app.send('route', 'message'))
    await app.answer(app.send('remove_route', 'message'))
    const peer = await bench.peer()
    peer.dialog(bench.sip).request('MESSAGE')
    await peer.expect(503)
    peer.dialog(bench.sip).request('OPTIONS')
    t.ok(await app.next((f) => f.tokens[1] === 'sip'))
  },

  'bodies of 9 kB and frames of 64 KiB pass': async (bench) => {
    const { t } = bench
    const offer = sdp(4000, padding(160))
    t.ok(offer.length > 9000)
    const { app, invites } = await bench.service()
    const peer = await bench.peer()
    const call = peer.dialog(bench.sip)
    call.request('INVITE', { body: offer })
    const { req, res } = await invites.next()
    t.equal(req.body, offer)
    const answer = sdp(5000, padding(960))
    t.ok(answer.length > 58_000)
    const dialog = await app.createUAS(req, res, { localSdp: answer })
    const ok = await peer.expect(200)
    t.equal(ok.body, answer)
    call.learn(ok)
    call.request('ACK')
    await hangUp(peer, dialog)
  },

  'a second phone that answers is acknowledged and hung up on': async (bench) => {
    const { t } = bench
    const app = await bench.app()
    const peer = await bench.peer()
    const pending = app.createUAC(`sip:bob@${peer.hostport}`, { localSdp: sdp(4000) })
    const invite = await peer.expect('INVITE')
    const answer = (tag: string): void =>
      peer.respond(invite, 200, {
        tag,
        headers: { Contact: `<sip:${tag}@${peer.hostport}>` },
        body: sdp(6000),
      })
    answer('one')
    const dialog = await pending
    t.equal((await peer.expect('ACK')).tag('to'), 'one')
    answer('two')
    const ack = await peer.expect('ACK')
    t.equal(ack.tag('to'), 'two')
    t.equal(ack.uri, `sip:two@${peer.hostport}`)
    const bye = await peer.expect('BYE')
    t.equal(bye.tag('to'), 'two')
    peer.respond(bye, 200)
    answer('two')
    t.equal((await peer.expect('ACK')).tag('to'), 'two', 'a repeated 200 gets its ACK')
    t.equal(dialog.sip.remoteTag, 'one')
    await hangUp(peer, dialog)
  },

  'a 202 to an INVITE makes a dialog': async (bench) => {
    const { t } = bench
    const app = await RawApp.open(bench.server)
    t.teardown(() => app.close())
    await app.authenticate(bench.server.secret)
    const peer = await bench.peer()
    app.send('sip', '', `\r\nINVITE sip:x@${peer.hostport} SIP/2.0\r\n\r\n${sdp(4000)}`)
    const invite = await peer.expect('INVITE')
    peer.respond(invite, 202, { tag: 'c', headers: { Contact: peer.contact }, body: sdp(6000) })
    const response = await app.next((f) => f.tokens[1] === 'sip')
    const dlg = response.tokens[9]!
    app.send('sip', '', `${dlg}\r\nACK sip:placeholder SIP/2.0\r\n\r\n`)
    t.equal((await peer.expect('ACK')).cseq, invite.cseq)
    app.send('sip', '', `${dlg}\r\nBYE sip:placeholder SIP/2.0\r\n\r\n`)
    peer.respond(await peer.expect('BYE'), 200)
    t.match(
      (await app.next((f) => f.tokens[1] === 'sip' && /BYE/.test(f.text))).text,
      /^SIP\/2.0 200/,
    )
  },

  'an answer without Contact is acknowledged and hung up on': async (bench) => {
    const { t } = bench
    const app = await bench.app()
    const peer = await bench.peer()
    const pending = app.createUAC(`sip:bob@${peer.hostport}`, { localSdp: sdp(4000) })
    const failed = fails(t, pending, { status: 500 })
    const invite = await peer.expect('INVITE')
    peer.respond(invite, 200, { tag: 'c', body: sdp(6000) })
    const ack = await peer.expect('ACK')
    t.equal(ack.uri, `sip:bob@${peer.hostport}`)
    peer.respond(await peer.expect('BYE'), 200)
    await failed
  },

  'a repeated INVITE gets its 100 again': async (bench) => {
    const { invites } = await bench.service()
    const peer = await bench.peer()
    const call = peer.dialog(bench.sip)
    const invite = call.request('INVITE', { body: sdp(4000) })
    peer.forget(await peer.expect(100))
    const { res } = await invites.next()
    call.repeat(invite)
    await peer.expect(100)
    res.send(480)
    await peer.expect(480)
  },

  'BYE on a ringing call ends it': async (bench) => {
    const { t } = bench
    const { invites } = await bench.service()
    const peer = await bench.peer()
    const call = peer.dialog(bench.sip)
    call.request('INVITE', { body: sdp(4000) })
    const { req, res } = await invites.next()
    const cancelled = event(req as never, 'cancel')
    res.send(180)
    const ringing = await peer.expect(180)
    call.remoteTag = ringing.tag('to')
    call.request('BYE')
    await peer.expect(200)
    const terminated = await peer.expect(487)
    t.equal(terminated.tag('to'), ringing.tag('to'))
    await cancelled
  },

  'a CANCEL is answered and the INVITE ended under one To tag': async (bench) => {
    const { t } = bench
    const { invites } = await bench.service()
    const peer = await bench.peer()
    const call = peer.dialog(bench.sip)
    call.request('INVITE', { body: sdp(4000) })
    await invites.next()
    call.request('CANCEL')
    const ok = await peer.expect(200)
    const terminated = await peer.expect(487)
    t.equal(ok.tag('to'), terminated.tag('to'))
    peer.forget(terminated)
    await peer.expect(487)
    call.remoteTag = terminated.tag('to')
    call.request('ACK', { branch: call.inviteBranch })
  },

  'REFER, PRACK and unknown methods outside dialogs are answered': async (bench) => {
    const { t } = bench
    const peer = await bench.peer()
    for (const [method, status] of [
      ['REFER', 405],
      ['PRACK', 481],
      ['FOO', 405],
    ] as const) {
      const request = peer.dialog(bench.sip).request(method)
      const reply = await peer.expect((m) => m.header('call-id') === request.header('call-id'))
      t.equal(reply.status, status, method)
    }
    const refers = requests()
    await bench.app({ refer: refers.handler })
    peer.dialog(bench.sip).request('REFER', { headers: { 'Refer-To': '<sip:x@h>' } })
    const { res } = await refers.next()
    res.send(202)
    await peer.expect(202)
  },

  'a PRACK for another response gets 481': async (bench) => {
    const { t } = bench
    const { invites } = await bench.service()
    const peer = await bench.peer()
    const call = peer.dialog(bench.sip)
    call.request('INVITE', { body: sdp(4000), headers: { Supported: '100rel' } })
    const { res } = await invites.next()
    res.send(183, { headers: { Require: '100rel' }, body: sdp(5000) })
    const progress = await peer.expect(183)
    call.learn(progress)
    const invited = call.cseq
    const rseq = Number(progress.header('rseq'))
    call.request('PRACK', { headers: { RAck: `${rseq + 5} ${invited} INVITE` } })
    await peer.expect(481)
    call.request('PRACK', { headers: { RAck: `${rseq} ${invited} INVITE` } })
    t.equal((await peer.expect(200)).cseq, call.cseq)
    res.send(480)
    await peer.expect(480)
  },

  'a tel URI without a route is refused, with one it is sent': async (bench) => {
    const { t } = bench
    const app = await bench.app()
    const peer = await bench.peer()
    await fails(t, app.request('tel:+441632960123', { method: 'MESSAGE' }), {
      message: /invalid request-uri/,
    })
    const sent = app.request('tel:+441632960123', {
      method: 'OPTIONS',
      proxy: `sip:${peer.hostport}`,
    })
    const options = await peer.expect('OPTIONS')
    t.equal(options.uri, 'tel:+441632960123')
    await sent
    peer.respond(options, 200, { tag: 'x' })
  },

  'a name that does not resolve fails with 503': async (bench) => {
    const { t } = bench
    const app = await bench.app()
    await fails(t, app.createUAC('sip:x@no-such-name.invalid', { localSdp: sdp(4000) }), {
      status: 503,
      reason: 'DNS Error',
    })
  },

  'the early dialogs of two phones are kept apart': async (bench) => {
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
    for (const [tag, rseq] of [
      ['one', '5'],
      ['two', '9'],
    ] as const) {
      peer.respond(invite, 183, {
        tag,
        headers: { Contact: `<sip:${tag}@${peer.hostport}>`, Require: '100rel', RSeq: rseq },
      })
      const prack = await peer.expect('PRACK')
      t.equal(prack.tag('to'), tag)
      t.equal(prack.uri, `sip:${tag}@${peer.hostport}`)
      t.equal(prack.cseq, invite.cseq + 1, 'each dialog counts for itself')
      peer.respond(prack, 200)
      await progress.next()
    }
    const call = PeerDialog.of(peer, invite, 'one')
    call.request('UPDATE', { body: sdp(6002) })
    await peer.expect(200)
    peer.respond(invite, 480, { tag: 'one' })
    await failed
  },
}

/** Runs what is asked of the embedded server alone. */
export async function beyondSuite(t: Suite, server: ServerUnderTest): Promise<void> {
  await runCases(t, server, { ...beyondCases, ...beyondInsideCases })
}
