import t from 'tap'
import { bare, bridgeLab, settle } from '../../support/bridge-lab.ts'
import { backup, call, finish, overflowing, tried, two } from './lab.ts'

t.test('a redirection within the trunk is followed, before the other targets', async (t) => {
  const lab = await bridgeLab({ trunks: [two()] })
  const invite = await call(lab)
  const contact = '<sip:201@10.0.0.10>;q=0.1, <sip:200@10.0.0.9:5070;transport=tcp>'
  lab.port.last!.respond(302, 'Moved Temporarily', { headers: { contact } })
  await settle()
  t.equal(lab.port.last!.request.uri, 'sip:200@10.0.0.9:5070;transport=tcp')
  lab.port.last!.respond(503, 'x', { local: true })
  await settle()
  t.equal(lab.port.last!.request.uri, 'sip:201@10.0.0.10;transport=udp')
  lab.port.last!.respond(408, 'Request Timeout')
  await settle()
  t.equal(lab.port.last!.request.uri, 'sip:+441632960123@10.0.0.10:5060;transport=udp')
  await finish(t, lab, invite)
})

t.test('a redirection elsewhere goes to the overflow trunk, and says so without one', async (t) => {
  const moved = { headers: { contact: '<sip:+900123@203.0.113.66>' } }
  const lab = await bridgeLab({ trunks: [two(), backup()], numbers: [overflowing()] })
  const invite = await call(lab)
  lab.port.last!.respond(302, 'Moved', moved)
  await settle()
  t.same(tried(lab), ['10.0.0.9', '10.0.0.10'], 'the other target of the trunk may know better')
  lab.port.last!.respond(302, 'Moved', moved)
  await settle()
  t.equal(tried(lab).at(-1), '10.1.0.9')
  await finish(t, lab, invite)

  const alone = await bridgeLab()
  const other = await call(alone)
  alone.port.last!.respond(302, 'Moved', moved)
  await settle()
  t.equal(other.last?.status, 480)
  t.match((await bare(t, alone)).cause, {
    code: 'CALL_PBX_REDIRECT_REFUSED',
    text: /203\.0\.113\.66/,
  })
  t.same(tried(alone), ['10.0.0.9'])
})

t.test('redirections that go round and round end', async (t) => {
  const lab = await bridgeLab()
  const invite = await call(lab)
  for (let i = 0; i < 20 && invite.responses.length === 0; i++) {
    const headers = { contact: `<sip:${i}@10.0.0.9>` }
    lab.port.last!.respond(302, 'Moved', { headers })
    await settle()
  }
  t.equal(invite.last?.status, 480)
  t.equal(tried(lab).length, 6)
  await bare(t, lab)
})
