import t, { type Test } from 'tap'
import {
  businessTalk,
  challenged,
  metaBye,
  pbxBye,
  pbxInvite,
  userCall,
  userTalk,
} from './support/calls.ts'
import { ackFailure } from './support/dialog.ts'
import { verifyDigest } from './support/digest.ts'
import { type Lab, withLab } from './support/lab.ts'
import { response, Sip } from './support/message.ts'
import { pbxSdp } from './support/sdp.ts'

/** WhatsApp answers a business-initiated call so; what the PBX is told. */
async function whatsappSays(
  lab: Lab,
  line: string,
  headers: [string, string][] = [],
): Promise<Sip> {
  const invite = pbxInvite(lab)
  lab.pbx.send(lab.at.udp, invite.raw)
  let arrived = await lab.wa.inbox.take({ method: 'INVITE' })
  if (arrived.sip.get('Proxy-Authorization') === '') arrived = await challenged(lab, arrived)
  const text = line.slice(4)
  arrived.reply(
    response(arrived.sip, line, {
      tag: 'refused',
      headers: [
        ['Allow', 'INVITE, ACK, BYE, CANCEL, NOTIFY, OPTIONS'],
        ['X-FB-External-Domain', 'wa.meta.vc'],
        ['Warning', `399 wa.meta.vc "${text}"`],
        ...headers,
      ],
    }),
  )
  await lab.wa.inbox.take({ method: 'ACK', callId: arrived.sip.callId })
  const { sip } = await lab.pbx.inbox.take({ status: (s) => s >= 300, callId: invite.callId })
  lab.pbx.send(lab.at.udp, ackFailure(invite, sip))
  return sip
}

/** A refusal of WhatsApp's, and the status, Q.850 cause and code the PBX has to get. */
const fromWhatsApp: [string, number[], number[], RegExp][] = [
  [
    '400 Asset not found, invalid business phone number',
    [403],
    [1, 38, 41, 111],
    /CALL_WHATSAPP_NUMBER_UNKNOWN/,
  ],
  [
    '403 SIP server sip.example.com from INVITE does not match any SIP server configured for phone number id 106540352242922',
    [403, 500, 502, 503],
    [21, 38, 41, 111],
    /CALL_WHATSAPP_SERVER_MISMATCH/,
  ],
  [
    '403 No Approved Call Permission Found: No approved call permission from the recipient',
    [403],
    [21, 50, 57],
    /CALL_WHATSAPP_NO_PERMISSION/,
  ],
  ['403 No Approved Call Permission Found', [403], [21, 50, 57], /CALL_WHATSAPP_NO_PERMISSION/],
  [
    '403 The app 634974688087057 configured for SIP server sip.example.com is not authorized for phone number id 106540352242922',
    [403, 500, 502, 503],
    [21, 50, 57, 38],
    /CALL_WHATSAPP_APP_UNAUTHORISED/,
  ],
  [
    '403 Business Initiated Connected Call Per Day Limit Hit',
    [403, 480, 503],
    [21, 34, 42, 50, 57],
    /CALL_WHATSAPP_DAILY_LIMIT/,
  ],
  ['403 Duplicate call', [403, 486], [17, 21], /CALL_WHATSAPP_DUPLICATE/],
  ['403 Business eligibility payment issue', [402, 403], [21, 50, 57], /CALL_WHATSAPP_PAYMENT/],
  ['403 No fingerprint found in SDP', [488], [65, 88, 79, 127], /CALL_WHATSAPP_SDP_REFUSED/],
  ['404 Not found', [404, 502, 500], [1, 3, 38, 111], /CALL_WHATSAPP_NOT_FOUND/],
  ['408 RTP Timeout', [408, 480, 500, 502, 504], [41, 47, 102, 31], /CALL_WHATSAPP_MEDIA_TIMEOUT/],
  ['480 Temporarily Unavailable', [480], [18, 19, 20], /CALL_WHATSAPP_UNAVAILABLE/],
  ['486 User declined the call', [486, 603], [17, 21], /CALL_WHATSAPP_DECLINED/],
  ['500 Internal Server Error', [500, 502, 503], [38, 41, 42], /CALL_WHATSAPP_FAILED/],
  ['503 Service Unavailable', [500, 502, 503], [38, 41, 42], /CALL_WHATSAPP_FAILED/],
  ['603 Decline', [603, 486], [17, 21], /CALL_WHATSAPP_DECLINED/],
  ['302 Moved Temporarily', [403, 480, 500, 502, 503], [31, 38, 41, 111, 21], /CALL_WHATSAPP_/],
]

