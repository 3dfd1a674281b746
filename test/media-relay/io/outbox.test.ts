import t from 'tap'
import { Outbox } from '../../../src/media-relay/io/outbox.ts'
import type { UdpSocket } from '../../../src/media-relay/udp/index.ts'

/** An outbox with the turns of the loop in hand, and a socket that notes what it is to send. */
function lab(): { outbox: Outbox; turns: (() => void)[]; sent: string[]; socket: UdpSocket } {
  const turns: (() => void)[] = []
  const sent: string[] = []
  const socket: UdpSocket = {
    port: 5000,
    onPacket: () => {},
    send: (slot, length, port, address) =>
      void sent.push(`${slot.toString('latin1', 0, length)} ${address}:${port}`),
    close: async () => {},
  }
  return { outbox: new Outbox((then) => turns.push(then)), turns, sent, socket }
}

const slot = (text: string): Buffer => Buffer.from(`${text}and what lies behind`)

t.test('packets of a turn leave together and in order, once sockets were read', async (t) => {
  const { outbox, turns, sent, socket } = lab()
  outbox.send(socket, slot('one'), 3, 4000, '192.0.2.1')
  outbox.send(socket, slot('two'), 3, 4002, '192.0.2.2')
  t.same(sent, [])
  t.equal(turns.length, 1, 'one call for both')
  turns.shift()!()
  t.same(sent, ['one 192.0.2.1:4000', 'two 192.0.2.2:4002'])
  outbox.send(socket, slot('three'), 5, 4000, '192.0.2.1')
  t.equal(turns.length, 1)
  turns.shift()!()
  t.equal(sent.length, 3, 'each once')
})

t.test('many do not wait for the end of the turn', async (t) => {
  const { outbox, turns, sent, socket } = lab()
  for (let n = 0; n < 100; n++) outbox.send(socket, slot(`${n}`.padStart(3)), 3, 4000, '::1')
  t.ok(sent.length >= 64)
  t.equal(turns.length, 1)
  turns.shift()!()
  t.same(
    sent.map((line) => Number.parseInt(line, 10)),
    Array.from({ length: 100 }, (_, n) => n),
  )
})

t.test('what waits can be sent at once, before a socket is closed', async (t) => {
  const { outbox, turns, sent, socket } = lab()
  outbox.send(socket, slot('bye'), 3, 4000, '192.0.2.1')
  outbox.flush()
  t.equal(sent.length, 1)
  turns.shift()!()
  t.equal(sent.length, 1)
})
