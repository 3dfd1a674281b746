import type { AddressInfo } from 'node:net'
import {
  type ConnectionOptions,
  connect,
  createServer,
  type Server,
  type TLSSocket,
} from 'node:tls'
import type { TestCertificate } from '../../support/certificates.ts'
import { Cutter, Inbox } from './inbox.ts'

/** A TLS connection to Causeway. */
export interface Line {
  socket: TLSSocket
  send(text: string | Buffer): void
  /** Resolves when the other side has closed it. */
  closed: Promise<void>
  cutter: Cutter
}

/** What was seen of a connection Causeway made. */
export interface Visit {
  servername: string
  alpn: string
  clientCertificate: boolean
}

/** WhatsApp's SIP side on raw TLS sockets: takes connections as `wa.meta.vc`, makes its own. */
export class ForeignWhatsApp {
  readonly inbox = new Inbox('WhatsApp')
  readonly visits: Visit[] = []
  readonly #server: Server
  readonly #ca: string
  readonly #lines = new Set<TLSSocket>()
  #names = 0

  constructor(certificate: TestCertificate, ca: string) {
    this.#ca = ca
    this.#server = createServer(
      { ...certificate, requestCert: true, rejectUnauthorized: false },
      (socket) => {
        this.visits.push({
          servername: String((socket as { servername?: string }).servername ?? ''),
          alpn: String(socket.alpnProtocol || ''),
          clientCertificate: Object.keys(socket.getPeerCertificate()).length > 0,
        })
        this.#wire(socket, `in${this.#names++}`)
      },
    )
  }

  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return (this.#server.address() as AddressInfo).port
  }

  /** A new connection to Causeway, whose certificate has to be good for its name. */
  async dial(port: number, options: ConnectionOptions = {}): Promise<Line> {
    const socket = connect({
      host: '127.0.0.1',
      port,
      servername: 'sip.example.com',
      ca: this.#ca,
      ...options,
    })
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', () => resolve())
      socket.once('error', reject)
    })
    return this.#wire(socket, `out${this.#names++}`)
  }

  #wire(socket: TLSSocket, name: string): Line {
    const cutter = new Cutter()
    this.#lines.add(socket)
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => {
      for (const text of cutter.feed(bytes)) {
        this.inbox.push(text, name, (reply) => socket.write(reply))
      }
    })
    const closed = new Promise<void>((resolve) =>
      socket.once('close', () => {
        this.#lines.delete(socket)
        resolve()
      }),
    )
    return { socket, send: (text) => socket.write(text), closed, cutter }
  }

  /** Closes every connection made so far, as an edge that restarts does. */
  hangLines(): void {
    for (const socket of this.#lines) socket.destroy()
  }

  close(): Promise<void> {
    this.hangLines()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}
