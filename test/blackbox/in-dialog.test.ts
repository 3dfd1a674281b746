import t from 'tap'
import {
  businessTalk,
  foreignToWhatsApp,
  metaBye,
  pbxBye,
  type Talk,
  userTalk,
} from './support/calls.ts'
import { type Lab, withLab } from './support/lab.ts'
import { response, type Sip } from './support/message.ts'
import { pbxSdp } from './support/sdp.ts'

/** A request of the PBX's within the dialog; its final answer. */
async function ask(
  lab: Lab,
  talk: Talk,
  method: string,
  options: { headers?: [string, string][]; body?: string } = {},
): Promise<Sip> {
  talk.sendPbx(talk.pbx.request(method, options))
  const { callId, cseq } = talk.pbx.state
  const { sip } = await lab.pbx.inbox.take({
    status: (status) => status >= 200,
    callId,
    of: method,
    where: (answer) => answer.cseq === cseq,
  })
  if (method === 'INVITE' && sip.status < 300) talk.sendPbx(talk.pbx.ack())
  return sip
}

const versionOf = (sip: Sip): number => Number(/^o=\S+ \d+ (\d+)/m.exec(sip.body)?.[1])

for (const [direction, open] of [
  ['user-initiated', (lab: Lab) => userTalk(lab)],
  ['business-initiated', (lab: Lab) => businessTalk(lab)],
] as const) {
  const ours = direction === 'user-initiated' ? { opus: 111, dtmf: 126 } : {}
  t.test(`${direction}: hold, resume and everything else ends at Causeway`, (t) =>
    withLab(t, {}, async (lab) => {
      const talk = await open(lab)
      const hold = await ask(lab, talk, 'INVITE', {
        body: pbxSdp({ ...ours, direction: 'sendonly', version: 2 }),
      })
      t.equal(hold.status, 200)
      t.match(hold.body, /a=recvonly/, 'RFC 3264 §8.4')
      t.match(hold.get('Contact'), /^<sip:/)
      const resume = await ask(lab, talk, 'INVITE', { body: pbxSdp({ ...ours, version: 3 }) })
      t.match(resume.body, /a=sendrecv/)
      t.ok(versionOf(resume) > versionOf(hold), 'o= version grows')
      const inactive = await ask(lab, talk, 'INVITE', {
        body: pbxSdp({ ...ours, direction: 'inactive', version: 4 }),
      })
      t.match(inactive.body, /a=inactive/)
      const offerless = await ask(lab, talk, 'INVITE')
      t.match(offerless.body, /m=audio 3480 RTP\/SAVP/, 'an offer of ours')
      const update = await ask(lab, talk, 'UPDATE', { body: pbxSdp({ ...ours, version: 5 }) })
      t.equal(update.status, 200)
      t.match(update.body, /m=audio/)
      t.equal((await ask(lab, talk, 'UPDATE')).status, 200, 'a target refresh')
      const codec = await ask(lab, talk, 'INVITE', {
        body: pbxSdp({ ...ours, version: 6 }).replace(/opus\/48000\/2/, 'G729/8000'),
      })
      t.equal(codec.status, 488)
      t.match(codec.get('Warning'), /^399 \S+ "MEDIA_/)
      t.match(codec.get('Reason'), /^Q\.850;cause=\d+/)
      const refresh = await ask(lab, talk, 'INVITE', {
        body: pbxSdp({ ...ours, version: 3 }),
        headers: [
          ['Supported', 'timer'],
          ['Session-Expires', '90;refresher=uac'],
          ['Min-SE', '90'],
        ],
      })
      t.equal(refresh.status, 200)
      const short = await ask(lab, talk, 'INVITE', {
        body: pbxSdp({ ...ours, version: 3 }),
        headers: [
          ['Supported', 'timer'],
          ['Session-Expires', '30'],
        ],
      })
      t.ok(short.status === 422 || short.status === 200, `a short session: ${short.start}`)
      const dtmf = await ask(lab, talk, 'INFO', {
        headers: [['Info-Package', 'dtmf']],
        body: 'Signal=5\r\nDuration=160\r\n',
      })
      t.equal(dtmf.status, 200)
      t.equal((await ask(lab, talk, 'OPTIONS')).status, 200)
      const refer = await ask(lab, talk, 'REFER', {
        headers: [['Refer-To', '<sip:200@127.0.0.1>']],
      })
      t.equal(refer.status, 488, 'moving media needs a relay')
      t.match(refer.get('Warning'), /^399 \S+ "MEDIA_NEEDS_RELAY/)
      for (const method of ['MESSAGE', 'NOTIFY', 'FROB']) {
        const sip = await ask(lab, talk, method)
        t.equal(sip.status, 405, method)
        t.match(sip.get('Allow'), /INVITE/)
      }
      const required = await ask(lab, talk, 'INVITE', {
        body: pbxSdp(ours),
        headers: [['Require', 'x-new']],
      })
      t.equal(required.status, 420)
      // An old CSeq is out of order (RFC 3261 §12.2.2).
      talk.sendPbx(talk.pbx.request('INVITE', { body: pbxSdp(ours), cseq: 2 }))
      const late = await lab.pbx.inbox.take({ status: 500, callId: talk.pbx.state.callId })
      t.equal(late.sip.cseq, 2)

      // WhatsApp asks what it never should.
      for (const [method, status] of [
        ['INVITE', 488],
        ['OPTIONS', 200],
        ['UPDATE', 405],
        ['INFO', 405],
      ] as const) {
        talk.sendWa(talk.wa.request(method))
        const { callId } = talk.wa.state
        const { sip } = await lab.wa.inbox.take({ of: method, callId, status })
        if (status >= 300 && method === 'INVITE') talk.sendWa(talk.wa.ack())
        t.equal(sip.status, status)
      }
      const bye = await metaBye(lab, talk, [
        [
          'Reason',
          'SIP;cause=500;text="WhatsApp client terminated the call due to not receiving any media for a long time."',
        ],
      ])
      t.match(bye.get('Reason'), /not receiving any media/, 'WhatsApp tells why')
      t.same(foreignToWhatsApp(lab), [], 'nothing but INVITE, ACK, BYE and CANCEL')
      const { calls } = (await (await lab.http('/api/v1/calls')).json()) as { calls: object[] }
      t.match(calls, [
        { state: 'ended', cause: { code: 'CALL_WHATSAPP_MEDIA_TIMEOUT', result: 'failed' } },
      ])
    }),
  )
}

t.test('BYEs that cross, come twice, or come to a call that is over', (t) =>
  withLab(t, {}, async (lab) => {
    for (const open of [userTalk, businessTalk] as const) {
      const talk = await open(lab)
      talk.sendWa(talk.wa.request('BYE'))
      talk.sendPbx(talk.pbx.request('BYE'))
      const waDone = await lab.wa.inbox.take({
        of: 'BYE',
        callId: talk.wa.state.callId,
        status: () => true,
      })
      const pbxDone = await lab.pbx.inbox.take({
        of: 'BYE',
        callId: talk.pbx.state.callId,
        status: () => true,
      })
      t.equal(waDone.sip.status, 200)
      t.equal(pbxDone.sip.status, 200)
      talk.sendWa(talk.wa.request('BYE'))
      const again = await lab.wa.inbox.take({
        of: 'BYE',
        callId: talk.wa.state.callId,
        status: 481,
      })
      t.equal(again.sip.cseq, talk.wa.state.cseq)
      for (const inbox of [lab.wa.inbox, lab.pbx.inbox]) {
        for (const { sip, reply } of inbox.log) {
          if (sip.method === 'BYE') reply(response(sip, '481 Call/Transaction Does Not Exist'))
        }
      }
    }
    const one = await userTalk(lab)
    const bye = one.pbx.request('BYE')
    for (let i = 0; i < 3; i++) one.sendPbx(bye)
    const first = await lab.wa.inbox.take({ method: 'BYE', callId: one.wa.state.callId })
    first.reply(response(first.sip, '200 OK'))
    t.equal(lab.wa.inbox.count({ method: 'BYE', callId: one.wa.state.callId }), 1)
    const refused = await businessTalk(lab)
    refused.sendPbx(refused.pbx.request('BYE'))
    const last = await lab.wa.inbox.take({ method: 'BYE', callId: refused.wa.state.callId })
    last.reply(response(last.sip, '404 Not Found'))
    await pbxBye(lab, await userTalk(lab))
    const { calls } = (await (await lab.http('/api/v1/calls')).json()) as {
      calls: { cause: { code: string } }[]
    }
    t.same([...new Set(calls.map(({ cause }) => cause.code))], ['NORMAL'])
    const metrics = await (await lab.http('/metrics')).text()
    t.notMatch(metrics, /_calls\{[^}]*\} [1-9]/)
  }),
)
