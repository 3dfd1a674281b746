import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type TLSSocket } from 'node:tls'
import type { TestCertificate } from './certificates.ts'
import {
  type Address,
  type ExtraHeaders,
  PeerDialog,
  type PeerDialogOptions,
  PeerMessage,
  type SipPeer,
} from './sip-peer.ts'

type Matcher = string | number | ((message: PeerMessage) => boolean)

function matches(message: PeerMessage, matcher: Matcher): boolean {
  if (typeof matcher === 'number') return message.status === matcher
  if (typeof matcher === 'function') return matcher(message)
  return message.status === 0 && message.method === matcher
}

/** The side of wa.meta.vc as a script over TLS: it listens, dials, and does nothing by itself. */
export class WhatsAppPeer {
  readonly host = '127.0.0.1'
  readonly port: number
  readonly received: PeerMessage[] = []
  readonly #server: Server
  readonly #sockets = new Map<number, TLSSocket>()
  #inbox: PeerMessage[] = []
  #waiters: { matcher: Matcher; resolve: (message: PeerMessage) => void }[] = []
  #dialled: number | undefined

  private constructor(server: Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    server.on('secureConnection', (socket) => this.#adopt(socket))
  }

  /** Opens the listener with a certificate for wa.meta.vc. */
  static async open(certificate: TestCertificate): Promise<WhatsAppPeer> {
    const server = createServer({ cert: certificate.cert, key: certificate.key })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new WhatsAppPeer(server)
  }

  /** Connects to Causeway, verifying its name as WhatsApp does. */
  async dial(port: number, ca: string, servername: string): Promise<void> {
    const socket = connect({ host: '127.0.0.1', port, ca, servername })
    await once(socket, 'secureConnect')
    this.#adopt(socket)
    this.#dialled = port
  }

  get hostport(): string {
    return `${this.host}:${this.port}`
  }

  get contact(): string {
    return '<sip:+33199001234@wa.meta.vc;transport=tls;ob>;isfocus'
  }

  /** Sends on the connection with that remote port, or on the one dialled. */
  send(to: Address, text: string): void {
    const socket = this.#sockets.get(to.port) ?? this.#sockets.get(this.#dialled ?? -1)
    socket?.write(text.replace('SIP/2.0/UDP', 'SIP/2.0/TLS'))
  }

  /** A call this peer starts; requests go out on the connection dialled. */
  dialog(options: Partial<PeerDialogOptions>): PeerDialog {
    const server = { host: this.host, port: this.#dialled ?? 0 }
    return new PeerDialog(this as unknown as SipPeer, server, options)
  }

  respond(
    request: PeerMessage,
    status: number,
    options: { tag?: string; headers?: ExtraHeaders; body?: string; reason?: string } = {},
  ): void {
    const { tag, headers = {}, body = '', reason = 'X' } = options
    const to = request.header('to')
    const lines = [
      `SIP/2.0 ${status} ${reason}`,
      ...request.all('via').map((via) => `Via: ${via}`),
      `From: ${request.header('from')}`,
      `To: ${tag === undefined || to.includes('tag=') ? to : `${to};tag=${tag}`}`,
      `Call-ID: ${request.header('call-id')}`,
      `CSeq: ${request.header('cseq')}`,
      ...Object.entries(headers).flatMap(([name, value]) =>
        [value].flat().map((one) => `${name}: ${one}`),
      ),
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${Buffer.byteLength(body)}`,
    ]
    this.send(request.from, `${lines.join('\r\n')}\r\n\r\n${body}`)
  }

  /** The next message that matches; rejects with what came instead. */
  expect(matcher: Matcher, timeout = 5000): Promise<PeerMessage> {
    const at = this.#inbox.findIndex((message) => matches(message, matcher))
    if (at >= 0) return Promise.resolve(this.#inbox.splice(at, 1)[0]!)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const came = this.#inbox.map((message) => message.startLine).join(', ') || 'nothing'
        reject(new Error(`expected ${matcher}, got ${came}`))
      }, timeout)
      const done = (message: PeerMessage): void => {
        clearTimeout(timer)
        resolve(message)
      }
      this.#waiters.push({ matcher, resolve: done })
    })
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.values()) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #adopt(socket: TLSSocket): void {
    const port = socket.remotePort!
    this.#sockets.set(port, socket)
    let buffer = ''
    socket.setEncoding('latin1')
    socket.on('error', () => {})
    socket.on('data', (text: string) => {
      buffer = (buffer + text).replace(/^(\r\n)+/, '')
      for (;;) {
        const head = buffer.indexOf('\r\n\r\n')
        if (head < 0) return
        const length = Number(/^content-length:\s*(\d+)/im.exec(buffer)?.[1] ?? 0)
        if (buffer.length < head + 4 + length) return
        this.#deliver(buffer.slice(0, head + 4 + length), port)
        buffer = buffer.slice(head + 4 + length)
      }
    })
  }

  #deliver(text: string, port: number): void {
    const utf8 = Buffer.from(text, 'latin1').toString('utf8')
    const message = new PeerMessage(utf8, { host: this.host, port })
    this.received.push(message)
    const waiter = this.#waiters.find(({ matcher }) => matches(message, matcher))
    if (!waiter) {
      this.#inbox.push(message)
      return
    }
    this.#waiters = this.#waiters.filter((other) => other !== waiter)
    waiter.resolve(message)
  }
}
