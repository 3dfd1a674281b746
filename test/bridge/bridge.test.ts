import t from 'tap'
import { answerChallenge, chooseChallenge } from '../../src/bridge/digest/answer.ts'
import { Secret } from '../../src/shared/secret.ts'
import { bridgeLab, labConfig, settle } from '../support/bridge-lab.ts'
import { numberConfig, trunkConfig } from '../support/configs.ts'
import { FakeRequest } from '../support/fake-sip-port.ts'

const challenged = { whatsapp: { ...labConfig().whatsapp, challenge: true } }

/** The digest a peer answers our 407 with. */
function answerTo(request: FakeRequest, username: string, password: string, uri = 'sip:x'): string {
  const proxy = request.last?.headers?.['Proxy-Authenticate']
  const challenge = chooseChallenge({ www: undefined, proxy })!
  const use = { method: 'INVITE', uri, count: 1, cnonce: 'c' }
  return answerChallenge(challenge, { username, password: new Secret(password) }, use)
}

t.test("WhatsApp's INVITE is challenged, its digest uri taken as it is", async (t) => {
  const lab = await bridgeLab(challenged)
  const first = lab.fromWhatsApp()
  await settle()
  t.same(first.statuses, [407])
  t.match(
    first.last?.headers?.['Proxy-Authenticate'],
    /^Digest realm="sip\.example\.com", nonce="[^"]+", algorithm=MD5, qop="auth"$/,
  )
  t.equal(lab.calls.size, 0, 'no call yet')
  const uri = 'sip:+441632960123@sip.example.com'
  const value = answerTo(first, '441632960123', 'pw', uri)
  for (const header of ['proxy-authorization', 'authorization']) {
    const again = lab.fromWhatsApp()
    await settle()
    const headers = { [header]: answerTo(again, '441632960123', 'pw', uri) }
    const good = lab.fromWhatsApp({ headers })
    await settle()
    t.same(good.statuses, [], header)
  }
  t.same(lab.port.methods, ['INVITE', 'INVITE'])

  const good = lab.fromWhatsApp({ headers: { 'proxy-authorization': value } })
  await settle()
  t.same(good.statuses, [])
  const replay = lab.fromWhatsApp({ headers: { 'proxy-authorization': value } })
  await settle()
  t.same(replay.statuses, [407])
  t.match(replay.last?.headers?.['Proxy-Authenticate'], /stale=true/)
})

t.test('a wrong digest is refused, unless the password was rotated', async (t) => {
  const lab = await bridgeLab(challenged)
  const first = lab.fromWhatsApp()
  await settle()
  const headers = { 'proxy-authorization': answerTo(first, '441632960123', 'rotated') }
  const wrong = lab.fromWhatsApp({ headers })
  await settle()
  t.same(wrong.statuses, [403])
  t.equal(wrong.last?.headers?.['Warning'], undefined)
  t.equal(lab.credentials.refreshes, 1)
  lab.credentials.fetched = new Secret('rotated')
  const right = lab.fromWhatsApp({ headers })
  await settle()
  t.same(right.statuses, [])
  t.same(lab.bridge.status().refusals, [
    { side: 'whatsapp', code: 'CALL_CHALLENGE_FAILED', count: 1 },
  ])
})

t.test('an INVITE cancelled while the password is read makes no call', async (t) => {
  const lab = await bridgeLab(challenged)
  const first = lab.fromWhatsApp()
  await settle()
  lab.credentials.fetched = new Secret('rotated')
  const headers = { 'proxy-authorization': answerTo(first, '441632960123', 'rotated') }
  const invite = lab.fromWhatsApp({ headers })
  invite.cancel()
  await settle()
  t.equal(lab.calls.size, 0)
  t.same(lab.port.methods, [])
})

t.test('a number without credentials cannot be called', async (t) => {
  const lab = await bridgeLab(challenged)
  const first = lab.fromWhatsApp()
  await settle()
  lab.credentials.known.clear()
  const headers = { 'proxy-authorization': answerTo(first, '441632960123', 'pw') }
  const invite = lab.fromWhatsApp({ headers })
  await settle()
  t.match(invite.last, { status: 503, headers: { 'Retry-After': '10' } })
})

