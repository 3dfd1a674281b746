import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { constants } from 'node:fs'
import { access, readFile, statfs } from 'node:fs/promises'
import { connect, isIPv6, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'

/** What the checks see of the machine and the network around it; tests replace parts of it. */
export interface System {
  /** IPv4 and IPv6 addresses of a name in DNS; empty when it has none. Rejects when DNS is silent. */
  resolve(name: string): Promise<string[]>
  /** SRV records of a name (RFC 2782), best first; empty when there are none or DNS is silent. */
  services(name: string): Promise<{ name: string; port: number }[]>
  /** Addresses of this machine. */
  addresses(): string[]
  /** Opens a TCP connection; the caller watches its events. */
  dial(host: string, port: number): Socket
  /** Local UDP ports in use; undefined where the system does not tell. */
  udpPorts(): Promise<ReadonlySet<number> | undefined>
  /** Whether a UDP port of an address can be bound now. */
  bindable(host: string, port: number): Promise<boolean>
  /** Bytes of the file system a folder is on. Rejects with ENOENT when there is no such folder. */
  space(folder: string): Promise<{ free: number; total: number }>
  /** Whether this user may write into a folder. */
  writable(folder: string): Promise<boolean>
  /** How many files a process may have open; undefined where the system does not tell. */
  openFiles(): Promise<number | undefined>
}

/** DNS answers that say there is nothing, as opposed to no answer. */
const NONE = new Set(['ENOTFOUND', 'ENODATA'])

/** The real machine. */
export const thisSystem: System = {
  async resolve(name) {
    const resolver = new Resolver({ timeout: 2000, tries: 2 })
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    const broken = answers.find(
      (answer) => answer.status === 'rejected' && !NONE.has(answer.reason.code),
    )
    if (found.length === 0 && broken?.status === 'rejected') throw broken.reason
    return found
  },
  async services(name) {
    try {
      const records = await new Resolver({ timeout: 2000, tries: 1 }).resolveSrv(name)
      return records.sort((a, b) => a.priority - b.priority || b.weight - a.weight)
    } catch {
      return []
    }
  },
  addresses: () =>
    Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).map(({ address }) => address),
    ),
  dial: (host, port) => connect({ host, port }),
  async udpPorts() {
    try {
      const tables = await Promise.all(
        ['/proc/net/udp', '/proc/net/udp6'].map((file) => readFile(file, 'utf8')),
      )
      return new Set(tables.flatMap(portsOf))
    } catch {
      return undefined
    }
  },
  bindable: (host, port) =>
    new Promise((resolve) => {
      const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
      socket.once('error', () => {
        socket.close()
        resolve(false)
      })
      socket.bind({ address: host, port, exclusive: true }, () => {
        socket.close(() => resolve(true))
      })
    }),
  async space(folder) {
    const { bavail, blocks, bsize } = await statfs(folder)
    return { free: bavail * bsize, total: blocks * bsize }
  },
  writable: (folder) =>
    access(folder, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    ),
  async openFiles() {
    try {
      return openFilesOf(await readFile('/proc/self/limits', 'utf8'))
    } catch {
      return undefined
    }
  },
}

/** Local ports of a table such as `/proc/net/udp`. */
export function portsOf(table: string): number[] {
  return [...table.matchAll(/^\s*\d+:\s+[0-9A-F]+:([0-9A-F]{4})\s/gm)].map(([, port]) =>
    Number.parseInt(port!, 16),
  )
}

/** The soft limit of `/proc/self/limits`; Infinity for `unlimited`. */
export function openFilesOf(limits: string): number | undefined {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1]
  if (soft === undefined) return undefined
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
}
