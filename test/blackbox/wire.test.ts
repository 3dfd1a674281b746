import t, { type Test } from 'tap'
import {
  businessTalk,
  challenged,
  metaAnswer,
  metaBye,
  metaVia,
  pbxBye,
  pbxInvite,
  pbxVia,
  RECORD_ROUTES,
  userCall,
  userTalk,
} from './support/calls.ts'
import { Dialog } from './support/dialog.ts'
import { digestParams } from './support/digest.ts'
import { BUSINESS, CONSUMER, DOMAIN, SECRETS, withLab } from './support/lab.ts'
import { bare, branchOf, response, type Sip, tagOf } from './support/message.ts'
import { pbxSdp } from './support/sdp.ts'

/** Rules every request of ours keeps (RFC 3261 §8.1.1). */
function wellFormed(t: Test, sip: Sip): void {
  t.match(sip.start, /^[A-Z]+ sip:\S+ SIP\/2\.0$/)
  for (const name of ['From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards', 'Content-Length']) {
    t.equal(sip.all(name).length, 1, `${sip.method}: one ${name}`)
  }
  t.match(branchOf(sip.get('Via')), /^z9hG4bK/)
  t.equal(Number(sip.get('Content-Length')), Buffer.byteLength(sip.body))
  t.not(tagOf(sip.get('From')), '')
  t.equal(sip.cseqMethod, sip.method)
  t.notMatch(sip.raw.slice(0, sip.raw.indexOf('\r\n\r\n')), /[^\r]\n|localhost|undefined/)
  if (sip.body !== '') t.equal(sip.get('Content-Type'), 'application/sdp')
}

t.test('towards WhatsApp: every header of an INVITE, its ACK and its BYE', (t) =>
  withLab(t, {}, async (lab) => {
    const talk = await businessTalk(lab)
    const invite = talk.arrived
    wellFormed(t, invite)
    t.equal(invite.start, `INVITE sip:${CONSUMER}@wa.meta.vc;transport=tls SIP/2.0`)
    t.equal(invite.get('To'), `<sip:${CONSUMER}@wa.meta.vc>`)
    t.equal(bare(invite.get('From')), `sip:${BUSINESS}@${DOMAIN}`)
    t.equal(invite.get('Contact'), `<sip:${BUSINESS}@${DOMAIN}:${lab.at.whatsapp};transport=tls>`)
    t.match(invite.get('Via'), /^SIP\/2\.0\/TLS /)
    t.equal(invite.all('Via').length, 1, 'a B2BUA: nothing of the PBX goes through')
    t.notMatch(invite.raw, /Agent 7|sip:7@|Record-Route|REFER|100rel|Session-Expires/)
    const digest = digestParams(invite.get('Proxy-Authorization'))
    t.match(digest, {
      username: BUSINESS.slice(1),
      realm: 'wa.meta.vc',
      opaque: '440badfc05072367',
      algorithm: 'MD5',
      qop: 'auth',
      nc: '00000001',
    })
    t.match(digest['uri'], /^sip:\+33199001234@wa\.meta\.vc/)
    const [first] = lab.wa.inbox.requests()
    t.equal(first!.cseq + 1, invite.cseq, 'CSeq grows')
    t.equal(first!.get('From'), invite.get('From'))
    t.not(branchOf(first!.get('Via')), branchOf(invite.get('Via')))
    const [, ackFailure] = lab.wa.inbox.requests()
    t.equal(branchOf(ackFailure!.get('Via')), branchOf(first!.get('Via')), 'RFC 3261 §17.1.1.3')

    const ack = lab.wa.inbox
      .requests()
      .filter(({ method }) => method === 'ACK')
      .at(-1)!
    const bye = await pbxBye(lab, talk)
    for (const sip of [ack, bye]) {
      wellFormed(t, sip)
      t.same(sip.all('Route'), RECORD_ROUTES, `${sip.method}: the routes reversed`)
      t.match(sip.uri, /^sip:\+33199001234@wa\.meta\.vc;transport=tls;ob;X-FB-Sip-Smc-Tier=/)
      t.equal(sip.get('From'), invite.get('From'))
      t.not(tagOf(sip.get('To')), '')
    }
    t.equal(ack.cseq, invite.cseq)
    t.equal(bye.cseq, invite.cseq + 1)
  }),
)

