import { arch, endianness, platform } from 'node:os'

/**
 * The system calls of the native stack, for Linux on processors whose layouts are known here. Each
 * gives -1 on failure; what failed is asked of {@link System.errno} at once.
 */
export interface System {
  socket(domain: number, type: number, protocol: number): number
  bind(fd: number, address: Uint8Array, length: number): number
  close(fd: number): number
  getsockname(fd: number, address: Uint8Array, addressLength: Uint8Array): number
  getsockopt(
    fd: number,
    level: number,
    option: number,
    value: Uint8Array,
    length: Uint8Array,
  ): number
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number
  /** `SO_ATTACH_FILTER` with a program that lets nothing in (socket(7)). */
  dropEverything(fd: number): number
  recvfrom(
    fd: number,
    buffer: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: Uint8Array,
  ): number
  sendto(
    fd: number,
    buffer: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: number,
  ): number
  epoll_create1(flags: number): number
  epoll_ctl(epoll: number, operation: number, fd: number, event: Uint8Array): number
  epoll_wait(epoll: number, events: Uint8Array, most: number, timeoutMs: number): number
  inet_pton(family: number, text: string, address: Uint8Array): number
  inet_ntop(family: number, address: Uint8Array, text: Uint8Array, length: number): unknown
  if_nametoindex(name: string): number
  if_indextoname(index: number, name: Uint8Array): unknown
  errno(): number
  /** Octets of `struct epoll_event`, packed on x86-64 alone, and where its data lies. */
  readonly event: { size: number; data: number }
}

/** Numbers of Linux that are the same on every processor supported here. */
export const AF_INET = 2
export const AF_INET6 = 10
export const SOCK_DGRAM = 2
export const SOCK_NONBLOCK = 0o4000
export const SOCK_CLOEXEC = 0o2000000
export const EPOLL_CLOEXEC = 0o2000000
export const EPOLL_CTL_ADD = 1
export const EPOLLIN = 1
/** `recvfrom` then tells the true length of a datagram that was cut off. */
export const MSG_TRUNC = 0x20
export const MSG_DONTWAIT = 0x40
export const MSG_NOSIGNAL = 0x4000
export const SOL_SOCKET = 1
export const SO_TYPE = 3
export const SO_DETACH_FILTER = 27
const SO_ATTACH_FILTER = 26
/** `BPF_RET | BPF_K` with 0: a packet is cut off before its first octet, so there is none. */
const DROP = { code: 6, jt: 0, jf: 0, k: 0 }

let system: Promise<System> | undefined

/**
 * The system calls, through the foreign function interface of `koffi`, an optional dependency.
 * Rejects with an Error that says why there are none.
 */
export function loadSystem(): Promise<System> {
  system ??= load()
  return system
}

async function load(): Promise<System> {
  const processor = arch()
  if (platform() !== 'linux' || endianness() !== 'LE' || !(processor in EVENTS)) {
    throw new Error(`not built for ${platform()} on ${processor}`)
  }
  const { default: koffi } = await import('koffi')
  const libc = koffi.load(null)
  const declare = (name: string, args: string[]) => libc.func(name, 'int', args)
  const instruction = koffi.struct({ code: 'uint16', jt: 'uint8', jf: 'uint8', k: 'uint32' })
  const program = koffi.struct({ len: 'uint16', filter: koffi.pointer(instruction) })
  const options = ['int', 'int', 'int', koffi.pointer(program), 'uint32']
  const attach = libc.func('setsockopt', 'int', options)
  const size = koffi.sizeof(program)
  return {
    socket: declare('socket', ['int', 'int', 'int']),
    bind: declare('bind', ['int', 'void *', 'uint32']),
    close: declare('close', ['int']),
    getsockname: declare('getsockname', ['int', 'void *', 'void *']),
    getsockopt: declare('getsockopt', ['int', 'int', 'int', 'void *', 'void *']),
    setsockopt: declare('setsockopt', ['int', 'int', 'int', 'void *', 'uint32']),
    dropEverything: (fd) =>
      attach(fd, SOL_SOCKET, SO_ATTACH_FILTER, { len: 1, filter: [DROP] }, size),
    recvfrom: declare('recvfrom', ['int', 'void *', 'size_t', 'int', 'void *', 'void *']),
    sendto: declare('sendto', ['int', 'void *', 'size_t', 'int', 'void *', 'uint32']),
    epoll_create1: declare('epoll_create1', ['int']),
    epoll_ctl: declare('epoll_ctl', ['int', 'int', 'int', 'void *']),
    epoll_wait: declare('epoll_wait', ['int', 'void *', 'int', 'int']),
    inet_pton: declare('inet_pton', ['int', 'string', 'void *']),
    inet_ntop: libc.func('inet_ntop', 'void *', ['int', 'void *', 'void *', 'uint32']),
    if_nametoindex: declare('if_nametoindex', ['string']),
    if_indextoname: libc.func('if_indextoname', 'void *', ['uint32', 'void *']),
    errno: () => koffi.errno(),
    event: EVENTS[processor as keyof typeof EVENTS],
  }
}

const EVENTS = { x64: { size: 12, data: 4 }, arm64: { size: 16, data: 8 } }
