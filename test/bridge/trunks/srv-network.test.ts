import t, { type Test } from 'tap'
import { FakeDns, srv } from '../../embedded-drachtio/resolve/fake-dns.ts'
import { bridgeNetwork } from '../../support/bridge-network.ts'
import { trunkConfig } from '../../support/configs.ts'
import { sdpFixture } from '../../support/sdp-fixtures.ts'
import { SipPeer } from '../../support/sip-peer.ts'

const NAME = 'pbx.example.com'
/** T1 a tenth of the real one, so that a silent server is left after 200 ms. */
const timers = { t1: 50 }

/** Two servers behind the SRV records of one name, and WhatsApp that calls. */
async function setUp(t: Test) {
  const servers = [await SipPeer.open(), await SipPeer.open('127.0.0.2')] as const
  t.teardown(() => Promise.all(servers.map((server) => server.close())))
  const dns = new FakeDns({
    srv: {
      [`_sip._udp.${NAME}`]: [
        srv(20, 1, servers[1].port, `b.${NAME}`),
        srv(10, 1, servers[0].port, `a.${NAME}`),
      ],
    },
    a: { [`a.${NAME}`]: ['127.0.0.1'], [`b.${NAME}`]: ['127.0.0.2'] },
  })
  const trunk = trunkConfig({
    targets: [{ uri: `sip:${NAME}`, host: NAME, port: undefined, transport: 'udp', weight: 1 }],
  })
  const net = await bridgeNetwork(t, { trunks: [trunk] }, undefined, [], { dns, timers })
  let count = 0
  const call = () => {
    const dialog = net.whatsapp.dialog({
      uri: 'sip:+441632960123@sip.example.com;transport=tls',
      from: '"x" <sip:+33199001234@wa.meta.vc>',
      to: '<sip:+441632960123@sip.example.com>',
      callId: `outgoing:wacid.${++count}`,
    })
    dialog.request('INVITE', { body: sdpFixture('whatsapp-sdes-offer') })
    return dialog
  }
  /** A server takes the call it has got, and hangs up. */
  const take = async (server: SipPeer, invite: Awaited<ReturnType<SipPeer['expect']>>) => {
    const body = sdpFixture('pbx-sdes-answer')
    server.respond(invite, 200, { tag: 'x', headers: { Contact: server.contact }, body })
    await server.expect('ACK')
    await net.whatsapp.expect(200)
  }
  return { servers, dns, net, call, take }
}

t.test('a target without a port goes by SRV records, in their order', async (t) => {
  const { servers, dns, net, call, take } = await setUp(t)
  call()
  const invite = await servers[0].expect('INVITE')
  t.equal(invite.uri, `sip:+441632960123@${NAME};transport=udp`)
  t.ok(dns.asked.includes(`srv _sip._udp.${NAME}`))
  await take(servers[0], invite)
  t.same(servers[1].received, [])
  t.equal(net.bridge.status().targets[0]?.state, 'up')
})

t.test('503 of one server: the next, and it comes last for a while', async (t) => {
  const { servers, call, take } = await setUp(t)
  call()
  servers[0].respond(await servers[0].expect('INVITE'), 503, { tag: 'full' })
  await servers[0].expect('ACK')
  await take(servers[1], await servers[1].expect('INVITE'))
  call()
  await take(servers[1], await servers[1].expect('INVITE'))
  t.equal(servers[0].received.filter(({ method }) => method === 'INVITE').length, 1)
})

t.test('a silent server is left within the call; its late answer is hung up', async (t) => {
  const { servers, net, call, take } = await setUp(t)
  call()
  const silent = await servers[0].expect('INVITE')
  const invite = await servers[1].expect('INVITE')
  servers[1].respond(invite, 180, { tag: 'x' })
  await net.whatsapp.expect(180)
  servers[0].respond(silent, 180, { tag: 'late' })
  const cancel = await servers[0].expect('CANCEL')
  servers[0].respond(cancel, 200)
  const body = sdpFixture('pbx-sdes-answer')
  const headers = { Contact: servers[0].contact }
  servers[0].respond(silent, 200, { tag: 'late', headers, body })
  await servers[0].expect('ACK')
  const bye = await servers[0].expect('BYE')
  t.equal(bye.tag('to'), 'late')
  servers[0].respond(bye, 200)
  await take(servers[1], invite)
  t.equal(net.calls.size, 1, 'the call goes on with the other one')
  t.equal(net.bridge.status().targets[0]?.state, 'up', 'to the bridge they are one target')
})
