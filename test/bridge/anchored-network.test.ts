import t, { type Test } from 'tap'
import { createAnchoredRelay } from '../../src/media/index.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { systemRandom } from '../../src/shared/random.ts'
import { bridgeNetwork } from '../support/bridge-network.ts'
import { FakeAnchor } from '../support/fake-anchor.ts'
import { editedSdp, sdpFixture } from '../support/sdp-fixtures.ts'
import { PeerDialog, type PeerMessage } from '../support/sip-peer.ts'

type Network = Awaited<ReturnType<typeof anchored>>

const ANSWER = sdpFixture('pbx-sdes-answer')
const HOLD = editedSdp(
  'pbx-sdes-answer',
  ['a=sendrecv', 'a=sendonly'],
  [' 1821 1821 ', ' 1821 1822 '],
)

/** A bridge on real sockets whose media ends both legs at an anchor. */
async function anchored(t: Test) {
  const anchor = new FakeAnchor()
  const media = createAnchoredRelay({
    kind: 'embedded',
    anchor,
    random: systemRandom,
    log: silentLogger(),
  })
  const net = await bridgeNetwork(t, {}, media)
  return { ...net, anchor }
}

const final = (method: string) => (m: PeerMessage) => m.status >= 200 && m.method === method
const invited = (uri: RegExp) => (m: PeerMessage) =>
  m.status === 0 && m.method === 'INVITE' && uri.test(m.uri)

/** WhatsApp's call until the PBX has its INVITE. */
async function ring(net: Network) {
  const call = net.whatsapp.dialog({
    uri: 'sip:+441632960123@sip.example.com;transport=tls',
    from: '<sip:+33199001234@wa.meta.vc>',
    callId: 'outgoing:wacid.x',
  })
  call.request('INVITE', { body: sdpFixture('whatsapp-sdes-offer') })
  return { call, invite: await net.pbx.expect('INVITE') }
}

/** An answered call: WhatsApp's dialog and the PBX's. */
async function answered(net: Network) {
  const { call, invite } = await ring(net)
  net.pbx.respond(invite, 200, { tag: 'p1', headers: { Contact: net.pbx.contact }, body: ANSWER })
  await net.pbx.expect('ACK')
  call.learn(await net.whatsapp.expect(200))
  call.request('ACK')
  return { call, invite, leg: PeerDialog.of(net.pbx, invite, 'p1') }
}

/** WhatsApp hangs up; nothing is left. */
async function finish(t: Test, net: Network, call: PeerDialog): Promise<void> {
  call.request('BYE')
  const bye = await net.pbx.expect('BYE')
  net.pbx.respond(bye, 200)
  await net.whatsapp.expect(final('BYE'))
  await net.ended()
  await net.bridge.stop()
  t.same(net.bridge.status().held, { dialogs: 0, flows: 0, releasing: 0 })
  t.ok(net.anchor.calls.every(({ released, legs }) => released && legs.size === 0))
  t.same(
    net.whatsapp.received.filter((m) => m.status === 0).map((m) => m.method),
    [],
    'WhatsApp was never asked for anything',
  )
}

t.test('reliable early responses, UPDATE before the answer, and after', async (t) => {
  const net = await anchored(t)
  const { call, invite } = await ring(net)
  t.match(invite.header('supported'), '100rel')
  const headers = { Contact: net.pbx.contact, Require: '100rel', RSeq: '7' }
  net.pbx.respond(invite, 183, { tag: 'p1', headers, body: ANSWER })
  const prack = await net.pbx.expect('PRACK')
  t.equal(prack.header('rack'), `7 ${invite.cseq} INVITE`)
  net.pbx.respond(prack, 200)
  await net.whatsapp.expect(180)
  const leg = PeerDialog.of(net.pbx, invite, 'p1')
  leg.request('UPDATE', { body: HOLD })
  const held = await net.pbx.expect(final('UPDATE'))
  t.equal(held.status, 200)
  t.match(held.body, /a=recvonly/)
  leg.request('UPDATE')
  t.equal((await net.pbx.expect(final('UPDATE'))).status, 200)
  net.pbx.respond(invite, 200, { tag: 'p1', headers: { Contact: net.pbx.contact } })
  await net.pbx.expect('ACK')
  call.learn(await net.whatsapp.expect(200))
  call.request('ACK')
  leg.request('UPDATE', { body: ANSWER })
  t.match((await net.pbx.expect(final('UPDATE'))).body, /a=sendrecv/)
  await finish(t, net, call)
})