t.test('every refusal of WhatsApp reaches the PBX with status, Q.850 and code', (t) =>
  withLab(t, {}, async (lab) => {
    const quoted = await whatsappSays(lab, '403 Bad "text" \\ here')
    t.match(quoted.get('Warning'), /^399 \S+ "[^"]*"$/, 'one quoted string')
    for (const [line, statuses, causes, code] of fromWhatsApp) {
      const sip = await whatsappSays(lab, line)
      t.ok(statuses.includes(sip.status), `${line} → ${sip.start}`)
      const cause = /^Q\.850;cause=(\d+);text="[^"]+"$/.exec(sip.get('Reason'))?.[1]
      t.ok(causes.includes(Number(cause)), `${line} → ${sip.get('Reason')}`)
      t.match(sip.get('Warning'), /^399 \S+ "CALL_\w+: [^"]*"$/)
      t.match(sip.get('Warning'), code)
      t.ok(sip.get('Warning').includes(line.slice(4)), 'the words of WhatsApp')
    }
    const talk = await businessTalk(lab)
    await pbxBye(lab, talk)
    const { calls } = (await (await lab.http('/api/v1/calls?state=ended&limit=1000')).json()) as {
      calls: { cause: { sip: number; code: string; owner: string } }[]
    }
    t.equal(calls.length, fromWhatsApp.length + 2)
    t.ok(calls.every(({ cause }) => cause.owner))
  }),
)

/** The PBX answers a user-initiated call so; what WhatsApp is told. */
async function pbxSays(lab: Lab, line: string, headers: [string, string][] = []): Promise<Sip> {
  const call = await userCall(lab)
  const invite = await lab.pbx.inbox.take({ method: 'INVITE' })
  invite.reply(response(invite.sip, line, { tag: 'no', headers }))
  await lab.pbx.inbox.take({ method: 'ACK', callId: invite.sip.callId })
  const { sip } = await lab.wa.inbox.take({
    status: (s) => s >= 300 && s !== 407,
    callId: call.meta.callId,
  })
  call.line.send(ackFailure(call.invite, sip))
  return sip
}

const fromPbx: [string, number[]][] = [
  ['300 Multiple Choices', [480, 500, 502, 503]],
  ['302 Moved Temporarily', [480, 500, 502, 503]],
  ['400 Bad Request', [480, 500, 502, 503]],
  ['401 Unauthorized', [480, 500, 502, 503]],
  ['403 Forbidden', [403, 480, 500, 502, 503]],
  ['404 Not Found', [404, 480]],
  ['408 Request Timeout', [408, 480, 503, 504]],
  ['415 Unsupported Media Type', [415, 488]],
  ['420 Bad Extension', [480, 500, 502, 503]],
  ['480 Temporarily Unavailable', [480]],
  ['484 Address Incomplete', [404, 480, 484]],
  ['486 Busy Here', [486]],
  ['487 Request Terminated', [480, 487]],
  ['488 Not Acceptable Here', [488]],
  ['491 Request Pending', [480, 500, 502, 503]],
  ['500 Server Internal Error', [480, 500, 502, 503]],
  ['503 Service Unavailable', [480, 500, 502, 503]],
  ['600 Busy Everywhere', [486, 600]],
  ['603 Decline', [603]],
  ['604 Does Not Exist Anywhere', [404, 480, 604]],
  ['606 Not Acceptable', [488, 606]],
  ['699 Odd', [403, 480, 500, 502, 503, 600, 603]],
]

async function afterwards(t: Test, lab: Lab): Promise<void> {
  await metaBye(lab, await userTalk(lab))
  const active = (await (await lab.http('/api/v1/calls?state=active')).json()) as { total: number }
  t.equal(active.total, 0)
}

t.test('every refusal of the PBX reaches WhatsApp as a final response', (t) =>
  withLab(t, {}, async (lab) => {
    for (const [line, statuses] of fromPbx) {
      const sip = await pbxSays(lab, line, [['Contact', '<sip:elsewhere@192.0.2.9>']])
      t.ok(statuses.includes(sip.status), `${line} → ${sip.start}`)
      t.equal(sip.get('Contact'), '', 'nothing of the PBX goes through')
      t.equal(sip.body, '')
      t.equal(sip.get('Warning'), '')
    }
    await afterwards(t, lab)
  }),
)

