import t from 'tap'
import {
  businessTalk,
  challenged,
  foreignToWhatsApp,
  metaAnswer,
  metaBye,
  metaVia,
  pbxAnswer,
  pbxBye,
  pbxInvite,
  pbxVia,
  userCall,
  userTalk,
} from './support/calls.ts'
import { ackFailure, Dialog } from './support/dialog.ts'
import { CONSUMER, type Lab, withLab } from './support/lab.ts'
import { response, type Sip, tagOf } from './support/message.ts'
import { metaSdp, pbxSdp } from './support/sdp.ts'

/** A PBX that writes as tersely and as oddly as RFC 3261 allows. */
function odd(invite: Sip): string {
  return invite.raw
    .replace(/^Via: /m, 'v :\t')
    .replace(/^From: /m, 'f: ')
    .replace(/^To: /m, 'TO   : ')
    .replace(/^Call-ID: /m, 'i: ')
    .replace(/^Contact: /m, 'm:')
    .replace(/^Content-Type: /m, 'c: ')
    .replace(/^Content-Length: /m, 'l:  ')
    .replace(/^CSeq: (\d+) INVITE/m, 'cSeQ:\r\n  000$1\r\n\tINVITE')
    .replace(/^Allow: .*\r\n/m, 'Subject:\r\nX-Empty:   \r\n')
}

t.test('compact, folded and oddly spaced headers', (t) =>
  withLab(t, {}, async (lab) => {
    const invite = pbxInvite(lab)
    lab.pbx.send(lab.at.udp, odd(invite))
    const arrived = await challenged(lab, await lab.wa.inbox.take({ method: 'INVITE' }))
    const wa = metaAnswer(arrived)
    await lab.wa.inbox.take({ method: 'ACK', callId: arrived.sip.callId })
    const { sip: answer } = await lab.pbx.inbox.take({ status: 200, callId: invite.callId })
    const pbx = Dialog.caller(invite, answer, pbxVia(lab))
    const sendPbx = (text: string): void => lab.pbx.send(lab.at.udp, text)
    sendPbx(pbx.ack())
    await pbxBye(lab, { wa, pbx, answer, arrived: arrived.sip, sendPbx, sendWa: () => {} })
  }),
)

t.test('a proxy between the PBX and Causeway stays in the path', (t) =>
  withLab(t, {}, async (lab) => {
    const here = `127.0.0.1:${lab.pbx.udpPort}`
    const routes = [`<sip:${here};lr;n=1>`, `<sip:inner.example.com;lr>`]
    // The call of the PBX: two Record-Routes in one header.
    const invite = pbxInvite(lab, { headers: [['Record-Route', routes.join(', ')]] })
    lab.pbx.send(lab.at.udp, invite.raw)
    const arrived = await challenged(lab, await lab.wa.inbox.take({ method: 'INVITE' }))
    const wa = metaAnswer(arrived)
    await lab.wa.inbox.take({ method: 'ACK', callId: arrived.sip.callId })
    const { sip: answer } = await lab.pbx.inbox.take({ status: 200, callId: invite.callId })
    t.equal(answer.all('Record-Route').join(', '), routes.join(', '))
    lab.pbx.send(lab.at.udp, Dialog.caller(invite, answer, pbxVia(lab)).ack())
    const line = await lab.wa.dial(lab.at.whatsapp)
    line.send(wa.request('BYE'))
    const bye = await lab.pbx.inbox.take({ method: 'BYE', callId: invite.callId })
    t.equal(bye.sip.all('Route').join(', '), routes.join(', '), 'RFC 3261 §12.1.1: in order')
    t.match(bye.sip.uri, /^sip:7@127/)
    bye.reply(response(bye.sip, '200 OK'))

    // WhatsApp's call: the routes come back in the 200, and are reversed.
    const call = await userCall(lab)
    const ring = await lab.pbx.inbox.take({ method: 'INVITE' })
    const contact = '<sip:agent@unreachable.invalid>'
    const headers: [string, string][] = [
      ['Record-Route', routes[1]!],
      ['Record-Route', routes[0]!],
      ['Contact', contact],
    ]
    const body = pbxSdp({ opus: 111, dtmf: 126 })
    ring.reply(response(ring.sip, '200 OK', { tag: 'p', headers, body }))
    const ack = await lab.pbx.inbox.take({ method: 'ACK', callId: ring.sip.callId })
    t.equal(ack.sip.uri, 'sip:agent@unreachable.invalid')
    t.equal(ack.sip.all('Route').join(', '), routes.join(', '))
    const ok = await lab.wa.inbox.take({ status: 200, callId: call.meta.callId })
    const meta = Dialog.caller(call.invite, ok.sip, metaVia)
    meta.state.routes = []
    call.line.send(meta.ack())
    call.line.send(meta.request('BYE'))
    const end = await lab.pbx.inbox.take({ method: 'BYE', callId: ring.sip.callId })
    t.equal(end.sip.all('Route').join(', '), routes.join(', '))
    end.reply(response(end.sip, '200 OK'))
  }),
)

