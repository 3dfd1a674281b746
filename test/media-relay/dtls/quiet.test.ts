import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { Quiet } from '../../../src/media-relay/dtls/quiet.ts'
import { loadSystem } from '../../../src/media-relay/udp/system.ts'

const quiet = new Quiet(await loadSystem())

async function open(t: Test, address: string): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  t.teardown(() => socket.close())
  socket.bind(0, address)
  await once(socket, 'listening')
  return socket
}

/** What a socket gets of texts sent one after the other, `act` between them. */
async function heard(t: Test, to: Socket, texts: [string, () => void][]): Promise<string[]> {
  const { address, port } = to.address()
  const target = { '0.0.0.0': '127.0.0.1', '::': '::1' }[address] ?? address
  const sender = await open(t, target)
  const got: string[] = []
  const last = texts.at(-1)![0]
  const done = new Promise<void>((resolve) => {
    to.on(
      'message',
      (message) => got.push(String(message)) && String(message) === last && resolve(),
    )
  })
  for (const [text, before] of texts) {
    before()
    await new Promise((resolve) => sender.send(text, port, target, resolve))
  }
  await done
  return got
}

for (const address of ['127.0.0.1', '0.0.0.0', '::1', '::']) {
  t.test(`a socket at ${address} hears nothing until it may`, async (t) => {
    const opened = quiet.nextFile()
    const socket = await open(t, address)
    let end: (() => void) | undefined
    const got = await heard(t, socket, [
      ['before', () => {}],
      ['meanwhile', () => (end = quiet.silence(address, socket.address().port, opened))],
      ['after', () => end?.()],
    ])
    t.same(got, ['before', 'after'])
  })
}

t.test('the socket of another address with the same port goes on hearing', async (t) => {
  const socket = await open(t, '127.0.0.1')
  const { port } = socket.address()
  const other = createSocket('udp4')
  t.teardown(() => other.close())
  other.bind(port, '127.0.0.2')
  await once(other, 'listening')
  t.type(quiet.silence('127.0.0.1', port, 0), 'function')
  t.same(await heard(t, other, [['heard', () => {}]]), ['heard'])
})

t.test('a socket is found wherever its number is', async (t) => {
  const socket = await open(t, '127.0.0.1')
  const { port } = socket.address()
  for (const opened of [-1, 0, quiet.nextFile(), 100_000]) {
    const end = quiet.silence('127.0.0.1', port, opened)
    t.type(end, 'function', `looked for at ${opened}`)
    end?.()
  }
})

t.test('there is nothing to silence at a port of TCP, or at none', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address() as { port: number }
  t.equal(quiet.silence('127.0.0.1', address.port, 0), undefined)
  server.close()
  await once(server, 'close')
  t.equal(quiet.silence('127.0.0.1', address.port, 0), undefined)
  t.equal(quiet.silence('not an address', 1, 0), undefined)
})