t.test('towards WhatsApp: what the 200 of a user-initiated call says, and the BYE', (t) =>
  withLab(t, {}, async (lab) => {
    const talk = await userTalk(lab)
    const { answer, invite } = talk
    t.same(answer.all('Record-Route'), RECORD_ROUTES, 'unmodified, in order')
    t.same(answer.all('Via').map(branchOf), invite.all('Via').map(branchOf), 'three Vias, in order')
    t.match(answer.all('Via')[0], /^SIP\/2\.0\/TLS \[2001:db8:f948:9597::\]:57363;/)
    t.match(answer.all('Via')[0], /;received=127\.0\.0\.1(;|$)/)
    t.match(answer.all('Via')[0], new RegExp(`;rport=${talk.line.socket.localPort}(;|$)`))
    t.equal(answer.get('CSeq'), invite.get('CSeq'))
    t.equal(answer.get('From'), invite.get('From'))
    t.match(answer.get('To'), new RegExp(`^<sip:\\${BUSINESS}@${DOMAIN}>;tag=`))
    t.equal(answer.get('Contact'), `<sip:${BUSINESS}@${DOMAIN}:${lab.at.whatsapp};transport=tls>`)
    t.equal(answer.get('Allow'), 'INVITE, ACK, BYE, CANCEL, OPTIONS')
    t.match(answer.body, /m=audio \d+ RTP\/SAVP 111 126\r\n/)
    t.match(answer.body, /a=ptime:20\r\n/)
    t.equal(answer.body.match(/a=crypto:/g)?.length, 1)
    const bye = await pbxBye(lab, talk)
    wellFormed(t, bye)
    t.equal(bye.start, `BYE sip:${CONSUMER}@wa.meta.vc;transport=tls;ob SIP/2.0`)
    t.same(bye.all('Route'), RECORD_ROUTES)
    t.equal(bye.get('From'), answer.get('To'))
    t.equal(bye.get('To'), answer.get('From'))
    t.equal(bye.callId, invite.callId)
  }),
)

const facts: [string, string][] = [
  ['x-wa-meta-wacid', 'wacid.HBgL'],
  ['X-WA-META-PHONE-NUMBER-ID', '106540352242922'],
  ['x-wa-meta-user-country-code', 'FR'],
  ['x-wa-meta-user_id', 'FR.13491208655302741918'],
  ['x-wa_meta-parent-user-id', 'FR.ENT.900'],
  ['x-wa-meta-user-name', 'camille.d'],
  ['x_wa_meta_cta_payload', 'order 17; "blue"'],
  ['x-wa-meta-deeplink-payload', 'été=1&b=2'],
]

t.test('towards the PBX: who calls, and everything WhatsApp said of them', (t) =>
  withLab(t, {}, async (lab) => {
    const talk = await userTalk(lab, {
      headers: facts,
      fromHeader: '"Zoë \\"Z\\" \\\\ Müller, 💚" <sip:+33199001234@wa.meta.vc>',
    })
    const { arrived } = talk
    wellFormed(t, arrived)
    t.equal(arrived.uri, bare(`sip:${BUSINESS}@127.0.0.1:${lab.pbx.udpPort};transport=udp`))
    t.equal(bare(arrived.get('From')).split('@')[0], `sip:${CONSUMER}`)
    t.equal(bare(arrived.get('P-Asserted-Identity')).split('@')[0], `sip:${CONSUMER}`)
    t.match(arrived.get('From'), /^"Zoë \\"Z\\" \\\\ Müller, 💚" </, 'a quoted-string, UTF-8')
    t.equal(bare(arrived.get('To')).split('@')[0], `sip:${BUSINESS}`)
    t.match(arrived.get('Via'), /;rport/, 'RFC 3581')
    const said = Object.fromEntries(
      arrived.headers.filter(([name]) => name.startsWith('X-WhatsApp-')),
    )
    t.same(said, {
      'X-WhatsApp-Wacid': 'wacid.HBgL',
      'X-WhatsApp-User-Id': 'FR.13491208655302741918',
      'X-WhatsApp-Parent-User-Id': 'FR.ENT.900',
      'X-WhatsApp-Username': 'camille.d',
      'X-WhatsApp-Country': 'FR',
      'X-WhatsApp-Cta-Payload': 'order 17; "blue"',
      'X-WhatsApp-Deeplink-Payload': 'été=1&b=2',
      'X-WhatsApp-Business-Number': BUSINESS,
      'X-WhatsApp-Phone-Number-Id': '106540352242922',
    })
    t.notMatch(arrived.raw, /facebook|x-wa-meta|onevc|Record-Route/i, "nothing of WhatsApp's own")
    await metaBye(lab, talk)
  }),
)

t.test('towards the PBX: a caller without a number', (t) =>
  withLab(
    t,
    {
      edit: (config) => {
        config.numbers[0].inbound = {
          trunk: 'main',
          to: '9{business:digits}',
          from: 'wa-{caller:digits}',
        }
      },
    },
    async (lab) => {
      const hidden = await userTalk(lab, { from: 'FR.13491208655302741918' })
      t.match(hidden.arrived.uri, /^sip:9441632960123@/)
      t.match(bare(hidden.arrived.get('From')), /^sip:wa-FR\.13491208655302741918@/)
      t.match(bare(hidden.arrived.get('P-Asserted-Identity')), /^sip:wa-FR\.13491208655302741918@/)
      const bye = await pbxBye(lab, hidden)
      t.equal(bye.uri, 'sip:FR.13491208655302741918@wa.meta.vc;transport=tls;ob')
      const shown = await userTalk(lab)
      t.match(bare(shown.arrived.get('From')), /^sip:wa-33199001234@/)
      await metaBye(lab, shown)
    },
  ),
)