t.test('the PBX forks: one answer counts, the other is hung up', (t) =>
  withLab(t, {}, async (lab) => {
    const call = await userCall(lab)
    const invite = await lab.pbx.inbox.take({ method: 'INVITE' })
    invite.reply(response(invite.sip, '180 Ringing', { tag: 'one' }))
    invite.reply(response(invite.sip, '180 Ringing', { tag: 'two' }))
    const { dialog } = pbxAnswer(lab, invite)
    await lab.pbx.inbox.take({ method: 'ACK', callId: invite.sip.callId })
    pbxAnswer(lab, invite)
    const extra = await lab.pbx.inbox.take({ method: 'BYE', callId: invite.sip.callId })
    t.not(tagOf(extra.sip.get('To')), tagOf(dialog.state.local), 'not the one that counts')
    extra.reply(response(extra.sip, '200 OK'))
    const { sip: answer } = await lab.wa.inbox.take({ status: 200, callId: call.meta.callId })
    const wa = Dialog.caller(call.invite, answer, metaVia)
    wa.state.routes = []
    call.line.send(wa.ack())
    t.equal(lab.wa.inbox.count({ status: 200, of: 'INVITE', callId: call.meta.callId }), 1)
    const talk = {
      wa,
      pbx: dialog,
      answer,
      arrived: invite.sip,
      sendWa: call.line.send,
      sendPbx: (text: string) => lab.pbx.send(lab.at.udp, text),
    }
    await metaBye(lab, talk)
  }),
)