t.test('a PBX that asks for credentials gets them, once', (t) =>
  withLab(
    t,
    {
      edit: (config) => {
        config.trunks[0].credentials = { username: 'causeway', password: 'pbxOutNobodyMaySee' }
      },
    },
    async (lab) => {
      for (const [status, header, algorithm] of [
        ['401 Unauthorized', 'WWW-Authenticate', 'MD5'],
        ['407 Proxy Authentication Required', 'Proxy-Authenticate', 'SHA-256'],
      ] as const) {
        const challenge = `Digest realm="pbx", nonce="abc, def==", algorithm=${algorithm}, qop="auth,auth-int"`
        const call = await userCall(lab)
        const first = await lab.pbx.inbox.take({ method: 'INVITE' })
        first.reply(response(first.sip, status, { tag: 'c', headers: [[header, challenge]] }))
        await lab.pbx.inbox.take({ method: 'ACK', callId: first.sip.callId })
        const second = await lab.pbx.inbox.take({ method: 'INVITE', callId: first.sip.callId })
        t.equal(second.sip.cseq, first.sip.cseq + 1)
        t.equal(second.sip.get('From'), first.sip.get('From'))
        const name = header === 'WWW-Authenticate' ? 'Authorization' : 'Proxy-Authorization'
        t.ok(verifyDigest(second.sip.get(name), 'INVITE', 'pbxOutNobodyMaySee'), status)
        second.reply(response(second.sip, status, { tag: 'c', headers: [[header, challenge]] }))
        await lab.pbx.inbox.take({ method: 'ACK', callId: first.sip.callId })
        const end = await lab.wa.inbox.take({
          status: (s) => s >= 400 && s !== 407,
          callId: call.meta.callId,
        })
        t.not(end.sip.status, 401, 'WhatsApp is not asked for the password of the PBX')
        call.line.send(ackFailure(call.invite, end.sip))
      }
      await afterwards(t, lab)
    },
  ),
)

t.test('no PBX at all, and the next target of the trunk', (t) =>
  withLab(
    t,
    {
      edit: (config, { pbx }) => {
        config.trunks[0].targets = ['sip:127.0.0.1:1;transport=tcp', pbx.udpUri]
        config.trunks.push({
          ...config.trunks[0],
          name: 'dead',
          targets: ['sip:127.0.0.1:1;transport=tcp'],
        })
        config.trunks[1].accept = { from: ['192.0.2.0/24'] }
      },
    },
    async (lab) => {
      await metaBye(lab, await userTalk(lab))
      const trunks = (await (await lab.http('/api/v1/trunks')).json()) as {
        trunks: { targets: { status: string }[] }[]
      }
      t.equal(trunks.trunks[0]!.targets[0]!.status, 'fail')
      lab.rewrite((config) => {
        config.numbers[0].inbound.trunk = 'dead'
      })
      const reloaded = await lab.http('/api/v1/reload', { method: 'POST' })
      t.equal(reloaded.status, 200)
      const call = await userCall(lab)
      const { sip } = await lab.wa.inbox.take({
        status: (s) => s >= 400 && s !== 407,
        callId: call.meta.callId,
      })
      t.ok([480, 502, 503, 500].includes(sip.status), sip.start)
      call.line.send(ackFailure(call.invite, sip))
    },
  ),
)

t.test('WhatsApp cannot be reached', (t) =>
  withLab(
    t,
    {
      edit: (config) => {
        config.whatsapp.sip_proxy = 'sip:127.0.0.1:1;transport=tls'
      },
    },
    async (lab) => {
      const invite = pbxInvite(lab)
      lab.pbx.send(lab.at.udp, invite.raw)
      const { sip } = await lab.pbx.inbox.take({ status: (s) => s >= 300, callId: invite.callId })
      t.ok(sip.status >= 500, sip.start)
      t.match(sip.get('Warning'), /CALL_WHATSAPP_UNREACHABLE/)
      lab.pbx.send(lab.at.udp, ackFailure(invite, sip))
    },
  ),
)

