import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Cutter, Inbox } from './inbox.ts'

/** A TCP connection to Causeway. */
export interface TcpLine {
  socket: Socket
  send(text: string | Buffer): void
  closed: Promise<void>
  cutter: Cutter
}

/** A PBX on raw UDP and TCP sockets, both on the same port number where the system allows it. */
export class ForeignPbx {
  readonly inbox = new Inbox('PBX')
  readonly #udp: UdpSocket
  readonly #tcp: Server
  readonly #lines = new Set<Socket>()
  /** TCP connections Causeway has opened, in order. */
  readonly accepted: TcpLine[] = []
  udpPort = 0
  tcpPort = 0

  constructor() {
    this.#udp = createSocket('udp4')
    this.#udp.on('message', (bytes, { address, port }) => {
      this.inbox.push(bytes.toString(), 'udp', (text) => this.#udp.send(text, port, address))
    })
    this.#tcp = createServer((socket) => this.accepted.push(this.#wire(socket, 'tcp-in')))
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#udp.bind(0, '127.0.0.1', () => resolve()))
    this.udpPort = this.#udp.address().port
    await new Promise<void>((resolve) => this.#tcp.listen(0, '127.0.0.1', () => resolve()))
    this.tcpPort = (this.#tcp.address() as AddressInfo).port
  }

  get udpUri(): string {
    return `sip:127.0.0.1:${this.udpPort};transport=udp`
  }

  get tcpUri(): string {
    return `sip:127.0.0.1:${this.tcpPort};transport=tcp`
  }

  /** Sends a datagram to a port of Causeway's. */
  send(port: number, text: string | Buffer): void {
    this.#udp.send(text, port, '127.0.0.1')
  }

  async dial(port: number): Promise<TcpLine> {
    const socket = connect({ host: '127.0.0.1', port })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve())
      socket.once('error', reject)
    })
    return this.#wire(socket, 'tcp-out')
  }

  #wire(socket: Socket, name: string): TcpLine {
    const cutter = new Cutter()
    this.#lines.add(socket)
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => {
      for (const text of cutter.feed(bytes)) {
        this.inbox.push(text, name, (reply) => socket.write(reply))
      }
    })
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    return { socket, send: (text) => socket.write(text), closed, cutter }
  }

  async close(): Promise<void> {
    for (const socket of this.#lines) socket.destroy()
    await new Promise<void>((resolve) => this.#udp.close(() => resolve()))
    await new Promise<void>((resolve) => this.#tcp.close(() => resolve()))
  }
}
