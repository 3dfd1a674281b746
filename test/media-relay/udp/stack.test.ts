import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { closeRemaining, OpenFiles } from '../../../src/media-relay/udp/index.ts'
import type { Source, UdpSocket, UdpStack } from '../../../src/media-relay/udp/types.ts'
import { systemRandom } from '../../../src/shared/random.ts'
import { openStack, STACKS, type StackName } from './stacks.ts'

/** A loopback address of this run's own, so that nobody else is on its ports. */
const ADDRESS = `127.${systemRandom.int(1, 255)}.${systemRandom.int(1, 255)}.${systemRandom.int(1, 255)}`

let nextPort = systemRandom.int(20_000, 30_000)

/** A bound socket with what it has heard. */
interface Party {
  socket: UdpSocket
  heard: string[]
  sources: Source[]
  lengths: number[]
  /** Resolves when so many datagrams have come. */
  hear(count: number): Promise<void>
  say(text: string, to: { port: number }, address?: string): void
}

async function party(t: Test, stack: UdpStack, address = ADDRESS): Promise<Party> {
  const socket = await stack.bind(address, nextPort++)
  t.teardown(() => socket.close())
  const heard: string[] = []
  const sources: Source[] = []
  const lengths: number[] = []
  let wake = (): void => {}
  socket.onPacket = (packet, length, source) => {
    heard.push(packet.toString('latin1', 0, Math.min(length, packet.length, 32)))
    lengths.push(length)
    sources.push(source)
    wake()
  }
  return {
    socket,
    heard,
    sources,
    lengths,
    async hear(count) {
      while (heard.length < count) await new Promise<void>((resolve) => (wake = resolve))
    },
    say(text, to, target = address) {
      const slot = Buffer.from(`${text}and what lies behind`)
      socket.send(slot, text.length, to.port, target)
    },
  }
}

async function stackFor(t: Test, name: StackName, memory?: SharedArrayBuffer): Promise<UdpStack> {
  const stack = await openStack(name, memory)
  t.teardown(() => stack.close())
  return stack
}