t.test('hold, resume, and a re-INVITE that wants our offer', async (t) => {
  const net = await anchored(t)
  const { call, leg } = await answered(net)
  leg.request('INVITE', { body: HOLD })
  t.match((await net.pbx.expect(final('INVITE'))).body, /a=recvonly/)
  leg.request('ACK')
  leg.request('INVITE')
  const offer = await net.pbx.expect(final('INVITE'))
  t.match(offer.body, /m=audio 3\d+ RTP\/SAVP [\s\S]*a=sendrecv/)
  leg.request('UPDATE', { body: HOLD })
  t.equal((await net.pbx.expect(final('UPDATE'))).status, 491)
  leg.cseq -= 1
  leg.request('ACK', { body: ANSWER })
  leg.cseq += 1
  leg.request('INVITE', { body: HOLD })
  t.equal((await net.pbx.expect(final('INVITE'))).status, 200)
  leg.request('ACK')
  leg.request('INVITE')
  await net.pbx.expect(final('INVITE'))
  leg.request('ACK')
  // The answer it owes never came: what was agreed goes on.
  leg.request('INVITE', { body: HOLD })
  t.equal((await net.pbx.expect(final('INVITE'))).status, 200)
  leg.request('ACK')
  await finish(t, net, call)
})

t.test('a blind transfer, with the BYE of the party that transfers in either order', async (t) => {
  for (const first of [true, false]) {
    const net = await anchored(t)
    const { call, leg } = await answered(net)
    leg.request('REFER', {
      headers: { 'Refer-To': `<sip:202@${net.pbx.hostport}>`, 'Referred-By': '<sip:200@pbx>' },
    })
    const accepted = await net.pbx.expect(final('REFER'))
    t.equal(accepted.status, 202)
    const trying = await net.pbx.expect('NOTIFY')
    t.equal(trying.body, 'SIP/2.0 100 Trying\r\n')
    t.match(trying.header('subscription-state'), /^active/)
    t.equal(trying.header('event'), 'refer')
    net.pbx.respond(trying, 200)
    const invite = await net.pbx.expect(invited(/^sip:202@/))
    t.match(invite.header('from'), /\+33199001234/)
    t.equal(invite.header('referred-by'), '<sip:200@pbx>')
    net.pbx.respond(invite, 180, { tag: 'p2' })
    if (first) {
      leg.request('BYE')
      await net.pbx.expect(final('BYE'))
    }
    net.pbx.respond(invite, 200, {
      tag: 'p2',
      headers: { Contact: net.pbx.contact },
      body: ANSWER,
    })
    await net.pbx.expect('ACK')
    if (!first) {
      const done = await net.pbx.expect('NOTIFY')
      t.equal(done.body, 'SIP/2.0 200 OK\r\n')
      t.match(done.header('subscription-state'), /^terminated;\s*reason=noresource/)
      net.pbx.respond(done, 200)
      net.pbx.respond(await net.pbx.expect('BYE'), 200)
    }
    const next = PeerDialog.of(net.pbx, invite, 'p2')
    next.request('INVITE', { body: HOLD })
    t.match((await net.pbx.expect(final('INVITE'))).body, /a=recvonly/)
    next.request('ACK')
    await finish(t, net, call)
  }
})