t.test('who may not come in from the side of WhatsApp', async (t) => {
  const lab = await bridgeLab({
    numbers: [
      numberConfig(),
      numberConfig({ name: 'b', phoneNumber: '+15550100', inbound: undefined }),
    ],
  })
  const cases: [Partial<FakeRequest>, number][] = [
    [{ sourceAddress: '203.0.113.9' }, 403],
    [{ uri: 'sip:+441632960999@sip.example.com' }, 404],
    [{ uri: 'sip:sip.example.com' }, 404],
    [{ uri: 'sip:+15550100@sip.example.com' }, 480],
    [{ body: '' }, 488],
    [{ headers: { from: 'nonsense' } }, 400],
    [{ headers: { require: '100rel' } }, 420],
    [{ headers: { contact: undefined as unknown as string } }, 400],
  ]
  for (const [options, status] of cases) {
    const invite = lab.fromWhatsApp(options)
    await settle()
    t.same(invite.statuses, [status], JSON.stringify(options))
  }
  t.equal(lab.calls.size, 0)
  t.same(lab.port.methods, [])
})

t.test('who may come in from the side of the PBX', async (t) => {
  const lab = await bridgeLab()
  const stranger = lab.fromPbx({ sourceAddress: '203.0.113.9' })
  await settle()
  t.match(stranger.last, { status: 403, headers: { Warning: /CALL_PBX_SOURCE_REFUSED/ } })

  const accept = { from: [], username: 'pbx', password: new Secret('in'), registrations: false }
  const open = await bridgeLab({ trunks: [trunkConfig({ accept })] })
  const first = open.fromPbx({ sourceAddress: '203.0.113.9' })
  await settle()
  t.same(first.statuses, [407])
  const wrong = { 'proxy-authorization': answerTo(first, 'pbx', 'guess') }
  const refused = open.fromPbx({ sourceAddress: '203.0.113.9', headers: wrong })
  t.match(refused.last, { status: 403, headers: { Warning: /CALL_PBX_CHALLENGE_FAILED/ } })
  const nobody = { 'proxy-authorization': answerTo(first, 'nobody', 'in') }
  t.equal(open.fromPbx({ sourceAddress: '203.0.113.9', headers: nobody }).last?.status, 403)
  const headers = { 'proxy-authorization': answerTo(first, 'pbx', 'in') }
  open.fromPbx({ sourceAddress: '203.0.113.9', headers })
  await settle()
  t.same(open.port.methods, ['INVITE'])
  t.equal(open.fromPbx({ sourceAddress: '203.0.113.9', headers }).last?.status, 407, 'a replay')
})

t.test('the side is told by listener, else by source', async (t) => {
  const lab = await bridgeLab()
  const elsewhere = lab.fromPbx({ receivedOn: '10.0.0.5:6060', transport: 'tls' })
  await settle()
  t.same(elsewhere.statuses, [])
  t.match(lab.port.last?.request.uri, /@wa\.meta\.vc/)
  lab.fromWhatsApp({ receivedOn: '10.0.0.5:6061' })
  await settle()
  t.match(lab.port.last?.request.uri, /@10\.0\.0\.9/)
})

t.test('limits', async (t) => {
  const lab = await bridgeLab({ limits: { calls: 2, callsPerNumber: 1, invitesPerSecond: 3 } })
  lab.fromPbx()
  const second = lab.fromPbx()
  t.match(second.last, {
    status: 503,
    headers: { Warning: /CALL_NUMBER_LIMIT/, 'Retry-After': '10' },
  })
  const rate = await bridgeLab({ limits: { calls: 100, callsPerNumber: 100, invitesPerSecond: 3 } })
  const invites = [1, 2, 3, 4].map(() => rate.fromPbx())
  t.same(
    invites.map((invite) => invite.last?.status),
    [undefined, undefined, undefined, 503],
  )
  t.match(invites[3]?.last?.headers?.['Warning'], /CALL_RATE_LIMIT/)
  rate.clock.advance(334)
  t.equal(rate.fromPbx().last, undefined)
  t.equal(rate.fromPbx().last?.status, 503)
  const all = await bridgeLab({ limits: { calls: 1, callsPerNumber: 9, invitesPerSecond: 9 } })
  all.fromPbx()
  const over = all.fromWhatsApp()
  await settle()
  t.match(over.last, { status: 503, headers: { 'Retry-After': '10' } })
})

