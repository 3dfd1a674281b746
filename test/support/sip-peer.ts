import { randomBytes } from 'node:crypto'
import { type Address, type Link, type LinkTls, openStream, openUdp } from './sip-links.ts'

export type { Address } from './sip-links.ts'

/** A SIP message as it came in, read without any code of the server under test. */
export class PeerMessage {
  readonly text: string
  readonly from: Address
  readonly startLine: string
  readonly body: string
  readonly #headers: { name: string; value: string }[]

  constructor(text: string, from: Address) {
    const blank = text.indexOf('\r\n\r\n')
    const head = blank < 0 ? text : text.slice(0, blank)
    const [startLine = '', ...lines] = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')
    this.text = text
    this.from = from
    this.startLine = startLine
    this.body = blank < 0 ? '' : text.slice(blank + 4)
    this.#headers = lines.map((line) => {
      const colon = line.indexOf(':')
      return {
        name: line.slice(0, colon).trim().toLowerCase(),
        value: line.slice(colon + 1).trim(),
      }
    })
  }

  /** 0 in a request. */
  get status(): number {
    return Number(/^SIP\/2\.0 (\d{3})/.exec(this.startLine)?.[1] ?? 0)
  }

  /** Of the start line in a request, of the CSeq in a response. */
  get method(): string {
    return this.status === 0
      ? this.startLine.split(' ')[0]!
      : (this.header('cseq').split(' ')[1] ?? '')
  }

  /** Request-URI. */
  get uri(): string {
    return this.startLine.split(' ')[1] ?? ''
  }

  get cseq(): number {
    return Number.parseInt(this.header('cseq'), 10)
  }

  /** All lines of a header, in order; long lower-case name. */
  all(name: string): string[] {
    return this.#headers.filter((line) => line.name === name.toLowerCase()).map((l) => l.value)
  }

  /** First line of a header; '' when absent. */
  header(name: string): string {
    return this.all(name)[0] ?? ''
  }

  has(name: string): boolean {
    return this.all(name).length > 0
  }

  /** Tag of From or To; '' when absent. */
  tag(name: 'from' | 'to'): string {
    return /;\s*tag=([^;\s]+)/i.exec(this.header(name))?.[1] ?? ''
  }

  /** URI of the first Contact. */
  get contact(): string {
    const value = this.header('contact')
    return /<([^>]+)>/.exec(value)?.[1] ?? value.split(';')[0]!
  }
}

/** A short random token for tags, branches and Call-IDs. */
export function token(): string {
  return randomBytes(6).toString('hex')
}

export type Matcher = string | number | ((message: PeerMessage) => boolean)

function matches(message: PeerMessage, matcher: Matcher): boolean {
  if (typeof matcher === 'number') return message.status === matcher
  if (typeof matcher === 'function') return matcher(message)
  return message.status === 0 && message.method === matcher
}

interface Waiter {
  matcher: Matcher
  resolve: (message: PeerMessage) => void
}

/** Header lines to add: `{ 'Record-Route': ['<a>', '<b>'] }` gives two lines. */
export type ExtraHeaders = Record<string, string | string[]>

function headerText(headers: ExtraHeaders): string {
  return Object.entries(headers)
    .flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}\r\n`))
    .join('')
}

function withBody(head: string, body: string): string {
  const type = body && !/^content-type:/im.test(head) ? 'Content-Type: application/sdp\r\n' : ''
  return `${head}${type}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

/**
 * A SIP peer that does what its script says and nothing else: no timers, no automatic answers.
 * Repeated messages are dropped unless asked for, since any of them may come twice on a slow
 * machine.
 */
export class SipPeer {
  #link!: Link
  #inbox: PeerMessage[] = []
  #waiters: Waiter[] = []
  readonly #seen = new Set<string>()
  /** Every message in the order it came, repetitions included. */
  readonly received: PeerMessage[] = []

  private constructor() {}

  /** Opens a UDP peer on a loopback port of its own. */
  static open(host = '127.0.0.1'): Promise<SipPeer> {
    return SipPeer.#on((receive) => openUdp(host, receive))
  }

