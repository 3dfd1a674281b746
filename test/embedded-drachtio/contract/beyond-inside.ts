/** Inside dialogs: what the embedded server does better than the server it stands in for. */

import { PeerDialog } from '../../support/sip-peer.ts'
import type { Case } from './cases.ts'
import { answered } from './incoming.ts'
import { hangUp } from './outgoing.ts'
import { type AppRequest, type AppResponse, sdp } from './srf.ts'

export const beyondInsideCases: Record<string, Case> = {
  'the 2xx to a re-INVITE is repeated until its ACK': async (bench) => {
    const { t } = bench
    const { peer, call, dialog } = await answered(bench)
    call.request('INVITE', { body: sdp(4002) })
    const cseq = call.cseq
    const ok = await peer.expect((m) => m.status === 200 && m.cseq === cseq)
    peer.forget(ok)
    t.equal((await peer.expect((m) => m.status === 200 && m.cseq === cseq)).text, ok.text)
    call.request('ACK')
    await hangUp(peer, dialog)
  },

  'the answer to a re-INVITE moves the target': async (bench) => {
    const { t } = bench
    const { peer, dialog } = await answered(bench)
    const modified = dialog.modify(sdp(5002))
    const moved = `sip:moved@${peer.hostport}`
    peer.respond(await peer.expect('INVITE'), 200, {
      headers: { Contact: `<${moved}>` },
      body: sdp(4002),
    })
    await modified
    t.equal((await peer.expect('ACK')).uri, moved)
    const ended = dialog.destroy()
    const bye = await peer.expect('BYE')
    t.equal(bye.uri, moved)
    peer.respond(bye, 200)
    await ended
  },

  'a request with an old number gets 500': async (bench) => {
    const { t } = bench
    const { peer, call, dialog } = await answered(bench)
    call.request('INFO', { cseq: 10 })
    await peer.expect(200)
    call.request('INFO', { cseq: 9 })
    t.equal((await peer.expect((m) => m.status > 0 && m.cseq === 9)).status, 500)
    await hangUp(peer, dialog)
  },

  'localhost stands for our address inside dialogs too': async (bench) => {
    const { t } = bench
    const { peer, dialog } = await answered(bench)
    const pending = dialog.request({
      method: 'INFO',
      headers: { Contact: '<sip:me@localhost>', 'P-Asserted-Identity': '<sip:me@localhost>' },
    })
    const info = await peer.expect('INFO')
    const local = `sip:me@${bench.sip.host}:${bench.sip.port}`
    t.equal(info.contact, local)
    t.match(info.header('p-asserted-identity'), local)
    peer.respond(info, 200)
    await pending
    await hangUp(peer, dialog)
  },

  'the answer to the last NOTIFY is the one of the application': async (bench) => {
    const { t } = bench
    const app = await bench.app()
    const peer = await bench.peer()
    const pending = app.createUAC(`sip:bob@${peer.hostport}`, {
      method: 'SUBSCRIBE',
      headers: { Event: 'presence', Expires: '60' },
    })
    const subscribe = await peer.expect('SUBSCRIBE')
    peer.respond(subscribe, 202, { tag: 'n', headers: { Contact: peer.contact, Expires: '60' } })
    const dialog = await pending
    dialog.on('notify', (_: AppRequest, res: AppResponse) => res.send(200))
    const notify = PeerDialog.of(peer, subscribe, 'n').request('NOTIFY', {
      headers: { Event: 'presence', 'Subscription-State': 'terminated;reason=timeout' },
    })
    const reply = await peer.expect((m) => m.header('cseq') === notify.header('cseq'))
    t.equal(reply.status, 200)
  },
}