const badAnswers: [string, string][] = [
  ['no body', ''],
  ['no SDP', 'hello'],
  ['no audio', 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=video 9 RTP/SAVP 96\r\n'],
  ['no key', pbxSdp({ opus: 111, dtmf: 126 }).replace(/a=crypto.*\r\n/, '')],
  ['port 0', pbxSdp({ opus: 111, dtmf: 126, port: 0 })],
  [
    'other codecs',
    pbxSdp({ opus: 111, dtmf: 126 }).replaceAll('111', '18').replace('opus/48000/2', 'G729/8000'),
  ],
]

t.test('answers without usable media end the call on both sides', (t) =>
  withLab(t, {}, async (lab) => {
    for (const [what, body] of badAnswers) {
      const call = await userCall(lab)
      const invite = await lab.pbx.inbox.take({ method: 'INVITE' })
      pbxAnswer(lab, invite, body)
      await lab.pbx.inbox.take({ method: 'ACK', callId: invite.sip.callId })
      const bye = await lab.pbx.inbox.take({ method: 'BYE', callId: invite.sip.callId })
      t.match(bye.sip.get('Reason'), /^(SIP|Q\.850);cause=\d+/, `${what}: the PBX learns why`)
      bye.reply(response(bye.sip, '200 OK'))
      const { sip } = await lab.wa.inbox.take({
        status: (s) => s >= 200 && s !== 407,
        callId: call.meta.callId,
      })
      t.ok(sip.status >= 480, `${what} → ${sip.start}`)
      call.line.send(ackFailure(call.invite, sip))
    }
    for (const body of [metaSdp(107, 101).replace(/a=crypto.*\r\n/, ''), 'nonsense']) {
      const invite = pbxInvite(lab)
      lab.pbx.send(lab.at.udp, invite.raw)
      let arrived = await lab.wa.inbox.take({ method: 'INVITE' })
      if (!arrived.sip.get('Proxy-Authorization')) arrived = await challenged(lab, arrived)
      const headers: [string, string][] = [['Contact', '<sip:x@wa.meta.vc;transport=tls>']]
      arrived.reply(response(arrived.sip, '200 OK', { tag: 'm', headers, body }))
      await lab.wa.inbox.take({ method: 'ACK', callId: arrived.sip.callId })
      const bye = await lab.wa.inbox.take({ method: 'BYE', callId: arrived.sip.callId })
      bye.reply(response(bye.sip, '200 OK'))
      const { sip } = await lab.pbx.inbox.take({ status: (s) => s >= 200, callId: invite.callId })
      t.match(sip.get('Warning'), /MEDIA_/)
      lab.pbx.send(lab.at.udp, ackFailure(invite, sip))
    }
    t.same(foreignToWhatsApp(lab), [])
    await metaBye(lab, await userTalk(lab))
  }),
)

t.test('offers that cannot work are refused before anything rings', (t) =>
  withLab(t, {}, async (lab) => {
    for (const [what, body] of badAnswers) {
      const invite = pbxInvite(lab, {
        body: body.replaceAll('111', '107').replaceAll('126', '101'),
      })
      lab.pbx.send(lab.at.udp, invite.raw)
      const { sip } = await lab.pbx.inbox.take({ status: (s) => s >= 200, callId: invite.callId })
      t.ok([400, 415, 488].includes(sip.status), `${what} → ${sip.start}`)
      t.match(sip.get('Warning'), /^399 \S+ "(MEDIA|CALL)_\w+: /)
      lab.pbx.send(lab.at.udp, ackFailure(invite, sip))
    }
    t.equal(lab.wa.inbox.count({ method: 'INVITE' }), 0)
    const dtls = metaSdp()
      .replace(
        /a=crypto.*\r\n/,
        `a=fingerprint:sha-256 ${'AA:'.repeat(31)}AA\r\na=setup:actpass\r\n`,
      )
      .replace('RTP/SAVP', 'UDP/TLS/RTP/SAVPF')
    for (const body of [dtls, '', 'v=0\r\n']) {
      const call = await userCall(lab, { body })
      const { sip } = await lab.wa.inbox.take({
        status: (s) => s >= 300 && s !== 407,
        callId: call.meta.callId,
      })
      t.ok([400, 488].includes(sip.status), sip.start)
      call.line.send(ackFailure(call.invite, sip))
    }
    t.equal(lab.pbx.inbox.count({ method: 'INVITE' }), 0)
  }),
)

t.test('nobody answers in time: taken back, then the overflow trunk', (t) =>
  withLab(
    t,
    {
      edit: (config, { pbx }) => {
        config.numbers[0].inbound = { trunk: 'main', ring_timeout: '1s', overflow: 'backup' }
        config.trunks.push({
          name: 'backup',
          targets: [pbx.tcpUri],
          media: { srtp: 'sdes', codecs: ['opus'] },
        })
      },
    },
    async (lab) => {
      const call = await userCall(lab)
      const first = await lab.pbx.inbox.take({ method: 'INVITE' })
      first.reply(response(first.sip, '180 Ringing', { tag: 'r' }))
      const cancel = await lab.pbx.inbox.take({ method: 'CANCEL', callId: first.sip.callId })
      t.match(cancel.sip.get('Reason'), /^Q\.850;cause=19;/)
      cancel.reply(response(cancel.sip, '200 OK', { tag: 'r' }))
      first.reply(response(first.sip, '487 Request Terminated', { tag: 'r' }))
      const second = await lab.pbx.inbox.take({ method: 'INVITE' })
      t.equal(second.over, 'tcp-in')
      second.reply(response(second.sip, '180 Ringing', { tag: 's' }))
      const again = await lab.pbx.inbox.take({ method: 'CANCEL', callId: second.sip.callId })
      again.reply(response(again.sip, '200 OK', { tag: 's' }))
      second.reply(response(second.sip, '487 Request Terminated', { tag: 's' }))
      const { sip } = await lab.wa.inbox.take({
        status: (s) => s > 400 && s !== 407,
        callId: call.meta.callId,
      })
      t.equal(sip.status, 480)
      call.line.send(ackFailure(call.invite, sip))
    },
  ),
)

/** An INVITE of the PBX's that has to be refused now. */
async function refused(lab: Lab): Promise<Sip> {
  const invite = pbxInvite(lab)
  lab.pbx.send(lab.at.udp, invite.raw)
  const { sip } = await lab.pbx.inbox.take({ status: (s) => s >= 300, callId: invite.callId })
  lab.pbx.send(lab.at.udp, ackFailure(invite, sip))
  return sip
}

t.test('limits: calls', (t) =>
  withLab(t, { edit: (config) => (config.limits = { calls: 1 }) }, async (lab) => {
    const talk = await businessTalk(lab)
    const sip = await refused(lab)
    t.equal(sip.status, 503)
    t.match(sip.get('Warning'), /CALL_LIMIT/)
    t.match(sip.get('Retry-After'), /^\d+/)
    const call = await userCall(lab)
    const no = await lab.wa.inbox.take({ status: 503, callId: call.meta.callId })
    call.line.send(ackFailure(call.invite, no.sip))
    await pbxBye(lab, talk)
    await metaBye(lab, await userTalk(lab))
  }),
)

t.test('a large INVITE reaches a PBX that listens on UDP alone', (t) =>
  withLab(t, {}, async (lab) => {
    const payload = 'p'.repeat(1000)
    const talk = await userTalk(lab, {
      headers: [
        ['x-wa-meta-cta-payload', payload],
        ['x-wa-meta-deeplink-payload', payload],
      ],
    })
    t.equal(talk.arrived.get('X-WhatsApp-Cta-Payload'), payload)
    await metaBye(lab, talk)
    const big = pbxInvite(lab, { headers: [['X-Large', 'x'.repeat(8000)]] })
    lab.pbx.send(lab.at.udp, big.raw)
    const arrived = await challenged(lab, await lab.wa.inbox.take({ method: 'INVITE' }))
    t.equal(arrived.sip.uri, `sip:${CONSUMER}@wa.meta.vc;transport=tls`)
    arrived.reply(response(arrived.sip, '486 User declined the call', { tag: 'd' }))
    const { sip } = await lab.pbx.inbox.take({ status: (s) => s >= 300, callId: big.callId })
    lab.pbx.send(lab.at.udp, ackFailure(big, sip))
  }),
)
