import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { FakeRandom } from '../support/fake-random.ts'
import type { PeerMessage } from '../support/sip-peer.ts'
import { bench } from './contract/cases.ts'
import { answered } from './contract/incoming.ts'
import { RawApp } from './contract/raw-app.ts'
import { requests, sdp } from './contract/srf.ts'
import { openServer } from './support.ts'

const fragments = [
  '\r\n',
  '\r\n\r\n',
  ';tag=',
  '<',
  '>',
  '"',
  ',',
  '|',
  '\0',
  'é',
  '%0d%0a',
  '0',
  '-1',
  '99999999999',
  '*',
  'sip:',
  'INVITE',
  '@localhost',
  ' ',
  ':',
]

/** A text with a few of its parts cut, doubled, swapped or replaced. */
function mutate(text: string, random: FakeRandom): string {
  for (let times = random.int(1, 4); times > 0; times--) {
    const at = random.int(0, text.length + 1)
    const end = Math.min(text.length, at + random.int(0, 30))
    const piece = fragments[random.int(0, fragments.length)]!
    const change = random.int(0, 4)
    if (change === 0) text = text.slice(0, at) + text.slice(end)
    else if (change === 1) text = text.slice(0, at) + piece + text.slice(at)
    else if (change === 2) text = text.slice(0, at) + piece + text.slice(end)
    else text = text.slice(0, end) + text.slice(at)
  }
  return text
}

t.test('no message from the network does any harm', async (t) => {
  const { server, address } = await openServer()
  t.teardown(() => server.close())
  const desk = bench(t, address)
  const random = new FakeRandom(7)
  const { peer, call, dialog, app } = await answered(desk)
  const others = requests()
  for (const method of ['options', 'message', 'register', 'subscribe', 'refer', 'info']) {
    app.use(method, (req, res) => {
      others.add({ req, res })
      res.send(method === 'subscribe' ? 202 : 200)
    })
  }
  dialog.on('modify', (_, res) => res.send(200, { body: sdp(5002) }))
  const pending = app
    .createUAC(`sip:x@${peer.hostport}`, { localSdp: sdp(1) })
    .catch(() => undefined)
  const ours = await peer.expect('INVITE')
  const responses = [100, 180, 183, 200, 404].map((status) =>
    [
      `SIP/2.0 ${status} X`,
      `Via: ${ours.header('via')}`,
      `From: ${ours.header('from')}`,
      `To: ${ours.header('to')};tag=z`,
      `Call-ID: ${ours.header('call-id')}`,
      `CSeq: ${ours.header('cseq')}`,
      `Contact: ${peer.contact}`,
      'Record-Route: <sip:127.0.0.1:9;lr>',
      'Session-Expires: 1800;refresher=uac',
      'RSeq: 5',
      'Require: 100rel',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  )
  const methods =
    'INVITE ACK BYE CANCEL OPTIONS REGISTER SUBSCRIBE NOTIFY MESSAGE INFO UPDATE PRACK REFER FOO'
  const templates: PeerMessage[] = methods.split(' ').flatMap((method) => {
    const headers = {
      'Record-Route': ['<sip:p1;lr>', '<sip:p2;lr>'],
      'Session-Expires': '1800;refresher=uac',
      Supported: 'timer, 100rel',
      RAck: '1 1 INVITE',
      Event: 'presence',
      'Subscription-State': 'terminated',
      Expires: '60',
    }
    const fresh = desk.sip
    return [
      peer.dialog(fresh).request(method, { headers, body: sdp(4000) }),
      ...(method === 'BYE' ? [] : [call.request(method, { headers, body: sdp(4000) })]),
    ]
  })
  const texts = [...templates.map((message) => message.text), ...responses]
  for (let i = 0; i < 4000; i++) {
    peer.send(desk.sip, mutate(texts[random.int(0, texts.length)]!, random))
    if (i % 100 === 0) await peer.settle(desk.sip)
  }
  await peer.settle(desk.sip)
  t.equal(server.metrics().counters.faults, 0)
  t.ok(server.metrics().counters.transport.parseErrors.udp > 0)
  peer.dialog(desk.sip).request('OPTIONS')
  await peer.expect(200)
  peer.respond(ours, 500, { tag: 'z' })
  await Promise.race([pending, peer.expect('ACK')])
})

t.test('no frame of an application does any harm', async (t) => {
  const { server, address } = await openServer()
  t.teardown(() => server.close())
  const desk = bench(t, address)
  const random = new FakeRandom(11)
  const { peer, dialog } = await answered(desk)
  const ringing = peer.dialog(desk.sip)
  const open = async (): Promise<RawApp> => {
    const app = await RawApp.open(address)
    await app.authenticate(address.secret)
    return app
  }
  let app = await open()
  await app.answer(app.send('route', 'publish'))
  ringing.request('PUBLISH')
  const txn = (await app.next((f) => f.tokens[1] === 'sip')).tokens[8]!
  const uri = `sip:x@${peer.hostport}`
  const frames = [
    'm|route|invite',
    'm|remove_route|invite',
    'm|ping',
    'm|proxy|t|||||||sip:x@h\r\nINVITE sip:x SIP/2.0\r\n\r\n',
    `m|sip|||${uri}\r\nINVITE tel:+1 SIP/2.0\r\nFrom: <sip:a@localhost>\r\nContact: sip:a@localhost\r\n\r\n${sdp(1)}`,
    `m|sip||\r\nOPTIONS ${uri}?X-A=1 SIP/2.0\r\nTo: "a" <sip:b@c>;tag=x\r\nCSeq: 5 OPTIONS\r\nCall-ID: q\r\n\r\n`,
    `m|sip|${txn}|\r\nSIP/2.0 200 OK\r\nTo: <sip:x@y>;tag=w\r\nCSeq: 1 PUBLISH\r\n\r\n`,
    `m|sip|${txn}|\r\nCANCEL ${uri} SIP/2.0\r\nReason: SIP\r\n\r\n`,
    ...['INVITE', 'ACK', 'INFO', 'PRACK', 'UPDATE', 'REFER', 'NOTIFY'].map(
      (method) =>
        `m|sip||${dialog.id}\r\n${method} sip:placeholder SIP/2.0\r\nRAck: 1 1 INVITE\r\nFrom: sip:n@localhost\r\n\r\n`,
    ),
  ]
  for (let i = 0; i < 3000; i++) {
    if (app.closed) app = await open()
    app.socket.write(RawApp.frame(mutate(frames[random.int(0, frames.length)]!, random)))
    await setImmediate()
    if (i % 50 === 0) await app.answer(app.send('ping')).catch(() => undefined)
  }
  app.close()
  app = await open()
  t.same(await app.answer(app.send('ping')), ['OK', 'pong'])
  app.close()
  const { faults, dialogs } = server.metrics().counters
  t.equal(faults, 0)
  t.ok(dialogs.framesRefused > 500, `${dialogs.framesRefused} refused`)
  const sent = peer.received.filter((m) => m.status === 0)
  t.ok(sent.length > 100, `${sent.length} requests sent`)
  // What went out was well formed: one Via, one From, one To, no header the application smuggled.
  for (const message of sent) {
    for (const name of ['via', 'from', 'to', 'call-id', 'cseq', 'content-length']) {
      if (message.all(name).length !== 1) t.fail(`${name} in ${message.text}`)
    }
  }
})
