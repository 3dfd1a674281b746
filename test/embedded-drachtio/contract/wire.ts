/** The protocol itself, frame by frame (§1 to §3). */

import type { Bench, Case } from './cases.ts'
import { RawApp } from './raw-app.ts'
import { sdp } from './srf.ts'

async function raw(bench: Bench, authenticated = true): Promise<RawApp> {
  const app = await RawApp.open(bench.server)
  bench.t.teardown(() => app.close())
  if (authenticated) await app.authenticate(bench.server.secret)
  return app
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export const wireCases: Record<string, Case> = {
  'authentication tells addresses and version': async (bench) => {
    const { t, server } = bench
    const app = await raw(bench, false)
    const [ok, hostports, version] = await app.authenticate(server.secret)
    t.equal(ok, 'OK')
    t.match(hostports, `udp/${server.sipHost}:${server.sipPort}`)
    t.match(version, /^v\d+\.\d+\.\d+/)
    t.same(await app.answer(app.send('ping')), ['OK', 'pong'])
    t.same(await app.answer(app.send('route', 'publish')), ['OK'])
    t.same(await app.answer(app.send('remove_route', 'publish')), ['OK'])
  },

  'a wrong secret ends the connection': async (bench) => {
    const { t } = bench
    const app = await raw(bench, false)
    t.same(await app.authenticate('wrong'), ['NO', 'incorrect secret'])
    await app.ended()
  },

  'an unknown type and a frame without one end the connection': async (bench) => {
    const { t } = bench
    const unknown = await raw(bench)
    t.same(await unknown.answer(unknown.send('nonsense')), ['NO', 'Unknown message type'])
    await unknown.ended()
    const short = await raw(bench)
    short.socket.write('1#x')
    const frame = await short.next()
    t.same(frame.tokens.slice(3), ['NO', 'Invalid message format'])
    await short.ended()
  },

  'a length that is no number ends the connection at once': async (bench) => {
    const app = await raw(bench)
    app.socket.write('abc#x|ping')
    await app.ended()
  },

  'a response without a transaction ends the connection': async (bench) => {
    const { t } = bench
    const app = await raw(bench)
    const mid = app.send('sip', '', '\r\nSIP/2.0 200 OK\r\n\r\n')
    t.same(await app.answer(mid), ['NO', 'transaction id missing'])
    await app.ended()
  },

  'frames may come byte by byte and joined': async (bench) => {
    const { t } = bench
    const app = await raw(bench)
    app.socket.setNoDelay(true)
    for (const byte of RawApp.frame('one|ping')) {
      app.socket.write(byte)
      await new Promise((resolve) => setImmediate(resolve))
    }
    t.same(await app.answer('one'), ['OK', 'pong'])
    app.socket.write(RawApp.frame('two|ping') + RawApp.frame('three|ping'))
    t.same(await app.answer('two'), ['OK', 'pong'])
    t.same(await app.answer('three'), ['OK', 'pong'])
  },

  'the frames of an incoming call have their tokens in place': async (bench) => {
    const { t, sip } = bench
    const app = await raw(bench)
    await app.answer(app.send('route', 'invite'))
    const peer = await bench.peer()
    const call = peer.dialog(sip)
    call.request('INVITE', { body: sdp(4000) })
    const invite = await app.next((f) => f.tokens[1] === 'sip')
    const [mid, type, source, size, transport, address, port, time, txn, dlg, laddr, lport] =
      invite.tokens
    t.match(mid, uuid)
    t.match(txn, uuid)
    t.same([type, source, transport, dlg], ['sip', 'network', 'udp', ''])
    t.same([address, port], [peer.host, String(peer.port)])
    t.same([laddr, lport], [sip.host, String(sip.port)])
    t.match(time, /^\d\d:\d\d:\d\d\.\d{6}$/)
    t.ok(Number(size) > 200)
    t.equal(invite.tokens.length, 13)
    t.equal(invite.tokens[12], '')

    const ok = app.send('sip', txn!, `\r\nSIP/2.0 200 OK\r\n\r\n${sdp(5000)}`)
    const sent = await app.next((f) => f.tokens[2] === ok)
    const name = `${call.callId};from-tag=${call.localTag}`
    t.same(
      [sent.tokens[3], sent.tokens[4], sent.tokens[10], sent.tokens[11]],
      ['OK', 'application', txn, name],
    )
    t.equal(sent.tokens[13], 'Msg sent:')
    t.match(sent.text, /^SIP\/2\.0 200 OK\r\n/)
    t.match(sent.text, /^Contact: /m)
    const answer = await peer.expect(200)
    t.equal(answer.text, sent.text, 'the message as sent')
    call.learn(answer)
    call.request('ACK')
    const ack = await app.next((f) => f.tokens[1] === 'sip')
    t.equal(ack.tokens[8], txn, 'the ACK belongs to the INVITE')
    t.equal(ack.tokens[9], name)
    t.equal(ack.tokens.length, 11)

    call.request('BYE')
    const bye = await app.next((f) => f.tokens[1] === 'sip')
    t.equal(bye.tokens[9], name)
    t.not(bye.tokens[8], txn)
    const byeOk = app.send('sip', bye.tokens[8]!, '\r\nSIP/2.0 200 OK\r\n\r\n')
    const byeSent = await app.next((f) => f.tokens[2] === byeOk)
    t.equal(byeSent.tokens[10], bye.tokens[8])
    t.equal(byeSent.tokens[11], '', 'the dialog is gone')
    await peer.expect(200)
  },

  'the answer to a request precedes its responses': async (bench) => {
    const { t } = bench
    const app = await raw(bench)
    const peer = await bench.peer()
    const uri = `sip:x@${peer.hostport}`
    const mid = app.send('sip', '', `\r\nOPTIONS ${uri} SIP/2.0\r\nX-One: 1\r\n\r\n`)
    const options = await peer.expect('OPTIONS')
    peer.respond(options, 200, { tag: 'r' })
    const sent = await app.next()
    t.equal(sent.tokens[2], mid)
    t.same([sent.tokens[3], sent.tokens[4]], ['OK', 'application'])
    t.equal(sent.tokens[11], 'Msg sent:')
    t.match(sent.text, `OPTIONS ${uri} SIP/2.0\r\n`)
    const response = await app.next()
    t.same([response.tokens[1], response.tokens[2]], ['sip', 'network'])
    t.equal(response.tokens[8], sent.tokens[10])
    t.equal(response.tokens[9], '')
  },

  'what cannot be sent is refused with a reason': async (bench) => {
    const { t } = bench
    const app = await raw(bench)
    const cases: [string[], RegExp][] = [
      [
        ['sip', '', 'none;from-tag=x\r\nINFO sip:placeholder SIP/2.0\r\n\r\n'],
        /unable to find dialog/,
      ],
      [['sip', 'no-such', '\r\nSIP/2.0 200 OK\r\n\r\n'], /unknown transaction/],
      [
        ['sip', 'no-such', '\r\nCANCEL sip:x@127.0.0.1 SIP/2.0\r\n\r\n'],
        /unable to cancel unknown/,
      ],
      [['sip', '', '\r\nFOO sip:x@127.0.0.1 SIP/2.0\r\n\r\n'], /invalid request-uri/],
      [['sip', '', '\r\nOPTIONS foo:x SIP/2.0\r\n\r\n'], /invalid request-uri/],
      [['sip', '', '\r\nMESSAGE sip:x@127.0.0.1:9 SIP/2.0\r\n\r\nhello'], /missing content-type/],
    ]
    for (const [frame, reason] of cases) {
      const [verdict, text] = await app.answer(app.send(...frame))
      t.equal(verdict, 'NOK')
      t.match(text, reason)
    }
  },
}
