import { createSocket } from 'node:dgram'
import t from 'tap'
import {
  businessTalk,
  challenged,
  MetaInvite,
  metaAnswer,
  metaVia,
  pbxAnswer,
  pbxBye,
  pbxInvite,
} from './support/calls.ts'
import { ackFailure, Dialog } from './support/dialog.ts'
import { Inbox } from './support/inbox.ts'
import { CONSUMER, hangUpAll, withLab } from './support/lab.ts'
import { response, Sip } from './support/message.ts'

t.test('without a challenge', (t) =>
  withLab(
    t,
    {
      edit: (config) => {
        config.whatsapp.challenge = false
      },
    },
    async (lab) => {
      const line = await lab.wa.dial(lab.at.whatsapp)
      const meta = new MetaInvite()
      const invite = new Sip(meta.text())
      line.send(invite.raw)
      pbxAnswer(lab, await lab.pbx.inbox.take({ method: 'INVITE' }))
      const { sip } = await lab.wa.inbox.take({ status: 200, callId: meta.callId })
      t.equal(lab.wa.inbox.count({ status: 407 }), 0)
      const wa = Dialog.caller(invite, sip, metaVia)
      wa.state.routes = []
      line.send(wa.ack())
      line.send(wa.request('BYE'))
      const bye = await lab.pbx.inbox.take({ method: 'BYE' })
      bye.reply(response(bye.sip, '200 OK'))
    },
  ),
)

t.test('the PBX over TLS, with the certificate verified', (t) =>
  withLab(
    t,
    {
      edit: (config) => {
        config.sip.listen.pbx.push('tls://127.0.0.1:0')
      },
    },
    async (lab) => {
      const [, port] = /"tls:\/\/127\.0\.0\.1:(\d+)"\]/.exec(lab.up.output)!
      const line = await lab.wa.dial(Number(port))
      const invite = pbxInvite(lab, { transport: 'TLS' })
      line.send(invite.raw)
      const arrived = await challenged(lab, await lab.wa.inbox.take({ method: 'INVITE' }))
      const wa = metaAnswer(arrived)
      await lab.wa.inbox.take({ method: 'ACK' })
      const { sip: ok } = await lab.wa.inbox.take({ status: 200, callId: invite.callId })
      t.match(ok.get('Contact'), new RegExp(`:${port};transport=tls`))
      const pbx = Dialog.caller(invite, ok, (branch) => `SIP/2.0/TLS 127.0.0.1:1;branch=${branch}`)
      line.send(pbx.ack())
      line.send(pbx.request('BYE'))
      await lab.wa.inbox.take({ of: 'BYE', status: 200, callId: invite.callId })
      const bye = await lab.wa.inbox.take({ method: 'BYE', callId: wa.state.callId })
      bye.reply(response(bye.sip, '200 OK'))
    },
  ),
)

t.test('the PBX over IPv6', (t) =>
  withLab(
    t,
    {
      edit: (config) => {
        config.sip.listen.pbx.push('udp://[::1]:0')
        config.trunks[0].accept.from.push('::1/128')
      },
    },
    async (lab) => {
      const port = Number(/"udp:\/\/\[::1\]:(\d+)"/.exec(lab.up.output)![1])
      const inbox = new Inbox('PBX on IPv6')
      const socket = createSocket('udp6')
      const send = (text: string): void => socket.send(text, port, '::1')
      socket.on('message', (bytes) => inbox.push(bytes.toString(), 'udp6', send))
      await new Promise<void>((resolve) => socket.bind(0, '::1', () => resolve()))
      const here = `[::1]:${socket.address().port}`
      const invite = new Sip(
        pbxInvite(lab)
          .raw.replaceAll(`127.0.0.1:${lab.pbx.udpPort}`, here)
          .replaceAll(`127.0.0.1:${lab.at.udp}`, `[::1]:${port}`),
      )
      send(invite.raw)
      const arrived = await challenged(lab, await lab.wa.inbox.take({ method: 'INVITE' }))
      t.equal(arrived.sip.uri, `sip:${CONSUMER}@wa.meta.vc;transport=tls`)
      const wa = metaAnswer(arrived)
      await lab.wa.inbox.take({ method: 'ACK' })
      const { sip: ok } = await inbox.take({ status: 200, callId: invite.callId })
      t.match(ok.get('Contact'), `[::1]:${port}`)
      t.match(ok.get('Via'), /;received=\[?::1\]?/)
      send(Dialog.caller(invite, ok, (branch) => `SIP/2.0/UDP ${here};branch=${branch}`).ack())
      const line = await lab.wa.dial(lab.at.whatsapp)
      line.send(wa.request('BYE'))
      const bye = await inbox.take({ method: 'BYE' })
      t.match(bye.sip.get('Via'), `SIP/2.0/UDP [::1]:${port}`)
      bye.reply(response(bye.sip, '200 OK'))
      socket.close()
    },
  ),
)

t.test('a session timer the PBX asks for or knows, and clients of the API that send a body', (t) =>
  withLab(t, {}, async (lab) => {
    for (const [asked, agreed] of [
      ['1800', '1800;refresher=uac'],
      ['120;refresher=uac', '120;refresher=uac'],
      [undefined, '600;refresher=uac'],
    ] as const) {
      const headers: [string, string][] = [['Supported', 'timer, replaces']]
      if (asked) headers.push(['Session-Expires', asked])
      const talk = await businessTalk(lab, { headers })
      t.equal(talk.answer.get('Session-Expires'), agreed, 'RFC 4028 §9')
      t.match(talk.answer.get('Require'), 'timer')
      t.equal(talk.arrived.get('Session-Expires'), '', 'WhatsApp hears nothing of it')
      await pbxBye(lab, talk)
    }
    for (const type of ['application/x-www-form-urlencoded', 'application/json', 'text/plain']) {
      for (const body of ['', '{}', 'a=b']) {
        const init = { method: 'POST', body, headers: { 'content-type': type } }
        t.equal((await lab.http('/api/v1/undrain', init)).status, 200, `${type} ${body}`)
      }
    }
    const large = await lab.http('/api/v1/undrain', { method: 'POST', body: 'x'.repeat(70_000) })
    t.equal(large.status, 413)
    t.match(await large.json(), { error: { code: 'APP_HTTP_BAD_REQUEST', owner: 'user' } })
  }),
)

t.test('more calls a second than allowed', (t) =>
  withLab(
    t,
    {
      edit: (config) => {
        config.limits = { invites_per_second: 5 }
      },
    },
    async (lab) => {
      const all = Array.from({ length: 20 }, () => pbxInvite(lab))
      for (const { raw } of all) lab.pbx.send(lab.at.udp, raw)
      let refused = 0
      for (let i = 0; i < 10; i++) {
        const { sip } = await lab.pbx.inbox.take({ status: 503 })
        t.match(sip.get('Warning'), /CALL_RATE_LIMIT/)
        t.match(sip.get('Retry-After'), /^\d+/)
        lab.pbx.send(lab.at.udp, ackFailure(all.find(({ callId }) => callId === sip.callId)!, sip))
        refused++
      }
      t.equal(refused, 10)
      await hangUpAll(lab)
    },
  ),
)
