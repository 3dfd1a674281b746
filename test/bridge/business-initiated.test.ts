import t, { type Test } from 'tap'
import { parseDigests } from '../../src/bridge/digest/params.ts'
import type { CallRecord } from '../../src/calls/index.ts'
import { Secret } from '../../src/shared/secret.ts'
import { bridgeLab, settle } from '../support/bridge-lab.ts'
import { numberConfig, trunkConfig } from '../support/configs.ts'
import type { FakeSent } from '../support/fake-sip-port.ts'

type Lab = Awaited<ReturnType<typeof bridgeLab>>

/** Nothing is left of any call. */
function clean(t: Test, lab: Lab): CallRecord {
  t.equal(lab.calls.size, 0, 'no call is left')
  t.equal(lab.media.open_, 0, 'media is released')
  t.equal(lab.clock.pending, 0, 'no timer is left')
  return lab.calls.ended()[0]!
}

/** WhatsApp challenges the last INVITE; gives the one sent in reply. */
async function challenge(lab: Lab, nonce: string, more = ''): Promise<FakeSent> {
  lab.port.last!.respond(407, 'Proxy Authentication Required', {
    headers: {
      'proxy-authenticate': `Digest realm="wa.meta.vc",nonce="${nonce}",opaque="o",algorithm=MD5,qop="auth"${more}`,
    },
  })
  await settle()
  return lab.port.last!
}

const digestOf = (sent: FakeSent) => parseDigests(sent.header('proxy-authorization'))[0]

t.test('a call is challenged, answered and hung up by the PBX', async (t) => {
  const lab = await bridgeLab()
  const invite = lab.fromPbx()
  await settle()
  const first = lab.port.last!
  t.same(first.request.uri, 'sip:+33199001234@wa.meta.vc;transport=tls')
  t.match(first.request.headers, {
    From: /^<sip:\+441632960123@sip\.example\.com>;tag=[0-9a-f]{16}$/,
    To: '<sip:+33199001234@wa.meta.vc>',
    Contact: '<sip:+441632960123@sip.example.com:5061;transport=tls>',
    CSeq: '1 INVITE',
    'Content-Type': 'application/sdp',
  })
  t.equal(first.header('proxy-authorization'), undefined)
  t.equal(first.request.body, 'offer pbx(pbx-offer)')
  const second = await challenge(lab, 'n1')
  t.equal(second.header('call-id'), first.header('call-id'))
  t.equal(second.header('from'), first.header('from'))
  t.equal(second.header('cseq'), '2 INVITE')
  t.equal(second.request.uri, first.request.uri, 'the next hop stays')
  t.match(digestOf(second), {
    username: '441632960123',
    realm: 'wa.meta.vc',
    nonce: 'n1',
    opaque: 'o',
    uri: 'sip:+33199001234@wa.meta.vc;transport=tls',
    nc: '00000001',
  })
  second.respond(180, 'Ringing')
  second.respond(180, 'Ringing')
  t.same(invite.statuses, [180])
  second.respond(200, 'OK', { body: 'wa-answer', headers: { 'x-wa-meta-user-id': 'FR.9' } })
  t.equal(second.acked, 1)
  await settle()
  t.match(invite.last, { status: 200, body: 'answer whatsapp(wa-answer)' })
  t.equal([...lab.calls.active()][0]!.whatsapp.userId, 'FR.9')
  lab.clock.advance(5000)
  t.same(lab.inDialog('BYE', invite.madeDialog).statuses, [200])
  t.same(lab.port.methods, ['INVITE', 'INVITE', 'BYE'])
  t.same(lab.port.last!.request.headers, {})
  t.match(clean(t, lab), {
    direction: 'business-initiated',
    business: '+441632960123',
    consumer: '+33199001234',
    trunk: 'main',
    talkSeconds: 5,
    cause: { code: 'NORMAL', owner: 'pbx' },
  })
})

t.test('the next call brings credentials along, with the count going up', async (t) => {
  const lab = await bridgeLab()
  for (const count of ['00000001', '00000002', '00000003']) {
    lab.fromPbx()
    await settle()
    const sent = count === '00000001' ? await challenge(lab, 'n1') : lab.port.last!
    t.match(digestOf(sent), { nonce: 'n1', nc: count })
    sent.respond(486, 'User declined the call')
    await settle()
  }
  t.equal(lab.port.sent.length, 4)
  lab.fromPbx()
  await settle()
  const fresh = await challenge(lab, 'n2', ',stale=true')
  t.match(digestOf(fresh), { nonce: 'n2', nc: '00000001' }, 'a new challenge is answered')
  t.equal(lab.credentials.refreshes, 0)
})

