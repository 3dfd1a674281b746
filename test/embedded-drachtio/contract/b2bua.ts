/** Back-to-back calls (§14.4). */

import { PeerDialog } from '../../support/sip-peer.ts'
import { type Bench, type Case, fails } from './cases.ts'
import { event, sdp } from './srf.ts'

/** Both peers, and the B2BUA started for a call from A to B. */
async function bridged(bench: Bench, options: object = {}, body = sdp(4000)) {
  const { app, invites } = await bench.service()
  const a = await bench.peer()
  const b = await bench.peer()
  const call = a.dialog(bench.sip, { from: `"Alice" <sip:alice@${a.hostport}>` })
  call.request('INVITE', { body })
  const { req, res } = await invites.next()
  const pending = app.createB2BUA(req, res, `sip:bob@${b.hostport}`, {
    ...options,
  })
  const invite = await b.expect('INVITE')
  return { app, a, b, call, pending, invite }
}

export const b2buaCases: Record<string, Case> = {
  'a bridged call, ended by A': async (bench) => {
    const { t } = bench
    const { a, b, call, pending, invite } = await bridged(bench, { localSdpB: sdp(4100) })
    t.equal(invite.body, sdp(4100))
    t.match(invite.header('from'), 'sip:alice@')
    t.match(invite.contact, `sip:alice@${bench.sip.host}:${bench.sip.port}`)
    b.respond(invite, 180, { tag: 'b', headers: { Contact: b.contact } })
    await a.expect(180)
    b.respond(invite, 200, { tag: 'b', headers: { Contact: b.contact }, body: sdp(6000) })
    await b.expect('ACK')
    const ok = await a.expect(200)
    t.equal(ok.body, sdp(6000))
    call.learn(ok)
    const { uas, uac } = await pending
    uas.on('destroy', () => uac.destroy())
    const acked = event(uas, 'ack')
    call.request('ACK')
    await acked
    call.request('BYE')
    const bye = await b.expect('BYE')
    t.equal(bye.cseq, invite.cseq + 1)
    await a.expect(200)
    b.respond(bye, 200)
  },

  'a failure of B is passed to A': async (bench) => {
    const { t } = bench
    const { a, b, pending, invite } = await bridged(bench, { proxyResponseHeaders: ['X-Why'] })
    const failed = fails(t, pending, { status: 433 })
    b.respond(invite, 433, { tag: 'b', reason: 'Anonymity Disallowed', headers: { 'X-Why': 'no' } })
    await b.expect('ACK')
    const reply = await a.expect(433)
    t.equal(reply.startLine, 'SIP/2.0 433 Anonymity Disallowed')
    t.equal(reply.header('x-why'), 'no')
    await failed
  },

  'a CANCEL of A reaches B': async (bench) => {
    const { t } = bench
    const { a, b, call, pending, invite } = await bridged(bench)
    const failed = fails(t, pending, { status: 487 })
    b.respond(invite, 180, { tag: 'b', headers: { Contact: b.contact } })
    await a.expect(180)
    call.request('CANCEL', { headers: { Reason: 'SIP;cause=200' } })
    await a.expect(200)
    await a.expect(487)
    const cancel = await b.expect('CANCEL')
    t.equal(cancel.header('reason'), 'SIP;cause=200')
    b.respond(cancel, 200, { tag: 'b' })
    b.respond(invite, 487, { tag: 'b' })
    await b.expect('ACK')
    await failed
  },

  'A offers nothing: the offer is B’s, the answer travels in the ACKs': async (bench) => {
    const { t } = bench
    const { a, b, call, pending, invite } = await bridged(bench, {}, '')
    t.equal(invite.body, '')
    t.notOk(invite.has('content-type'))
    b.respond(invite, 200, { tag: 'b', headers: { Contact: b.contact }, body: sdp(6000) })
    const ok = await a.expect(200)
    t.equal(ok.body, sdp(6000))
    call.learn(ok)
    call.request('ACK', { body: sdp(4000) })
    const ack = await b.expect('ACK')
    t.equal(ack.body, sdp(4000))
    t.equal(ack.header('content-type'), 'application/sdp')
    const { uas, uac } = await pending
    const callee = PeerDialog.of(b, invite, 'b')
    uac.on('destroy', () => uas.destroy())
    callee.request('BYE')
    await b.expect(200)
    const bye = await a.expect('BYE')
    a.respond(bye, 200)
  },

  'B hangs up before A has acknowledged': async (bench) => {
    const { a, b, call, pending, invite } = await bridged(bench)
    b.respond(invite, 200, { tag: 'b', headers: { Contact: b.contact }, body: sdp(6000) })
    await b.expect('ACK')
    const ok = await a.expect(200)
    call.learn(ok)
    const { uas, uac } = await pending
    uac.on('destroy', () => uas.destroy())
    const callee = PeerDialog.of(b, invite, 'b')
    callee.request('BYE')
    call.request('ACK')
    await b.expect(200)
    a.respond(await a.expect('BYE'), 200)
  },
}
