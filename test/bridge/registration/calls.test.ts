import t from 'tap'
import type { RegisterConfig } from '../../../src/config/types.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { type BridgeLab, bare, bridgeLab, settle } from '../../support/bridge-lab.ts'
import { numberConfig, overflowTo, trunkConfig } from '../../support/configs.ts'

const REGISTER: RegisterConfig = {
  registrars: [{ uri: 'sip:10.0.0.9', host: '10.0.0.9', port: undefined, transport: 'udp' }],
  username: '4420',
  authUsername: '4420',
  password: new Secret('pw'),
  expires: 300_000,
  contact: '4420',
}

/** A bridge whose trunk is registered, and the Contact the PBX has of it. */
async function registered(): Promise<{ lab: BridgeLab; contact: string }> {
  const accept = { ...trunkConfig().accept, from: [] }
  const lab = await bridgeLab({ trunks: [trunkConfig({ register: REGISTER, accept })] })
  const sent = lab.port.sent.shift()!
  sent.respond(200, 'OK', { headers: { contact: sent.header('contact')! }, from: '10.0.0.9' })
  return { lab, contact: /<([^>]+)>/.exec(sent.header('contact')!)![1]! }
}

const dialled: [what: string, user: string, headers: Record<string, string>, uri: string | null][] =
  [
    ['the Request-URI', '+33199001234', { to: '<sip:4420@pbx>' }, 'sip:+33199001234@'],
    ['To', '4420', { to: '"B" <sip:0033199001234@pbx>' }, 'sip:+33199001234@'],
    [
      'P-Called-Party-ID before To',
      '4420',
      { 'P-Called-Party-ID': '<sip:+33199001234@pbx>', to: '<sip:+33199009999@pbx>' },
      'sip:+33199001234@',
    ],
    ['a BSUID in To', '4420', { to: '<sip:FR.123456@pbx>' }, 'sip:FR.123456@'],
    ['our own user everywhere', '4420', { to: '<sip:4420@pbx>' }, null],
  ]

for (const [what, user, headers, uri] of dialled) {
  t.test(`the number called: ${what}`, async (t) => {
    const { lab, contact } = await registered()
    const call = lab.fromPbx({
      uri: contact.replace(/^sip:[^@]+/, `sip:${user}`),
      sourceAddress: '192.0.2.99',
      headers,
    })
    await settle()
    if (uri === null) {
      t.equal(call.last?.status, 404)
      t.match(call.last?.headers?.['Warning'], /CALL_DIALLED_INVALID/)
      return
    }
    t.ok(lab.port.last?.request.uri.startsWith(uri), what)
  })
}

t.test('the token is not told', async (t) => {
  const { lab, contact } = await registered()
  const call = lab.fromPbx({ uri: contact.replace(/^sip:[^@]+@/, 'sip:') })
  t.equal(call.last?.status, 404)
  t.match(call.last?.headers?.['Warning'], /CALL_DIALLED_INVALID: sip:localhost"/)
})

t.test('the token tells the PBX on the listener for WhatsApp too', async (t) => {
  const { lab, contact } = await registered()
  const on = { transport: 'tls', receivedOn: '10.0.0.5:5061', sourceAddress: '10.0.0.9' }
  lab.fromPbx({ uri: contact.replace(/^sip:[^@]+/, 'sip:+33199001234'), ...on })
  await settle()
  t.match(lab.port.last?.request.uri, /^sip:\+33199001234@wa\./)
  const forged = lab.fromPbx({ uri: 'sip:+33199001234@10.0.0.5', ...on })
  await settle()
  t.equal(forged.last?.status, 403, 'without it the call has to be WhatsApp’s')
})

t.test(
  'the registrar’s address is known while the registration lasts, and no longer',
  async (t) => {
    const { lab } = await registered()
    const from = (): number | undefined =>
      lab.fromPbx({ uri: 'sip:+33199001234@10.0.0.5', sourceAddress: '10.0.0.9' }).last?.status
    t.equal(from(), undefined, 'taken')
    await settle()
    lab.port.connected = false
    lab.clock.advance(300_000)
    t.equal(from(), 403)
  },
)

t.test(
  'two accounts at one PBX: without the token, the user of the Contact tells them',
  async (t) => {
    const second = { ...REGISTER, username: '4421', authUsername: '4421', contact: '4421' }
    for (const from of [[], ['10.0.0.9/32']]) {
      const accept = { ...trunkConfig().accept, from }
      const lab = await bridgeLab({
        trunks: [
          trunkConfig({ register: REGISTER, accept }),
          trunkConfig({ name: 'second', register: second, accept }),
        ],
      })
      for (const sent of lab.port.sent.splice(0)) {
        sent.respond(200, 'OK', { headers: { contact: sent.header('contact')! }, from: '10.0.0.9' })
      }
      const call = (user: string): string | undefined => {
        lab.fromPbx({
          uri: `sip:${user}@10.0.0.5`,
          sourceAddress: '10.0.0.9',
          headers: { to: '<sip:+33199001234@10.0.0.9>' },
        })
        return [...lab.calls.active()].at(-1)?.trunk
      }
      t.equal(call('4421'), 'second')
      t.equal(call('4420'), 'main')
      t.equal(call('+33199001234'), 'main', 'the first, when nothing tells')
      const elsewhere = lab.fromPbx({ uri: 'sip:4421@10.0.0.5', sourceAddress: '10.0.0.8' })
      t.equal(elsewhere.last?.status, 403, 'the user alone opens nothing')
    }
  },
)

t.test('reloads one after the other: the end of a registration never comes last', async (t) => {
  const { lab } = await registered()
  const [trunk] = lab.config.trunks
  const password = new Secret('another')
  for (const between of [{ ...trunk!, register: { ...REGISTER, password } }, undefined]) {
    lab.bridge.reconfigure({ ...lab.config, trunks: between ? [between] : [] })
    const farewell = lab.port.sent.shift()!
    t.equal(farewell.header('expires'), '0')
    lab.bridge.reconfigure(lab.config)
    await settle()
    t.same(lab.port.sent, [], 'it is waited for')
    farewell.respond(200)
    await settle()
    const sent = lab.port.sent.shift()!
    t.equal(sent.header('expires'), '300')
    sent.respond(200, 'OK', { headers: { contact: sent.header('contact')! } })
  }
  t.equal(lab.bridge.registrations().ours[0]?.state, 'registered')
})

t.test('a trunk whose PBX is not registered gives its calls to the overflow', async (t) => {
  const accept = {
    from: [],
    username: 'pbx',
    password: new Secret('pw'),
    registrations: true,
  }
  const main = trunkConfig({ targets: [], accept })
  const backup = trunkConfig({ name: 'backup' })
  const inbound = { ...numberConfig().inbound!, overflow: overflowTo('backup') }
  const numbers = [numberConfig({ inbound })]
  const lab = await bridgeLab({ trunks: [main, backup], numbers })
  lab.fromWhatsApp()
  await settle()
  t.match(lab.port.last?.request.uri, /^sip:\+441632960123@10\.0\.0\.9/)
  t.equal([...lab.calls.active()][0]?.trunk, 'backup')

  const alone = await bridgeLab({ trunks: [main] })
  const invite = alone.fromWhatsApp()
  await settle()
  t.equal(invite.last?.status, 503)
  const record = await bare(t, alone)
  t.match(record.cause, {
    code: 'CALL_PBX_UNREACHABLE',
    text: /the PBX of trunk main is not registered/,
  })
})
