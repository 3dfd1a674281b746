import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** What a process holds of the system. */
export interface Resources {
  /** Open files, sockets among them. */
  files: number
  udpSockets: number
  /** TCP connections and listeners. */
  tcpSockets: number
  threads: number
  /** Resident memory, MiB. */
  rss: number
}

/** Reads what a process holds, from /proc. @param ignored TCP ports whose sockets do not count */
export function resourcesOf(pid: number, ignored: readonly number[] = []): Resources {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`)
    } catch {
      return ''
    }
  })
  const own = links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? '')
  const udp = socketsOf('udp').filter(({ inode }) => own.includes(inode))
  const tcp = socketsOf('tcp').filter(({ inode }) => own.includes(inode))
  const strange = tcp.filter(({ port }) => ignored.includes(port)).length
  const rss = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return {
    files: links.filter((link) => link !== '').length - strange,
    udpSockets: udp.length,
    tcpSockets: tcp.length - strange,
    threads: readdirSync(`/proc/${pid}/task`).length,
    rss: Math.round(Number(rss?.[1] ?? 0) / 1024),
  }
}

/** Sockets of both families by local port. */
function socketsOf(protocol: 'udp' | 'tcp'): { inode: string; port: number }[] {
  return [protocol, `${protocol}6`].flatMap((table) => {
    const lines = readFileSync(`/proc/net/${table}`, 'utf8').trim().split('\n').slice(1)
    return lines.map((line) => {
      const columns = line.trim().split(/\s+/)
      const port = columns[1]?.split(':')[1] ?? ''
      return { inode: columns[9] ?? '', port: Number.parseInt(port, 16) }
    })
  })
}