t.test('an old nonce refused with 403 is tried again without one', async (t) => {
  const lab = await bridgeLab()
  lab.fromPbx()
  await settle()
  ;(await challenge(lab, 'n1')).respond(480, 'Temporarily Unavailable')
  await settle()
  const invite = lab.fromPbx()
  await settle()
  t.ok(digestOf(lab.port.last!))
  lab.port.last!.respond(403, 'Forbidden')
  await settle()
  t.equal(digestOf(lab.port.last!), undefined)
  t.match(digestOf(await challenge(lab, 'n2')), { nonce: 'n2' })
  lab.port.last!.respond(403, 'Forbidden')
  await settle()
  t.same(invite.statuses, [403])
  t.equal(clean(t, lab).cause?.code, 'CALL_WHATSAPP_FORBIDDEN')
})

t.test('a known refusal of a call with an old nonce is not tried again', async (t) => {
  const lab = await bridgeLab()
  lab.fromPbx()
  await settle()
  ;(await challenge(lab, 'n1')).respond(480, 'x')
  await settle()
  lab.fromPbx()
  await settle()
  const sent = lab.port.sent.length
  lab.port.last!.respond(403, 'No Approved Call Permission Found')
  await settle()
  t.equal(lab.port.sent.length, sent)
  t.equal(clean(t, lab).cause?.code, 'CALL_WHATSAPP_NO_PERMISSION')
})

t.test('a second challenge reads the password again and uses a new one', async (t) => {
  const lab = await bridgeLab()
  lab.credentials.fetched = new Secret('new')
  lab.fromPbx()
  await settle()
  const old = digestOf(await challenge(lab, 'n1'))
  const renewed = digestOf(await challenge(lab, 'n1'))
  t.equal(lab.credentials.refreshes, 1)
  t.not(renewed?.['response'], old?.['response'])
  t.equal(lab.port.last!.header('cseq'), '3 INVITE')
  lab.port.last!.respond(200, 'OK', { body: 'a' })
  await settle()
  t.equal(lab.calls.size, 1)
})

t.test('a second challenge with the same password ends the call with its own code', async (t) => {
  const lab = await bridgeLab()
  const invite = lab.fromPbx()
  await settle()
  await challenge(lab, 'n1')
  const sent = lab.port.sent.length
  await challenge(lab, 'n2')
  t.equal(lab.port.sent.length, sent, 'not a third time')
  t.equal(lab.credentials.refreshes, 1)
  t.equal(invite.last?.status, 503)
  t.match(invite.last?.headers?.['Warning'], /CALL_CREDENTIALS_REFUSED/)
  clean(t, lab)
  lab.fromPbx()
  await settle()
  t.equal(digestOf(lab.port.last!), undefined, 'the nonce is not used again')
})

t.test('a stale nonce is answered once more without reading the password', async (t) => {
  const lab = await bridgeLab()
  lab.fromPbx()
  await settle()
  await challenge(lab, 'n1')
  t.match(digestOf(await challenge(lab, 'n2', ',stale=true')), { nonce: 'n2' })
  t.equal(lab.credentials.refreshes, 0)
})

t.test('a challenge nobody understands', async (t) => {
  const lab = await bridgeLab()
  const invite = lab.fromPbx()
  await settle()
  lab.port.last!.respond(407, 'x', { headers: { 'proxy-authenticate': 'Bearer x="y"' } })
  await settle()
  t.match(invite.last?.headers?.['Warning'], /CALL_CHALLENGE_UNSUPPORTED: Bearer/)
  clean(t, lab)
})

t.test('failures of WhatsApp reach the PBX with Reason and Warning', async (t) => {
  for (const [status, text, answered, q850, code] of [
    [403, 'No Approved Call Permission Found: x', 403, 21, 'CALL_WHATSAPP_NO_PERMISSION'],
    [403, 'SIP server a from INVITE does not match any', 403, 21, 'CALL_WHATSAPP_SERVER_MISMATCH'],
    [480, 'Temporarily Unavailable', 480, 19, 'CALL_WHATSAPP_UNAVAILABLE'],
    [486, 'User declined the call', 486, 17, 'CALL_WHATSAPP_DECLINED'],
    [500, 'Internal Server Error', 503, 41, 'CALL_WHATSAPP_FAILED'],
  ] as const) {
    const lab = await bridgeLab()
    const invite = lab.fromPbx()
    await settle()
    lab.port.last!.respond(status, text)
    await settle()
    t.equal(invite.last?.status, answered)
    t.match(invite.last?.headers, {
      Reason: new RegExp(`^Q\\.850;cause=${q850};text="`),
      Warning: new RegExp(`^399 sip\\.example\\.com "${code}: ${status} `),
    })
    t.equal(clean(t, lab).cause?.code, code)
  }
  const lab = await bridgeLab()
  const invite = lab.fromPbx()
  await settle()
  lab.port.last!.respond(503, 'DNS Error', { local: true })
  await settle()
  t.match(invite.last?.headers?.['Warning'], /CALL_WHATSAPP_UNREACHABLE: 503 DNS Error/)
})