  /** Opens a TCP peer, or one that speaks TLS: it takes connections, and opens them to send. */
  static stream(tls?: LinkTls, host = '127.0.0.1'): Promise<SipPeer> {
    return SipPeer.#on((receive) => openStream(host, receive, tls))
  }

  static async #on(open: (receive: (text: string, from: Address) => void) => Promise<Link>) {
    const peer = new SipPeer()
    peer.#link = await open((text, from) => peer.#receive(text, from))
    return peer
  }

  get host(): string {
    return this.#link.host
  }

  get port(): number {
    return this.#link.port
  }

  get transport(): Link['transport'] {
    return this.#link.transport
  }

  /** Breaks the connections of a stream peer. */
  drop(): void {
    this.#link.drop()
  }

  close(): Promise<void> {
    return this.#link.close()
  }

  /** `127.0.0.1:5070` */
  get hostport(): string {
    return `${this.host}:${this.port}`
  }

  /** `<sip:peer@127.0.0.1:5070>`, with the transport when it is a stream. */
  get contact(): string {
    return `<${this.uri('peer')}>`
  }

  /** A SIP URI that leads to this peer. */
  uri(user: string): string {
    const transport = this.transport === 'UDP' ? '' : `;transport=${this.transport.toLowerCase()}`
    return `sip:${user}@${this.hostport}${transport}`
  }

  send(to: Address, text: string): void {
    this.#link.send(to, text)
  }

  /**
   * The next message that matches: a method name for requests, a status for responses, or a test.
   * Others stay for later calls. Rejects after `timeout` milliseconds with what came instead.
   */
  async expect(matcher: Matcher, timeout = 5000): Promise<PeerMessage> {
    const at = this.#inbox.findIndex((message) => matches(message, matcher))
    if (at >= 0) return this.#inbox.splice(at, 1)[0]!
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        matcher,
        resolve: (message) => {
          clearTimeout(timer)
          resolve(message)
        },
      }
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter)
        const came = this.#inbox.map((message) => message.startLine).join(', ') || 'nothing'
        reject(new Error(`expected ${matcher}, got ${came}`))
      }, timeout)
      this.#waiters.push(waiter)
    })
  }

  /** True when a message that matches has come and was not taken. */
  has(matcher: Matcher): boolean {
    return this.#inbox.some((message) => matches(message, matcher))
  }

  /** Waits until the server has handled what was sent before, by an exchange of its own. */
  async settle(server: Address): Promise<void> {
    const probe = this.dialog(server).request('CANCEL', { uri: 'sip:settle@127.0.0.1' })
    await this.expect((m) => m.status === 481 && m.header('call-id') === probe.header('call-id'))
  }

  /** Forgets a message, so that the next copy of it counts. */
  forget(message: PeerMessage): void {
    this.#seen.delete(message.text)
  }

  /** A call this peer starts. */
  dialog(server: Address, options: Partial<PeerDialogOptions> = {}): PeerDialog {
    return new PeerDialog(this, server, options)
  }

  /** Answers a request. `tag` goes to To unless it has one. */
  respond(
    request: PeerMessage,
    status: number,
    options: { tag?: string; headers?: ExtraHeaders; body?: string; reason?: string } = {},
  ): void {
    let to = request.header('to')
    if (options.tag && !/;\s*tag=/i.test(to)) to += `;tag=${options.tag}`
    const head = `SIP/2.0 ${status} ${options.reason ?? 'X'}\r\n${headerText({
      Via: request.all('via'),
      From: request.header('from'),
      To: to,
      'Call-ID': request.header('call-id'),
      CSeq: request.header('cseq'),
      ...options.headers,
    })}`
    this.send(request.from, withBody(head, options.body ?? ''))
  }

  #receive(text: string, from: Address): void {
    const message = new PeerMessage(text, from)
    this.received.push(message)
    if (this.#seen.has(text)) return
    this.#seen.add(text)
    const waiter = this.#waiters.find(({ matcher }) => matches(message, matcher))
    if (!waiter) {
      this.#inbox.push(message)
      return
    }
    this.#waiters = this.#waiters.filter((other) => other !== waiter)
    waiter.resolve(message)
  }
}

