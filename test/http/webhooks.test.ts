import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { Agent, request } from 'undici'
import type { WebhookDoor } from '../../src/http/index.ts'
import { BODY_LIMIT, signatureOf, type WebhookReceiver } from '../../src/webhooks/index.ts'
import { APP_SECRET, callEvent, fixture, receiverLab } from '../webhooks/support.ts'
import { httpFixture } from './support.ts'

const PATH = '/webhooks/whatsapp'

function doorOf(receiver: WebhookReceiver): WebhookDoor {
  return {
    path: () => PATH,
    bodyLimit: BODY_LIMIT,
    handshake: (query) => receiver.handshake(query),
    receive: (body, signature) => receiver.receive(body, signature),
    tooLarge: () => receiver.counters.delivery('too_large'),
  }
}

/** A receiver behind the HTTP interface on a port of its own; the API wants a token. */
async function lab(t: Test, ...args: Parameters<typeof receiverLab>) {
  const inner = receiverLab(...args)
  const { app } = httpFixture({}, 'letmein', doorOf(inner.receiver))
  t.teardown(() => app.close())
  const url = (await app.listen({ host: '127.0.0.1', port: 0 })) + PATH
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(url, {
      method: 'POST',
      body,
      headers: { 'x-hub-signature-256': signatureOf(APP_SECRET, Buffer.from(body)), ...headers },
    })
  return { ...inner, url, post }
}

t.test('the handshake, without the token of the API', async (t) => {
  const { url } = await lab(t)
  const query = 'hub.mode=subscribe&hub.verify_token=verify-me&hub.challenge=1158201444'
  const good = await fetch(`${url}?${query}`)
  t.equal(good.status, 200)
  t.equal(await good.text(), '1158201444')
  for (const bad of [
    '',
    query.replace('verify-me', 'x'),
    `${query}&hub.verify_token=x`,
    query.replace('subscribe', 'x'),
  ]) {
    const response = await fetch(`${url}?${bad}`)
    t.equal(response.status, 403, bad)
    t.match(await response.json(), { error: { code: 'APP_WEBHOOK_HANDSHAKE' } })
  }
})

t.test('a signed event is taken, of whatever type it is said to be', async (t) => {
  const { post, receiver, events } = await lab(t)
  const types = ['application/json', 'text/plain', 'application/json; charset=utf-8', 'x/y']
  for (const [index, type] of types.entries()) {
    const body = callEvent({ id: `wacid.${index}`, event: 'call_created' })
    const response = await post(body, { 'content-type': type })
    t.equal(response.status, 200, type)
    t.equal(await response.text(), '')
  }
  await receiver.idle()
  t.equal(events.length, types.length)
})

t.test('forged and unsigned events change nothing', async (t) => {
  const { url, post, events, deliveries } = await lab(t)
  const body = fixture('call-created')
  for (const signature of ['', 'sha256=', `sha256=${'0'.repeat(64)}`, 'sha1=x']) {
    const response = await post(body, { 'x-hub-signature-256': signature })
    t.equal(response.status, 403, signature)
    t.match(await response.json(), { error: { code: 'APP_WEBHOOK_SIGNATURE' } })
  }
  t.equal((await fetch(url, { method: 'POST', body })).status, 403)
  t.equal((await fetch(url, { method: 'POST' })).status, 403, 'nothing at all')
  t.equal((await fetch(url, { method: 'PUT', body })).status, 404)
  t.strictSame(events, [])
  t.strictSame(deliveries(), { forged: 6 })
})

t.test('stale and replayed events are answered and change nothing', async (t) => {
  const { post, receiver, events, counted, clock } = await lab(t)
  t.equal((await post(fixture('terminate-completed'))).status, 200)
  t.equal((await post(fixture('terminate-completed'))).status, 200)
  await receiver.idle()
  clock.advance(8 * 86_400_000)
  t.equal((await post(fixture('terminate-completed'))).status, 200)
  t.equal((await post(fixture('call-created'))).status, 200)
  await receiver.idle()
  t.equal(events.length, 1)
  t.strictSame(counted(), { 'calls handled': 1, 'calls duplicate': 1, 'calls stale': 2 })
})

/** The answer to a request whose body is never finished. */
async function answerTo(
  url: string,
  headers: Record<string, string>,
  feed: (write: (chunk: Buffer) => void) => void,
): Promise<IncomingMessage> {
  const sent = httpRequest(url, { method: 'POST', headers })
  // The server closes the connection once it has answered.
  sent.on('error', () => {})
  const answered = once(sent, 'response')
  sent.flushHeaders()
  feed((chunk) => void sent.write(chunk))
  const [response] = (await answered) as [IncomingMessage]
  return response
}

