import t from 'tap'
import type { RouteConfig, RouteMatch } from '../../src/config/types.ts'
import { Secret } from '../../src/shared/secret.ts'
import { bare, bridgeLab, settle } from '../support/bridge-lab.ts'
import { numberConfig, overflowTo, presentationConfig, trunkConfig } from '../support/configs.ts'
import type { FakeRequest } from '../support/fake-sip-port.ts'

const base = numberConfig().inbound!
const MATCH: RouteMatch = { params: {}, country: [], payload: [], hours: undefined }

function route(name: string, match: Partial<RouteMatch>, more: Partial<RouteConfig> = {}) {
  const inbound = { ...base, trunk: name }
  return { name, match: { ...MATCH, ...match }, refuse: undefined, inbound, ...more }
}

const trunk = (name: string, host: string, accept: string[] = []) =>
  trunkConfig({
    name,
    targets: [{ uri: `sip:${host}:5060`, host, port: 5060, transport: 'udp' as const, weight: 1 }],
    accept: { ...trunkConfig().accept, from: accept },
  })

const SALES = numberConfig({
  name: 'sales',
  phoneNumber: '+441632960124',
  inbound: undefined,
})

function lab(...routes: RouteConfig[]) {
  return bridgeLab({
    numbers: [numberConfig({ inbound: { ...base, routes } })],
    trunks: [
      trunk('main', '10.0.0.9'),
      trunk('sales', '10.1.0.9'),
      trunk('vip', '10.2.0.9'),
      trunk('night', '10.3.0.9'),
    ],
  })
}

t.test('parameters, country and payload lead to the right trunk', async (t) => {
  const rows: [options: Partial<FakeRequest>, route: string, host: string][] = [
    [{ uri: 'sip:+441632960123;tgrp=SALES@sip.example.com' }, 'sales', '10.1.0.9'],
    [{ uri: 'sip:+441632960123;tgrp=s%61les@sip.example.com' }, 'sales', '10.1.0.9'],
    [{ headers: { 'x-wa-meta-cta-payload': 'vip-1' } }, 'vip', '10.2.0.9'],
    [{ headers: { x_wa_meta_deeplink_payload: 'vip-2' } }, 'vip', '10.2.0.9'],
    [{ headers: { 'x-wa-meta-country-code': 'DE' } }, 'night', '10.3.0.9'],
    [{ headers: { 'x-wa-meta-user-id': 'DE.12' } }, 'night', '10.3.0.9'],
    [{}, 'inbound', '10.0.0.9'],
  ]
  for (const [options, name, host] of rows) {
    const at = await lab(
      route('sales', { params: { tgrp: 'sales' } }),
      route('vip', { payload: ['vip-*'] }),
      route('night', { country: ['DE'] }),
    )
    const invite = at.fromWhatsApp(options)
    await settle()
    t.match(at.port.last?.request.uri, `@${host}:5060`)
    at.port.last!.respond(603, 'Decline')
    await settle()
    t.same(invite.statuses, [603])
    t.match(await bare(t, at), { route: name })
  }
})

t.test('a route that refuses leaves a record, and calls nobody', async (t) => {
  const at = await lab(route('barred', { country: ['FR'] }, { refuse: 486, inbound: base }))
  const invite = at.fromWhatsApp()
  await settle()
  t.same(invite.responses, [{ status: 486, headers: {} }])
  t.same(at.port.sent, [])
  t.match(await bare(t, at), {
    route: 'barred',
    cause: { code: 'CALL_ROUTE_REFUSED', result: 'refused', sip: 486, text: 'route barred, 486' },
    ladder: [
      { leg: 'whatsapp', dir: 'in', what: 'INVITE' },
      { leg: 'whatsapp', dir: 'out', what: '486' },
    ],
  })
})

t.test('a route may be reloaded, and a call keeps the one it has', async (t) => {
  const at = await lab(route('sales', {}))
  at.fromWhatsApp()
  await settle()
  at.bridge.reconfigure({ ...at.config, numbers: [numberConfig()] })
  at.fromWhatsApp()
  await settle()
  t.same(
    [...at.calls.active()].map(({ route }) => route),
    ['sales', 'inbound'],
  )
  await at.bridge.drain(0)
  await bare(t, at)
})

