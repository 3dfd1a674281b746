import t, { type Test } from 'tap'
import { DrachtioPort } from '../../src/bridge/drachtio/port.ts'
import type { IncomingRequest, SipPortEvents } from '../../src/bridge/sip-port.ts'
import { createSipServer, type SipServer } from '../../src/embedded-drachtio/index.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { Secret } from '../../src/shared/secret.ts'
import { SipPeer } from '../support/sip-peer.ts'

const secret = new Secret('cymru')

function startServer(port = 0): Promise<SipServer> {
  return createSipServer({
    admin: { host: '127.0.0.1', port, secret },
    listeners: [{ transport: 'udp', host: '127.0.0.1', port: 0 }],
    log: silentLogger(),
  })
}

/** A port whose events are waited for one after the other. */
function watch(t: Test, admin: { host: string; port: number }, password = secret) {
  const port = new DrachtioPort({ ...admin, secret: password })
  const queue: [string, unknown][] = []
  let wake: (() => void) | undefined
  const push = (name: string, value: unknown): void => {
    queue.push([name, value])
    wake?.()
  }
  const events: SipPortEvents = {
    onRequest: (request) => push('request', request),
    onConnected: (endpoints) => push('connected', endpoints),
    onDisconnected: (detail) => push('disconnected', detail),
    onFault: (error) => push('fault', error),
  }
  t.teardown(() => port.stop())
  port.start(events)
  const next = async (name: string): Promise<unknown> => {
    for (;;) {
      const at = queue.findIndex(([queued]) => queued === name)
      if (at >= 0) return queue.splice(at, 1)[0]![1]
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { port, next, events }
}

t.test('requests, responses and what goes wrong on the way', async (t) => {
  const server = await startServer()
  const peer = await SipPeer.open()
  t.teardown(() => Promise.all([server.close(), peer.close()]))
  const { port, next } = watch(t, server.admin)
  const [endpoint] = (await next('connected')) as string[]
  t.match(endpoint, /^udp\/127\.0\.0\.1:\d+$/)
  t.ok(port.connected)
  const address = { host: '127.0.0.1', port: Number(endpoint!.split(':')[1]) }

  peer.dialog(address).request('OPTIONS', { headers: { 'X-Mixed-Case': 'yes' } })
  const request = (await next('request')) as IncomingRequest
  t.match(request, { method: 'OPTIONS', transport: 'udp', sourceAddress: '127.0.0.1', body: '' })
  t.match(request.receivedOn, new RegExp(`:${address.port}$`))
  t.equal(request.header('x-mixed-case'), 'yes')
  t.equal(request.header('subject'), undefined)
  t.notOk(request.local)
  request.respond({ status: 200, headers: { 'X-Answer': 'a' } })
  t.equal((await peer.expect(200)).header('x-answer'), 'a')

  const answered = new Promise<{ status: number; local: boolean }>((resolve, reject) => {
    port.request(
      { method: 'OPTIONS', uri: `sip:${peer.hostport}`, headers: { Subject: 's' } },
      { onResponse: resolve, onError: reject },
    )
  })
  const out = await peer.expect('OPTIONS')
  t.equal(out.header('subject'), 's')
  peer.respond(out, 404)
  t.match(await answered, { status: 404, local: false })

  const refused = (options: object): Promise<Error> =>
    new Promise((resolve) => {
      port.request(
        { method: 'BYE', uri: 'sip:x', headers: {}, ...options },
        { onResponse() {}, onError: resolve },
      )
    })
  t.match(await refused({ dialogId: 'no;from-tag=1' }), /unable to find dialog/)

  port.request(
    { method: 'OPTIONS', uri: `sip:${peer.hostport}`, headers: {} },
    {
      onResponse() {
        throw new Error('a fault')
      },
      onError() {},
    },
  )
  peer.respond(await peer.expect('OPTIONS'), 200)
  t.match(await next('fault'), /a fault/)

  port.stop()
  t.match(await refused({}), /no SIP server/)
})

t.test('a lost connection ends what waits, and comes back', async (t) => {
  const server = await startServer()
  const peer = await SipPeer.open()
  t.teardown(() => peer.close())
  const { port, next } = watch(t, server.admin)
  await next('connected')
  const lost = new Promise<Error>((resolve) => {
    port.request(
      { method: 'OPTIONS', uri: `sip:${peer.hostport}`, headers: {} },
      { onResponse() {}, onError: resolve },
    )
  })
  await peer.expect('OPTIONS')
  await server.close()
  await next('disconnected')
  t.notOk(port.connected)
  t.match(await lost, /lost/)
  const again = await startServer(server.admin.port)
  t.teardown(() => again.close())
  await next('connected')
  t.ok(port.connected)
})

t.test('a wrong secret', async (t) => {
  const server = await startServer()
  t.teardown(() => server.close())
  const { port, next } = watch(t, server.admin, new Secret('wrong'))
  t.match(await next('disconnected'), /authenticate/)
  t.notOk(port.connected)
})
