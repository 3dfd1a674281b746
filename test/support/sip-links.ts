import { createSocket } from 'node:dgram'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import {
  type ConnectionOptions,
  createServer as createTlsServer,
  type TlsOptions,
  connect as tlsConnect,
} from 'node:tls'

/** Where a peer sends to. */
export interface Address {
  host: string
  port: number
}

/** What carries a peer's messages. */
export interface Link {
  readonly transport: 'UDP' | 'TCP' | 'TLS'
  readonly host: string
  readonly port: number
  send(to: Address, text: string): void
  /** Ends every connection, so that the next message opens another; nothing for UDP. */
  drop(): void
  close(): Promise<void>
}

/** Hears every message, and where it came from. */
export type Receive = (text: string, from: Address) => void

/** A UDP socket on a loopback port of its own. */
export function openUdp(host: string, receive: Receive): Promise<Link> {
  const socket = createSocket('udp4')
  socket.on('message', (bytes, info) => {
    receive(bytes.toString('utf8'), { host: info.address, port: info.port })
  })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(0, host, () => {
      socket.off('error', reject)
      // ICMP errors of a server that has gone are of no interest to a script.
      socket.on('error', () => undefined)
      resolve({
        transport: 'UDP',
        host,
        port: socket.address().port,
        send: (to, text) => socket.send(text, to.port, to.host),
        drop: () => undefined,
        close: () => new Promise((done) => socket.close(() => done())),
      })
    })
  })
}

/** TLS as a peer speaks it: its own certificate, and what it trusts. */
export interface LinkTls {
  server: TlsOptions
  client: ConnectionOptions
}

/**
 * TCP or TLS: takes connections on a port of its own, and opens one to where it has none. Answers
 * go back on the connection the request came on.
 */
export function openStream(host: string, receive: Receive, tls?: LinkTls): Promise<Link> {
  const connections = new Map<string, Socket>()
  const adopt = (socket: Socket, to: Address): Socket => {
    const key = `${to.host}:${to.port}`
    connections.set(key, socket)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (connections.get(key) === socket) connections.delete(key)
    })
    read(socket, (text) => receive(text, to))
    return socket
  }
  const accept = (socket: Socket): void => {
    adopt(socket, { host: socket.remoteAddress ?? host, port: socket.remotePort ?? 0 })
  }
  const server = tls ? createTlsServer(tls.server, accept) : createServer(accept)
  const dial = (to: Address): Socket =>
    adopt(tls ? tlsConnect({ ...tls.client, ...to }) : connect(to), to)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, () => {
      resolve({
        transport: tls ? 'TLS' : 'TCP',
        host,
        port: (server.address() as AddressInfo).port,
        send(to, text) {
          const open = connections.get(`${to.host}:${to.port}`) ?? dial(to)
          open.write(text)
        },
        drop() {
          for (const socket of connections.values()) socket.destroy()
          connections.clear()
        },
        close() {
          for (const socket of connections.values()) socket.destroy()
          return new Promise((done) => server.close(() => done()))
        },
      })
    })
  })
}

/** Cuts a stream into messages by Content-Length. */
function read(socket: Socket, deliver: (text: string) => void): void {
  let buffer: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk])
    for (;;) {
      const blank = buffer.indexOf('\r\n\r\n')
      if (blank < 0) return
      const head = buffer.toString('latin1', 0, blank)
      const end = blank + 4 + Number(/^content-length:\s*(\d+)/im.exec(head)?.[1] ?? 0)
      if (buffer.length < end) return
      deliver(buffer.toString('utf8', 0, end))
      buffer = buffer.subarray(end)
    }
  })
}