const OTHER = '+441632960777'

t.test('business-initiated: who is called, and from which number', (t) =>
  withLab(
    t,
    {
      edit: (config, { graph }) => {
        graph.add('2', SECRETS.sip)
        config.numbers.push({
          ...config.numbers[0],
          name: 'sales',
          phone_number: OTHER,
          phone_number_id: '2',
        })
      },
    },
    async (lab) => {
      const rows: [string, { to?: string; fromHeader?: string; headers?: [string, string][] }][] = [
        [`${BUSINESS} ${CONSUMER}`, {}],
        [`${BUSINESS} ${CONSUMER}`, { to: '+33-199-001.234' }],
        [`${BUSINESS} ${CONSUMER}`, { to: `${CONSUMER};phone-context=x` }],
        [`${BUSINESS} FR.13491208655302741918`, { to: 'FR.13491208655302741918' }],
        [`${OTHER} ${CONSUMER}`, { fromHeader: `<sip:${OTHER}@pbx.example.com>` }],
        [`${OTHER} ${CONSUMER}`, { fromHeader: 'sip:441632960777@pbx.example.com' }],
        [`${OTHER} ${CONSUMER}`, { headers: [['P-Asserted-Identity', `<tel:${OTHER}>`]] }],
        [
          `${OTHER} ${CONSUMER}`,
          { headers: [['P-Asserted-Identity', `"A, B" <sip:7@x>, <tel:${OTHER}>`]] },
        ],
        [`${OTHER} ${CONSUMER}`, { headers: [['p-asserted-identity', `<sip:${OTHER};x=1@h:9>`]] }],
      ]
      for (const [expected, options] of rows) {
        const talk = await businessTalk(lab, options)
        const [from, to] = expected.split(' ')
        t.equal(talk.arrived.uri, `sip:${to}@wa.meta.vc;transport=tls`, JSON.stringify(options))
        t.equal(bare(talk.arrived.get('From')), `sip:${from}@${DOMAIN}`)
        t.equal(bare(talk.arrived.get('To')), `sip:${to}@wa.meta.vc`)
        const { username } = digestParams(talk.arrived.get('Proxy-Authorization'))
        t.equal(username, from!.slice(1))
        await pbxBye(lab, talk)
      }
    },
  ),
)

t.test('the PBX over TCP, both ways', (t) =>
  withLab(
    t,
    {
      edit: (config, { pbx }) => {
        config.trunks[0].targets = [pbx.tcpUri]
      },
    },
    async (lab) => {
      const call = await userCall(lab)
      const invite = await lab.pbx.inbox.take({ method: 'INVITE' })
      t.match(invite.sip.get('Via'), /^SIP\/2\.0\/TCP /)
      t.match(invite.sip.get('Contact'), /;transport=tcp/)
      const tag = 'x1'
      const contact = `<sip:agent@127.0.0.1:${lab.pbx.tcpPort};transport=tcp>`
      const headers: [string, string][] = [['Contact', contact]]
      const body = pbxSdp({ opus: 111, dtmf: 126 })
      invite.reply(response(invite.sip, '200 OK', { tag, headers, body }))
      await lab.pbx.inbox.take({ method: 'ACK' })
      const answer = await lab.wa.inbox.take({ status: 200, callId: call.meta.callId })
      const wa = Dialog.caller(call.invite, answer.sip, metaVia)
      wa.state.routes = []
      call.line.send(wa.ack())
      call.line.send(wa.request('BYE'))
      const bye = await lab.pbx.inbox.take({ method: 'BYE' })
      t.match(bye.sip.get('Via'), /^SIP\/2\.0\/TCP /)
      bye.reply(response(bye.sip, '200 OK'))

      const line = await lab.pbx.dial(lab.at.tcp)
      const out = pbxInvite(lab, { transport: 'TCP' })
      line.send(out.raw)
      const arrived = await challenged(lab, await lab.wa.inbox.take({ method: 'INVITE' }))
      const dialog = metaAnswer(arrived)
      await lab.wa.inbox.take({ method: 'ACK', callId: arrived.sip.callId })
      const ok = await lab.pbx.inbox.take({ status: 200, callId: out.callId })
      t.match(ok.sip.get('Contact'), /;transport=tcp/)
      line.send(Dialog.caller(out, ok.sip, pbxVia(lab, 'TCP')).ack())
      // The PBX's connection is gone when WhatsApp hangs up: a new one is made to its Contact.
      line.socket.destroy()
      await line.closed
      const meta = await lab.wa.dial(lab.at.whatsapp)
      meta.send(dialog.request('BYE'))
      const end = await lab.pbx.inbox.take({ method: 'BYE', callId: out.callId })
      t.equal(end.over, 'tcp-in')
      end.reply(response(end.sip, '200 OK'))
    },
  ),
)
