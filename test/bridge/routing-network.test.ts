import t, { type Test } from 'tap'
import type { RouteConfig, RouteMatch } from '../../src/config/types.ts'
import { Secret } from '../../src/shared/secret.ts'
import { bridgeNetwork } from '../support/bridge-network.ts'
import { numberConfig, overflowTo, presentationConfig, trunkConfig } from '../support/configs.ts'
import { sdpFixture } from '../support/sdp-fixtures.ts'
import { type PeerMessage, SipPeer } from '../support/sip-peer.ts'

const base = numberConfig().inbound!
const MATCH: RouteMatch = { params: {}, country: [], payload: [], hours: undefined }

const route = (name: string, match: Partial<RouteMatch>, overflow: string[]): RouteConfig => ({
  name,
  match: { ...MATCH, ...match },
  refuse: undefined,
  inbound: { ...base, trunk: name, overflow: overflow.flatMap((trunk) => overflowTo(trunk)) },
})

const PRESENTATIONS = {
  main: presentationConfig({ numbers: 'national', countryCode: '44', identity: 'both' }),
  backup: presentationConfig({ numbers: 'digits', display: '{profile} ({route})' }),
  night: presentationConfig({ from: 'anonymous', identity: 'pai' }),
}
type Name = keyof typeof PRESENTATIONS

/** A bridge with three trunks, each to a PBX of its own. */
async function threeTrunks(t: Test) {
  const peers = {
    main: await SipPeer.open(),
    backup: await SipPeer.open(),
    night: await SipPeer.open(),
  }
  t.teardown(() => Promise.all(Object.values(peers).map((peer) => peer.close())))
  const trunks = Object.entries(peers).map(([name, { host, port, hostport }]) => {
    const target = { uri: `sip:${hostport}`, host, port, transport: 'udp' as const, weight: 1 }
    const from = name === 'main' ? ['127.0.0.0/8'] : []
    return trunkConfig({
      name,
      targets: [target],
      accept: { ...trunkConfig().accept, from },
      outbound: {
        ...trunkConfig().outbound,
        prefixes: [{ prefix: '91', number: 'sales', strip: true }],
      },
      presentation: PRESENTATIONS[name as Name],
    })
  })
  const inbound = {
    ...base,
    routes: [
      route('backup', { params: { tgrp: 'sales' }, country: ['FR'] }, ['night']),
      route('night', { payload: ['order-*'] }, []),
    ],
    overflow: [...overflowTo('backup'), ...overflowTo('night')],
  }
  const numbers = [
    numberConfig({ inbound }),
    numberConfig({ name: 'sales', phoneNumber: '+441632960124', inbound: undefined }),
  ]
  const net = await bridgeNetwork(t, { trunks, numbers })
  net.credentials.known.set('sales', new Secret('pw'))
  return { net, peers }
}

type Stage = Awaited<ReturnType<typeof threeTrunks>>

/** WhatsApp calls; the INVITE comes to a PBX, which may be asked for others first. */
function call({ net }: Stage, params: string, headers: Record<string, string> = {}): void {
  const callId = `outgoing:wacid.${net.calls.ended().length}`
  const dialog = net.whatsapp.dialog({
    uri: `sip:+441632960123${params}@sip.example.com;transport=tls`,
    from: '"Zoé" <sip:+33199001234@wa.meta.vc>',
    to: `<sip:+441632960123${params}@sip.example.com>`,
    callId,
    headers: { 'x-wa-meta-wacid': callId.slice('outgoing:'.length), ...headers },
  })
  dialog.request('INVITE', { body: sdpFixture('whatsapp-sdes-offer') })
}

/** The PBX declines for good: no other trunk is asked. */
async function decline({ net, peers }: Stage, at: Name): Promise<PeerMessage> {
  const invite = await peers[at].expect('INVITE')
  peers[at].respond(invite, 603, { tag: 'p' })
  await net.whatsapp.expect(603)
  await net.ended()
  return invite
}

