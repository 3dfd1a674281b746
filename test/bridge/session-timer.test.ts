import t from 'tap'
import { bridgeLab, settle } from '../support/bridge-lab.ts'

t.test('the PBX wants a longer session interval: it gets it, once', async (t) => {
  const lab = await bridgeLab()
  const invite = lab.fromWhatsApp()
  await settle()
  const first = lab.port.last!
  t.match(first.request.headers, { 'Session-Expires': '600;refresher=uas', Supported: /timer/ })
  t.notOk(first.header('min-se'))
  first.respond(422, 'Session Interval Too Small', { headers: { 'min-se': '1800' } })
  await settle()
  const second = lab.port.last!
  t.not(second, first)
  t.equal(second.header('call-id'), first.header('call-id'))
  t.match(second.request.headers, {
    CSeq: '2 INVITE',
    'Session-Expires': '1800;refresher=uas',
    'Min-SE': '1800',
  })
  second.respond(422, 'Session Interval Too Small', { headers: { 'min-se': '3600' } })
  await settle()
  t.equal(lab.port.last, second, 'not over and over')
  t.ok(invite.last!.status >= 400, 'the call has failed')
  t.equal(lab.calls.size, 0)
})

t.test('a 422 that names no interval is a refusal', async (t) => {
  const lab = await bridgeLab()
  const invite = lab.fromWhatsApp()
  await settle()
  const only = lab.port.last!
  only.respond(422, 'Session Interval Too Small')
  await settle()
  t.equal(lab.port.last, only)
  t.ok(invite.last!.status >= 400)
  t.equal(lab.calls.size, 0)
})
