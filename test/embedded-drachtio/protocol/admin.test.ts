import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { FakeClock } from '../../support/fake-clock.ts'
import { SipPeer } from '../../support/sip-peer.ts'
import { RawApp } from '../contract/raw-app.ts'
import { openServer } from '../support.ts'

t.test('a connection that does not authenticate in time is closed', async (t) => {
  const clock = new FakeClock()
  const { server, address } = await openServer({ clock })
  t.teardown(() => server.close())
  const silent = await RawApp.open(address)
  const good = await RawApp.open(address)
  await good.authenticate(address.secret)
  // The other one was accepted before.
  clock.advance(10_000)
  await silent.ended()
  t.same(await good.answer(good.send('ping')), ['OK', 'pong'])
  t.equal(server.metrics().now.applications, 1)
  good.close()
})

t.test('no more connections than allowed', async (t) => {
  const { server, address } = await openServer({ adminLimits: { connections: 1 } })
  t.teardown(() => server.close())
  const one = await RawApp.open(address)
  await one.authenticate(address.secret)
  const two = await RawApp.open(address)
  await two.ended()
  one.close()
})

t.test('an application that does not read is disconnected, others go on', async (t) => {
  const { server, address } = await openServer({ adminLimits: { queueBytes: 200_000 } })
  t.teardown(() => server.close())
  const socket = connect(address.port, address.host)
  await once(socket, 'connect')
  const deaf = new RawApp(socket)
  await deaf.authenticate(address.secret)
  await deaf.answer(deaf.send('route', 'options'))
  socket.pause()
  const reader = await RawApp.open(address)
  await reader.authenticate(address.secret)
  const peer = await SipPeer.open()
  t.teardown(() => peer.close())
  const sip = { host: address.sipHost, port: address.sipPort }
  const filler = 'x'.repeat(30_000)
  // Kernel buffers take some megabytes before anything is left waiting.
  for (let i = 0; i < 2000 && server.metrics().now.applications === 2; i++) {
    peer.dialog(sip).request('OPTIONS', { headers: { 'Content-Type': 'text/plain' }, body: filler })
    if (i % 20 === 0) await reader.answer(reader.send('ping'))
  }
  t.equal(server.metrics().now.applications, 1)
  t.same(await reader.answer(reader.send('ping')), ['OK', 'pong'])
  socket.destroy()
  reader.close()
})

t.test('frames of 256 KiB at most', async (t) => {
  const { server, address } = await openServer()
  t.teardown(() => server.close())
  const app = await RawApp.open(address)
  await app.authenticate(address.secret)
  app.socket.write('262145#')
  await app.ended()
})
