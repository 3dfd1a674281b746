import t, { type Test } from 'tap'
import type { Config } from '../../../src/config/types.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { bridgeNetwork } from '../../support/bridge-network.ts'
import { trunkConfig } from '../../support/configs.ts'
import { ACCOUNT, registerAt } from '../../support/register.ts'
import { sdpFixture } from '../../support/sdp-fixtures.ts'
import { SipPeer } from '../../support/sip-peer.ts'

/** A bridge whose PBX has to register: no targets, no source that is known. */
function awaiting(t: Test, change: Partial<Config> = {}, streams: ('tcp' | 'tls')[] = []) {
  const trunk = trunkConfig({
    targets: [],
    accept: {
      from: [],
      username: ACCOUNT.username,
      password: new Secret(ACCOUNT.password),
      registrations: true,
    },
  })
  return bridgeNetwork(t, { trunks: [trunk], ...change }, undefined, streams)
}

type Network = Awaited<ReturnType<typeof bridgeNetwork>>

/** WhatsApp calls the number. */
function call(net: Network, callId: string) {
  const dialog = net.whatsapp.dialog({
    uri: 'sip:+441632960123@sip.example.com;transport=tls',
    from: '<sip:+33199001234@wa.meta.vc>',
    callId: `outgoing:wacid.${callId}`,
  })
  dialog.request('INVITE', { body: sdpFixture('whatsapp-sdes-offer') })
  return dialog
}

t.test('a PBX registers, is called, and calls without another challenge', async (t) => {
  const net = await awaiting(t)
  const pbx = await SipPeer.open()
  t.teardown(() => pbx.close())

  call(net, 'early')
  await net.whatsapp.expect(503)
  t.match(net.calls.ended()[0]?.cause, {
    code: 'CALL_PBX_UNREACHABLE',
    text: /the PBX of trunk main is not registered/,
  })

  const { challenge, answer } = await registerAt(pbx, net.pbxAddress, {
    contact: `<sip:line1@${pbx.hostport};line=7>`,
    algorithm: 'MD5',
  })
  t.same(
    challenge.all('www-authenticate').map((line) => /algorithm=([\w-]+)/.exec(line)?.[1]),
    ['SHA-256', 'MD5'],
    'one header for each algorithm, the stronger first',
  )
  t.equal(answer.status, 200)
  t.equal(answer.header('contact'), `<sip:line1@${pbx.hostport};line=7>;expires=3600`)

  call(net, 'late')
  const invite = await pbx.expect('INVITE')
  t.equal(invite.uri, `sip:+441632960123@${pbx.hostport};line=7`, 'the parameters stay')
  pbx.respond(invite, 486, { tag: 'x' })
  await net.whatsapp.expect(486)

  const out = pbx.dialog(net.pbxAddress, { uri: 'sip:+33199001234@127.0.0.1' })
  out.request('INVITE', { body: sdpFixture('pbx-sdes-offer') })
  const leaving = await net.whatsapp.expect('INVITE')
  t.match(leaving.uri, /^sip:\+33199001234@wa\.meta\.vc/)
  net.whatsapp.respond(leaving, 486, { tag: 'w' })
  await pbx.expect(486)

  const other = await SipPeer.open()
  t.teardown(() => other.close())
  other
    .dialog(net.pbxAddress, { uri: 'sip:+33199001234@127.0.0.1' })
    .request('INVITE', { body: sdpFixture('pbx-sdes-offer') })
  t.ok(await other.expect(407), 'another port of the same host is challenged')
})

t.test('a PBX behind NAT is called where it registered from', async (t) => {
  const net = await awaiting(t)
  const pbx = await SipPeer.open()
  t.teardown(() => pbx.close())
  await registerAt(pbx, net.pbxAddress, { contact: '<sip:line1@192.168.7.7:5060>' })
  call(net, 'nat')
  const invite = await pbx.expect('INVITE')
  t.equal(invite.uri, 'sip:+441632960123@192.168.7.7:5060', 'the URI is the contact')
  pbx.respond(invite, 486, { tag: 'x' })
  await net.whatsapp.expect(486)
})

t.test('several contacts are tried by their preference', async (t) => {
  const net = await awaiting(t)
  const [low, high] = await Promise.all([SipPeer.open(), SipPeer.open()])
  t.teardown(() => Promise.all([low.close(), high.close()]))
  await registerAt(low, net.pbxAddress, { contact: `<sip:low@${low.hostport}>;q=0.2` })
  await registerAt(high, net.pbxAddress, { contact: `<sip:high@${high.hostport}>;q=0.9` })
  call(net, 'q')
  high.respond(await high.expect('INVITE'), 503, { tag: 'x' })
  low.respond(await low.expect('INVITE'), 486, { tag: 'y' })
  await net.whatsapp.expect(486)
})

