import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import { openLayer, request, send, targetOf, tcpClient, tcpServer } from './support.ts'

const listeners = [{ transport: 'tcp' as const, host: '127.0.0.1', port: 0 }]
const via = '127.0.0.1:9;branch=z9hG4bK1'

/** An outbound connection to a peer whose bytes are collected, on a clock of the test's own. */
async function connection(t: Test, random = new FakeRandom()) {
  const clock = new FakeClock()
  const sockets: Socket[] = []
  const target = await tcpServer(t, (socket) => sockets.push(socket))
  const { layer, heard } = await openLayer(t, {
    listeners,
    clock,
    random,
    limits: { idleTimeout: 0, messageTimeout: 60_000 },
  })
  const flow = await send(layer, target, request('tcp', via))
  const peer = sockets[0]!
  let bytes = ''
  let wake = (): void => {}
  peer.on('data', (chunk: Buffer) => {
    bytes += chunk.toString()
    wake()
  })
  const arrived = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(bytes)) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    bytes = ''
  }
  await arrived(/\r\n\r\n$/)
  /** Moves the clock to the next ping; how long that took, in milliseconds. */
  const ping = async (): Promise<number> => {
    const start = clock.monotonic()
    const sent = layer.metrics.bytesSent.tcp
    while (layer.metrics.bytesSent.tcp === sent) {
      if (!layer.isOpen(flow)) throw new Error('closed before the next ping')
      clock.advance(100)
    }
    await arrived(/^\r\n\r\n$/)
    return clock.monotonic() - start
  }
  /** The peer answers, and the layer has read it. */
  const say = async (text: string): Promise<void> => {
    const before = layer.metrics.bytesReceived.tcp
    peer.write(text)
    while (layer.metrics.bytesReceived.tcp < before + text.length) {
      await new Promise(setImmediate)
    }
  }
  return { clock, layer, heard, flow, ping, say, read: () => bytes }
}

t.test('a kept connection is pinged within its interval, and lives by its pongs', async (t) => {
  const { layer, flow, ping, say } = await connection(t)
  layer.keep(flow, 120_000)
  for (let count = 0; count < 4; count++) {
    const after = await ping()
    t.ok(after >= 96_000 && after <= 120_000, `${after} ms`)
    await say('\r\n')
    t.ok(layer.isOpen(flow))
  }
})

t.test('the time of a ping is drawn anew, and it is never late', async (t) => {
  for (const [drawn, first] of [
    [80, 96_000],
    [90, 108_000],
    // It goes out at the next look, within a second: not past the interval.
    [100, 119_000],
  ] as const) {
    const random = new FakeRandom()
    random.int = () => drawn
    const { layer, flow, ping } = await connection(t, random)
    layer.keep(flow, 120_000)
    const after = await ping()
    t.ok(after >= first && after <= 120_000, `${drawn} %: ${after} ms`)
  }
})

t.test('without a pong within ten seconds it is closed, the first time too', async (t) => {
  const { clock, layer, flow, heard, ping } = await connection(t)
  layer.keep(flow, 20_000)
  await ping()
  clock.advance(8000)
  t.ok(layer.isOpen(flow))
  clock.advance(4000)
  t.notOk(layer.isOpen(flow))
  t.same(heard.ends, ['unanswered'])
})

t.test('a message that is arriving when the time is over is read first', async (t) => {
  const { clock, layer, flow, ping, say } = await connection(t)
  layer.keep(flow, 20_000)
  await ping()
  const late = request('tcp', via).toString()
  await say(late.slice(0, 40))
  clock.advance(12_000)
  t.ok(layer.isOpen(flow))
  await say(`${late.slice(40)}\r\n`)
  clock.advance(2000)
  t.ok(layer.isOpen(flow))
})

t.test('another interval holds at once, the same one puts nothing off, none ends it', async (t) => {
  const { clock, layer, flow, ping, say, read } = await connection(t)
  layer.keep(flow, 120_000)
  clock.advance(80_000)
  layer.keep(flow, 120_000)
  t.ok((await ping()) <= 40_000)
  await say('\r\n')
  layer.keep(flow, 10_000)
  t.ok((await ping()) <= 10_000)
  layer.keep(flow, undefined)
  clock.advance(3_600_000)
  t.ok(layer.isOpen(flow), 'the pong that is missing is not waited for any more')
  t.equal(read(), '')
})

t.test('a client that may be silent for so long and no longer', async (t) => {
  const clock = new FakeClock()
  const { layer, heard } = await openLayer(t, { listeners, clock, limits: { idleTimeout: 0 } })
  const client = await tcpClient(t, targetOf(layer, 'tcp'))
  client.resume()
  client.write(request('tcp', via))
  const { flow } = await heard.message()
  layer.limitSilence(flow, 140_000)
  for (let count = 0; count < 3; count++) {
    clock.advance(120_000)
    const before = layer.metrics.keepalives
    client.write('\r\n\r\n')
    while (layer.metrics.keepalives === before) await new Promise(setImmediate)
  }
  t.ok(layer.isOpen(flow), 'it pings')
  layer.limitSilence(flow, undefined)
  clock.advance(3_600_000)
  t.ok(layer.isOpen(flow), 'nobody waits for it')
  layer.limitSilence(flow, 3_640_000)
  clock.advance(41_000)
  t.notOk(layer.isOpen(flow))
  t.same(heard.ends, ['silent'])
})