export interface PeerDialogOptions {
  /** Request-URI; default `sip:service@<server>`. */
  uri: string
  /** From without tag. */
  from: string
  /** To without tag. */
  to: string
  callId: string
  /** Lines added to every request: Route, Record-Route. */
  headers: ExtraHeaders
  contact: string
}

export interface PeerRequestOptions {
  uri?: string
  cseq?: number
  branch?: string
  headers?: ExtraHeaders
  body?: string
  /** Leave Contact out. */
  bare?: boolean
}

/** Identity of a call seen from the peer: it writes the requests and keeps their numbers. */
export class PeerDialog {
  readonly peer: SipPeer
  readonly server: Address
  uri: string
  from: string
  to: string
  callId: string
  headers: ExtraHeaders
  contact: string
  readonly localTag: string = token()
  remoteTag = ''
  cseq = 0
  /** Branch of the last INVITE, for its CANCEL and failure ACK. */
  inviteBranch = ''

  constructor(peer: SipPeer, server: Address, options: Partial<PeerDialogOptions>) {
    this.peer = peer
    this.server = server
    this.uri = options.uri ?? `sip:service@${server.host}:${server.port}`
    this.from = options.from ?? `<sip:peer@${peer.hostport}>`
    this.to = options.to ?? `<${this.uri}>`
    this.callId = options.callId ?? `${token()}@peer`
    this.headers = options.headers ?? {}
    this.contact = options.contact ?? peer.contact
  }

  /** The same call from the side of a request that was received: what the callee sends in it. */
  static of(peer: SipPeer, request: PeerMessage, tag: string): PeerDialog {
    const dialog = new PeerDialog(peer, request.from, {
      uri: request.contact,
      from: request.header('to').replace(/;\s*tag=[^;]*/i, ''),
      to: request.header('from').replace(/;\s*tag=[^;]*/i, ''),
      callId: request.header('call-id'),
    })
    Object.assign(dialog, { localTag: tag })
    dialog.remoteTag = request.tag('from')
    return dialog
  }

  /** Learns the remote tag and target from a response to the first request. */
  learn(response: PeerMessage): void {
    this.remoteTag = response.tag('to')
    if (response.contact) this.uri = response.contact
  }

  /** Sends a request and returns it as sent. ACK and CANCEL take the CSeq of the last INVITE. */
  request(method: string, options: PeerRequestOptions = {}): PeerMessage {
    const follows = method === 'ACK' || method === 'CANCEL'
    const cseq = options.cseq ?? (follows ? this.cseq : ++this.cseq)
    if (!follows) this.cseq = cseq
    let branch = options.branch ?? `z9hG4bK${token()}`
    if (method === 'INVITE') this.inviteBranch = branch
    if (method === 'CANCEL' && this.inviteBranch) branch = this.inviteBranch
    const toTag = this.remoteTag && method !== 'CANCEL' ? `;tag=${this.remoteTag}` : ''
    const head = `${method} ${options.uri ?? this.uri} SIP/2.0\r\n${headerText({
      Via: `SIP/2.0/${this.peer.transport} ${this.peer.hostport};rport;branch=${branch}`,
      'Max-Forwards': '70',
      From: `${this.from};tag=${this.localTag}`,
      To: `${this.to}${toTag}`,
      'Call-ID': this.callId,
      CSeq: `${cseq} ${method}`,
      ...(options.bare ? {} : { Contact: this.contact }),
      ...this.headers,
      ...options.headers,
    })}`
    const text = withBody(head, options.body ?? '')
    this.peer.send(this.server, text)
    return new PeerMessage(text, { host: this.peer.host, port: this.peer.port })
  }

  /** Sends a request again, byte for byte. */
  repeat(request: PeerMessage): void {
    this.peer.send(this.server, request.text)
  }
}
