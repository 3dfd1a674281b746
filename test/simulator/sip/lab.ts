import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer, type Server, type TLSSocket } from 'node:tls'
import {
  headerValue,
  headerValues,
  parseMessage,
  type SipMessage,
  StreamFramer,
} from '../../../src/embedded-drachtio/message/index.ts'
import { silentLogger } from '../../../src/shared/log.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { digestResponse, parseDigest } from '../../../src/simulator/sip/digest.ts'
import {
  createWhatsAppSimulator,
  type WhatsAppSimulator,
  type WhatsAppSimulatorOptions,
} from '../../../src/simulator/sip/index.ts'
import {
  createStore,
  type SimulatedNumber,
  type SimulatorStore,
} from '../../../src/simulator/store.ts'
import { makeCa, makeCert, type TestCa } from '../../support/certificates.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeRandom } from '../../support/fake-random.ts'

export const BUSINESS = '+441632960123'
export const CONSUMER = '+33199001234'
export const HOST = 'sip.example.com'

/** A queue that can be awaited. */
class Inbox<T> {
  readonly #items: T[] = []
  readonly #waiting: ((item: T) => void)[] = []

  push(item: T): void {
    const waiter = this.#waiting.shift()
    if (waiter) waiter(item)
    else this.#items.push(item)
  }

  get size(): number {
    return this.#items.length
  }