t.test('an attended transfer: REFER with Replaces out, INVITE with Replaces in', async (t) => {
  const net = await anchored(t)
  const { call, invite, leg } = await answered(net)
  const replaces = 'abc%40pbx%3Bto-tag%3D1%3Bfrom-tag%3D2'
  leg.request('REFER', {
    headers: { 'Refer-To': `<sip:202@${net.pbx.hostport}?Replaces=${replaces}>` },
  })
  net.pbx.respond(await net.pbx.expect('NOTIFY'), 200)
  const out = await net.pbx.expect(invited(/^sip:202@/))
  t.equal(out.header('replaces'), 'abc@pbx;to-tag=1;from-tag=2')
  net.pbx.respond(out, 486, { tag: 'p2' })
  await net.pbx.expect('ACK')
  const failed = await net.pbx.expect('NOTIFY')
  t.match(failed.body, /^SIP\/2\.0 486/)
  net.pbx.respond(failed, 200)

  const takeover = net.pbx.dialog(net.pbxAddress, { uri: 'sip:+33199001234@127.0.0.1' })
  const named = `${invite.header('call-id')};to-tag=${invite.tag('from')};from-tag=p1`
  takeover.request('INVITE', { body: sdpFixture('pbx-sdes-offer'), headers: { Replaces: named } })
  const ok = await net.pbx.expect(final('INVITE'))
  t.equal(ok.status, 200)
  takeover.learn(ok)
  takeover.request('ACK')
  net.pbx.respond(await net.pbx.expect('BYE'), 200)
  t.equal(net.calls.size, 1)

  // The leg that came by itself can be replaced as well: our tag is in its 200.
  const again = net.pbx.dialog(net.pbxAddress, { uri: 'sip:+33199001234@127.0.0.1' })
  const second = `${takeover.callId};to-tag=${takeover.remoteTag};from-tag=${takeover.localTag}`
  again.request('INVITE', { headers: { Replaces: second } })
  const offer = await net.pbx.expect(final('INVITE'))
  t.match(offer.body, /^m=audio/m)
  again.learn(offer)
  again.request('ACK', { body: ANSWER })
  net.pbx.respond(await net.pbx.expect('BYE'), 200)
  await finish(t, net, call)
})

t.test('a PBX that leaves the offer to us, and one that demands reliable ringing', async (t) => {
  const net = await anchored(t)
  const late = net.pbx.dialog(net.pbxAddress, { uri: 'sip:+33199001234@127.0.0.1' })
  late.request('INVITE')
  const first = await net.whatsapp.expect('INVITE')
  t.match(first.body, /^m=audio \d+ RTP\/SAVP/m)
  net.whatsapp.respond(first, 200, {
    tag: 'w',
    headers: { Contact: net.whatsapp.contact },
    body: whatsAppAnswer(first),
  })
  await net.whatsapp.expect('ACK')
  const offer = await net.pbx.expect(final('INVITE'))
  t.match(offer.body, /^a=sendrecv/m)
  late.learn(offer)
  late.request('ACK', { body: ANSWER })
  late.request('OPTIONS')
  await net.pbx.expect(final('OPTIONS'))
  t.match([...net.calls.active()][0]?.media, { codec: { whatsapp: 'opus', pbx: 'opus' } })
  late.request('BYE')
  await net.pbx.expect(final('BYE'))
  net.whatsapp.respond(await net.whatsapp.expect('BYE'), 200)
  await net.ended()

  const reliable = net.pbx.dialog(net.pbxAddress, { uri: 'sip:+33199001234@127.0.0.1' })
  reliable.request('INVITE', { body: sdpFixture('pbx-sdes-offer'), headers: { Require: '100rel' } })
  const second = await net.whatsapp.expect('INVITE')
  net.whatsapp.respond(second, 180, { tag: 'w2' })
  const ringing = await net.pbx.expect(180)
  t.match(ringing.header('require'), '100rel')
  const rseq = ringing.header('rseq')
  reliable.learn(ringing)
  const { cseq } = reliable
  reliable.request('UPDATE')
  t.equal((await net.pbx.expect(final('UPDATE'))).status, 200)
  reliable.request('PRACK', { headers: { RAck: `${rseq} ${cseq} INVITE` } })
  t.equal((await net.pbx.expect(final('PRACK'))).status, 200)
  net.whatsapp.respond(second, 200, {
    tag: 'w2',
    headers: { Contact: net.whatsapp.contact },
    body: whatsAppAnswer(second),
  })
  await net.whatsapp.expect('ACK')
  t.equal((await net.pbx.expect(final('INVITE'))).status, 200)
  reliable.request('ACK', { cseq })
  reliable.cseq += 2
  reliable.request('BYE')
  await net.pbx.expect(final('BYE'))
  net.whatsapp.respond(await net.whatsapp.expect('BYE'), 200)
  await net.ended()
  t.same(net.bridge.status().held.dialogs, 0)
})

/** WhatsApp's answer with the payload numbers of the offer. */
function whatsAppAnswer(offer: PeerMessage): string {
  const [, opus = '', events = ''] =
    /m=audio \d+ RTP\/SAVP (\d+)(?: .*?)?(?: (\d+))?\r/.exec(offer.body) ?? []
  return sdpFixture('whatsapp-sdes-answer')
    .replaceAll(/\b107\b/g, opus)
    .replaceAll(/\b101\b/g, events)
}
