import t from 'tap'
import { Secret } from '../../src/shared/secret.ts'
import {
  answeredByPbx,
  answeredByWhatsApp,
  bare,
  bridgeLab,
  labConfig,
  settle,
} from '../support/bridge-lab.ts'
import { numberConfig } from '../support/configs.ts'

const sales = numberConfig({ name: 'sales', phoneNumber: '+441632960124' })
const two = { numbers: [numberConfig(), sales] }

t.test('a held number takes and makes no new calls, others do', async (t) => {
  const lab = await bridgeLab({ ...two, whatsapp: { ...labConfig().whatsapp, challenge: true } })
  await lab.bridge.holdNumber('support', 1000)
  const incoming = lab.fromWhatsApp()
  const outgoing = lab.fromPbx()
  await settle()
  t.match(incoming.last, { status: 503, headers: { 'Retry-After': '10' } })
  t.equal(incoming.last?.headers?.['Proxy-Authenticate'], undefined, 'not even challenged')
  t.match(outgoing.last, {
    status: 503,
    headers: {
      'Retry-After': '10',
      Warning: /CALL_NUMBER_ROTATING/,
      Reason: /^Q\.850;cause=41/,
    },
  })
  const uri = 'sip:+441632960124@sip.example.com'
  const other = lab.fromWhatsApp({ uri })
  await settle()
  t.same(other.statuses, [407], 'another number is asked for its credentials as ever')
  t.same(
    lab.bridge
      .status()
      .refusals.map(({ side, code }) => `${side} ${code}`)
      .sort(),
    ['pbx CALL_NUMBER_ROTATING', 'whatsapp CALL_NUMBER_ROTATING'],
  )
  lab.bridge.releaseNumber('support')
  const again = lab.fromWhatsApp()
  await settle()
  t.same(again.statuses, [407])
  await bare(t, lab)
})

t.test('holding waits for the calls of the number, and ends none', async (t) => {
  const lab = await bridgeLab(two)
  const call = await answeredByPbx(lab)
  const other = lab.fromWhatsApp({ uri: 'sip:+441632960124@sip.example.com' })
  await settle()
  let held = false
  void lab.bridge.holdNumber('support', 60_000).then(() => {
    held = true
  })
  lab.clock.advance(59_000)
  await settle()
  t.equal(held, false)
  other.cancel()
  await settle()
  t.equal(held, false, 'a call of another number that ends is none of its business')
  lab.inDialog('BYE', call.pbx)
  await settle()
  t.equal(held, true)
  lab.port.last!.respond(200, 'OK')
  await bare(t, lab)
})

t.test('when the time is over it goes on beside the calls', async (t) => {
  const lab = await bridgeLab()
  const call = await answeredByPbx(lab)
  const held = lab.bridge.holdNumber('support', 60_000)
  lab.clock.advance(60_000)
  await held
  t.equal(lab.calls.size, 1)
  await lab.bridge.holdNumber('support', 0)
  t.equal(lab.calls.size, 1, 'no time at all ends none either')
  lab.inDialog('BYE', call.whatsapp)
  await settle()
  lab.port.last!.respond(200, 'OK')
  await bare(t, lab)
})

for (const [who, answered] of [
  ['user', answeredByPbx],
  ['business', answeredByWhatsApp],
] as const) {
  for (const side of ['whatsapp', 'pbx'] as const) {
    t.test(`a ${who}-initiated call needs no password to be ended by ${side}`, async (t) => {
      const lab = await bridgeLab()
      const call = await answered(lab)
      await lab.bridge.holdNumber('support', 0)
      // The password is another one now, and nobody may ask for it.
      lab.credentials.known.set('support', new Secret('rotated'))
      const asked = lab.credentials.refreshes
      const reinvite = lab.inDialog('INVITE', call.pbx, { body: 'pbx-offer' })
      await settle()
      t.notOk(reinvite.statuses.includes(503), 'the PBX may go on renegotiating')
      const bye = lab.inDialog('BYE', call[side])
      await settle()
      t.same(bye.statuses, [200])
      const sent = lab.port.last!
      t.equal(sent.request.method, 'BYE')
      t.notOk(
        Object.keys(sent.request.headers ?? {}).some((name) => /authorization/i.test(name)),
        'without credentials',
      )
      sent.respond(200, 'OK')
      await settle()
      t.equal(lab.credentials.refreshes, asked)
      t.equal(lab.calls.size, 0)
    })
  }
}