  async next(): Promise<T> {
    if (this.#items.length > 0) return this.#items.shift()!
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}

/** A message that arrived, with a way to write back on its connection. */
export interface Received {
  message: SipMessage
  text: string
  write(text: string): void
}

/** A business side made of strings: what it sends is written out in the test. */
export class Peer {
  readonly inbox = new Inbox<Received>()
  readonly sockets = new Set<Socket>()

  adopt(socket: TLSSocket): void {
    this.sockets.add(socket)
    socket.on('error', () => {})
    const framer = new StreamFramer({
      message: (bytes) =>
        this.inbox.push({
          message: parseMessage(Buffer.from(bytes)),
          text: bytes.toString(),
          write: (text) => void socket.write(crlf(text)),
        }),
      ping: () => {},
      error: (error) => {
        throw error
      },
    })
    socket.on('data', (chunk) => framer.push(chunk))
  }

  /** The next message; fails when it is not what is expected (`INVITE`, `200 INVITE`). */
  async expect(what: string): Promise<Received> {
    const received = await this.inbox.next()
    const { message } = received
    const got = message.kind === 'request' ? message.method : `${message.status} ${message.method}`
    if (got !== what) throw new Error(`expected ${what}, got ${got}:\n${received.text}`)
    return received
  }
}

/** Line feeds to CRLF, Content-Length filled in. */
export function crlf(text: string): string {
  const [head = '', body = ''] = text.replace(/\r\n/g, '\n').split('\n\n')
  const sdp = body === '' ? '' : `${body.trimEnd().replace(/\n/g, '\r\n')}\r\n`
  const lines = head.trim().replace(/\n/g, '\r\n')
  return `${lines}\r\nContent-Length: ${Buffer.byteLength(sdp)}\r\n\r\n${sdp}`
}

export interface Lab {
  clock: FakeClock
  store: SimulatorStore
  number: SimulatedNumber
  simulator: WhatsAppSimulator
  ca: TestCa
  /** The business's TLS server; what arrives is in `peer.inbox`. */
  peer: Peer
  /** A connection of the business to WhatsApp; answers land in the given peer's inbox. */
  connect(peer?: Peer): Promise<TLSSocket>
}

export interface LabOptions extends Partial<WhatsAppSimulatorOptions> {
  /** Name in the business's certificate. */
  certificateFor?: string
  /** No grant of call permission to the consumer. */
  withoutPermission?: boolean
}

/** A simulator on fake time, a business TLS server, both on loopback. */
export async function startLab(
  t: { teardown(fn: () => unknown): void },
  options: LabOptions = {},
): Promise<Lab> {
  const clock = new FakeClock(Date.now())
  const random = new FakeRandom(7)
  const ca = makeCa()
  const peer = new Peer()
  const server: Server = createServer(
    { ...makeCert({ ca, dns: [options.certificateFor ?? HOST] }) },
    (socket) => peer.adopt(socket),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const store = createStore({
    clock,
    random,
    numbers: [
      {
        phoneNumberId: '106540352242922',
        phoneNumber: BUSINESS,
        accessToken: 'token',
        appId: '634974688087057',
      },
    ],
  })
  const number = store.lookupNumberByPhone(BUSINESS)!
  number.calling.status = 'ENABLED'
  number.calling.sipStatus = 'ENABLED'
  number.calling.srtp = 'SDES'
  number.calling.servers.set('634974688087057', {
    appId: '634974688087057',
    hostname: HOST,
    port: 5061,
    requestUriUserParams: {},
  })
  if (!options.withoutPermission) store.grantPermission(number, CONSUMER, true)
  const own = makeCert({ ca, dns: ['wa.meta.vc', 'localhost'], ip: ['127.0.0.1'] })
  const simulator = await createWhatsAppSimulator({
    store,
    clock,
    random,
    log: silentLogger(),
    host: '127.0.0.1',
    port: 0,
    tls: { identity: { cert: own.cert, key: new Secret(own.key) }, trust: [ca.cert] },
    dialTo: { [HOST]: { host: '127.0.0.1', port } },
    ...options,
  })
  t.teardown(async () => {
    await simulator.close()
    for (const socket of peer.sockets) socket.destroy()
    server.close()
  })
  return {
    clock,
    store,
    number,
    simulator,
    ca,
    peer,
    async connect(to = peer) {
      const socket = connect({
        host: '127.0.0.1',
        port: simulator.address.port,
        servername: 'wa.meta.vc',
        ca: ca.cert,
      })
      await once(socket, 'secureConnect')
      to.adopt(socket)
      return socket
    },
  }
}

export interface InviteParts {
  uri?: string
  fromUser?: string
  fromDomain?: string
  callId?: string
  cseq?: number
  branch?: string
  authorization?: string
  to?: string
  sdp?: string
  toTag?: string
}

export const OFFER = `v=0
o=- 1821 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 19534 RTP/SAVP 107 0 8 101
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd
a=rtpmap:107 opus/48000/2
a=fmtp:107 useinbandfec=1
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=maxptime:20
a=sendrecv
`

let serial = 0

/** A correct INVITE of the business, parts replaced as asked. */
export function inviteText(parts: InviteParts = {}): string {
  const uri = parts.uri ?? `sip:${CONSUMER}@wa.meta.vc;transport=tls`
  const cseq = parts.cseq ?? 1
  const tag = parts.toTag ? `;tag=${parts.toTag}` : ''
  return `INVITE ${uri} SIP/2.0
Via: SIP/2.0/TLS 127.0.0.1:5061;branch=${parts.branch ?? `z9hG4bKb${++serial}`};rport
Max-Forwards: 70
From: <sip:${parts.fromUser ?? BUSINESS}@${parts.fromDomain ?? HOST}>;tag=biz1
To: <${parts.to ?? `sip:${CONSUMER}@wa.meta.vc`}>${tag}
Call-ID: ${parts.callId ?? 'call-1'}
CSeq: ${cseq} INVITE
Contact: <sip:${BUSINESS}@${HOST}:5061;transport=tls>
${parts.authorization ? `Proxy-Authorization: ${parts.authorization}\n` : ''}Content-Type: application/sdp

${parts.sdp ?? OFFER}`
}

/** Credentials for a challenge WhatsApp sent. */
export function credentials(
  challenge: string,
  password: string,
  overrides: {
    username?: string
    nc?: string
    uri?: string
    password?: string
    method?: string
  } = {},
): string {
  const { realm = '', nonce = '', opaque = '', algorithm = 'MD5' } = parseDigest(challenge)!
  const username = overrides.username ?? BUSINESS.slice(1)
  const uri = overrides.uri ?? `sip:${CONSUMER}@wa.meta.vc`
  const nc = overrides.nc ?? '00000001'
  const cnonce = '0a4f113b9c27d6e8'
  const response = digestResponse({
    algorithm: algorithm as 'MD5',
    username,
    realm,
    password: new Secret(overrides.password ?? password),
    method: overrides.method ?? 'INVITE',
    uri,
    nonce,
    nc,
    cnonce,
  })
  return `Digest username="${username}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=${algorithm}, cnonce="${cnonce}", opaque="${opaque}", qop=auth, nc=${nc}`
}

/** The ACK for a failure: same branch as its INVITE. */
export function ackFailure(response: SipMessage, uri = `sip:${CONSUMER}@wa.meta.vc`): string {
  return `ACK ${uri} SIP/2.0
Via: ${headerValue(response.headers, 'via')}
From: ${headerValue(response.headers, 'from')}
To: ${headerValue(response.headers, 'to')}
Call-ID: ${response.callId}
CSeq: ${response.cseq} ACK`
}

const ROUTES = `Route: <sip:wa.meta.vc;transport=tls;lr>
Route: <sip:onevc-sip-proxy.fbinfra.net:8191;transport=tls;lr>
`

/** An in-dialog request of the business after a 200 it got. */
export function inDialog(
  method: string,
  ok: SipMessage,
  overrides: { routes?: string; cseq?: number; uri?: string } = {},
): string {
  const contact = /<([^>]+)>/.exec(headerValue(ok.headers, 'contact')!)![1]!
  return `${method} ${overrides.uri ?? contact} SIP/2.0
Via: SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bKd${++serial};rport
${overrides.routes ?? ROUTES}Max-Forwards: 70
From: ${headerValue(ok.headers, 'from')}
To: ${headerValue(ok.headers, 'to')}
Call-ID: ${ok.callId}
CSeq: ${overrides.cseq ?? (method === 'ACK' ? ok.cseq : ok.cseq + 1)} ${method}`
}

/** A response of the business to a request of WhatsApp, headers copied as they must be. */
export function reply(
  request: SipMessage,
  status: string,
  extra = '',
  options: { tag?: string; recordRoutes?: string[]; body?: string } = {},
): string {
  const { tag = 'biz2', body = '' } = options
  const copy = (key: string, name: string): string =>
    headerValues(request.headers, key)
      .map((value) => `${name}: ${value}\n`)
      .join('')
  const routes = options.recordRoutes ?? headerValues(request.headers, 'record-route')
  const recorded = status.startsWith('2')
    ? routes.map((route) => `Record-Route: ${route}\n`).join('')
    : ''
  const to = headerValue(request.headers, 'to')!
  return `SIP/2.0 ${status}
${copy('via', 'Via')}${recorded}${copy('from', 'From')}To: ${to.includes('tag=') ? to : `${to};tag=${tag}`}
${copy('call-id', 'Call-ID')}${copy('cseq', 'CSeq')}${extra}
${body ? `Content-Type: application/sdp\n\n${body}` : ''}`.replace(/\n\n(?=Content-Type)/, '\n')
}

/** Sends an INVITE, answers the challenge, returns what comes after: a 100 or a refusal. */
export async function callConsumer(
  lab: Lab,
  socket: TLSSocket,
  parts: InviteParts = {},
  overrides: Parameters<typeof credentials>[2] = {},
): Promise<Received> {
  socket.write(crlf(inviteText(parts)))
  const challenge = await lab.peer.expect('407 INVITE')
  challenge.write(ackFailure(challenge.message))
  const password = lab.store.passwordOf(lab.number, '634974688087057')
  const value = headerValue(challenge.message.headers, 'proxy-authenticate')!
  socket.write(
    crlf(
      inviteText({
        ...parts,
        cseq: (parts.cseq ?? 1) + 1,
        authorization: credentials(value, password, overrides),
      }),
    ),
  )
  return lab.peer.inbox.next()
}