t.test('WhatsApp’s parameters, country and payload lead to the right PBX', async (t) => {
  const stage = await threeTrunks(t)
  const record = () => stage.net.calls.ended()[0]

  call(stage, ';tgrp=Sales;trunk-context=byoc.example.com')
  const sales = await decline(stage, 'backup')
  t.match(sales.uri, /^sip:441632960123@127/)
  t.match(sales.header('from'), /^"Zoé \(backup\)" <sip:33199001234@127\.0\.0\.1:\d+>/)
  t.match(record(), { route: 'backup', trunk: 'backup' })

  call(stage, ';tgrp=sales', { 'x-wa-meta-country-code': 'DE', 'x-wa-meta-cta-payload': 'order-7' })
  const order = await decline(stage, 'night')
  t.match(order.header('from'), /^"Anonymous" <sip:anonymous@anonymous\.invalid>;tag=/)
  t.equal(order.header('privacy'), 'id')
  t.match(order.header('p-asserted-identity'), /^"Zoé" <sip:\+33199001234@127/)
  t.equal(order.header('x-whatsapp-cta-payload'), 'order-7')
  t.match(record(), { route: 'night' })

  call(stage, '', { 'x-wa-meta-user-id': 'GB.1' })
  const other = await decline(stage, 'main')
  t.match(other.uri, /^sip:01632960123@127/)
  t.match(other.header('from'), /^"Zoé" <sip:0033199001234@127/)
  t.match(
    other.header('remote-party-id'),
    /^"Zoé" <sip:0033199001234@sip\.example\.com>;party=calling;screen=yes;privacy=off$/,
  )
  t.equal(other.header('x-whatsapp-user-id'), 'GB.1')
  t.match(record(), { route: 'inbound' })
})

t.test('a chain of three, until somebody answers', async (t) => {
  const stage = await threeTrunks(t)
  const { net, peers } = stage
  call(stage, '')
  const first = await peers.main.expect('INVITE')
  peers.main.respond(first, 503, { tag: 'a' })
  const second = await peers.backup.expect('INVITE')
  peers.backup.respond(second, 500, { tag: 'b' })
  const third = await peers.night.expect('INVITE')
  const ids = [first, second, third].map((invite) => invite.header('call-id'))
  t.equal(new Set(ids).size, 3, 'each a call of its own')
  const headers = { Contact: peers.night.contact }
  peers.night.respond(third, 200, { tag: 'c', headers, body: sdpFixture('pbx-sdes-answer') })
  await net.whatsapp.expect(200)
  const [active] = net.calls.active()
  t.match(active, { route: 'inbound', trunk: 'night' })
})

t.test('a call from the PBX leaves from the number that it names', async (t) => {
  const stage = await threeTrunks(t)
  const { net, peers } = stage
  const rows: [uri: string, headers: Record<string, string>, from: string, route: string][] = [
    ['sip:9101632960999@h', {}, '+441632960124', 'prefix 91'],
    ['sip:01632960999@h', {}, '+441632960123', 'trunk'],
    ['sip:01632960999@h', { 'P-Asserted-Identity': '<sip:01632960124@x>' }, '+441632960124', 'pai'],
    [
      'sip:00441632960999@h',
      { Diversion: '<sip:300@x>;reason=unconditional, <sip:441632960124@x>' },
      '+441632960124',
      'diversion',
    ],
  ]
  for (const [uri, headers, from, route] of rows) {
    const dialog = peers.main.dialog(net.pbxAddress, { uri, headers })
    dialog.request('INVITE', { body: sdpFixture('pbx-sdes-offer') })
    const invite = await net.whatsapp.expect('INVITE')
    t.equal(invite.uri, 'sip:+441632960999@wa.meta.vc;transport=tls')
    t.match(invite.header('from'), `<sip:${from}@sip.example.com>`)
    net.whatsapp.respond(invite, 603, { tag: 'w' })
    await peers.main.expect((m) => m.status >= 400)
    await net.ended()
    t.match(net.calls.ended()[0], { route, business: from })
  }
})
