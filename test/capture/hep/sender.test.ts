import { createSocket } from 'node:dgram'
import t from 'tap'
import { HepSender } from '../../../src/capture/index.ts'
import { createLogger } from '../../../src/shared/log.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { decodeHep } from '../../support/hep-decode.ts'
import { kept } from '../support.ts'

function sender(host: string, port: number) {
  const clock = new FakeClock()
  const lines: string[] = []
  const warned = Promise.withResolvers<void>()
  const destination = {
    write: (line: string) => {
      lines.push(line)
      warned.resolve()
    },
  }
  const owners = new Map<string, string>()
  const hep = new HepSender({
    config: { target: { host, port }, id: 5, password: new Secret('hush') },
    correlate: ({ callId }) => owners.get(callId) ?? callId,
    clock,
    log: createLogger({ level: 'warn', numbers: 'full', destination }),
  })
  return { hep, clock, lines, owners, warned: warned.promise }
}

async function collector() {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const next = () => new Promise<Buffer>((resolve) => socket.once('message', resolve))
  return { socket, next, port: socket.address().port }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

for (const host of ['127.0.0.1', 'localhost']) {
  t.test(`${host}: sent after half a second, under the call that is known by then`, async (t) => {
    const { socket, next, port } = await collector()
    // A name may resolve to IPv6 first.
    if (host === 'localhost') socket.close()
    const target = host === 'localhost' ? await collectorOn(host) : { socket, next, port }
    const { hep, clock, owners } = sender(host, target.port)
    hep.send(kept())
    owners.set('one@pbx', 'call1')
    const arrived = target.next()
    // The socket is open when the system has said so.
    while (hep.counters.sent === 0) {
      await turn()
      if (hep.counters.lost.network > 0) {
        hep.counters.lost.network = 0
        hep.send(kept())
      }
      clock.advance(500)
    }
    t.match(decodeHep(await arrived), { agent: 5, key: 'hush', correlation: 'call1' })
    await hep.close()
    target.socket.close()
  })
}

t.test('a message waits for its half second, whatever came before it', async (t) => {
  const { socket, next, port } = await collector()
  const { hep, clock } = sender('127.0.0.1', port)
  const arrived = next()
  // The socket is open when one has left.
  while (hep.counters.sent === 0) {
    hep.send(kept())
    clock.advance(500)
    await turn()
  }
  await arrived
  const { sent } = hep.counters
  hep.send(kept())
  clock.advance(300)
  hep.send(kept())
  clock.advance(199)
  t.equal(hep.counters.sent, sent)
  clock.advance(1)
  t.equal(hep.counters.sent, sent + 1)
  clock.advance(300)
  t.equal(hep.counters.sent, sent + 2)
  await hep.close()
  socket.close()
})

async function collectorOn(host: string) {
  const { promises } = await import('node:dns')
  const { address, family } = await promises.lookup(host)
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
  await new Promise<void>((resolve) => socket.bind(0, address, resolve))
  const next = () => new Promise<Buffer>((resolve) => socket.once('message', resolve))
  return { socket, next, port: socket.address().port }
}

t.test('nobody listens: counted, one warning, no secret in it', async (t) => {
  const { socket, port } = await collector()
  await new Promise<void>((resolve) => socket.close(() => resolve()))
  const { hep, clock, lines, warned } = sender('127.0.0.1', port)
  let over = false
  void warned.then(() => {
    over = true
  })
  while (!over) {
    hep.send(kept())
    clock.advance(500)
    await turn()
  }
  t.ok(hep.counters.lost.network > 0)
  t.equal(lines.length, 1)
  t.match(lines[0], /APP_HEP_UNREACHABLE/)
  t.notMatch(lines[0], 'hush')
  await hep.close()
  await hep.close()
})

t.test('a name that does not resolve warns, and is asked for again', async (t) => {
  const { hep, lines, warned } = sender('no..where', 9)
  await warned
  t.match(lines[0], /APP_HEP_UNREACHABLE.*no\.\.where/)
  await hep.close()
})

t.test('a full queue loses messages, and says so', async (t) => {
  const { hep } = sender('127.0.0.1', 9)
  for (let i = 0; i < 10_001; i++) hep.send(kept())
  t.equal(hep.counters.lost.queue, 1)
  await hep.close()
})