t.test('10 MB are refused by their length, before they are sent', async (t) => {
  const { url, events, deliveries } = await lab(t)
  const response = await answerTo(url, { 'content-length': String(10 * 1024 * 1024) }, () => {})
  t.equal(response.statusCode, 413)
  t.match(JSON.parse(await text(response)), { error: { code: 'APP_HTTP_BAD_REQUEST' } })
  t.strictSame(events, [])
  t.strictSame(deliveries(), { too_large: 1 })
})

t.test('10 MB without a length are refused once they are too many', async (t) => {
  const { url, post, receiver, events, deliveries } = await lab(t)
  const response = await answerTo(url, { 'transfer-encoding': 'chunked' }, (write) => {
    for (let i = 0; i < 10; i++) write(Buffer.alloc(1024 * 1024, 0x20))
  })
  t.equal(response.statusCode, 413)
  response.resume()
  t.strictSame(deliveries(), { too_large: 1 })
  t.equal((await post(fixture('call-created'))).status, 200, 'others go on')
  await receiver.idle()
  t.equal(events.length, 1)
})

t.test('a body of almost the limit is taken', async (t) => {
  const { post, receiver, events } = await lab(t)
  const body = callEvent({ id: 'wacid.a', event: 'call_created', padding: 'x'.repeat(1_040_000) })
  t.equal((await post(body)).status, 200)
  await receiver.idle()
  t.equal(events.length, 1)
})

t.test('a queue that is full asks to come again', async (t) => {
  const { post, receiver } = await lab(t, { queueLimit: 0 })
  const response = await post(fixture('call-created'))
  t.equal(response.status, 503)
  t.equal(response.headers.get('retry-after'), '5')
  t.match(await response.json(), { error: { code: 'APP_WEBHOOK_BUSY' } })
  t.equal(receiver.queued, 0)
})

t.test('1000 signed events over kept connections are all answered and worked off', async (t) => {
  const { url, receiver, events, deliveries } = await lab(t)
  const agent = new Agent({ connections: 16 })
  t.teardown(() => agent.close())
  const statuses = await Promise.all(
    Array.from({ length: 1000 }, async (_, index) => {
      const body = callEvent({ id: `wacid.${index}`, event: 'call_created' })
      const response = await request(url, {
        method: 'POST',
        body,
        headers: {
          'content-type': 'application/json',
          'x-hub-signature-256': signatureOf(APP_SECRET, Buffer.from(body)),
        },
        dispatcher: agent,
      })
      await response.body.dump()
      return response.statusCode
    }),
  )
  t.equal(statuses.filter((status) => status === 200).length, 1000)
  await receiver.idle()
  t.equal(new Set(events.map((event) => event.kind === 'call' && event.wacid)).size, 1000)
  t.strictSame(deliveries(), { accepted: 1000 })
})

t.test('half a request is no event', async (t) => {
  const { url, events, post, receiver } = await lab(t)
  const { port } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"entry"`)
  t.equal((await post(fixture('call-created'))).status, 200)
  socket.destroy()
  await receiver.idle()
  t.equal(events.length, 1)
})

t.test('without webhooks in the configuration there is no such path', async (t) => {
  const { app } = httpFixture()
  t.teardown(() => app.close())
  t.equal((await app.inject(PATH)).statusCode, 404)
  t.equal((await app.inject({ url: PATH, method: 'POST' })).statusCode, 404)
})

t.test('the rest of the interface keeps its own limit', async (t) => {
  const { app } = httpFixture({}, undefined, doorOf(receiverLab().receiver))
  t.teardown(() => app.close())
  const payload = 'x'.repeat(100_000)
  const reply = await app.inject({ url: '/api/v1/drain', method: 'POST', payload })
  t.equal(reply.statusCode, 413)
})

t.test('the path is the one configured now', async (t) => {
  let path: string | undefined = PATH
  const door = { ...doorOf(receiverLab().receiver), path: () => path }
  const { app } = httpFixture({}, undefined, door)
  t.teardown(() => app.close())
  const status = async (url: string) => (await app.inject({ url, method: 'POST' })).statusCode
  t.equal(await status(PATH), 403, 'not signed')
  path = '/elsewhere'
  t.equal(await status(PATH), 404)
  t.equal(await status('/elsewhere?x=1'), 403)
  path = undefined
  t.equal(await status('/elsewhere'), 404)
  for (const url of ['/-/webhooks', '/-/webhooks?x', '/-/none'])
    t.equal(await status(url), 404, url)
  t.match((await app.inject('/-/webhooks')).json(), { error: { detail: 'GET /-/webhooks' } })
})