t.test('each step of a chain rings for its own time and is presented in its own way', async (t) => {
  const inbound = {
    ...base,
    ringTimeout: 20_000,
    overflow: [
      { ...overflowTo('sales', 5000)[0]!, to: 'queue' },
      { ...overflowTo('night', 10_000)[0]!, from: '9{caller:digits}' },
    ],
  }
  const at = await bridgeLab({
    numbers: [numberConfig({ inbound })],
    trunks: [
      trunk('main', '10.0.0.9'),
      { ...trunk('sales', '10.1.0.9'), presentation: presentationConfig({ numbers: 'digits' }) },
      { ...trunk('night', '10.3.0.9'), presentation: presentationConfig({ identity: 'rpid' }) },
    ],
  })
  const invite = at.fromWhatsApp()
  const expected: [uri: string, from: string, rings: number][] = [
    ['sip:+441632960123@10.0.0.9:5060', '<sip:+33199001234@localhost>', 20_000],
    ['sip:queue@10.1.0.9:5060', '<sip:33199001234@localhost>', 5000],
    ['sip:+441632960123@10.3.0.9:5060', '<sip:933199001234@localhost>', 10_000],
  ]
  for (const [uri, from, rings] of expected) {
    await settle()
    const sent = at.port.last!
    t.equal(sent.request.uri, `${uri};transport=udp`)
    t.match(sent.header('from'), `"Zoé" ${from};tag=`)
    sent.respond(180, 'Ringing')
    at.clock.advance(rings - 1)
    t.notOk(sent.cancelled, 'still ringing')
    at.clock.advance(1)
    t.ok(sent.cancelled)
    sent.respond(487, 'Request Terminated')
  }
  const last = at.port.sent.at(-1)!
  t.match(last.header('remote-party-id'), '<sip:933199001234@sip.example.com>;party=calling')
  t.equal(last.header('p-asserted-identity'), undefined)
  await settle()
  t.same(invite.statuses, [180, 480])
  t.match(await bare(t, at), { trunk: 'night', cause: { code: 'CALL_NO_ANSWER' } })
})

t.test('what names the number of a call from the PBX', async (t) => {
  const rows: [uri: string, headers: Record<string, string>, route: string, from: string][] = [
    ['sip:9101632960999@h', {}, 'prefix 91', '+441632960124'],
    ['sip:01632960999@h', {}, 'trunk', '+441632960123'],
    ['sip:01632960999@h', { 'p-asserted-identity': '<tel:01632960124>' }, 'pai', '+441632960124'],
    ['sip:01632960999@h', { from: '<sip:01632960124@x>;tag=1' }, 'from', '+441632960124'],
    [
      'sip:01632960999@h',
      { diversion: '"A, B" <sip:300@x>;reason=x, <sip:+441632960124@x>;reason=y' },
      'diversion',
      '+441632960124',
    ],
    [
      'sip:01632960999@h',
      { 'history-info': '<sip:+441632960123@x>;index=1, <sip:+441632960124@x>;index=1.1' },
      'history-info',
      '+441632960124',
    ],
  ]
  for (const [uri, headers, name, from] of rows) {
    const outbound = {
      ...trunkConfig().outbound,
      prefixes: [{ prefix: '91', number: 'sales', strip: true }],
    }
    const at = await bridgeLab({
      numbers: [numberConfig(), SALES],
      trunks: [trunkConfig({ outbound, presentation: presentationConfig({ countryCode: '44' }) })],
    })
    at.credentials.known.set('sales', new Secret('pw'))
    at.fromPbx({ uri, headers })
    await settle()
    const sent = at.port.last!
    t.equal(sent.request.uri, 'sip:+441632960999@wa.meta.vc;transport=tls')
    t.match(sent.header('from'), `<sip:${from}@sip.example.com>`)
    sent.respond(486, 'Busy')
    t.match(await bare(t, at), { route: name, business: from, consumer: '+441632960999' })
  }
})