t.test('the PBX cancels while it rings, and while the password is read', async (t) => {
  const lab = await bridgeLab()
  const invite = lab.fromPbx()
  await settle()
  lab.port.last!.respond(180, 'Ringing')
  invite.cancel()
  t.same(lab.port.last!.cancelled, {})
  lab.port.last!.respond(487, 'Request Terminated')
  t.same(invite.statuses, [180])
  t.equal(clean(t, lab).cause?.code, 'CALL_CANCELLED')

  lab.credentials.fetched = new Secret('new')
  const other = lab.fromPbx()
  await settle()
  await challenge(lab, 'n1')
  const sent = lab.port.sent.length
  lab.port.last!.respond(407, 'x', {
    headers: { 'proxy-authenticate': 'Digest realm="wa.meta.vc",nonce="n2",qop="auth"' },
  })
  other.cancel()
  await settle()
  t.equal(lab.port.sent.length, sent, 'no INVITE follows')
  clean(t, lab)
})

t.test("the PBX's CANCEL crosses WhatsApp's 200", async (t) => {
  const lab = await bridgeLab()
  const invite = lab.fromPbx()
  await settle()
  const out = lab.port.last!
  invite.cancel()
  out.respond(200, 'OK', { body: 'late' })
  t.equal(out.acked, 1)
  t.same(lab.port.methods, ['INVITE', 'BYE'])
  clean(t, lab)

  const second = lab.fromPbx()
  await settle()
  second.gone = true
  lab.port.last!.respond(200, 'OK', { body: 'a' })
  await settle()
  t.same(lab.port.methods, ['INVITE', 'BYE', 'INVITE', 'BYE'])
  clean(t, lab)
})

t.test('credentials that are not known are fetched, or the call is refused', async (t) => {
  const lab = await bridgeLab()
  lab.credentials.known.clear()
  const invite = lab.fromPbx()
  await settle()
  t.equal(invite.last?.status, 503)
  t.match(invite.last?.headers, { Warning: /CALL_CREDENTIALS_MISSING/, 'Retry-After': '10' })
  clean(t, lab)
  lab.credentials.fetched = new Secret('pw')
  lab.fromPbx()
  await settle()
  t.same(lab.port.methods, ['INVITE'])
})

t.test('who calls and who is called', async (t) => {
  const numbers = [numberConfig(), numberConfig({ name: 'sales', phoneNumber: '+441632960999' })]
  const lab = await bridgeLab({ numbers })
  lab.credentials.known.set('sales', new Secret('pw'))
  const table: [string, Record<string, string>, string | number, string?][] = [
    ['sip:+33199001234@h', {}, '+441632960123', '+33199001234'],
    ['sip:33199001234@h', { from: '<sip:441632960999@h>;tag=1' }, '+441632960999', '+33199001234'],
    [
      'sip:FR.13491208655302741918@h',
      { 'p-asserted-identity': '"x" <sip:1@h>, <tel:+441632960999>' },
      '+441632960999',
      'FR.13491208655302741918',
    ],
    ['sip:12@h', {}, 404],
    ['sip:alice@h', {}, 404],
    ['sip:h', {}, 404],
  ]
  for (const [uri, headers, expected, consumer] of table) {
    const invite = lab.fromPbx({ uri, headers })
    await settle()
    if (typeof expected === 'number') {
      t.equal(invite.last?.status, expected, uri)
      t.match(invite.last?.headers, { Warning: /CALL_DIALLED_INVALID/, Reason: /cause=28/ })
    } else {
      t.equal(lab.port.last!.request.uri, `sip:${consumer}@wa.meta.vc;transport=tls`)
      t.match(lab.port.last!.header('from'), `<sip:${expected}@sip.example.com>`)
    }
  }
  const silent = await bridgeLab({
    trunks: [trunkConfig({ outbound: { ...trunkConfig().outbound, number: undefined } })],
  })
  const invite = silent.fromPbx()
  await settle()
  t.equal(invite.last?.status, 403)
  t.match(invite.last?.headers, { Warning: /CALL_BUSINESS_NUMBER_MISSING/ })
})