t.test('a Path is the way to the PBX', async (t) => {
  const net = await awaiting(t)
  const [pbx, edge] = await Promise.all([SipPeer.open(), SipPeer.open()])
  t.teardown(() => Promise.all([pbx.close(), edge.close()]))
  const path = `<sip:token@${edge.hostport};lr>`
  const { answer } = await registerAt(pbx, net.pbxAddress, {
    headers: { Path: path, Supported: 'path' },
  })
  t.equal(answer.header('path'), path)
  call(net, 'path')
  const invite = await edge.expect('INVITE')
  t.match(invite.uri, new RegExp(`@${pbx.hostport}`))
  t.equal(invite.header('route'), path)
  edge.respond(invite, 486, { tag: 'x' })
  await net.whatsapp.expect(486)
})

t.test('registered by TCP with a Contact without a transport: ours names TCP', async (t) => {
  const net = await awaiting(t, {}, ['tcp'])
  const pbx = await SipPeer.stream()
  t.teardown(() => pbx.close())
  const server = { host: '127.0.0.1', port: net.streamPorts[0]! }
  await registerAt(pbx, server, { contact: '<sip:line1@192.168.7.7:5060>' })
  call(net, 'plain')
  const invite = await pbx.expect('INVITE')
  t.equal(invite.uri, 'sip:+441632960123@192.168.7.7:5060')
  t.match(invite.contact, new RegExp(`:${server.port};transport=tcp$`), 'its BYE finds us')
  pbx.respond(invite, 486, { tag: 'x' })
  await net.whatsapp.expect(486)
})

for (const transport of ['tcp', 'tls'] as const) {
  t.test(`registered by ${transport}: the call comes back over the connection`, async (t) => {
    const net = await awaiting(t, {}, [transport])
    const tls = { server: {}, client: { ca: net.ca.cert, servername: 'sip.example.com' } }
    const pbx = await SipPeer.stream(transport === 'tls' ? tls : undefined)
    t.teardown(() => pbx.close())
    const server = { host: '127.0.0.1', port: net.streamPorts[0]! }
    const { answer } = await registerAt(pbx, server, {
      contact: `<sip:line1@192.168.7.7:5060;transport=${transport};ob>`,
    })
    t.equal(answer.status, 200)
    call(net, transport)
    const invite = await pbx.expect('INVITE')
    t.equal(invite.uri, `sip:+441632960123@192.168.7.7:5060;transport=${transport};ob`)
    t.equal(invite.from.port, server.port, 'over the connection it opened')
    t.match(invite.contact, new RegExp(`:${server.port};transport=${transport}$`), 'our Contact')
    pbx.respond(invite, 486, { tag: 'x' })
    await net.whatsapp.expect(486)

    call(net, `${transport}-talk`)
    const answered = await pbx.expect('INVITE')
    pbx.respond(answered, 200, {
      tag: 'y',
      headers: { Contact: `<sip:192.168.7.7:5099;transport=${transport}>` },
      body: sdpFixture('pbx-sdes-answer'),
    })
    t.equal((await pbx.expect('ACK')).from.port, server.port, 'the ACK too, whatever Contact says')
    await net.whatsapp.expect(200)
    for (const { id } of net.calls.active()) net.bridge.hangUp(id)
    const bye = await pbx.expect('BYE')
    t.equal(bye.uri, `sip:192.168.7.7:5099;transport=${transport}`)
    t.equal(bye.from.port, server.port, 'and the BYE')
    pbx.respond(bye, 200)

    call(net, `${transport}-again`)
    const longer = await pbx.expect('INVITE')
    pbx.respond(longer, 200, {
      tag: 'z',
      headers: { Contact: `<sip:192.168.7.7:5060;transport=${transport}>` },
      body: sdpFixture('pbx-sdes-answer'),
    })
    await pbx.expect((m) => m.method === 'ACK' && m.header('call-id') === longer.header('call-id'))
    await net.whatsapp.expect((m) => m.status === 200 && m.header('call-id').endsWith('-again'))
    pbx.drop()
    await registerAt(pbx, server, {
      contact: `<sip:line1@192.168.7.7:5060;transport=${transport}>`,
    })
    for (const { id } of net.calls.active()) net.bridge.hangUp(id)
    const last = await pbx.expect('BYE')
    t.equal(last.from.port, server.port, 'a BYE finds the connection it has registered over since')
    pbx.respond(last, 200)

    const out = pbx.dialog(server, { uri: 'sip:+33199001234@127.0.0.1' })
    out.request('INVITE', { body: sdpFixture('pbx-sdes-offer') })
    const leaving = await net.whatsapp.expect('INVITE')
    net.whatsapp.respond(leaving, 486, { tag: 'w' })
    t.ok(await pbx.expect(486), 'and calls over it without a challenge')

    pbx.drop()
    call(net, `${transport}-gone`)
    t.ok(await net.whatsapp.expect(503), 'a connection that is gone is no way to it')
  })
}
