import t from 'tap'
import { businessTalk, metaBye, pbxAnswer, userCall, userTalk } from './support/calls.ts'
import { Causeway } from './support/causeway.ts'
import { withLab } from './support/lab.ts'
import { response } from './support/message.ts'

t.test('kill -9 in the middle of calls: it is back on its ports, and nobody is left hanging', (t) =>
  withLab(t, {}, async (lab) => {
    const calls = [await userTalk(lab), await businessTalk(lab)]
    const ringing = await userCall(lab)
    const offered = (await lab.pbx.inbox.take({ method: 'INVITE' })).sip
    for (const invite of [calls[0]!.arrived, offered]) {
      t.equal(invite.get('Session-Expires'), '600;refresher=uas', 'the PBX is to refresh')
      t.match(invite.get('Supported'), /\btimer\b/)
    }
    const { whatsapp, udp, tcp, http } = lab.at
    lab.rewrite((config) => {
      config.sip.listen = {
        whatsapp: `tls://127.0.0.1:${whatsapp}`,
        pbx: [`udp://127.0.0.1:${udp}`, `tcp://127.0.0.1:${tcp}`],
      }
      config.http.listen = new URL(http).host
    })
    lab.up.signal('SIGKILL')
    await lab.up.exited
    const started = performance.now()
    lab.up = new Causeway(['up', '-c', lab.file, '--json'])
    t.same(await lab.up.ready(), lab.at, 'the same addresses')
    const ready = await fetch(`${http}/readyz`)
    t.equal(ready.status, 200)
    t.comment(`calls are taken ${Math.round(performance.now() - started)} ms after the start`)

    for (const [index, talk] of calls.entries()) {
      const { callId } = talk.pbx.state
      // The refresh of RFC 4028 §7.4; its 481 ends the dialog at the PBX (RFC 5057 §5.1).
      talk.sendPbx(talk.pbx.request('UPDATE'))
      const update = await lab.pbx.inbox.take({ of: 'UPDATE', callId, status: (s) => s >= 200 })
      t.equal(update.sip.status, 481, `refresh of call ${index}`)
      talk.sendPbx(talk.pbx.request('BYE'))
      const bye = await lab.pbx.inbox.take({ of: 'BYE', callId, status: (s) => s >= 200 })
      t.equal(bye.sip.status, 481)
    }
    // WhatsApp hangs up without media, and is told the same.
    const line = await lab.wa.dial(whatsapp)
    line.send(calls[0]!.wa.request('BYE'))
    const { callId } = calls[0]!.wa.state
    const bye = await lab.wa.inbox.take({ of: 'BYE', callId, status: (s) => s >= 200 })
    t.equal(bye.sip.status, 481)
    ringing.line.socket.destroy()

    await metaBye(lab, await userTalk(lab))
  }),
)

t.test('a PBX that runs the session timer it is offered', (t) =>
  withLab(t, {}, async (lab) => {
    const call = await userCall(lab)
    const arrived = await lab.pbx.inbox.take({ method: 'INVITE' })
    const { dialog, text } = pbxAnswer(lab, arrived)
    arrived.reply(
      text.replace(
        '\r\nCSeq:',
        '\r\nSession-Expires: 600;refresher=uas\r\nRequire: timer\r\nCSeq:',
      ),
    )
    await lab.pbx.inbox.take({ method: 'ACK', callId: arrived.sip.callId })
    await lab.wa.inbox.take({ status: 200, callId: call.meta.callId })
    const headers: [string, string][] = [
      ['Session-Expires', '600;refresher=uac'],
      ['Supported', 'timer'],
    ]
    lab.pbx.send(lab.at.udp, dialog.request('UPDATE', { headers }))
    const { callId } = dialog.state
    const refreshed = await lab.pbx.inbox.take({ of: 'UPDATE', callId, status: (s) => s >= 200 })
    t.equal(refreshed.sip.status, 200)
    t.equal(refreshed.sip.get('Session-Expires'), '600;refresher=uac')
    lab.pbx.send(lab.at.udp, dialog.request('BYE'))
    await lab.pbx.inbox.take({ of: 'BYE', status: 200, callId })
    const bye = await lab.wa.inbox.take({ method: 'BYE', callId: call.meta.callId })
    bye.reply(response(bye.sip, '200 OK'))
  }),
)