for (const name of STACKS) {
  t.test(`${name}: datagrams go and come, each with its source`, async (t) => {
    const stack = await stackFor(t, name)
    t.equal(stack.name, name)
    const [one, two, three] = [await party(t, stack), await party(t, stack), await party(t, stack)]
    one.say('first', two.socket)
    one.say('second', two.socket)
    three.say('third', two.socket)
    await two.hear(3)
    t.same(two.heard.toSorted(), ['first', 'second', 'third'])
    for (const [i, text] of two.heard.entries()) {
      const from = text === 'third' ? three : one
      t.match(two.sources[i], { address: ADDRESS, port: from.socket.port })
    }
    two.say('answer', one.socket)
    await one.hear(1)
    t.same(one.heard, ['answer'])
    t.match(one.sources, [{ address: ADDRESS, port: two.socket.port }])
  })

  t.test(
    `${name}: IPv6, IPv4 on an IPv6 socket, and a link-local address with its zone`,
    async (t) => {
      const stack = await stackFor(t, name)
      const [any, six] = [await party(t, stack, '::'), await party(t, stack, '::1')]
      const four = await party(t, stack, '127.0.0.1')
      six.say('six', any.socket)
      four.say('four', any.socket)
      await any.hear(2)
      const from = (text: string): Source | undefined => any.sources[any.heard.indexOf(text)]
      t.match(from('six'), { address: '::1', port: six.socket.port })
      t.match(from('four'), { address: '::ffff:127.0.0.1', port: four.socket.port })
      any.say('back', four.socket, '::ffff:127.0.0.1')
      await four.hear(1)

      for (const [zone, addresses] of Object.entries(networkInterfaces())) {
        const local = addresses?.find(({ address }) => address.startsWith('fe80:'))
        if (!local) continue
        const self = `${local.address}%${zone}`
        const linked = await party(t, stack, self)
        linked.say('linked', any.socket, self)
        await any.hear(3)
        t.match(from('linked'), { address: self, port: linked.socket.port })
        break
      }
    },
  )

  t.test(
    `${name}: a datagram longer than any packet has its length, an empty one none`,
    async (t) => {
      const stack = await stackFor(t, name)
      const one = await party(t, stack)
      const other = createSocket('udp4')
      t.teardown(() => other.close())
      other.send(Buffer.alloc(9000, 'x'), one.socket.port, ADDRESS)
      other.send(Buffer.alloc(0), one.socket.port, ADDRESS)
      other.send('next', one.socket.port, ADDRESS)
      await one.hear(3)
      t.same(one.lengths, [9000, 0, 4])
      t.equal(one.heard[2], 'next')
    },
  )

  t.test(`${name}: what cannot be sent is lost, and nothing else`, async (t) => {
    const stack = await stackFor(t, name)
    const [one, two] = [await party(t, stack), await party(t, stack)]
    one.say('to no port', { port: 0 })
    one.say('to another family', two.socket, '::1')
    one.say('to a name', two.socket, 'not an address')
    one.say('to nobody', { port: 9 })
    one.say('heard', two.socket)
    await two.hear(1)
    t.same(two.heard, ['heard'])
    const gone = await party(t, stack)
    await gone.socket.close()
    gone.say('after the end', two.socket)
    one.say('again', two.socket)
    await two.hear(2)
    t.same(two.heard, ['heard', 'again'])
  })

  t.test(`${name}: errors are the system's`, async (t) => {
    const stack = await stackFor(t, name)
    const one = await party(t, stack)
    const taken = { code: 'EADDRINUSE', syscall: 'bind' }
    await t.rejects(stack.bind(ADDRESS, one.socket.port), taken)
    await t.rejects(stack.bind('192.0.2.1', nextPort++), { code: 'EADDRNOTAVAIL' })
    await one.socket.close()
    const again = await stack.bind(ADDRESS, one.socket.port)
    await again.close()
    t.same(await again.close(), undefined, 'idempotent')
  })

  t.test(`${name}: many sockets, more than are read in one go`, async (t) => {
    const stack = await stackFor(t, name)
    const parties: Party[] = []
    for (let n = 0; n < 300; n++) parties.push(await party(t, stack))
    const sender = parties[0]!
    for (let round = 0; round < 3; round++) {
      for (const { socket } of parties) sender.say(`round ${round}`, socket)
    }
    for (const one of parties) await one.hear(3)
    t.ok(parties.every(({ heard }) => heard.join() === 'round 0,round 1,round 2'))
  })

  t.test(`${name}: a handler may close its socket, and others that have something`, async (t) => {
    const stack = await stackFor(t, name)
    const [sender, one, two] = [await party(t, stack), await party(t, stack), await party(t, stack)]
    const closing = new Set<Promise<void>>()
    let packets = 0
    for (const { socket } of [one, two]) {
      socket.onPacket = () => {
        packets++
        closing.add(one.socket.close())
        closing.add(two.socket.close())
      }
    }
    sender.say('to one', one.socket)
    sender.say('to two', two.socket)
    while (packets === 0) await turn()
    await Promise.all(closing)
    for (let n = 0; n < 10; n++) await turn()
    t.equal(packets, 1)
  })

  t.test(`${name}: datagrams come while something else is expected, and after`, async (t) => {
    const stack = await stackFor(t, name)
    const [one, two] = [await party(t, stack), await party(t, stack)]
    stack.expectOthers(30)
    let turns = 0
    const turning = setInterval(() => turns++, 1)
    t.teardown(() => clearInterval(turning))
    for (let n = 1; turns < 60; n++) {
      one.say(`number ${n}`, two.socket)
      await two.hear(n)
      t.equal(two.heard.at(-1), `number ${n}`)
    }
  })

  t.test(`${name}: what waits for sockets runs after they were read`, async (t) => {
    const stack = await stackFor(t, name)
    const [one, two] = [await party(t, stack), await party(t, stack)]
    // From a timer, as the pacer does: the loop reads sockets between timers and what is after them.
    await new Promise((resolve) => setTimeout(resolve, 1))
    one.say('there already', two.socket)
    const order: string[] = []
    two.socket.onPacket = () => order.push('packet')
    await new Promise<void>((resolve) => {
      stack.afterSockets(() => {
        order.push('after')
        // Not in the same go: that would never end.
        stack.afterSockets(() => {
          order.push('later')
          resolve()
        })
        order.push('still first')
      })
    })
    t.same(order, ['packet', 'after', 'still first', 'later'])
  })
}

t.test('the native stack has memory and files of its own, and gives them back', async (t) => {
  const before = openFiles()
  const memory = OpenFiles.memory()
  const stack = await openStack('native', memory)
  const sockets = await Promise.all([1, 2, 3].map(() => stack.bind(ADDRESS, nextPort++)))
  t.equal(new OpenFiles(memory).remaining().length, 4, 'the sockets, and epoll')
  t.equal(openFiles(), before + 4)
  await sockets[0]!.close()
  t.equal(new OpenFiles(memory).remaining().length, 3)
  for (const socket of sockets) await socket.close()
  stack.close()
  stack.close()
  t.same(new OpenFiles(memory).remaining(), [])
  t.equal(openFiles(), before)
})

t.test('what a thread has left open is closed by another', async (t) => {
  const memory = OpenFiles.memory()
  const port = nextPort++
  const thread = new Worker(new URL('./leaving-thread.ts', import.meta.url), {
    workerData: { memory, address: ADDRESS, port },
  })
  await once(thread, 'message')
  await thread.terminate()
  t.equal(new OpenFiles(memory).remaining().length, 2)
  const before = openFiles()
  await closeRemaining(memory)
  t.equal(openFiles(), before - 2)
  const other = createSocket('udp4')
  other.bind(port, ADDRESS)
  await once(other, 'listening')
  other.close()
})

/** Sockets and epoll instances of this process. */
function openFiles(): number {
  let count = 0
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`)
      if (/^socket:|eventpoll/.test(target)) count++
    } catch {
      // The one of this very look.
    }
  }
  return count
}
