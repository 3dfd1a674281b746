import t, { type Test } from 'tap'
import { algorithmOf, digestResponse } from '../../../src/bridge/digest/algorithm.ts'
import { parseDigests } from '../../../src/bridge/digest/params.ts'
import type { Config, RegisterConfig } from '../../../src/config/types.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { bridgeNetwork } from '../../support/bridge-network.ts'
import { trunkConfig } from '../../support/configs.ts'
import { sdpFixture } from '../../support/sdp-fixtures.ts'
import { PeerDialog, type PeerMessage, SipPeer } from '../../support/sip-peer.ts'

const PASSWORD = 'pbx-password'

function register(registrars: readonly SipPeer[], change: Partial<RegisterConfig> = {}) {
  return {
    registrars: registrars.map(({ host, port }) => ({
      uri: `sip:${host}:${port}`,
      host,
      port,
      transport: 'udp' as const,
    })),
    username: 'causeway',
    authUsername: 'causeway',
    password: new Secret(PASSWORD),
    expires: 300_000,
    contact: 'causeway',
    ...change,
  }
}

/** A bridge whose trunk registers with scripted registrars; its calls go nowhere by source. */
async function registering(
  t: Test,
  registrars: readonly SipPeer[],
  change?: Partial<RegisterConfig>,
) {
  const trunk = trunkConfig({
    targets: [],
    accept: { ...trunkConfig().accept, from: [] },
    register: register(registrars, change),
  })
  return await bridgeNetwork(t, { trunks: [trunk] } satisfies Partial<Config>)
}

/** The challenge of one algorithm. */
const challenge = (algorithm: string, nonce = 'n1'): string =>
  `Digest realm="pbx", nonce="${nonce}", algorithm=${algorithm}, qop="auth"`

/** Whether a REGISTER answers a challenge with the password. */
function answers(request: PeerMessage, password = PASSWORD): string | undefined {
  const [given] = parseDigests(request.header('authorization'))
  if (!given) return undefined
  const expected = digestResponse({
    ...algorithmOf(given['algorithm'])!,
    username: given['username']!,
    realm: given['realm']!,
    password,
    method: 'REGISTER',
    uri: given['uri']!,
    nonce: given['nonce']!,
    qop: 'auth',
    nc: given['nc']!,
    cnonce: given['cnonce']!,
  })
  return given['response'] === expected ? given['algorithm'] : 'wrong'
}

/** The bridge has heard of everything this peer sent before. */
async function heard(net: Awaited<ReturnType<typeof bridgeNetwork>>, peer: SipPeer): Promise<void> {
  peer.dialog(net.pbxAddress).request('OPTIONS')
  await peer.expect((message) => message.status === 200 && message.method === 'OPTIONS')
}

const registered = (net: Awaited<ReturnType<typeof bridgeNetwork>>) =>
  net.bridge.registrations().ours[0]!

t.test('registers with digest, carries calls both ways, and unregisters', async (t) => {
  const registrar = await SipPeer.open()
  t.teardown(() => registrar.close())
  const net = await registering(t, [registrar])
  const first = await registrar.expect('REGISTER')
  t.match(first.uri, /^sip:127\.0\.0\.1:\d+$/)
  t.match(first.header('to'), /^<sip:causeway@127\.0\.0\.1>$/)
  t.match(first.header('supported'), /path, outbound/)
  t.match(
    first.header('contact'),
    /^<sip:causeway@127\.0\.0\.1:\d+;transport=udp;causeway=[0-9a-f]{32}>;\+sip\.instance="<urn:uuid:[0-9a-f-]{36}>";reg-id=1;expires=300$/,
  )
  registrar.respond(first, 401, {
    tag: 'r',
    headers: { 'WWW-Authenticate': [challenge('SHA-256'), challenge('MD5')] },
  })
  const second = await registrar.expect('REGISTER')
  t.equal(second.header('call-id'), first.header('call-id'), 'the same Call-ID')
  t.equal(second.cseq, first.cseq + 1, 'CSeq rises')
  t.equal(answers(second), 'SHA-256', 'the stronger challenge is answered')
  registrar.respond(second, 200, { tag: 'r', headers: { Contact: second.header('contact') } })
  await heard(net, registrar)
  t.match(registered(net), { state: 'registered', attempts: { registered: 1, refused: 0 } })

  const contact = second.contact
  await t.test('the PBX replaces the user of the Contact by the number', async (t) => {
    const uri = contact.replace('causeway@', '+33199001234@')
    const call = registrar.dialog(net.pbxAddress, { uri, to: `<${uri}>` })
    call.request('INVITE', { body: sdpFixture('pbx-sdes-offer') })
    const out = await net.whatsapp.expect('INVITE')
    t.match(out.uri, /^sip:\+33199001234@wa\.meta\.vc/)
    net.whatsapp.respond(out, 486, { tag: 'w' })
    await registrar.expect(486)
  })

  await t.test('the PBX calls the Contact, and names the number in To', async (t) => {
    const call = registrar.dialog(net.pbxAddress, { uri: contact, to: '<sip:33199001234@pbx>' })
    call.request('INVITE', { body: sdpFixture('pbx-sdes-offer') })
    const out = await net.whatsapp.expect('INVITE')
    t.match(out.uri, /^sip:\+33199001234@wa\.meta\.vc/)
    net.whatsapp.respond(out, 486, { tag: 'w' })
    await registrar.expect(486)
  })

  await t.test('the PBX drops the parameters: its address is that of the registrar', async () => {
    const uri = `sip:+33199001234@127.0.0.1:${net.pbxAddress.port}`
    const call = registrar.dialog(net.pbxAddress, { uri })
    call.request('INVITE', { body: sdpFixture('pbx-sdes-offer') })
    const out = await net.whatsapp.expect('INVITE')
    net.whatsapp.respond(out, 486, { tag: 'w' })
    await registrar.expect(486)
  })

  const stopped = net.bridge.stop()
  const last = await registrar.expect('REGISTER')
  t.match(last.header('contact'), /;expires=0$/)
  t.equal(last.header('expires'), '0')
  t.equal(answers(last), 'SHA-256', 'with the nonce it has, counted up')
  t.match(last.header('authorization'), /nc=00000002/)
  registrar.respond(last, 200, { tag: 'r' })
  await stopped
})

