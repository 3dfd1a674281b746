import { isIPv6 } from 'node:net'
import { getSystemErrorName } from 'node:util'
import { type OpenFiles, PRIVATE_FILE } from './open-files.ts'
import { ADDRESS_LENGTH, readAddress, writeAddress } from './socket-address.ts'
import {
  AF_INET,
  AF_INET6,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLLIN,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  MSG_TRUNC,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  type System,
} from './system.ts'
import type { Source, UdpSocket, UdpStack } from './types.ts'

/** Sockets that are read in one go, and goes in one turn of the event loop at most. */
const EVENTS = 128
const GOES = 4
/** Octets of a datagram that are kept: more than any Ethernet frame has. */
const LONGEST = 2048
/**
 * Milliseconds for which the thread waits for datagrams. What else it has to do (timers, messages of
 * the main thread, packets of the DTLS library) may wait as long; or the other way round, while
 * that is expected.
 */
const WAIT_MS = 1

/**
 * UDP by system calls of our own. Node's sockets take two reads, an allocation of 64 KiB and several
 * objects for each datagram; here the sockets that have something come as one list, each is read
 * into the same memory, and nothing is allocated: half the processor time of a packet (see
 * docs/decisions/0007).
 *
 * Sockets are read from within the event loop, which goes on turning as long as there are any: a
 * datagram is answered at once, everything else within {@link WAIT_MS}; see also `expectOthers`.
 *
 * @throws Error when the system refuses an epoll instance
 */
export function createNativeStack(system: System, files: OpenFiles): UdpStack {
  return new NativeStack(system, files)
}

class NativeStack implements UdpStack {
  readonly name = 'native'
  readonly #system: System
  readonly #files: OpenFiles
  readonly #epoll: number
  /** By the number that epoll hands back with an event. */
  readonly #sockets: (NativeSocket | undefined)[] = []
  #open = 0
  readonly #events: Buffer
  readonly #view: DataView
  readonly #turn = (): void => this.#takeTurn()
  #turning = false
  #closed = false
  /** Until when something else is expected, monotonic milliseconds. */
  #othersUntil = 0
  /** Calls that wait until sockets were read; two lists that take turns. */
  #then: (() => void)[] = []
  #former: (() => void)[] = []

  constructor(system: System, files: OpenFiles) {
    this.#system = system
    this.#files = files
    this.#epoll = system.epoll_create1(EPOLL_CLOEXEC)
    if (this.#epoll < 0) throw systemError(system, 'epoll_create1')
    files.add(PRIVATE_FILE, this.#epoll)
    const { size } = system.event
    this.#events = Buffer.alloc(EVENTS * size)
    this.#view = new DataView(this.#events.buffer, this.#events.byteOffset, this.#events.length)
  }

  async bind(address: string, port: number): Promise<UdpSocket> {
    const system = this.#system
    const family = isIPv6(address) ? AF_INET6 : AF_INET
    const fd = system.socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
    if (fd < 0) throw systemError(system, 'socket')
    const local = writeAddress(system, address, port)
    if (!local || system.bind(fd, local, local.length) < 0) {
      const error = systemError(system, 'bind', address, port)
      system.close(fd)
      throw error
    }
    let number = this.#sockets.indexOf(undefined)
    if (number < 0) number = this.#sockets.length
    const event = Buffer.alloc(system.event.size)
    event.writeUInt32LE(EPOLLIN, 0)
    event.writeUInt32LE(number, system.event.data)
    if (system.epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, event) < 0) {
      const error = systemError(system, 'epoll_ctl')
      system.close(fd)
      throw error
    }
    this.#files.add(port, fd)
    const socket = new NativeSocket(system, fd, port, () => {
      this.#sockets[number] = undefined
      this.#open--
      this.#files.remove(port)
    })
    this.#sockets[number] = socket
    this.#open++
    this.#keepTurning()
    return socket
  }

  afterSockets(then: () => void): void {
    this.#then.push(then)
    this.#keepTurning()
  }

  expectOthers(ms: number): void {
    this.#othersUntil = performance.now() + ms
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#files.remove(PRIVATE_FILE)
    this.#system.close(this.#epoll)
  }

  #keepTurning(): void {
    if (this.#turning || this.#closed) return
    this.#turning = true
    // Either this thread waits for datagrams, or Node's loop waits for everything else.
    if (this.#expectsOthers()) setTimeout(this.#turn, WAIT_MS)
    else setImmediate(this.#turn)
  }

  #takeTurn(): void {
    this.#turning = false
    if (this.#closed) return
    // Not even a moment's wait while something is to be done after, or expected.
    const idle = this.#then.length > 0 || this.#open === 0 || this.#expectsOthers()
    let wait = idle ? 0 : WAIT_MS
    for (let go = 0; go < GOES; go++) {
      const ready = this.#system.epoll_wait(this.#epoll, this.#events, EVENTS, wait)
      this.#read(ready)
      if (ready < EVENTS) break
      wait = 0
    }
    this.#runAfter()
    if (this.#open > 0 || this.#then.length > 0) this.#keepTurning()
  }

  #expectsOthers(): boolean {
    // What is to be done after a reading is not put off.
    return this.#then.length === 0 && performance.now() < this.#othersUntil
  }

  #read(ready: number): void {
    const { size, data } = this.#system.event
    for (let i = 0; i < ready; i++) {
      this.#sockets[this.#view.getUint32(i * size + data, true)]?.read()
    }
  }

  #runAfter(): void {
    const due = this.#then
    if (due.length === 0) return
    this.#then = this.#former
    this.#former = due
    for (const then of due) then()
    due.length = 0
  }
}

// Scratch of all sockets of a thread: a datagram is dealt with before the next one is read.
const packet = Buffer.allocUnsafeSlow(LONGEST)
const source = Buffer.alloc(ADDRESS_LENGTH)
const words = new Int32Array(source.buffer, source.byteOffset, ADDRESS_LENGTH / 4)
const sourceLength = Buffer.alloc(4)

const NOBODY: Source = { address: '', port: 0 }

class NativeSocket implements UdpSocket {
  readonly port: number
  onPacket: UdpSocket['onPacket'] = () => {}
  readonly #system: System
  readonly #fd: number
  readonly #onClose: () => void
  #closed = false
  /** Where the last datagram came from, and its `sockaddr` word by word. */
  #source: Source = NOBODY
  #word0 = 0
  #word1 = 0
  #word2 = 0
  #word3 = 0
  #word4 = 0
  #word5 = 0
  #word6 = 0
  /** Where the last datagram went. */
  #address = ''
  #port = 0
  #target: Uint8Array | undefined