t.test('draining refuses new calls and ends old ones in time', async (t) => {
  const lab = await bridgeLab()
  lab.fromPbx()
  await settle()
  lab.port.last!.respond(200, 'OK', { body: 'a' })
  const ringing = lab.fromWhatsApp()
  await settle()
  const drained = lab.bridge.drain(30_000)
  t.ok(lab.bridge.status().draining)
  t.match(lab.fromPbx().last, { status: 503, headers: { 'Retry-After': '10' } })
  lab.clock.advance(30_000)
  await drained
  t.same(ringing.statuses, [503])
  t.same(
    lab.calls.ended().map(({ cause }) => cause?.code),
    ['CALL_DRAINED', 'CALL_DRAINED'],
  )
  t.same(lab.port.methods, ['INVITE', 'INVITE', 'BYE', 'BYE'])
  t.ok(lab.port.sent[1]!.cancelled)
  lab.bridge.undrain()
  t.notOk(lab.bridge.status().draining)
  t.equal(lab.fromPbx().last, undefined)
  const idle = lab.bridge.drain(30_000)
  lab.bridge.undrain()
  await idle
  await lab.bridge.stop()
  t.ok(lab.port.stopped)
  t.equal(lab.calls.size, 0)
  t.equal(lab.clock.pending, 0)
})

t.test('draining without a limit lets calls go on', async (t) => {
  const lab = await bridgeLab()
  lab.fromPbx()
  await settle()
  lab.port.last!.respond(200, 'OK', { body: 'a' })
  void lab.bridge.drain(Number.POSITIVE_INFINITY)
  lab.clock.advance(86_400_000)
  t.equal(lab.calls.size, 1)
  t.equal(lab.fromPbx().last?.status, 503)
  await lab.bridge.stop()
  t.equal(lab.calls.size, 0)
})

t.test('requests outside of calls', async (t) => {
  const lab = await bridgeLab()
  const send = (method: string, options: Partial<FakeRequest> = {}) =>
    lab.port.receive(
      new FakeRequest(method, { receivedOn: '10.0.0.5:5060', transport: 'udp', ...options }),
    )
  t.match(send('OPTIONS').last, { status: 200, headers: { Allow: /INVITE/ } })
  for (const method of ['REGISTER', 'MESSAGE', 'SUBSCRIBE', 'PUBLISH', 'REFER', 'NOTIFY', 'INFO']) {
    t.match(
      send(method).last,
      { status: 405, headers: { Allow: /INVITE/, Warning: /CALL_METHOD_UNSUPPORTED/ } },
      method,
    )
  }
  const to = { headers: { to: '<sip:x@y>;tag=9' } }
  t.equal(send('INVITE', to).last?.status, 481)
  t.equal(send('OPTIONS', to).last?.status, 481)
  t.same(send('ACK').statuses, [])
  t.equal(send('BYE', { dialogId: 'd;from-tag=1' }).last?.status, 200)
  t.same(send('BYE', { dialogId: 'd;from-tag=1', local: true }).statuses, [])
})

t.test('the connection to the SIP server is lost and comes back', async (t) => {
  const lab = await bridgeLab()
  lab.fromPbx()
  await settle()
  lab.port.last!.respond(200, 'OK', { body: 'a' })
  await settle()
  const ringing = lab.fromWhatsApp()
  await settle()
  lab.port.connected = false
  lab.port.events!.onDisconnected('closed')
  lab.port.sent[1]!.fail('connection lost')
  await settle()
  t.notOk(lab.bridge.status().connected)
  t.equal(lab.calls.size, 1, 'the answered call goes on')
  t.match(lab.calls.ended()[0]?.cause, { code: 'CALL_SIP_SERVER_LOST', sip: 503 })
  t.same(ringing.statuses, [503])
  lab.port.connected = true
  lab.port.events!.onConnected(['udp/127.0.0.1:5060'])
  t.ok(lab.bridge.status().connected)
  t.equal(lab.calls.size, 0, 'nobody knows who hung up meanwhile')
  t.same(lab.port.methods, ['INVITE', 'INVITE', 'BYE', 'BYE'])
})

t.test('a new configuration is for calls to come', async (t) => {
  const lab = await bridgeLab()
  lab.bridge.reconfigure(labConfig({ numbers: [numberConfig({ phoneNumber: '+15550100' })] }))
  const old = lab.fromWhatsApp()
  await settle()
  t.same(old.statuses, [404])
  lab.fromWhatsApp({ uri: 'sip:+15550100@sip.example.com' })
  await settle()
  t.match(lab.port.last?.request.uri, /^sip:\+15550100@/)
})