/** What of an INVITE the SIP server itself refuses: status, Q.850 cause and code the PBX gets. */
const beforeACall: [string, (raw: string) => string, number, number, RegExp][] = [
  ['no user', (raw) => raw.replace(/^INVITE sip:[^@]*@/, 'INVITE sip:@'), 400, 95, /MALFORMED/],
  ['a URI like noise', (raw) => raw.replace(/^INVITE \S+/, 'INVITE sip:@@@'), 400, 95, /MALFORMED/],
  ['a CSeq that is none', (raw) => raw.replace('CSeq: 1 ', 'CSeq: x '), 400, 95, /MALFORMED: mal/],
  ['SIP/3.0', (raw) => raw.replace('SIP/2.0\r\n', 'SIP/3.0\r\n'), 505, 95, /MALFORMED/],
  ['no hop left', (raw) => raw.replace('Forwards: 70', 'Forwards: 0'), 483, 25, /TOO_MANY_HOPS/],
  [
    'a call long over',
    (raw) => raw.replace(/(\r\nTo: [^\r]*)/, '$1;tag=gone'),
    481,
    101,
    /UNKNOWN/,
  ],
]

t.test('what never becomes a call says why as well', (t) =>
  withLab(t, {}, async (lab) => {
    const tcp = await lab.pbx.dial(lab.at.tcp)
    for (const transport of ['UDP', 'TCP'] as const) {
      for (const [what, spoil, status, q850, code] of beforeACall) {
        const invite = pbxInvite(lab, { transport })
        const text = spoil(invite.raw)
        if (transport === 'UDP') lab.pbx.send(lab.at.udp, text)
        else tcp.send(text)
        const { sip } = await lab.pbx.inbox.take({ status: (s) => s >= 300, callId: invite.callId })
        t.equal(sip.status, status, `${transport}, ${what}`)
        t.match(sip.get('Reason'), new RegExp(`^Q\\.850;cause=${q850};text="[^"]+"$`), what)
        t.match(sip.get('Warning'), /^399 sip\.example\.com "SIP_[A-Z_]+: [^"]+"$/, what)
        t.match(sip.get('Warning'), code, what)
      }
    }
    const twice = pbxInvite(lab)
    lab.pbx.send(lab.at.udp, twice.raw)
    lab.pbx.send(lab.at.udp, twice.raw.replace('branch=z9hG4bK', 'branch=z9hG4bKother'))
    const { sip } = await lab.pbx.inbox.take({ status: (s) => s >= 300, callId: twice.callId })
    t.equal(sip.status, 482)
    t.match(sip.get('Reason'), /^Q\.850;cause=25;/)
    t.match(sip.get('Warning'), /^399 sip\.example\.com "SIP_REQUEST_MERGED: /)

    const line = await lab.wa.dial(lab.at.whatsapp)
    const stranger = pbxInvite(lab, { transport: 'TLS' })
    line.send(stranger.raw.replace('Forwards: 70', 'Forwards: 0'))
    const { sip: bare } = await lab.wa.inbox.take({ status: 483, callId: stranger.callId })
    t.equal(bare.get('Reason') + bare.get('Warning'), '', 'strangers on the public side hear less')
  }),
)

t.test('refused offers within a call say why', (t) =>
  withLab(t, {}, async (lab) => {
    const talk = await businessTalk(lab)
    const { callId } = talk.pbx.state
    for (const [headers, cseq, status, q850, code] of [
      [[['Require', 'x-new']], undefined, 420, 127, 'CALL_EXTENSION_UNSUPPORTED'],
      [[['Session-Expires', '30']], undefined, 422, 127, 'SIP_SESSION_INTERVAL'],
      [[], 1, 500, 101, 'SIP_REQUEST_STALE'],
    ] as [[string, string][], number | undefined, number, number, string][]) {
      const body = pbxSdp({ version: 2 })
      const text = talk.pbx.request('INVITE', { headers, body, ...(cseq && { cseq }) })
      talk.sendPbx(text)
      const { sip } = await lab.pbx.inbox.take({ status, callId, of: 'INVITE' })
      talk.sendPbx(ackFailure(new Sip(text), sip))
      t.match(sip.get('Reason'), new RegExp(`^Q\\.850;cause=${q850};`), `${status}`)
      t.match(sip.get('Warning'), `399 sip.example.com "${code}: `, `${status}`)
    }
    await pbxBye(lab, talk)
  }),
)