  constructor(system: System, fd: number, port: number, onClose: () => void) {
    this.#system = system
    this.#fd = fd
    this.port = port
    this.#onClose = onClose
  }

  /** Takes one datagram; epoll tells again when there are more. */
  read(): void {
    sourceLength[0] = ADDRESS_LENGTH
    const length = this.#system.recvfrom(
      this.#fd,
      packet,
      LONGEST,
      MSG_DONTWAIT | MSG_TRUNC,
      source,
      sourceLength,
    )
    // An error belongs to something that was sent, or another has read meanwhile.
    if (length < 0) return
    if (!this.#sameSource()) this.#learnSource()
    this.onPacket(packet, length, this.#source)
  }

  send(slot: Buffer, length: number, port: number, address: string): void {
    if (port !== this.#port || address !== this.#address) {
      this.#port = port
      this.#address = address
      this.#target = port === 0 ? undefined : writeAddress(this.#system, address, port)
    }
    const target = this.#target
    if (!target || this.#closed) return
    const flags = MSG_DONTWAIT | MSG_NOSIGNAL
    this.#system.sendto(this.#fd, slot, length, flags, target, target.length)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#onClose()
    this.#system.close(this.#fd)
  }

  #sameSource(): boolean {
    // All seven, though IPv4 fills four: the others stay as they are in a thread of one family.
    return (
      words[1] === this.#word1 &&
      words[0] === this.#word0 &&
      words[2] === this.#word2 &&
      words[3] === this.#word3 &&
      words[4] === this.#word4 &&
      words[5] === this.#word5 &&
      words[6] === this.#word6
    )
  }

  #learnSource(): void {
    this.#word0 = words[0]!
    this.#word1 = words[1]!
    this.#word2 = words[2]!
    this.#word3 = words[3]!
    this.#word4 = words[4]!
    this.#word5 = words[5]!
    this.#word6 = words[6]!
    this.#source = readAddress(this.#system, source)
  }
}

/** The error of the call that has just failed, as Node words it. */
function systemError(
  system: System,
  syscall: string,
  address?: string,
  port?: number,
): NodeJS.ErrnoException {
  const errno = -system.errno()
  const code = getSystemErrorName(errno)
  const place = address === undefined ? '' : ` ${address}:${port}`
  return Object.assign(new Error(`${syscall} ${code}${place}`), { errno, code, syscall })
}
