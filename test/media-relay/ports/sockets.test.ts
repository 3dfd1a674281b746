import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import { PortTable } from '../../../src/media-relay/ports/port-table.ts'
import { createSocketPool, probe, type SocketPool } from '../../../src/media-relay/ports/sockets.ts'
import { createNodeStack } from '../../../src/media-relay/udp/index.ts'
import { systemRandom } from '../../../src/shared/random.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const MIN = 20_000
/** A loopback address of this run's own, so that nobody else is on its ports. */
const ADDRESS = `127.${systemRandom.int(1, 255)}.${systemRandom.int(1, 255)}.${systemRandom.int(1, 255)}`

function pool(size: number): { sockets: SocketPool; table: PortTable } {
  const range = { min: MIN, max: MIN + size - 1 }
  const table = new PortTable(range, { clock: new FakeClock(), random: systemRandom })
  return { sockets: createSocketPool(table, ADDRESS, createNodeStack()), table }
}

t.test('a pair is bound on both ports and given back as one', async (t) => {
  const { sockets, table } = pool(40)
  const pair = await sockets.open(true)
  t.equal(pair.rtp.port, pair.port)
  t.equal(pair.rtcp?.port, pair.port + 1)
  t.equal(sockets.size, 2)
  t.match(table.counts(), { used: 2 })
  const closing = pair.close()
  t.equal(pair.close(), closing, 'idempotent')
  await closing
  t.equal(sockets.size, 0)
  t.match(table.counts(), { used: 0, cooling: 2 })
})

t.test('sharing gives the RTCP port alone back', async (t) => {
  const { sockets, table } = pool(40)
  const pair = await sockets.open(true)
  await pair.share()
  t.equal(pair.rtcp, undefined)
  t.match(table.counts(), { used: 1, cooling: 1 })
  await pair.close()
  t.match(table.counts(), { used: 0, cooling: 2 })
})

t.test('a port of another program is passed over', async (t) => {
  const { sockets, table } = pool(8)
  const foreign = createSocket('udp4')
  foreign.bind(MIN + 1, ADDRESS)
  await once(foreign, 'listening')
  t.teardown(() => foreign.close())
  const opened = [await sockets.open(true), await sockets.open(true), await sockets.open(true)]
  t.notOk(opened.some(({ port }) => port === MIN))
  await t.rejects(sockets.open(true), { code: 'MEDIA_PORTS_EXHAUSTED', sip: 503 })
  t.match(table.counts(), { used: 6, cooling: 2 })
  await Promise.all(opened.map((pair) => pair.close()))
  t.equal(sockets.size, 0)
})

t.test('an exhausted range refuses and leaks nothing', async (t) => {
  const { sockets, table } = pool(4)
  const opened = [await sockets.open(true), await sockets.open(true)]
  await t.rejects(sockets.open(true), { code: 'MEDIA_PORTS_EXHAUSTED' })
  await t.rejects(sockets.open(false), { code: 'MEDIA_PORTS_EXHAUSTED' })
  t.match(table.counts(), { total: 4, used: 4 })
  await Promise.all(opened.map((pair) => pair.close()))
  t.match(table.counts(), { used: 0, cooling: 4 })
})

t.test('an address of another machine is named as such', async (t) => {
  const table = new PortTable(
    { min: 20_000, max: 20_009 },
    { clock: new FakeClock(), random: systemRandom },
  )
  const sockets = createSocketPool(table, '192.0.2.1', createNodeStack())
  await t.rejects(sockets.open(true), { code: 'MEDIA_LISTEN' })
  await t.rejects(probe('192.0.2.1'), { code: 'MEDIA_LISTEN' })
  t.match(table.counts(), { used: 0 })
  t.equal(sockets.size, 0)
})

t.test('IPv6', async (t) => {
  const range = { min: 20_000, max: 29_999 }
  const table = new PortTable(range, { clock: new FakeClock(), random: systemRandom })
  const pair = await createSocketPool(table, '::1', createNodeStack()).open(true)
  t.ok(pair.rtcp)
  await pair.close()
})
