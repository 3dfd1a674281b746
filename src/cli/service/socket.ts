import { execFile } from 'node:child_process'
import { endianness, platform } from 'node:os'
import { promisify } from 'node:util'

/** Sends what a service tells its manager. */
export interface NotifySocket {
  /** Sends assignments, `READY=1`, a datagram for all. @throws Error when it cannot be sent */
  send(assignments: readonly string[]): Promise<void>
}

const AF_UNIX = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const MSG_NOSIGNAL = 0x4000
/** `sizeof sun_path`. */
const LONGEST = 108

/**
 * The socket of `NOTIFY_SOCKET` (sd_notify(3)): a path, or `@` and an abstract name. Node has no UNIX
 * datagrams: they are sent by system calls through koffi, an optional dependency, or by the program
 * `systemd-notify`, which systemd listens to with `NotifyAccess=all`.
 *
 * @throws Error for an address of another kind
 */
export async function openNotifySocket(
  address: string,
  native: () => Promise<NotifySocket> = () => nativeSocket(address),
): Promise<NotifySocket> {
  const name = Buffer.byteLength(address)
  if (!/^[@/]./.test(address) || name >= LONGEST) {
    throw new Error(`NOTIFY_SOCKET ${address} is neither a path nor an abstract socket`)
  }
  return native().catch(() => programSocket(address))
}

async function nativeSocket(address: string): Promise<NotifySocket> {
  if (platform() !== 'linux' || endianness() !== 'LE') throw new Error(`not for ${platform()}`)
  const { default: koffi } = await import('koffi')
  const libc = koffi.load(null)
  const socket = libc.func('socket', 'int', ['int', 'int', 'int'])
  const close = libc.func('close', 'int', ['int'])
  const types = ['int', 'void *', 'size_t', 'int', 'void *', 'uint32']
  const sendto = libc.func('sendto', 'long', types)
  const target = socketAddress(address)
  return {
    async send(assignments) {
      const text = Buffer.from(assignments.join('\n'))
      // For each message: systemd listens anew after it was executed anew.
      const fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) as number
      const sent = sendto(fd, text, text.length, MSG_NOSIGNAL, target, target.length) as number
      const error = koffi.errno()
      close(fd)
      if (sent < 0) throw new Error(`errno ${error} at ${address}`)
    },
  }
}

/** `struct sockaddr_un`: an abstract name begins with a zero and has no end (unix(7)). */
function socketAddress(address: string): Buffer {
  const family = Buffer.from([AF_UNIX, 0])
  if (!address.startsWith('@')) return Buffer.concat([family, Buffer.from(`${address}\0`)])
  return Buffer.concat([family, Buffer.from(`\0${address.slice(1)}`)])
}

async function programSocket(address: string): Promise<NotifySocket> {
  const run = promisify(execFile)
  return {
    async send(assignments) {
      const env = { PATH: '/usr/bin:/bin', NOTIFY_SOCKET: address }
      await run('systemd-notify', [...assignments], { env, timeout: 5000 })
    },
  }
}