t.test('the token alone opens the door, a wrong one does not', async (t) => {
  const registrar = await SipPeer.open()
  const stranger = await SipPeer.open('127.0.0.2')
  t.teardown(() => Promise.all([registrar.close(), stranger.close()]))
  const net = await registering(t, [registrar])
  const request = await registrar.expect('REGISTER')
  registrar.respond(request, 200, { tag: 'r', headers: { Contact: request.header('contact') } })
  await heard(net, registrar)

  const uri = request.contact.replace('causeway@', '+33199001234@')
  const body = sdpFixture('pbx-sdes-offer')
  stranger.dialog(net.pbxAddress, { uri }).request('INVITE', { body })
  const out = await net.whatsapp.expect('INVITE')
  net.whatsapp.respond(out, 486, { tag: 'w' })
  await stranger.expect(486)

  const forged = uri.replace(/causeway=../, 'causeway=zz')
  stranger.dialog(net.pbxAddress, { uri: forged }).request('INVITE', { body })
  const refused = await stranger.expect(403)
  t.match(refused.header('warning'), /CALL_PBX_SOURCE_REFUSED/)
  const stopped = net.bridge.stop()
  registrar.respond(await registrar.expect('REGISTER'), 200, { tag: 'r' })
  await stopped
})

t.test('a registrar that does not take it: the next one does', async (t) => {
  const [first, second] = await Promise.all([SipPeer.open(), SipPeer.open()])
  t.teardown(() => Promise.all([first.close(), second.close()]))
  const net = await registering(t, [first, second])
  first.respond(await first.expect('REGISTER'), 503, { tag: 'a' })
  const request = await second.expect('REGISTER')
  t.match(request.header('contact'), /;reg-id=2;/)
  second.respond(request, 200, { tag: 'b', headers: { Contact: request.header('contact') } })
  await heard(net, second)
  t.match(registered(net), {
    state: 'registered',
    registrar: `sip:127.0.0.1:${second.port}`,
    registrars: [{ registered: false }, { registered: true }],
    attempts: { registered: 1, failed: 1 },
  })
  const stopped = net.bridge.stop()
  second.respond(await second.expect('REGISTER'), 200, { tag: 'b' })
  await stopped
})

t.test('a call of WhatsApp goes to the registrar when there are no targets', async (t) => {
  const registrar = await SipPeer.open()
  t.teardown(() => registrar.close())
  const { host, port } = registrar
  const uri = `sip:${host}:${port}`
  const trunk = trunkConfig({
    targets: [{ uri, host, port, transport: 'udp', weight: 1 }],
    accept: { ...trunkConfig().accept, from: [] },
    register: register([registrar]),
  })
  const net = await bridgeNetwork(t, { trunks: [trunk] })
  const request = await registrar.expect('REGISTER')
  registrar.respond(request, 200, { tag: 'r', headers: { Contact: request.header('contact') } })
  const call = net.whatsapp.dialog({
    uri: 'sip:+441632960123@sip.example.com;transport=tls',
    from: '<sip:+33199001234@wa.meta.vc>',
    callId: 'outgoing:wacid.R',
  })
  call.request('INVITE', { body: sdpFixture('whatsapp-sdes-offer') })
  const invite = await registrar.expect('INVITE')
  t.match(PeerDialog.of(registrar, invite, 'x').uri, /^sip:\+441632960123@127\.0\.0\.1/)
  registrar.respond(invite, 486, { tag: 'x' })
  await net.whatsapp.expect(486)
  const stopped = net.bridge.stop()
  registrar.respond(await registrar.expect('REGISTER'), 200, { tag: 'r' })
  await stopped
})
